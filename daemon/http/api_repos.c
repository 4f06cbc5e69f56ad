/* SPDX-License-Identifier: MIT */
/* api_repos: repositories, and the whole page of one in one answer. */
#include <math.h>
#include <stdio.h>

#include "api.h"
#include "metric.h"

static int read_repos(struct view_read *read, const char *name, struct view_repos *out,
                      struct err *e)
{
    if (store_view_repos(read, name, out, e) < 0)
        return -1;
    if (name && out->at.len == 0)
        return err_set(e, ERR_NOT_FOUND, "no repository '%s'", name);
    return 0;
}

static void repos_done(struct view_repos *r)
{
    vec_done(&r->at);
}

int api_repos(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(repos_done) struct view_repos repos = {0};
    int64_t limit;
    if (api_limit(c, &limit, e) < 0 || store_view_begin(c->store, &read, e) < 0 ||
        read_repos(&read, NULL, &repos, e) < 0)
        return -1;
    struct jw w = api_json(c);
    jw_array(&w, "repos");
    for (size_t i = 0; i < repos.at.len && i < (size_t)limit; i++)
        api_write_repo(&w, NULL, &repos.at.at[i]);
    jw_end(&w);
    api_json_end(&w);
    return 0;
}

int api_repo(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(repos_done) struct view_repos repos = {0};
    if (store_view_begin(c->store, &read, e) < 0 ||
        read_repos(&read, c->params[0].at, &repos, e) < 0)
        return -1;
    api_text(c, "application/json");
    struct jw w = jw_begin(&c->reply->body);
    api_write_repo(&w, NULL, &repos.at.at[0]);
    str_addc(&c->reply->body, '\n');
    return 0;
}

/* --- overview ---------------------------------------------------------------------------- */

static void write_commits(struct jw *w, const struct view_overview *o)
{
    jw_array(w, "commits");
    for (size_t i = 0; i < o->commits.len; i++) {
        const struct view_commit *commit = &o->commits.at[i];
        jw_object(w, NULL);
        jw_int(w, "pos", commit->pos);
        api_write_sha(w, "sha", &commit->sha);
        jw_text(w, "subject", commit->subject);
        jw_text(w, "author", commit->author);
        jw_int(w, "at_ms", commit->at_ms);
        jw_bool(w, "live", commit->live);
        api_write_brief(w, "job", &commit->job);
        jw_end(w);
    }
    jw_end(w);
}

static void write_merge_requests(struct jw *w, const struct view_overview *o)
{
    jw_array(w, "merge_requests");
    for (size_t i = 0; i < o->merge_requests.len; i++) {
        const struct view_merge_request *mr = &o->merge_requests.at[i];
        jw_object(w, NULL);
        jw_int(w, "number", mr->number);
        jw_text(w, "target", mr->target);
        api_write_sha(w, "head", &mr->head);
        jw_text(w, "state", mr->state);
        jw_text(w, "subject", mr->subject);
        api_write_brief(w, "job", &mr->job);
        jw_end(w);
    }
    jw_end(w);
}

/* What a line of 200 points a few pixels high can show; a third of the bytes of all digits. */
static void write_short(struct jw *w, double value)
{
    char text[32];
    if (!isfinite(value)) {
        jw_null(w, NULL);
        return;
    }
    snprintf(text, sizeof text, "%.6g", value);
    jw_raw(w, NULL, view_z(text));
}

static void write_sparks(struct jw *w, const struct view_overview *o,
                         const struct view_series *s)
{
    const struct view_spark *spark = &o->sparks.at[s->first];
    jw_array(w, "pos");
    for (size_t i = 0; i < s->len; i++)
        jw_int(w, NULL, spark[i].pos);
    jw_end(w);
    jw_array(w, "value");
    for (size_t i = 0; i < s->len; i++)
        write_short(w, spark[i].value);
    jw_end(w);
}

static void write_changes(struct jw *w, const struct view_overview *o, int64_t series_id)
{
    jw_array(w, "changes");
    for (size_t i = 0; i < o->changes.len; i++) {
        const struct view_change *change = &o->changes.at[i];
        if (change->series_id != series_id)
            continue;
        jw_object(w, NULL);
        jw_int(w, "pos", change->pos);
        jw_real(w, "effect", change->effect);
        jw_real(w, "lo", change->lo);
        jw_real(w, "hi", change->hi);
        jw_bool(w, "worse", change->worse);
        jw_text(w, "state", change->state);
        jw_end(w);
    }
    jw_end(w);
}

static void write_series(struct jw *w, const struct view_overview *o)
{
    jw_array(w, "series");
    for (size_t i = 0; i < o->series.len; i++) {
        const struct view_series *s = &o->series.at[i];
        enum metric m;
        jw_object(w, NULL);
        jw_int(w, "id", s->id);
        api_write_series_members(w, s);
        jw_bool(w, "primary",
                metric_by_name(view_z(s->metric), &m) == 0 && metric_table[m].primary);
        jw_text(w, "host", s->host);
        write_sparks(w, o, s);
        write_changes(w, o, s->id);
        jw_end(w);
    }
    jw_end(w);
}

static void write_overview(struct call *c, const struct view_repo *repo, const char *branch,
                           const struct view_overview *o)
{
    struct jw w = api_json(c);
    api_write_repo(&w, "repo", repo);
    jw_text(&w, "branch", branch);
    write_commits(&w, o);
    write_merge_requests(&w, o);
    write_series(&w, o);
    jw_array(&w, "alerts");
    for (size_t i = 0; i < o->alerts.at.len; i++)
        api_write_alert(&w, &o->alerts.at.at[i]);
    jw_end(&w);
    api_json_end(&w);
}

int api_overview(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(repos_done) struct view_repos repos = {0};
    AUTO(view_overview_done) struct view_overview overview = {0};
    struct view asked = {0};
    bool found = false;
    if (store_view_begin(c->store, &read, e) < 0 ||
        read_repos(&read, c->params[0].at, &repos, e) < 0)
        return -1;
    const struct view_repo *repo = &repos.at.at[0];
    bool named = url_param(&c->request->url, "branch", &asked);
    const char *branch = named ? asked.at : repo->default_branch;
    if (store_view_overview(&read, repo->id, branch, &overview, &found, e) < 0)
        return -1;
    /* The configured branch may not have been fetched yet: that page is empty, not missing. */
    if (!found && strcmp(branch, repo->default_branch) != 0)
        return err_set(e, ERR_NOT_FOUND, "no branch '%s' in '%s'", branch, repo->name);
    write_overview(c, repo, branch, &overview);
    return 0;
}
