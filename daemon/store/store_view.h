/* SPDX-License-Identifier: MIT */
/*
 * store_view: what the dashboard and the API show, read in few statements.
 *
 * A page costs a fixed number of statements, whatever it shows: one per kind of row, never one
 * per row. A series is one range scan; buckets and levels are made here, in C, because grouping
 * in SQL costs more than twice as much. All reads of one page see the same state of the
 * database:
 *
 *     struct view_read read = {0};
 *     if (store_view_begin(store, &read, e) < 0 || store_view_repos(&read, NULL, &repos, e) <
 * 0)
 *         ...
 *     store_view_done(&read);                 // frees every text handed out
 *
 * Rows hold borrowed texts that live as long as their view_read. NULL texts are unknown, times
 * 0 are unknown, real numbers NaN are unknown. The 'list' arrays are the caller's (vec_done).
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "record.h"
#include "store.h"
#include "vec.h"

enum {
    VIEW_COMMITS_MAX = 200,
    VIEW_MERGE_REQUESTS_MAX = 100,
    VIEW_SERIES_MAX = 1000,      /* of a branch */
    VIEW_SPARK_POINTS = 200,     /* newest points of each in the overview */
    VIEW_STALE_POSITIONS = 1000, /* a series without a point that long is left out there */
    VIEW_SAMPLES_MAX = 100000,   /* of a job */
    VIEW_LOG_MAX = 2 << 20,
    VIEW_POINTS_MAX = 2000000, /* read for one chart */
    VIEW_BUCKETS_MAX = 5000,
};

struct view_read {
    struct store *store;
    bool open;
    VEC(char *) texts;
};

int store_view_begin(struct store *s, struct view_read *r, struct err *e);
void store_view_done(struct view_read *r);

/* Changes whenever any connection, this one included, has changed the database; only equality
 * means something, and only within the life of this connection. */
int store_view_version(struct store *s, uint64_t *out, struct err *e);
int store_view_schema(struct store *s, int64_t *out, struct err *e);

/* --- repositories ------------------------------------------------------------------------- */

struct view_repo {
    int64_t id;
    const char *name, *url, *default_branch;
    const char *branches_json; /* array of names */
    int64_t fetched_ms;
    const char *fetch_error;
    int64_t queued, running, open_alerts;
    int64_t last_job; /* newest judged one of a branch; 0: none, and the next four are empty */
    const char *last_outcome, *last_subject;
    bool last_confirmed;
    struct sha last_sha;
};

struct view_repos {
    VEC(struct view_repo) at; /* by name */
};

/* All configured ones, or the one of that name (configured or not). */
int store_view_repos(struct view_read *r, const char *name, struct view_repos *out,
                     struct err *e);

/* --- alerts ------------------------------------------------------------------------------- */

struct view_alert {
    int64_t id, job, pos, mr, created_ms; /* pos 0: not on the branch; mr 0: none */
    const char *repo, *kind, *method, *state, *title, *why;
    struct sha sha;
};

struct view_alerts {
    VEC(struct view_alert) at; /* newest first */
};

struct view_alert_filter {
    int64_t repo_id, branch_id; /* 0: any */
    bool noise_too;
    int64_t limit;
};

int store_view_alerts(struct view_read *r, const struct view_alert_filter *f,
                      struct view_alerts *out, struct err *e);

/* --- overview ----------------------------------------------------------------------------- */

struct view_job_brief {
    int64_t id; /* 0: none */
    const char *kind, *state, *outcome, *failure_class, *failure;
    bool confirmed;
};

struct view_commit {
    int64_t pos, at_ms;
    struct sha sha;
    const char *subject, *author;
    bool live;
    struct view_job_brief job;
};

struct view_merge_request {
    int64_t number;
    const char *target, *state, *subject; /* of its head */
    struct sha head;
    struct view_job_brief job;
};

struct view_series {
    int64_t id, branch_id;
    const char *repo, *branch, *scenario, *endpoint, *metric, *unit, *host, *variant;
    int direction;
    size_t first, len; /* its points in view_sparks */
};

struct view_spark {
    int64_t pos;
    double value;
};

struct view_change {
    int64_t series_id, pos, after_pos, pos_lo, pos_hi;
    double before, after, effect, lo, hi;
    bool worse;
    const char *method, *state, *why;
};

struct view_overview {
    int64_t branch_id;
    VEC(struct view_commit) commits;               /* newest first, replaced ones too */
    VEC(struct view_merge_request) merge_requests; /* newest first */
    VEC(struct view_series) series;                /* by scenario, endpoint, metric */
    VEC(struct view_spark) sparks;                 /* by series, ascending */
    VEC(struct view_change) changes; /* of all these, ascending; no retracted ones */
    struct view_alerts alerts;
};

/* The whole page of a branch. No such branch: *found is false. */
int store_view_overview(struct view_read *r, int64_t repo_id, const char *branch,
                        struct view_overview *out, bool *found, struct err *e);
void view_overview_done(struct view_overview *o);

/* --- one series --------------------------------------------------------------------------- */

struct view_entry { /* a point, or a bucket of several */
    int64_t pos;    /* the last one of a bucket */
    double value;   /* of a bucket: the median of its values */
    double lo, hi;  /* interval of the median; of a bucket: quartiles of its values */
    int64_t n;      /* rounds */
    int64_t job;    /* the newest that measured this commit; 0: none left */
    struct sha sha;
    const char *subject;
};

struct view_level {
    int64_t from, to;
    double value; /* median of the points between two change points */
};

struct view_event { /* the environment's state was another one from here on */
    int64_t pos;
    const char *before_json, *after_json;
};

struct view_bridge { /* to the series of another environment: commits measured in both */
    int64_t from_series, n;
    const char *host;
    double ratio, lo, hi; /* this one / that one */
};

struct view_chart {
    struct view_series series;
    bool bucketed;
    VEC(struct view_entry) entries;
    VEC(struct view_level) levels;
    VEC(struct view_change) changes;
    VEC(struct view_event) events;
    VEC(struct view_bridge) bridges;
};

struct view_chart_range {
    int64_t from, to; /* positions, both included */
    int64_t buckets;  /* more entries than that are never returned */
};

int store_view_chart(struct view_read *r, int64_t series_id,
                     const struct view_chart_range *range, struct view_chart *out, bool *found,
                     struct err *e);
void view_chart_done(struct view_chart *c);

/* --- jobs --------------------------------------------------------------------------------- */

struct view_job {
    struct view_job_brief brief;
    const char *repo, *branch, *subject, *failure_side;
    int64_t mr, confirms; /* 0: none */
    struct sha base, head;
    int64_t created_ms, started_ms, finished_ms;
    int64_t attempt; /* the newest; 0: none yet, and the next five are empty */
    const char *stage;
    int64_t rounds_done, rounds_planned, eta_ms, beat_ms;
    int64_t before; /* jobs that go first while it is queued; -1: not queued */
    int64_t spec_id;
};

struct view_jobs {
    VEC(struct view_job) at; /* newest first */
};

struct view_job_filter {
    int64_t id;      /* 0: any */
    int64_t repo_id; /* 0: any */
    unsigned states; /* bit set of 1 << enum job_state; 0: any */
    int64_t limit;
};

int store_view_jobs(struct view_read *r, const struct view_job_filter *f, struct view_jobs *out,
                    struct err *e);

struct view_sample {
    int64_t series_id;
    double value;
};

struct view_arm {
    int64_t round; /* index in rounds */
    int64_t place, copy;
    const char *side, *gauges_json;
    size_t first, len; /* its samples */
};

struct view_round {
    int64_t n;
    const char *kind, *void_reason;
    size_t first, len; /* its arms */
};

struct view_verdict_row {
    struct view_series series;
    bool primary;
    double base, head, effect, lo, hi, noise, least_effect, detectable;
    int64_t rounds;
    const char *outcome, *why;
};

struct view_job_page {
    const char *spec; /* NULL: none yet */
    bool has_run, identical, has_verdict, samples_cut;
    const char *host, *identity_json, *state_json, *noise_json;
    int64_t started_ms, ended_ms;
    struct view base_artifact, head_artifact; /* raw; empty: unknown */
    int64_t rounds_planned;                   /* 0: unknown */
    const char *end;                          /* "plan", "look", "time" */
    const char *notes;                        /* of the runner, a line each */
    const char *outcome, *why;
    bool confirmed;
    int64_t rounds_counted, rounds_void;
    VEC(struct view_verdict_row) rows;     /* worst first */
    VEC(struct view_verdict_row) variants; /* head in each combination against the baseline's */
    const char *baseline;                  /* of those; NULL: there are none */
    VEC(struct view_round) rounds;
    VEC(struct view_arm) arms;
    VEC(struct view_sample) samples;
    VEC(const char *) stages; /* that have a log, newest attempt */
};

int store_view_job_page(struct view_read *r, const struct view_job *job,
                        struct view_job_page *out, struct err *e);
void view_job_page_done(struct view_job_page *p);

/* What a stage of the newest attempt printed. *out_bytes counts what was stored. */
int store_view_log(struct view_read *r, int64_t job, struct view stage, struct str *out,
                   bool *found, struct err *e);

#endif
