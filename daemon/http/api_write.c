/* SPDX-License-Identifier: MIT */
/* api_write: replies, parameters and the pieces that several answers have. See api.h. */
#include <inttypes.h>

#include "api.h"
#include "digest.h"
#include "log.h"
#include "metric.h"
#include "opt.h"
#include "store_repo.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, ETAG_BYTES = 16 };

/* --- replies ----------------------------------------------------------------------------- */

void api_headers(struct reply *reply)
{
    reply_header(reply, "Cache-Control", "no-cache");
    reply_header(reply, "Content-Security-Policy",
                 "default-src 'none'; frame-ancestors 'none'");
    reply_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
    reply_header(reply, "Referrer-Policy", "no-referrer");
    reply_header(reply, "X-Content-Type-Options", "nosniff");
}

void api_text(struct call *c, const char *type)
{
    c->reply->status = 200;
    c->reply->type = type;
    api_headers(c->reply);
}

struct jw api_json(struct call *c)
{
    api_text(c, "application/json");
    struct jw w = jw_begin(&c->reply->body);
    jw_object(&w, NULL);
    return w;
}

void api_json_end(struct jw *w)
{
    jw_end(w);
    str_addc(w->to, '\n');
}

static const char *code_of(int status)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {{400, "bad_request"}, {401, "unauthorized"},       {403, "forbidden"},
                 {404, "not_found"},   {405, "method_not_allowed"}, {409, "conflict"},
                 {410, "gone"},        {413, "too_large"},          {415, "unsupported_type"},
                 {503, "busy"}};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return "internal";
}

void api_error(struct reply *reply, int status, const char *message)
{
    reply_done(reply);
    reply->status = status;
    reply->type = "application/json";
    api_headers(reply);
    if (status == 503)
        reply_header(reply, "Retry-After", "1");
    if (status == 401)
        reply_header(reply, "WWW-Authenticate", "Bearer");
    struct jw w = jw_begin(&reply->body);
    jw_object(&w, NULL);
    jw_object(&w, "error");
    jw_text(&w, "code", code_of(status));
    jw_text(&w, "message", message);
    jw_end(&w);
    api_json_end(&w);
}

void api_error_from(struct reply *reply, const struct err *e)
{
    switch (e->kind) {
    case ERR_INPUT:
        api_error(reply, 400, e->text);
        return;
    case ERR_NOT_FOUND:
        api_error(reply, 404, e->text);
        return;
    case ERR_CONFLICT:
        api_error(reply, 409, e->text);
        return;
    case ERR_LIMIT:
        api_error(reply, 413, e->text);
        return;
    case ERR_TIMEOUT:
        log_warn("request gave up", "error=%s", e->text);
        api_error(reply, 503, "the database is busy");
        return;
    default:
        /* What went wrong inside is for the operator's log, not for whoever asks. */
        log_error("request failed", "error=%s", e->text);
        api_error(reply, 500, "internal error; the daemon's log has more");
    }
}

/* --- ETag -------------------------------------------------------------------------------- */

bool api_tag_matches(struct view list, const char *etag)
{
    struct view one;
    while (list.len > 0) {
        view_cut(list, ',', &one, &list);
        one = view_trim(one);
        /* A proxy that compresses makes tags weak; the content is the same. */
        if (view_starts(one, "W/"))
            one = view_skip(one, 2);
        if (view_eqz(one, "*") || view_eqz(one, etag))
            return true;
    }
    return false;
}

void api_tag_of(struct view body, char out[API_TAG_ROOM])
{
    unsigned char digest[DIGEST_BYTES];
    AUTO(str_done) struct str tag = STR_INIT(API_TAG_ROOM - 1);
    digest_of(body, digest);
    str_addc(&tag, '"');
    str_add_hex(&tag, digest, ETAG_BYTES);
    str_addc(&tag, '"');
    memcpy(out, str_text(&tag), tag.len + 1);
}

/* --- parameters -------------------------------------------------------------------------- */

int api_param_id(struct call *c, const char *noun, int64_t *out, struct err *e)
{
    if (opt_int(c->params[0], 1, INT64_MAX, out, NULL) < 0)
        return err_set(e, ERR_NOT_FOUND, "no %s '%s'", noun, c->params[0].at);
    return 0;
}

int api_limit(struct call *c, int64_t *out, struct err *e)
{
    *out = LIMIT_DEFAULT;
    return url_param_int(&c->request->url, "limit", 1, LIMIT_MAX, out, e);
}

int api_param_repo(struct call *c, int64_t *out_id, struct err *e)
{
    struct view name;
    struct repo repo;
    bool found = false;
    *out_id = 0;
    if (!url_param(&c->request->url, "repo", &name))
        return 0;
    if (store_repo_by_name(c->store, name.at, &repo, &found, e) < 0)
        return -1;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "no repository '%s'", name.at);
    *out_id = repo.id;
    repo_done(&repo);
    return 0;
}

/* --- pieces ------------------------------------------------------------------------------ */

void api_write_id(struct jw *w, const char *key, int64_t id)
{
    if (id)
        jw_int(w, key, id);
    else
        jw_null(w, key);
}

void api_write_time(struct jw *w, const char *key, int64_t ms)
{
    api_write_id(w, key, ms);
}

void api_write_sha(struct jw *w, const char *key, const struct sha *sha)
{
    if (sha->len)
        jw_hex(w, key, sha->at, sha->len);
    else
        jw_null(w, key);
}

void api_write_json(struct jw *w, const char *key, const char *json)
{
    if (json)
        jw_raw(w, key, view_z(json));
    else
        jw_null(w, key);
}

void api_write_repo(struct jw *w, const char *key, const struct view_repo *r)
{
    jw_object(w, key);
    jw_text(w, "name", r->name);
    jw_text(w, "url", r->url);
    jw_text(w, "default_branch", r->default_branch);
    api_write_json(w, "branches", r->branches_json);
    api_write_time(w, "fetched_ms", r->fetched_ms);
    jw_text(w, "fetch_error", r->fetch_error);
    jw_int(w, "queued", r->queued);
    jw_int(w, "running", r->running);
    jw_int(w, "open_alerts", r->open_alerts);
    if (r->last_job) {
        jw_object(w, "last");
        jw_int(w, "job", r->last_job);
        jw_text(w, "outcome", r->last_outcome);
        jw_bool(w, "confirmed", r->last_confirmed);
        api_write_sha(w, "sha", &r->last_sha);
        jw_text(w, "subject", r->last_subject);
        jw_end(w);
    } else {
        jw_null(w, "last");
    }
    jw_end(w);
}

static void write_brief_members(struct jw *w, const struct view_job_brief *j)
{
    jw_int(w, "id", j->id);
    jw_text(w, "kind", j->kind);
    jw_text(w, "state", j->state);
    jw_text(w, "outcome", j->outcome);
    jw_bool(w, "confirmed", j->confirmed);
    jw_text(w, "failure_class", j->failure_class);
    jw_text(w, "failure", j->failure);
}

void api_write_brief(struct jw *w, const char *key, const struct view_job_brief *j)
{
    if (!j->id) {
        jw_null(w, key);
        return;
    }
    jw_object(w, key);
    write_brief_members(w, j);
    jw_end(w);
}

static bool is_open(const char *state)
{
    return strcmp(state, job_state_names[JOB_SUBMITTED]) == 0 ||
           strcmp(state, job_state_names[JOB_RUNNING]) == 0;
}

static void write_progress(struct jw *w, const struct view_job *j)
{
    if (!j->attempt || !is_open(j->brief.state)) {
        jw_null(w, "progress");
        return;
    }
    jw_object(w, "progress");
    jw_int(w, "attempt", j->attempt);
    jw_text(w, "stage", j->stage);
    jw_int(w, "rounds_done", j->rounds_done);
    jw_int(w, "rounds_planned", j->rounds_planned);
    api_write_time(w, "eta_ms", j->eta_ms);
    api_write_time(w, "beat_ms", j->beat_ms);
    jw_end(w);
}

static void write_waiting(struct jw *w, const struct view_job *j)
{
    AUTO(str_done) struct str text = STR_INIT(64);
    if (j->before < 0) {
        jw_null(w, "waiting");
        return;
    }
    if (j->before == 0)
        str_addz(&text, "next in line");
    else
        str_addf(&text, "%" PRId64 " %s before it", j->before, j->before == 1 ? "job" : "jobs");
    jw_text(w, "waiting", str_text(&text));
}

void api_write_job(struct jw *w, const char *key, const struct view_job *j)
{
    jw_object(w, key);
    write_brief_members(w, &j->brief);
    jw_text(w, "repo", j->repo);
    jw_text(w, "branch", j->branch);
    api_write_id(w, "mr", j->mr);
    api_write_sha(w, "base", &j->base);
    api_write_sha(w, "head", &j->head);
    jw_text(w, "subject", j->subject);
    api_write_id(w, "confirms", j->confirms);
    jw_text(w, "failure_side", j->failure_side);
    api_write_time(w, "created_ms", j->created_ms);
    api_write_time(w, "started_ms", j->started_ms);
    api_write_time(w, "finished_ms", j->finished_ms);
    write_progress(w, j);
    write_waiting(w, j);
    jw_end(w);
}

void api_write_alert(struct jw *w, const struct view_alert *a)
{
    jw_object(w, NULL);
    jw_int(w, "id", a->id);
    jw_text(w, "repo", a->repo);
    jw_text(w, "kind", a->kind);
    jw_text(w, "method", a->method);
    jw_text(w, "state", a->state);
    jw_text(w, "title", a->title);
    jw_text(w, "why", a->why);
    jw_int(w, "job", a->job);
    api_write_sha(w, "sha", &a->sha);
    api_write_id(w, "pos", a->pos);
    api_write_id(w, "mr", a->mr);
    jw_int(w, "created_ms", a->created_ms);
    jw_end(w);
}

void api_write_series_members(struct jw *w, const struct view_series *s)
{
    enum metric m;
    bool known = metric_by_name(view_z(s->metric), &m) == 0;
    jw_text(w, "scenario", s->scenario);
    jw_text(w, "endpoint", s->endpoint);
    jw_text(w, "variant", s->variant);
    jw_text(w, "metric", s->metric);
    jw_text(w, "title", known ? metric_table[m].title : s->metric);
    jw_text(w, "unit", s->unit);
    jw_int(w, "direction", s->direction);
}
