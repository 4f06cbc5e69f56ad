/* SPDX-License-Identifier: MIT */
/* runner_api: see runner_api.h. */
#include "runner_api.h"

#include <fcntl.h>
#include <inttypes.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "json.h"
#include "log.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_look.h"
#include "store_run.h"

enum { TOKEN_BYTES_MAX = 256, PATH_BYTES_MAX = 4096 };

static bool read_token(const struct request *r, struct view *out)
{
    struct view header = server_header(r, "Authorization"), scheme, token;
    if (!view_cut(header, ' ', &scheme, &token))
        return false;
    *out = view_trim(token);
    return scheme.len == 6 && strncasecmp(scheme.at, "Bearer", 6) == 0 && out->len > 0 &&
           out->len <= TOKEN_BYTES_MAX;
}

int runner_authorise(struct call *c, enum route_kind kind, struct err *e)
{
    unsigned char hash[DIGEST_BYTES];
    struct view token;
    bool found = false;
    if (read_token(c->request, &token)) {
        digest_of(token, hash);
        if (store_attempt_by_token(c->store, hash, &c->attempt, &found, e) < 0)
            return -1;
    }
    enum attempt_state state = c->attempt.state;
    if (!found)
        api_error(c->reply, 401, "this is not the token of an attempt");
    else if (kind == ROUTE_RESULT && state == ATTEMPT_DELIVERED)
        c->reply->status = 204;
    else if (!attempt_is_open(&c->attempt) &&
             (kind != ROUTE_BEAT || state == ATTEMPT_DELIVERED))
        api_error(c->reply, 410, "this attempt is over");
    return 0;
}

/* --- files ------------------------------------------------------------------------------- */

static int send_file(struct call *c, const char *name, const char *type, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(PATH_BYTES_MAX);
    struct stat st;
    str_addf(&path, "%s/jobs/%" PRId64 "/%s", c->options->state_dir, c->attempt.job_id, name);
    AUTO(fdio_closep) int fd = open(str_text(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set(e, ERR_NOT_FOUND, "job %" PRId64 " has no %s", c->attempt.job_id, name);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, ERR_SYSTEM, "'%s' is not a file", str_text(&path));
    api_text(c, type);
    c->reply->fd = STEAL_FD(fd);
    c->reply->fd_bytes = st.st_size;
    return 0;
}

int runner_job(struct call *c, struct err *e)
{
    if (send_file(c, "job.json", "application/json", e) < 0)
        return -1;
    return store_attempt_begin(c->store, c->attempt.job_id, c->attempt.n, e);
}

int runner_source(struct call *c, struct err *e)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        if (view_eqz(c->params[0], side_names[side]))
            return send_file(c, side == SIDE_BASE ? "base.tar" : "head.tar",
                             "application/x-tar", e);
    return err_set(e, ERR_NOT_FOUND, "a source is 'base' or 'head'");
}

/* --- life -------------------------------------------------------------------------------- */

static int read_beat(const struct json_doc *doc, struct attempt_beat *out, struct err *e)
{
    const struct json *root = json_root(doc);
    if (json_type(root) != JSON_OBJECT)
        return json_fail(doc, root, e, "a beat is an object");
    if (json_read_text(doc, root, "stage", true, &out->stage, e) < 0 ||
        json_read_int(doc, root, "rounds_done", false, 0, RESULT_ROUNDS_MAX, &out->rounds_done,
                      e) < 0 ||
        json_read_int(doc, root, "rounds_planned", false, 0, RESULT_ROUNDS_MAX,
                      &out->rounds_planned, e) < 0)
        return -1;
    return json_read_int(doc, root, "eta_ms", false, 0, INT64_C(1) << 50, &out->eta_ms, e);
}

int runner_beat(struct call *c, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct attempt_beat beat = {0};
    bool cancel;
    if (json_parse(c->request->body, &JSON_MESSAGE, &doc, e) < 0 ||
        read_beat(doc, &beat, e) < 0)
        return -1;
    if (store_attempt_beat(c->store, c->attempt.job_id, c->attempt.n, &beat, &cancel, e) < 0)
        return -1;
    struct jw w = api_json(c);
    jw_bool(&w, "cancel", cancel);
    api_json_end(&w);
    return 0;
}

int runner_log(struct call *c, struct err *e)
{
    const struct url *url = &c->request->url;
    struct view stage;
    int64_t seq = -1;
    if (!url_param(url, "stage", &stage))
        return err_set(e, ERR_INPUT, "parameter 'stage' is missing");
    if (url_param_int(url, "seq", 0, INT32_MAX, &seq, e) < 0)
        return -1;
    if (seq < 0)
        return err_set(e, ERR_INPUT, "parameter 'seq' is missing");
    if (store_attempt_log(c->store, c->attempt.job_id, c->attempt.n, stage, seq,
                          c->request->body, e) < 0)
        return -1;
    c->reply->status = 204;
    return 0;
}

/* --- result ------------------------------------------------------------------------------ */

/* The spec in force lies in the database, so a result can be read when the job's files are
 * gone. */
static int load_spec(struct call *c, struct spec **out, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    if (store_spec_body(c->store, c->attempt.spec_id, &text, e) < 0)
        return -1;
    return spec_parse(str_view(&text), SPEC_FILE, out, e);
}

/* Foreign bytes are read and checked here, before they reach the database. */
static int read_result(struct call *c, struct spec **spec_out, struct result_doc **out,
                       struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    AUTO(result_doc_freep) struct result_doc *doc = NULL;
    const struct attempt *a = &c->attempt;
    if (load_spec(c, &spec, e) < 0) {
        e->kind = ERR_SYSTEM; /* ours, not the runner's */
        return err_ctx(e, "result of job %" PRId64, a->job_id);
    }
    if (result_doc_parse(c->request->body, spec, &doc, e) < 0)
        return err_ctx(e, "result");
    if (doc->job != a->job_id || doc->attempt != a->n)
        return err_set(e, ERR_INPUT, "the result is of job %" PRId64 ", attempt %" PRId64,
                       doc->job, doc->attempt);
    *spec_out = STEAL(spec);
    *out = STEAL(doc);
    return 0;
}

static int read_look(struct call *c, struct look *out, struct err *e)
{
    int64_t n = 0;
    if (url_param_int(&c->request->url, "n", 1, RESULT_ROUNDS_MAX, &n, e) < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_INPUT, "parameter 'n' is missing");
    *out = (struct look){.job_id = c->attempt.job_id, .attempt = c->attempt.n, .n = (int)n};
    return 0;
}

int runner_look_ask(struct call *c, struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    AUTO(result_doc_freep) struct result_doc *doc = NULL;
    struct look look;
    if (read_look(c, &look, e) < 0 || read_result(c, &spec, &doc, e) < 0 ||
        store_look_ask(c->store, look.job_id, look.attempt, look.n, c->request->body, e) < 0)
        return -1;
    if (c->options->judge)
        bell_ring(c->options->judge);
    c->reply->status = 204;
    return 0;
}

int runner_look_answer(struct call *c, struct err *e)
{
    struct look look;
    enum look_answer answer;
    if (read_look(c, &look, e) < 0 || store_look_get(c->store, &look, &answer, e) < 0)
        return -1;
    struct jw w = api_json(c);
    if (answer == LOOK_OPEN)
        jw_null(&w, "stop");
    else
        jw_bool(&w, "stop", answer == LOOK_STOP);
    api_json_end(&w);
    return 0;
}

int runner_result(struct call *c, struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    AUTO(result_doc_freep) struct result_doc *doc = NULL;
    const struct attempt *a = &c->attempt;
    if (read_result(c, &spec, &doc, e) < 0)
        return -1;
    if (store_run_accept(c->store, doc, spec, e) < 0)
        return -1;
    if (c->options->judge)
        bell_ring(c->options->judge);
    if (c->options->dispatch)
        bell_ring(c->options->dispatch);
    log_info("result accepted", "job=%" PRId64 " attempt=%d bytes=%zu", a->job_id, a->n,
             c->request->body.len);
    c->reply->status = 204;
    return 0;
}
