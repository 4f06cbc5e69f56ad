/* SPDX-License-Identifier: MIT */
/* route: see route.h. A dozen and a half of routes need no tree. */
#include "route.h"

#include "api.h"
#include "hook_api.h"
#include "result_doc.h"
#include "runner_api.h"
#include "store_job.h"

enum { BEAT_BYTES_MAX = 4096 };

static const struct route table[] = {
    {HTTP_GET, "/healthz", ROUTE_PLAIN, 0, api_health},
    {HTTP_GET, "/api/v1/repos", ROUTE_DATA, 0, api_repos},
    {HTTP_GET, "/api/v1/repos/{}", ROUTE_DATA, 0, api_repo},
    {HTTP_GET, "/api/v1/repos/{}/overview", ROUTE_DATA, 0, api_overview},
    {HTTP_GET, "/api/v1/series/{}", ROUTE_DATA, 0, api_series},
    {HTTP_GET, "/api/v1/jobs", ROUTE_DATA, 0, api_jobs},
    {HTTP_GET, "/api/v1/jobs/{}", ROUTE_DATA, 0, api_job},
    {HTTP_GET, "/api/v1/jobs/{}/report", ROUTE_DATA, 0, api_report},
    {HTTP_GET, "/api/v1/jobs/{}/log", ROUTE_DATA, 0, api_log},
    {HTTP_GET, "/api/v1/alerts", ROUTE_DATA, 0, api_alerts},
    {HTTP_GET, "/runner/v1/job", ROUTE_RUNNER, 0, runner_job},
    {HTTP_GET, "/runner/v1/source/{}", ROUTE_RUNNER, 0, runner_source},
    {HTTP_POST, "/runner/v1/beat", ROUTE_BEAT, BEAT_BYTES_MAX, runner_beat},
    {HTTP_POST, "/runner/v1/log", ROUTE_RUNNER, STORE_LOG_PIECE_MAX, runner_log},
    {HTTP_POST, "/hooks/{}", ROUTE_HOOK, FORGE_HOOK_BYTES_MAX, hook_receive},
    {HTTP_PUT, "/runner/v1/look", ROUTE_RUNNER, RESULT_DOC_BYTES_MAX, runner_look_ask},
    {HTTP_GET, "/runner/v1/look", ROUTE_RUNNER, 0, runner_look_answer},
    {HTTP_PUT, "/runner/v1/result", ROUTE_RESULT, RESULT_DOC_BYTES_MAX, runner_result},
};

static bool matches(const char *pattern, const struct url *u)
{
    struct view rest = view_skip(view_z(pattern), 1), want;
    bool more = true;
    for (size_t i = 0; i < u->segments_len; i++) {
        if (!more)
            return false;
        more = view_cut(rest, '/', &want, &rest);
        if (view_eqz(want, "{}") ? u->segments[i].len == 0 : !view_eq(want, u->segments[i]))
            return false;
    }
    return !more && u->segments_len > 0;
}

const struct route *route_find(const struct url *u, enum http_method method, unsigned *allowed)
{
    *allowed = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (!matches(table[i].pattern, u))
            continue;
        if (table[i].method == method)
            return &table[i];
        *allowed |= table[i].method;
    }
    return NULL;
}

void route_params(const struct route *route, const struct url *u,
                  struct view out[ROUTE_PARAMS_MAX])
{
    struct view rest = view_skip(view_z(route->pattern), 1), want;
    size_t n = 0;
    memset(out, 0, ROUTE_PARAMS_MAX * sizeof *out);
    for (size_t i = 0; i < u->segments_len; i++) {
        view_cut(rest, '/', &want, &rest);
        if (view_eqz(want, "{}") && n < ROUTE_PARAMS_MAX)
            out[n++] = u->segments[i];
    }
}
