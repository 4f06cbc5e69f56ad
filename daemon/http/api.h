/* SPDX-License-Identifier: MIT */
/*
 * api: the answers of /api/ and /healthz, and what their functions share.
 *
 * A route's function writes its answer with api_json or fails with an error, whose kind decides
 * the status: ERR_INPUT 400, ERR_NOT_FOUND 404, ERR_CONFLICT 409, ERR_LIMIT 413, ERR_TIMEOUT
 * 503 (the database was locked for too long), all else 500.
 */
#ifndef HTTP_API_H
#define HTTP_API_H

#include "http.h"
#include "json_write.h"
#include "record.h"
#include "route.h"
#include "server.h"
#include "store.h"
#include "store_view.h"

struct call {
    const struct http_options *options;
    struct store *store;
    const struct request *request;
    struct reply *reply;
    struct view params[ROUTE_PARAMS_MAX]; /* of the address; each followed by NUL */
    struct attempt attempt;               /* of runner routes: whose token it is */
    struct hooks *hooks;                  /* see hook_api.h */
};

int api_health(struct call *c, struct err *e);
int api_repos(struct call *c, struct err *e);
int api_repo(struct call *c, struct err *e);
int api_overview(struct call *c, struct err *e);
int api_series(struct call *c, struct err *e);
int api_jobs(struct call *c, struct err *e);
int api_job(struct call *c, struct err *e);
int api_report(struct call *c, struct err *e);
int api_log(struct call *c, struct err *e);
int api_alerts(struct call *c, struct err *e);

/* --- replies ----------------------------------------------------------------------------- */

/* Status 200 and the beginning of a JSON body; end it with api_json_end. */
struct jw api_json(struct call *c);
void api_json_end(struct jw *w);
void api_text(struct call *c, const char *type); /* status 200; the caller adds the body */
void api_error(struct reply *reply, int status, const char *message);
void api_error_from(struct reply *reply, const struct err *e);

/* Headers of every answer that is not a file of the page. */
void api_headers(struct reply *reply);

enum { API_TAG_ROOM = 40 };
void api_tag_of(struct view body, char out[API_TAG_ROOM]); /* with its quotes */
/* Is the tag in a list of If-None-Match? */
bool api_tag_matches(struct view if_none_match, const char *etag);

/* --- parameters -------------------------------------------------------------------------- */

int api_param_id(struct call *c, const char *noun, int64_t *out, struct err *e); /* the first */
int api_limit(struct call *c, int64_t *out, struct err *e);
/* The repository of '?repo='; 0 when none was asked for. */
int api_param_repo(struct call *c, int64_t *out_id, struct err *e);

/* --- pieces of several answers ----------------------------------------------------------- */

void api_write_time(struct jw *w, const char *key, int64_t ms); /* 0 is null */
void api_write_id(struct jw *w, const char *key, int64_t id);   /* 0 is null */
void api_write_sha(struct jw *w, const char *key, const struct sha *sha);
void api_write_json(struct jw *w, const char *key, const char *json); /* NULL is null */
void api_write_repo(struct jw *w, const char *key, const struct view_repo *r);
void api_write_brief(struct jw *w, const char *key, const struct view_job_brief *j);
void api_write_job(struct jw *w, const char *key, const struct view_job *j);
void api_write_alert(struct jw *w, const struct view_alert *a);
/* Members scenario to primary, without the braces. */
void api_write_series_members(struct jw *w, const struct view_series *s);

#endif
