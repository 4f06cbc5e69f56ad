/* SPDX-License-Identifier: MIT */
/* link: see link.h. Every request is one call of perform, so no rule is written twice. */
#include "link.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "json.h"
#include "json_write.h"
#include "mem.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    SHORT_TIMEOUT_MS = 15000,
    LONG_TIMEOUT_MS = 300000, /* sources and results */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 10000,
    ERROR_WORDS_MAX = 300,
};

struct link {
    CURL *curl;
    struct curl_slist *headers, *json_headers;
    char *url, *socket;
};

struct request {
    const char *method, *path;
    struct view body;
    bool json;
    long timeout_ms;
    int fd; /* the answer goes there when it is not -1 */
    int64_t bytes_max;
    /* what came back */
    struct str answer;
    int64_t bytes;
    bool too_large, disk_failed;
    long status;
};

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

int link_open(const struct link_address *to, struct link **out, struct err *e)
{
    AUTO(str_done) struct str bearer = STR_INIT(LINK_TOKEN_MAX + 64);
    AUTO(link_freep) struct link *l = mem_zero(1, sizeof *l);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start_curl);
    str_addf(&bearer, "Authorization: Bearer %s", to->token);
    l->curl = curl_easy_init();
    l->url = mem_strdup(to->url);
    l->socket = mem_strdup(to->socket);
    /* curl's "Expect: 100-continue" would cost a round trip for each result. */
    l->headers = curl_slist_append(NULL, str_text(&bearer));
    l->json_headers = curl_slist_append(NULL, str_text(&bearer));
    if (!l->curl || !l->headers || !l->json_headers ||
        !curl_slist_append(l->headers, "Expect:") ||
        !curl_slist_append(l->headers, "Content-Type: application/octet-stream") ||
        !curl_slist_append(l->json_headers, "Expect:") ||
        !curl_slist_append(l->json_headers, "Content-Type: application/json"))
        return err_set(e, ERR_SYSTEM, "cannot set up HTTP");
    *out = STEAL(l);
    return 0;
}

void link_freep(struct link **link)
{
    struct link *l = STEAL(*link);
    if (!l)
        return;
    curl_slist_free_all(l->headers);
    curl_slist_free_all(l->json_headers);
    if (l->curl)
        curl_easy_cleanup(l->curl);
    free(l->url);
    free(l->socket);
    free(l);
}

/* --- one request -----------------------------------------------------------------------------
 */

static size_t take_answer(char *bytes, size_t size, size_t n, void *arg)
{
    struct request *r = arg;
    struct view got = {bytes, size * n};
    r->bytes += (int64_t)got.len;
    if (r->fd >= 0) {
        r->too_large = r->bytes > r->bytes_max;
        r->disk_failed = !r->too_large && fdio_write_all(r->fd, got, NULL) < 0;
        return r->too_large || r->disk_failed ? 0 : got.len;
    }
    str_add(&r->answer, got);
    r->too_large = r->answer.cut;
    return r->answer.cut ? 0 : got.len;
}

static void set_options(struct link *l, struct request *r, const char *url)
{
    CURL *c = l->curl;
    curl_easy_reset(c); /* keeps the connection */
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "pacewatch-runner/" PACEWATCH_VERSION);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->json ? l->json_headers : l->headers);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, r->timeout_ms);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    if (l->socket)
        curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, l->socket);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    if (r->body.at) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.at);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
}

/* The daemon says why in {"error": {"message": ...}}; a proxy may say anything. */
static int refused(const struct request *r, struct err *e)
{
    enum err_kind kind = ERR_PROTOCOL;
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct view words = {"", 0};
    if (r->status == 401 || r->status == 410)
        kind = ERR_CONFLICT;
    else if (r->status >= 500 || r->status == 429)
        kind = ERR_AWAY;
    if (json_parse(str_view(&r->answer), &JSON_MESSAGE, &doc, NULL) == 0) {
        const struct json *error = json_get(json_root(doc), "error");
        const struct json *message = json_get(error, "message");
        if (message && json_type(message) == JSON_STRING)
            words = json_text(message);
    }
    words.len = view_utf8_prefix(words, ERROR_WORDS_MAX);
    return err_set(e, kind, "%s %s: status %ld%s%.*s", r->method, r->path, r->status,
                   words.len ? ": " : "", (int)words.len, words.at);
}

static int perform(struct link *l, struct request *r, struct err *e)
{
    AUTO(str_done) struct str url = STR_INIT(4096);
    str_addf(&url, "%s%s", l->url, r->path);
    r->answer.max = LINK_ANSWER_MAX;
    if (!r->timeout_ms)
        r->timeout_ms = SHORT_TIMEOUT_MS;
    set_options(l, r, str_text(&url));
    CURLcode rc = curl_easy_perform(l->curl);
    if (r->too_large)
        return err_set(e, ERR_LIMIT, "%s %s: the answer is too large", r->method, r->path);
    if (r->disk_failed)
        return err_set(e, ERR_SYSTEM, "%s %s: cannot write the answer", r->method, r->path);
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ERR_AWAY, "%s %s: no answer in time", r->method, r->path);
    if (rc != CURLE_OK)
        return err_set(e, ERR_AWAY, "%s %s: %s", r->method, r->path, curl_easy_strerror(rc));
    curl_easy_getinfo(l->curl, CURLINFO_RESPONSE_CODE, &r->status);
    return r->status >= 200 && r->status < 300 ? 0 : refused(r, e);
}

static void request_done(struct request *r)
{
    str_done(&r->answer);
}

/* --- the routes ------------------------------------------------------------------------------
 */

int link_job(struct link *l, struct job_doc **out, struct err *e)
{
    AUTO(request_done) struct request r = {.method = "GET", .path = "/runner/v1/job", .fd = -1};
    if (perform(l, &r, e) < 0)
        return -1;
    return job_doc_parse(str_view(&r.answer), out, e);
}

int link_source(struct link *l, enum side side, int fd, int64_t bytes_max, struct err *e)
{
    static const char *const paths[SIDE_COUNT] = {"/runner/v1/source/base",
                                                  "/runner/v1/source/head"};
    AUTO(request_done)
    struct request r = {.method = "GET",
                        .path = paths[side],
                        .fd = fd,
                        .bytes_max = bytes_max,
                        .timeout_ms = LONG_TIMEOUT_MS};
    return perform(l, &r, e);
}

int link_beat(struct link *l, const struct link_beat *beat, bool *cancel, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(4096);
    struct jw w = jw_begin(&body);
    jw_object(&w, NULL);
    jw_text(&w, "stage", beat->stage);
    jw_int(&w, "rounds_done", beat->rounds_done);
    jw_int(&w, "rounds_planned", beat->rounds_planned);
    jw_int(&w, "eta_ms", beat->eta_ms);
    jw_end(&w);
    AUTO(request_done)
    struct request r = {.method = "POST",
                        .path = "/runner/v1/beat",
                        .json = true,
                        .fd = -1,
                        .body = str_view(&body)};
    if (perform(l, &r, e) < 0)
        return -1;
    AUTO(json_freep) struct json_doc *doc = NULL;
    bool wanted = false;
    if (json_parse(str_view(&r.answer), &JSON_MESSAGE, &doc, e) < 0 ||
        json_read_bool(doc, json_root(doc), "cancel", true, &wanted, e) < 0)
        return err_ctx(e, "answer to a beat");
    *cancel = wanted;
    return 0;
}

int link_log(struct link *l, const char *stage, int64_t seq, struct view bytes, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(512);
    str_addf(&path, "/runner/v1/log?stage=%s&seq=%lld", stage, (long long)seq);
    AUTO(request_done)
    struct request r = {.method = "POST", .path = str_text(&path), .fd = -1, .body = bytes};
    return perform(l, &r, e);
}

int link_look_ask(struct link *l, int n, struct view result, struct err *e)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/runner/v1/look?n=%d", n);
    AUTO(request_done)
    struct request r = {.method = "PUT", .path = path, .json = true, .fd = -1, .body = result};
    return perform(l, &r, e);
}

int link_look_answer(struct link *l, int n, enum link_look *out, struct err *e)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/runner/v1/look?n=%d", n);
    AUTO(request_done) struct request r = {.method = "GET", .path = path, .fd = -1};
    AUTO(json_freep) struct json_doc *doc = NULL;
    bool stop = false;
    if (perform(l, &r, e) < 0)
        return -1;
    if (json_parse(str_view(&r.answer), &JSON_MESSAGE, &doc, e) < 0)
        return err_ctx(e, "answer to a look");
    const struct json *member = json_get(json_root(doc), "stop");
    *out = LINK_LOOK_OPEN;
    if (member && json_type(member) == JSON_NULL)
        return 0;
    if (json_read_bool(doc, json_root(doc), "stop", true, &stop, e) < 0)
        return err_ctx(e, "answer to a look");
    *out = stop ? LINK_LOOK_STOP : LINK_LOOK_GO_ON;
    return 0;
}

int link_result(struct link *l, struct view result, int64_t deadline_ns, struct err *e)
{
    int64_t pause_ns = PAUSE_FIRST_MS * CLOCK_NS_PER_MS;
    for (;;) {
        struct err now = {0};
        AUTO(request_done)
        struct request r = {.method = "PUT",
                            .path = "/runner/v1/result",
                            .json = true,
                            .fd = -1,
                            .body = result,
                            .timeout_ms = LONG_TIMEOUT_MS};
        if (perform(l, &r, &now) == 0)
            return 0;
        if (now.kind != ERR_AWAY || clock_now_ns() + pause_ns >= deadline_ns)
            return err_set(e, now.kind, "%s", now.text);
        clock_sleep_until(clock_now_ns() + pause_ns);
        pause_ns *= 2;
        if (pause_ns > PAUSE_MOST_MS * CLOCK_NS_PER_MS)
            pause_ns = PAUSE_MOST_MS * CLOCK_NS_PER_MS;
    }
}
