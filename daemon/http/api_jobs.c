/* SPDX-License-Identifier: MIT */
/* api_jobs: the queue, and everything about one job except its report and logs. */
#include <stdio.h>

#include "api.h"

static void jobs_done(struct view_jobs *j)
{
    vec_done(&j->at);
}

/* "queued,running" as a bit set. */
static int read_states(const struct url *url, unsigned *out, struct err *e)
{
    struct view list, word;
    *out = 0;
    if (!url_param(url, "state", &list))
        return 0;
    while (list.len > 0) {
        int i = 0;
        view_cut(list, ',', &word, &list);
        while (i < JOB_STATE_COUNT && !view_eqz(word, job_state_names[i]))
            i++;
        if (i == JOB_STATE_COUNT)
            return err_set(e, ERR_INPUT, "no job state '%.*s'", (int)word.len, word.at);
        *out |= 1u << i;
    }
    return 0;
}

int api_jobs(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(jobs_done) struct view_jobs jobs = {0};
    struct view_job_filter filter = {0};
    if (read_states(&c->request->url, &filter.states, e) < 0 ||
        api_limit(c, &filter.limit, e) < 0 || store_view_begin(c->store, &read, e) < 0 ||
        api_param_repo(c, &filter.repo_id, e) < 0 ||
        store_view_jobs(&read, &filter, &jobs, e) < 0)
        return -1;
    struct jw w = api_json(c);
    jw_array(&w, "jobs");
    for (size_t i = 0; i < jobs.at.len; i++)
        api_write_job(&w, NULL, &jobs.at.at[i]);
    jw_end(&w);
    api_json_end(&w);
    return 0;
}

/* --- one job ----------------------------------------------------------------------------- */

static void write_artifact(struct jw *w, const char *key, struct view digest)
{
    if (digest.len)
        jw_hex(w, key, digest.at, digest.len);
    else
        jw_null(w, key);
}

static void write_notes(struct jw *w, const char *notes)
{
    struct view rest = view_z(notes), line;
    jw_array(w, "notes");
    while (view_line(&rest, &line))
        jw_view(w, NULL, line);
    jw_end(w);
}

static void write_run(struct jw *w, const struct view_job_page *p)
{
    if (!p->has_run) {
        jw_null(w, "run");
        return;
    }
    jw_object(w, "run");
    jw_text(w, "host", p->host);
    jw_bool(w, "identical", p->identical);
    jw_int(w, "started_ms", p->started_ms);
    jw_int(w, "ended_ms", p->ended_ms);
    jw_int(w, "rounds_planned", p->rounds_planned);
    jw_text(w, "end", p->end);
    write_notes(w, p->notes);
    api_write_json(w, "identity", p->identity_json);
    api_write_json(w, "state", p->state_json);
    api_write_json(w, "noise", p->noise_json);
    write_artifact(w, "base_artifact", p->base_artifact);
    write_artifact(w, "head_artifact", p->head_artifact);
    jw_end(w);
}

static void write_row(struct jw *w, const struct view_verdict_row *row)
{
    jw_object(w, NULL);
    jw_int(w, "series", row->series.id);
    api_write_series_members(w, &row->series);
    jw_bool(w, "primary", row->primary);
    jw_real(w, "base", row->base);
    jw_real(w, "head", row->head);
    jw_real(w, "effect", row->effect);
    jw_real(w, "lo", row->lo);
    jw_real(w, "hi", row->hi);
    jw_real(w, "noise", row->noise);
    jw_real(w, "least_effect", row->least_effect);
    jw_real(w, "detectable", row->detectable);
    jw_int(w, "rounds", row->rounds);
    jw_text(w, "outcome", row->outcome);
    jw_text(w, "why", row->why);
    jw_end(w);
}

static void write_verdict(struct jw *w, const struct view_job_page *p)
{
    if (!p->has_verdict) {
        jw_null(w, "verdict");
        return;
    }
    jw_object(w, "verdict");
    jw_text(w, "outcome", p->outcome);
    jw_bool(w, "confirmed", p->confirmed);
    jw_text(w, "why", p->why);
    jw_int(w, "rounds", p->rounds_counted);
    jw_int(w, "rounds_void", p->rounds_void);
    jw_array(w, "rows");
    for (size_t i = 0; i < p->rows.len; i++)
        write_row(w, &p->rows.at[i]);
    jw_end(w);
    jw_text(w, "baseline", p->baseline);
    jw_array(w, "variants");
    for (size_t i = 0; i < p->variants.len; i++)
        write_row(w, &p->variants.at[i]);
    jw_end(w);
    jw_end(w);
}

static void write_arm(struct jw *w, const struct view_job_page *p, const struct view_arm *arm)
{
    char key[24];
    jw_object(w, NULL);
    jw_int(w, "place", arm->place);
    jw_text(w, "side", arm->side);
    jw_int(w, "copy", arm->copy);
    api_write_json(w, "gauges", arm->gauges_json);
    jw_object(w, "samples");
    for (size_t i = 0; i < arm->len; i++) {
        const struct view_sample *sample = &p->samples.at[arm->first + i];
        snprintf(key, sizeof key, "%lld", (long long)sample->series_id);
        jw_real(w, key, sample->value);
    }
    jw_end(w);
    jw_end(w);
}

static void write_rounds(struct jw *w, const struct view_job_page *p)
{
    jw_array(w, "rounds");
    for (size_t i = 0; i < p->rounds.len; i++) {
        const struct view_round *round = &p->rounds.at[i];
        jw_object(w, NULL);
        jw_int(w, "n", round->n);
        jw_text(w, "kind", round->kind);
        jw_text(w, "void", round->void_reason);
        jw_array(w, "arms");
        for (size_t a = 0; a < round->len; a++)
            write_arm(w, p, &p->arms.at[round->first + a]);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_bool(w, "rounds_cut", p->samples_cut);
}

static void write_page(struct call *c, const struct view_job *job,
                       const struct view_job_page *p)
{
    struct jw w = api_json(c);
    api_write_job(&w, "job", job);
    jw_text(&w, "spec", p->spec);
    write_run(&w, p);
    write_verdict(&w, p);
    write_rounds(&w, p);
    jw_array(&w, "stages");
    for (size_t i = 0; i < p->stages.len; i++)
        jw_text(&w, NULL, p->stages.at[i]);
    jw_end(&w);
    api_json_end(&w);
}

int api_job(struct call *c, struct err *e)
{
    AUTO(store_view_done) struct view_read read = {0};
    AUTO(jobs_done) struct view_jobs jobs = {0};
    AUTO(view_job_page_done) struct view_job_page page = {0};
    struct view_job_filter filter = {.limit = 1};
    if (api_param_id(c, "job", &filter.id, e) < 0 || store_view_begin(c->store, &read, e) < 0 ||
        store_view_jobs(&read, &filter, &jobs, e) < 0)
        return -1;
    if (jobs.at.len == 0)
        return err_set(e, ERR_NOT_FOUND, "no job '%s'", c->params[0].at);
    if (store_view_job_page(&read, &jobs.at.at[0], &page, e) < 0)
        return -1;
    write_page(c, &jobs.at.at[0], &page);
    return 0;
}
