/* SPDX-License-Identifier: MIT */
/* measured_fixture: see measured_fixture.h. */
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fdio.h"
#include "hist.h"
#include "log.h"
#include "measured_fixture.h"
#include "rng.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_look.h"
#include "store_repo.h"
#include "store_run.h"

static const double levels[METRIC_COUNT] = {
    [METRIC_CPU_PER_REQUEST] = 80000,
    [METRIC_THROUGHPUT] = 12000,
    [METRIC_P50] = 1e6,
    [METRIC_P90] = 2e6,
    [METRIC_P99] = 4e6,
    [METRIC_PEAK_MEMORY] = 50e6,
    [METRIC_START_TIME] = 2e8,
};

#define WELL(call)                     \
    do {                               \
        struct err e_ = {0}, *e = &e_; \
        if ((call) < 0)                \
            fail_msg("%s", e_.text);   \
    } while (0)

static int64_t add_commit(struct fixture *f, int n, int64_t parent)
{
    struct commit c = {.repo_id = f->repo,
                       .sha = {.len = 20},
                       .tree = {.len = 20},
                       .author = "somebody",
                       .author_ms = 1764000000000 + n};
    c.sha.at[0] = (unsigned char)(n + 1);
    c.tree.at[0] = (unsigned char)(n + 1);
    if (parent) {
        c.first_parent.len = 20;
        c.first_parent.at[0] = (unsigned char)n;
    }
    snprintf(c.subject, sizeof c.subject, "commit %d", n);
    WELL(store_commit_put(f->store, &c, e));
    return c.id;
}

static void add_repo(struct fixture *f)
{
    struct branch branch;
    WELL(store_repo_put(f->store, "shop", "/srv/git/shop.git", "main", &f->repo, e));
    WELL(store_branch_put(f->store, f->repo, "main", &branch, e));
    f->branch = branch.id;
    for (int i = 0; i < FIXTURE_COMMITS_MAX; i++)
        f->commits[i] = add_commit(f, i, i ? f->commits[i - 1] : 0);
    f->commits_len = FIXTURE_COMMITS_MAX;
    WELL(store_branch_move(f->store, f->branch, 0, f->commits, FIXTURE_COMMITS_MAX, e));
    f->mr_head = add_commit(f, 200, 0);
    struct merge_request mr = {.repo_id = f->repo, .number = 12, .target = "main"};
    WELL(store_mr_put(f->store, &mr, f->mr_head, f->commits[3], &f->mr, e));
}

void fixture_open(struct fixture *f, const char *spec)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    AUTO(str_done) struct str path = STR_INIT(256);
    *f = (struct fixture){.dir = "/tmp/pacewatch-store-XXXXXX"};
    log_set_level(LOG_ERROR);
    assert_non_null(mkdtemp(f->dir));
    str_addf(&path, "%s/pacewatch.db", f->dir);
    WELL(store_open(str_text(&path), &f->store, e));
    add_repo(f);
    str_addz(&text, "{\"start\":{\"command\":[\"server\"]},\"scenarios\":[{\"name\":\"items\","
                    "\"endpoints\":[{\"path\":\"/items\"}]}]");
    if (spec)
        str_addf(&text, ",%s", spec);
    str_addz(&text, "}");
    WELL(spec_parse(str_view(&text), "spec", &f->spec, e));
    WELL(store_spec_put(f->store, f->repo, str_view(&text), &f->spec_id, e));
}

void fixture_close(struct fixture *f)
{
    spec_freep(&f->spec);
    store_closep(&f->store);
    WELL(fdio_remove_tree(f->dir, e));
}

/* --- results ------------------------------------------------------------------------------ */

static double gauss(struct rng *r)
{
    double u = 1 - rng_unit(r), v = rng_unit(r);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979 * v);
}

static void add_times(struct result_arm *arm, const struct fixture_result *r, struct rng *rng)
{
    AUTO(hist_done) struct hist h = {0};
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    double slow = arm->side == SIDE_HEAD ? r->head_slow : 0;
    hist_init(&h);
    for (int i = 0; i < 1000; i++)
        hist_record(&h,
                    (int64_t)(1e6 * exp(0.1 * gauss(rng)) * (rng_unit(rng) < slow ? 10 : 1)));
    hist_pack(&h, &packed);
    *vec_push(&arm->hists) = (struct result_hist){
        .endpoint = -1,
        .count = h.count,
        .packed = mem_strndup(packed.at, packed.len),
        .packed_len = packed.len,
    };
}

static void add_arm(struct result_round *round, enum side side, int copy,
                    const struct fixture_result *r, struct rng *rng)
{
    struct result_arm *arm = vec_push(&round->arms);
    arm->place = (int)round->arms.len - 1;
    arm->side = side;
    arm->copy = copy;
    if (r->canary_ns > 0)
        *vec_push(&arm->gauges) = (struct result_fact){
            .name = mem_strdup("canary_ns"), .number = r->canary_ns * exp(0.01 * gauss(rng))};
    double scatter = r->scatter > 0 ? r->scatter : 0.01;
    for (int m = 0; m < METRIC_COUNT; m++) {
        double factor = side == SIDE_HEAD && r->factor[m] > 0 ? r->factor[m] : 1;
        double value = levels[m] * factor * (r->base_factor > 0 ? r->base_factor : 1) *
                       exp(scatter * gauss(rng));
        if (m == METRIC_ERRORS)
            value = side == SIDE_HEAD ? r->head_errors : r->base_errors;
        *vec_push(&arm->samples) = (struct result_sample){
            .scenario = 0, .endpoint = -1, .metric = (enum metric)m, .value = value};
    }
    if (r->histograms)
        add_times(arm, r, rng);
}

static void add_round(struct result_doc *d, const struct fixture_result *r, bool is_void,
                      struct rng *rng)
{
    struct result_round *round = vec_push(&d->rounds);
    round->n = (int)d->rounds.len;
    bool aba = !r->single && round->n % 3 == 0;
    round->kind = r->single ? ROUND_SINGLE : aba ? ROUND_ABA : ROUND_AB;
    if (is_void)
        round->void_reason = mem_strdup("the generator fell behind");
    if (!r->single)
        add_arm(round, SIDE_BASE, 0, r, rng);
    add_arm(round, SIDE_HEAD, 0, r, rng);
    if (aba)
        add_arm(round, SIDE_BASE, 1, r, rng);
}

static struct result_doc *make_result(int64_t job, const struct fixture_result *r)
{
    struct result_doc *d = result_doc_new();
    struct rng rng;
    rng_init(&rng, r->seed + 1);
    d->job = job;
    d->attempt = 1;
    d->outcome = r->failed ? RESULT_FAILED : r->identical ? RESULT_IDENTICAL : RESULT_MEASURED;
    d->failure_side = -1;
    if (r->failed) {
        d->failure = FAILURE_BUILD;
        d->failure_side = SIDE_HEAD;
        d->failure_text = mem_strdup("exit status 2");
    }
    d->rounds_planned = r->planned;
    d->end = r->end;
    d->started_ms = 1764000000000;
    d->ended_ms = 1764000060000;
    d->host = mem_strdup(r->host ? r->host : "bench-1");
    *vec_push(&d->identity) =
        (struct result_fact){.name = mem_strdup("machine"), .text = mem_strdup(d->host)};
    *vec_push(&d->state) =
        (struct result_fact){.name = mem_strdup("kernel"), .text = mem_strdup("6.1.0")};
    int rounds = r->rounds ? r->rounds : r->rounds_void ? 0 : 10;
    for (int i = 0; i < rounds + r->rounds_void && !r->identical && !r->failed; i++)
        add_round(d, r, i >= rounds, &rng);
    return d;
}

static int begin_attempt(struct fixture *f, int64_t job)
{
    static unsigned char token[DIGEST_BYTES];
    struct job row;
    int attempt;
    for (int i = 0; i < DIGEST_BYTES && ++token[i] == 0; i++)
        ;
    WELL(store_job_get(f->store, job, &row, e));
    WELL(store_job_submit(f->store, job, row.base, f->spec_id, "local", token, &attempt, e));
    WELL(store_attempt_submitted(f->store, job, attempt, "1", e));
    WELL(store_attempt_begin(f->store, job, attempt, e));
    return attempt;
}

void fixture_deliver(struct fixture *f, int64_t job, const struct fixture_result *r)
{
    AUTO(result_doc_freep) struct result_doc *d = make_result(job, r);
    d->attempt = begin_attempt(f, job);
    WELL(store_run_accept(f->store, d, f->spec, e));
}

int fixture_look(struct fixture *f, int64_t job, int n, const struct fixture_result *r)
{
    AUTO(result_doc_freep) struct result_doc *d = make_result(job, r);
    AUTO(str_done) struct str body = STR_INIT(RESULT_DOC_BYTES_MAX);
    d->attempt = begin_attempt(f, job);
    result_doc_write_look(d, &body);
    WELL(store_look_ask(f->store, job, (int)d->attempt, n, str_view(&body), e));
    return (int)d->attempt;
}

static int64_t add_job(struct fixture *f, enum job_kind kind, int base, int head)
{
    struct job want = {
        .repo_id = f->repo,
        .branch_id = f->branch,
        .mr_id = head < 0 ? f->mr : 0,
        .kind = kind,
        .base = base < 0 ? 0 : f->commits[base],
        .head = head < 0 ? f->mr_head : f->commits[head],
        .seed = 7,
    };
    int64_t id;
    bool added;
    WELL(store_job_add(f->store, &want, &id, &added, e));
    assert_true(added);
    return id;
}

int64_t fixture_queue(struct fixture *f, int base, int head)
{
    return add_job(f, JOB_PUSH, base, head);
}

int64_t fixture_job(struct fixture *f, enum job_kind kind, int base, int head,
                    const struct fixture_result *r)
{
    int64_t id = add_job(f, kind, base, head);
    fixture_deliver(f, id, r);
    return id;
}

int64_t fixture_queued(struct fixture *f)
{
    struct job job;
    bool found;
    WELL(store_job_next(f->store, &job, &found, e));
    return found ? job.id : 0;
}

/* --- questions ---------------------------------------------------------------------------- */

static sqlite3_stmt *ask(struct fixture *f, const char *sql, sqlite3 **db)
{
    AUTO(str_done) struct str path = STR_INIT(256);
    sqlite3_stmt *stmt = NULL;
    str_addf(&path, "%s/pacewatch.db", f->dir);
    assert_int_equal(sqlite3_open(str_text(&path), db), SQLITE_OK);
    if (sqlite3_prepare_v2(*db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(*db));
    if (sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("no row: %s", sql);
    return stmt;
}

int64_t fixture_int(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = ask(f, sql, &db);
    int64_t value =
        sqlite3_column_type(stmt, 0) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

void fixture_text(struct fixture *f, const char *sql, struct str *out)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = ask(f, sql, &db);
    str_clear(out);
    str_addz(out, (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}
