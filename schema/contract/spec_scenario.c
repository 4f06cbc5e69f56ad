/* SPDX-License-Identifier: MIT */
/*
 * spec_scenario: endpoints and load, read and written.
 *
 * The load generator takes one scenario by itself, so this part of a spec stands on its own
 * feet: what spec_scenario_write writes, spec_scenario_parse reads back equal.
 */
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "spec_parts.h"
#include "template.h"

/* Gaps between arrivals of 100 ns to a quarter of an hour. */
#define RATE_MIN 0.001
#define RATE_MAX 1e7

enum {
    NAME_LEN_MAX = 255,
    WEIGHT_MAX = 1000000,
    STATUS_MIN = 100,
    STATUS_MAX = 599,
    PIPELINE_MAX = 64,
    THREADS_MAX = 64,
};

struct spec_load spec_load_default(void)
{
    return (struct spec_load){
        .kind = SPEC_CLOSED_LOOP,
        .connections = 16,
        .duration_ns = 2 * CLOCK_NS_PER_S,
        .warmup_ns = 500 * CLOCK_NS_PER_MS,
        .timeout_ns = 10 * CLOCK_NS_PER_S,
        .threads = 1,
        .pipeline = 1,
    };
}

static const char *const protocol_names[] = {"http1", "http2", "websocket", NULL};

/* --- reading ---------------------------------------------------------------------------------
 */

int spec_read_load(const struct json_doc *doc, const struct json *object,
                   struct spec_load *load, struct err *e)
{
    static const char *const keys[] = {"rate",   "arrival",  "connections", "duration",
                                       "warmup", "timeout",  "threads",     "pipeline",
                                       "close",  "protocol", "think",       NULL};
    const int64_t day = SPEC_DAY_NS;
    int protocol = (int)load->protocol;
    struct view arrival = {0};
    double rate = 0;
    if (json_only_keys(doc, object, "load", keys, e) < 0 ||
        json_read_rate(doc, object, "rate", false, &rate, e) < 0 ||
        json_read_text(doc, object, "arrival", false, &arrival, e) < 0 ||
        json_read_int(doc, object, "connections", false, 1, SPEC_CONNECTIONS_MAX,
                      &load->connections, e) < 0 ||
        json_read_duration(doc, object, "duration", false, 10 * CLOCK_NS_PER_MS, day,
                           &load->duration_ns, e) < 0 ||
        json_read_duration(doc, object, "warmup", false, 0, day, &load->warmup_ns, e) < 0 ||
        json_read_duration(doc, object, "timeout", false, CLOCK_NS_PER_MS, day,
                           &load->timeout_ns, e) < 0 ||
        json_read_int(doc, object, "threads", false, 1, THREADS_MAX, &load->threads, e) < 0 ||
        json_read_int(doc, object, "pipeline", false, 1, PIPELINE_MAX, &load->pipeline, e) <
            0 ||
        json_read_bool(doc, object, "close", false, &load->close, e) < 0 ||
        json_read_duration(doc, object, "think", false, 0, day, &load->think_ns, e) < 0 ||
        spec_read_choice(doc, object, "protocol", protocol_names, &protocol, e) < 0)
        return -1;
    load->protocol = (enum spec_protocol)protocol;

    const struct json *rate_at = json_get(object, "rate");
    if (rate_at) {
        if (rate < RATE_MIN || rate > RATE_MAX)
            return json_fail(doc, rate_at, e, "'rate' must lie between %g/s and %.0f/s",
                             RATE_MIN, RATE_MAX);
        load->kind = SPEC_OPEN_LOOP;
        load->rate_rps = rate;
    } else if (json_get(object, "connections")) {
        load->kind = SPEC_CLOSED_LOOP; /* connections without a rate: closed loop */
        load->rate_rps = 0;
        load->poisson = false;
    }
    if (arrival.at) {
        load->poisson = view_eqz(arrival, "poisson");
        if (!load->poisson && !view_eqz(arrival, "constant"))
            return json_fail(doc, json_get(object, "arrival"), e,
                             "'arrival' must be 'constant' or 'poisson'");
        if (load->kind != SPEC_OPEN_LOOP)
            return json_fail(doc, json_get(object, "arrival"), e,
                             "'arrival' needs a 'rate': a closed loop has no schedule");
    }
    return 0;
}

static int read_expect(const struct json_doc *doc, const struct json *endpoint,
                       struct spec_expect *x, struct err *e)
{
    static const char *const keys[] = {"status", "contains", "sha256", NULL};
    const struct json *object = NULL;
    struct view hex = {0};
    int64_t status = x->status;
    if (json_read_member(doc, endpoint, "expect", false, JSON_OBJECT, &object, e) < 0)
        return -1;
    if (!object)
        return 0;
    if (json_only_keys(doc, object, "expect", keys, e) < 0 ||
        json_read_int(doc, object, "status", false, STATUS_MIN, STATUS_MAX, &status, e) < 0 ||
        spec_read_string(doc, object, "contains", false, &x->contains, e) < 0 ||
        json_read_text(doc, object, "sha256", false, &hex, e) < 0)
        return -1;
    x->status = (int)status;
    x->has_sha256 = hex.at != NULL;
    if (hex.at && !view_hex(hex, x->sha256, DIGEST_BYTES))
        return json_fail(doc, json_get(object, "sha256"), e,
                         "'sha256' must be 64 hexadecimal digits");
    return 0;
}

/* What would break the request line or a header is refused here, once. */
static bool is_token(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"(),/:;<=>?@[\\]{}", *p))
            return false;
    return *text != '\0';
}

static int check_template(const struct json_doc *doc, const struct json *at, struct view text,
                          bool *made, struct err *e)
{
    AUTO(template_done) struct template t = TEMPLATE_INIT;
    struct err why = {0};
    if (template_add(&t, text, TEMPLATE_BODY, &why) < 0)
        return json_fail(doc, at, e, "%s", why.text);
    *made |= !template_is_constant(&t);
    return 0;
}

static int check_templates(const struct json_doc *doc, const struct json *object,
                           struct spec_endpoint *p, struct err *e)
{
    const struct json *headers = json_get(object, "headers");
    for (size_t i = 0; i < p->headers.len; i++)
        if (check_template(doc, json_get(headers, p->headers.at[i].name),
                           view_z(p->headers.at[i].value), &p->made, e) < 0)
            return -1;
    if (p->body && check_template(doc, json_get(object, "body"),
                                  (struct view){p->body, p->body_len}, &p->made, e) < 0)
        return -1;
    return check_template(doc, json_get(object, "path"), view_z(p->path), &p->made, e);
}

static int check_endpoint(const struct json_doc *doc, const struct json *object,
                          struct spec_endpoint *p, struct err *e)
{
    if (!is_token(p->method))
        return json_fail(doc, json_get(object, "method"), e, "'method' is not an HTTP method");
    if (!spec_is_url_path(p->path))
        return json_fail(doc, json_get(object, "path"), e,
                         "'path' must begin with '/' and hold no blank or control character");
    for (size_t i = 0; i < p->headers.len; i++)
        if (!is_token(p->headers.at[i].name) || spec_has_control(p->headers.at[i].value))
            return json_fail(doc, json_get(json_get(object, "headers"), p->headers.at[i].name),
                             e, "'%s' is not a header that can be sent", p->headers.at[i].name);
    if (check_templates(doc, object, p, e) < 0)
        return -1;
    if (!p->name[0] || strlen(p->name) > NAME_LEN_MAX || spec_has_control(p->name))
        return json_fail(doc, object, e,
                         "an endpoint's name must have 1 to %d bytes without control "
                         "characters; give it a 'name'",
                         NAME_LEN_MAX);
    return 0;
}

static int read_endpoint(const struct json_doc *doc, const struct json *object, bool session,
                         struct spec_endpoint *p, struct err *e)
{
    static const char *const in_mix[] = {"name",   "method", "path",  "headers", "body",
                                         "weight", "expect", "think", NULL};
    static const char *const in_session[] = {"name", "method", "path",  "headers",
                                             "body", "expect", "think", NULL};
    const char *const *keys = session ? in_session : in_mix;
    p->weight = 1;
    p->think_ns = -1;
    p->expect.status = 200;
    if (json_type(object) != JSON_OBJECT)
        return json_fail(doc, object, e, "an endpoint must be an object");
    p->method = mem_strdup("GET");
    if (json_only_keys(doc, object, session ? "step" : "endpoint", keys, e) < 0 ||
        spec_read_string(doc, object, "method", false, &p->method, e) < 0 ||
        spec_read_string(doc, object, "path", true, &p->path, e) < 0 ||
        spec_read_string(doc, object, "name", false, &p->name, e) < 0 ||
        spec_read_string(doc, object, "body", false, &p->body, e) < 0 ||
        spec_read_pairs(doc, object, "headers", &p->headers, e) < 0 ||
        json_read_int(doc, object, "weight", false, 1, WEIGHT_MAX, &p->weight, e) < 0 ||
        json_read_duration(doc, object, "think", false, 0, SPEC_DAY_NS, &p->think_ns, e) < 0 ||
        read_expect(doc, object, &p->expect, e) < 0)
        return -1;
    p->body_len = p->body ? strlen(p->body) : 0;
    if (!p->name) {
        struct str name = STR_INIT(SPEC_BYTES_MAX);
        str_addf(&name, "%s %s", p->method, p->path);
        p->name = str_steal(&name);
    }
    return check_endpoint(doc, object, p, e);
}

static int read_endpoints(const struct json_doc *doc, const struct json *object,
                          struct spec_scenario *s, struct err *e)
{
    const struct json *array = NULL;
    s->session = json_get(object, "session") != NULL;
    if (s->session && json_get(object, "endpoints"))
        return json_fail(doc, json_get(object, "session"), e,
                         "a scenario is either a mix of 'endpoints' or a 'session'");
    const char *key = s->session ? "session" : "endpoints";
    if (json_read_member(doc, object, key, true, JSON_ARRAY, &array, e) < 0)
        return -1;
    size_t n = json_count(array);
    if (n == 0 || n > SPEC_ENDPOINTS_MAX)
        return json_fail(doc, array, e, "'%s' must have 1 to %d entries", key,
                         SPEC_ENDPOINTS_MAX);
    s->endpoints = mem_zero(n, sizeof *s->endpoints);
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        struct spec_endpoint *p = &s->endpoints[s->endpoints_len++];
        if (read_endpoint(doc, v, s->session, p, e) < 0)
            return -1;
        for (struct spec_endpoint *q = s->endpoints; q < p; q++)
            if (strcmp(q->name, p->name) == 0)
                return json_fail(doc, v, e, "two endpoints are named '%s'; give one a 'name'",
                                 p->name);
    }
    return 0;
}

static int check_think(const struct json_doc *doc, const struct json *object,
                       const struct spec_scenario *s, struct err *e)
{
    bool thinks = s->load.think_ns > 0;
    for (size_t i = 0; i < s->endpoints_len; i++)
        thinks |= s->endpoints[i].think_ns > 0;
    if (thinks && !s->session && s->load.kind == SPEC_OPEN_LOOP)
        return json_fail(doc, object, e,
                         "'think' needs a 'session' or a closed loop: an open loop has a "
                         "schedule");
    if (s->session && s->load.pipeline > 1)
        return json_fail(doc, object, e,
                         "a 'session' sends one request after the other; leave "
                         "'pipeline' away");
    return 0;
}

int spec_scenario_parse(const struct json_doc *doc, const struct json *object,
                        const struct spec_load *defaults, struct spec_scenario *out,
                        struct err *e)
{
    static const char *const keys[] = {"name", "endpoints", "session", "data", "load", NULL};
    struct spec_scenario s = {.load = *defaults};
    const struct json *load = NULL;
    if (json_type(object) != JSON_OBJECT)
        return json_fail(doc, object, e, "a scenario must be an object");
    int rc = json_only_keys(doc, object, "scenario", keys, e);
    if (rc == 0)
        rc = spec_read_string(doc, object, "name", false, &s.name, e);
    if (rc == 0)
        rc = spec_read_string(doc, object, "data", false, &s.data, e);
    if (rc == 0 && s.data && !spec_is_inside(s.data))
        rc = json_fail(doc, json_get(object, "data"), e,
                       "'data' must be a path inside the repository");
    if (rc == 0)
        rc = read_endpoints(doc, object, &s, e);
    if (rc == 0)
        rc = json_read_member(doc, object, "load", false, JSON_OBJECT, &load, e);
    if (rc == 0 && load)
        rc = spec_read_load(doc, load, &s.load, e);
    if (rc == 0)
        rc = check_think(doc, object, &s, e);
    if (rc == 0 && !s.name)
        s.name = mem_strdup(s.endpoints[0].name);
    if (rc == 0 && (!s.name[0] || strlen(s.name) > NAME_LEN_MAX || spec_has_control(s.name)))
        rc = json_fail(doc, object, e,
                       "a scenario's name must have 1 to %d bytes without control characters",
                       NAME_LEN_MAX);
    if (rc < 0) {
        spec_scenario_done(&s);
        return -1;
    }
    *out = s;
    return 0;
}

void spec_scenario_done(struct spec_scenario *s)
{
    for (size_t i = 0; i < s->endpoints_len; i++) {
        struct spec_endpoint *p = &s->endpoints[i];
        free(p->name);
        free(p->method);
        free(p->path);
        free(p->body);
        free(p->expect.contains);
        spec_pairs_done(&p->headers);
    }
    free(s->endpoints);
    free(s->name);
    free(s->data);
    *s = (struct spec_scenario){0};
}

/* --- writing ---------------------------------------------------------------------------------
 */

void spec_write_load(struct jw *w, const char *key, const struct spec_load *l)
{
    jw_object(w, key);
    if (l->kind == SPEC_OPEN_LOOP) {
        spec_write_rate(w, "rate", l->rate_rps);
        jw_text(w, "arrival", l->poisson ? "poisson" : "constant");
    }
    jw_int(w, "connections", l->connections);
    spec_write_duration(w, "duration", l->duration_ns);
    spec_write_duration(w, "warmup", l->warmup_ns);
    spec_write_duration(w, "timeout", l->timeout_ns);
    jw_int(w, "threads", l->threads);
    jw_int(w, "pipeline", l->pipeline);
    jw_bool(w, "close", l->close);
    /* What was added later is written only where it is used, so that the digest of a workload
     * that does without stays what it was. */
    if (l->protocol != SPEC_HTTP1)
        jw_text(w, "protocol", protocol_names[l->protocol]);
    if (l->think_ns)
        spec_write_duration(w, "think", l->think_ns);
    jw_end(w);
}

static void write_endpoint(struct jw *w, const struct spec_endpoint *p, bool session)
{
    jw_object(w, NULL);
    jw_text(w, "name", p->name);
    jw_text(w, "method", p->method);
    jw_text(w, "path", p->path);
    if (p->headers.len) {
        jw_object(w, "headers");
        for (size_t i = 0; i < p->headers.len; i++)
            jw_text(w, p->headers.at[i].name, p->headers.at[i].value);
        jw_end(w);
    }
    if (p->body)
        jw_view(w, "body", (struct view){p->body, p->body_len});
    if (!session)
        jw_int(w, "weight", p->weight);
    if (p->think_ns >= 0)
        spec_write_duration(w, "think", p->think_ns);
    jw_object(w, "expect");
    jw_int(w, "status", p->expect.status);
    if (p->expect.contains)
        jw_text(w, "contains", p->expect.contains);
    if (p->expect.has_sha256)
        jw_hex(w, "sha256", p->expect.sha256, DIGEST_BYTES);
    jw_end(w);
    jw_end(w);
}

void spec_write_scenario(struct jw *w, const char *key, const struct spec_scenario *s)
{
    jw_object(w, key);
    jw_text(w, "name", s->name);
    if (s->data)
        jw_text(w, "data", s->data);
    jw_array(w, s->session ? "session" : "endpoints");
    for (size_t i = 0; i < s->endpoints_len; i++)
        write_endpoint(w, &s->endpoints[i], s->session);
    jw_end(w);
    spec_write_load(w, "load", &s->load);
    jw_end(w);
}

void spec_scenario_write(const struct spec_scenario *s, struct str *out)
{
    struct jw w = jw_begin(out);
    spec_write_scenario(&w, NULL, s);
}
