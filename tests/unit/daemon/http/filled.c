/* SPDX-License-Identifier: MIT */
/* filled: see filled.h. Any failure here ends the test program with the reason. */
#include "filled.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "mem.h"
#include "store_alert.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_run.h"
#include "store_series.h"
#include "store_verdict.h"

const char filled_spec[] =
    "{\"version\": 1, \"start\": {\"command\": [\"./shop\"]},"
    " \"scenarios\": [{\"name\": \"items\", \"endpoints\": [{\"path\": \"/items\"}]}]}";

#define MUST(call)                                                      \
    do {                                                                \
        struct err e = {0};                                             \
        if ((call) < 0) {                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, e.text); \
            abort();                                                    \
        }                                                               \
    } while (0)

static void make_commits(struct filled *f)
{
    int64_t ids[FILLED_COMMITS];
    struct branch branch;
    MUST(store_repo_put(f->store, "shop", "/srv/git/shop.git", "main", &f->repo, &e));
    MUST(store_repo_fetched(f->store, f->repo, 1764000000000, NULL, &e));
    MUST(store_branch_put(f->store, f->repo, "main", &branch, &e));
    f->branch = branch.id;
    for (int i = 0; i < FILLED_COMMITS; i++) {
        struct commit *c = &f->commits[i];
        *c = (struct commit){.repo_id = f->repo,
                             .sha = {.len = 20},
                             .tree = {.len = 20},
                             .author = "Ada <b>",
                             .author_ms = 1764000000000 + i};
        memset(c->sha.at, 0x10 + i, 20);
        memset(c->tree.at, 0x40 + i, 20);
        snprintf(c->subject, sizeof c->subject, "Change %d of \"items\"", i + 1);
        if (i > 0)
            c->first_parent = f->commits[i - 1].sha;
        MUST(store_commit_put(f->store, c, &e));
        ids[i] = c->id;
    }
    MUST(store_branch_move(f->store, f->branch, 0, ids, FILLED_COMMITS, &e));
}

static int64_t add_job(struct filled *f, enum job_kind kind, int commit, int64_t mr)
{
    struct job want = {.repo_id = f->repo,
                       .branch_id = f->branch,
                       .mr_id = mr,
                       .kind = kind,
                       .base = commit > 0 ? f->commits[commit - 1].id : 0,
                       .head = f->commits[commit].id,
                       .seed = 7};
    int64_t id;
    bool added;
    MUST(store_job_add(f->store, &want, &id, &added, &e));
    return id;
}

static int submit(struct filled *f, int64_t job, const char *token)
{
    unsigned char hash[DIGEST_BYTES];
    int attempt;
    digest_of(view_z(token), hash);
    MUST(store_job_submit(f->store, job, f->commits[0].id, f->spec, "local", hash, &attempt,
                          &e));
    MUST(store_attempt_submitted(f->store, job, attempt, "123", &e));
    return attempt;
}

static void add_fact(struct result_fact *fact, const char *name, const char *text)
{
    *fact = (struct result_fact){.name = mem_strdup(name), .text = mem_strdup(text)};
}

static struct result_doc *make_result(int64_t job, int64_t attempt, const char *kernel)
{
    struct result_doc *r = result_doc_new();
    r->job = job;
    r->attempt = attempt;
    r->outcome = RESULT_MEASURED;
    r->started_ms = 1764000001000;
    r->ended_ms = 1764000002000;
    r->host = mem_strdup("vm");
    *vec_push(&r->notes) = mem_strdup("base and head answer 'GET /' differently: <b>");
    add_fact(vec_push(&r->identity), "cpu", "Some CPU");
    add_fact(vec_push(&r->state), "kernel", kernel);
    for (int n = 1; n <= FILLED_ROUNDS; n++) {
        struct result_round *round = vec_push(&r->rounds);
        round->n = n;
        round->kind = ROUND_AB;
        for (int side = 0; side < SIDE_COUNT; side++) {
            struct result_arm *arm = vec_push(&round->arms);
            arm->place = side;
            arm->side = side;
            *vec_push(&arm->samples) = (struct result_sample){.endpoint = -1,
                                                              .metric = METRIC_CPU_PER_REQUEST,
                                                              .value = 1000 + 300 * side + n};
        }
    }
    return r;
}

void filled_result(const struct filled *f, int64_t job, int64_t attempt, struct str *out)
{
    AUTO(result_doc_freep) struct result_doc *r = make_result(job, attempt, "6.1.0-1");
    (void)f;
    result_doc_write(r, out);
}

static void deliver(struct filled *f, int64_t job, int attempt, const char *kernel)
{
    AUTO(result_doc_freep) struct result_doc *doc = make_result(job, attempt, kernel);
    AUTO(spec_freep) struct spec *spec = NULL;
    MUST(spec_parse(view_z(filled_spec), SPEC_FILE, &spec, &e));
    MUST(store_attempt_begin(f->store, job, attempt, &e));
    MUST(store_attempt_log(f->store, job, attempt, VIEW("build-head"), 0,
                           VIEW("cc -O2 shop.c\n"), &e));
    MUST(store_attempt_log(f->store, job, attempt, VIEW("build-head"), 1, VIEW("done\n"), &e));
    MUST(store_run_accept(f->store, doc, spec, &e));
}

static void judge(struct filled *f, int64_t job)
{
    AUTO(job_samples_done) struct job_samples samples = {0};
    struct verdict_record v = {.job_id = job,
                               .outcome = OUTCOME_SLOWER,
                               .confirmed = true,
                               .why = "30 % more CPU time",
                               .rounds = FILLED_ROUNDS};
    MUST(store_samples_load(f->store, job, &samples, &e));
    f->series = samples.series.at[0].key.id;
    *vec_push(&v.lines) = (struct verdict_line){.series_id = f->series,
                                                .metric = METRIC_CPU_PER_REQUEST,
                                                .primary = true,
                                                .base = 1002.5,
                                                .head = 1302.5,
                                                .effect = 0.299,
                                                .lo = 0.28,
                                                .hi = 0.31,
                                                .noise = 0.01,
                                                .least_effect = 0.05,
                                                .detectable = 0.04,
                                                .rounds = FILLED_ROUNDS,
                                                .outcome = OUTCOME_SLOWER,
                                                .why = "interval above the margin"};
    strcpy(v.lines.at[0].scenario, "items");
    MUST(store_verdict_put(f->store, &v, &e));
    verdict_record_done(&v);
    MUST(store_job_judged(f->store, job, OUTCOME_SLOWER, &e));
    MUST(store_job_reported(f->store, job, &e));
}

/* Points on all positions but the last two; the level rises at position 8. */
static void add_points(struct filled *f, int64_t job)
{
    struct run run, moved;
    bool found;
    MUST(store_run_by_job(f->store, job, &run, &found, &e));
    MUST(store_run_by_job(f->store, f->moved, &moved, &found, &e));
    for (int pos = 1; pos <= FILLED_COMMITS - 2; pos++) {
        double value = pos < 8 ? 1000 + pos : 1300 + pos;
        struct point p = {.series_id = f->series,
                          .pos = pos,
                          .value = value,
                          .lo = value - 10,
                          .hi = value + 10,
                          .n = FILLED_ROUNDS,
                          .env_state_id = pos < 9 ? run.env_state_id : moved.env_state_id};
        MUST(store_point_put(f->store, &p, &e));
    }
    struct change_point change = {.series_id = f->series,
                                  .pos = 8,
                                  .after_pos = 7,
                                  .pos_lo = 8,
                                  .pos_hi = 8,
                                  .before = 1002.5,
                                  .after = 1302.5,
                                  .effect = 0.299,
                                  .lo = 0.28,
                                  .hi = 0.31,
                                  .method = CHANGE_PAIR,
                                  .state = CHANGE_POINT_CONFIRMED,
                                  .why = "two jobs agree"};
    MUST(store_change_point_put(f->store, &change, 1, &e));
    struct alert alert = {.repo_id = f->repo,
                          .branch_id = f->branch,
                          .job_id = job,
                          .commit_id = f->commits[7].id,
                          .kind = ALERT_REGRESSION,
                          .state = ALERT_OPEN,
                          .title = "CPU time per request +29.9 %"};
    MUST(store_alert_put(f->store, &alert, &e));
}

static void add_merge_request(struct filled *f)
{
    struct commit head = {.repo_id = f->repo,
                          .sha = {.len = 20},
                          .tree = {.len = 20},
                          .author = "Eve",
                          .subject = "<script>alert(1)</script>"};
    struct merge_request mr = {.repo_id = f->repo, .number = 5, .target = "main"};
    memset(head.sha.at, 0x77, 20);
    MUST(store_commit_put(f->store, &head, &e));
    int64_t id;
    MUST(store_mr_put(f->store, &mr, head.id, f->commits[11].id, &id, &e));
    struct job want = {.repo_id = f->repo,
                       .branch_id = f->branch,
                       .mr_id = id,
                       .kind = JOB_MR,
                       .base = f->commits[11].id,
                       .head = head.id};
    bool added;
    MUST(store_job_add(f->store, &want, &f->mr_job, &added, &e));
}

static void write_job_files(struct filled *f)
{
    AUTO(str_done) struct str path = STR_INIT(256);
    str_addf(&path, "%s/jobs/%" PRId64, f->dir, f->running);
    MUST(fdio_make_dirs(str_text(&path), 0700, &e));
    size_t len = path.len;
    str_addz(&path, "/job.json");
    MUST(fdio_write_file(str_text(&path), VIEW("{\"job\":true}"), 0600, &e));
    path.len = len;
    str_addz(&path, "/head.tar");
    AUTO(str_done) struct str tar = STR_INIT(4 << 20);
    for (int i = 0; i < 300000; i++)
        str_addf(&tar, "%07d\n", i);
    MUST(fdio_write_file(str_text(&path), str_view(&tar), 0600, &e));
}

void filled_make(struct filled *f)
{
    int attempt;
    *f = (struct filled){.dir = "/tmp/pacewatch-http-XXXXXX"};
    if (!mkdtemp(f->dir))
        abort();
    snprintf(f->db, sizeof f->db, "%s/pacewatch.db", f->dir);
    snprintf(f->socket, sizeof f->socket, "%s/pacewatchd.sock", f->dir);
    MUST(store_open(f->db, &f->store, &e));
    make_commits(f);
    MUST(store_spec_put(f->store, f->repo, view_z(filled_spec), &f->spec, &e));

    f->done = add_job(f, JOB_PUSH, 7, 0);
    attempt = submit(f, f->done, FILLED_TOKEN_DONE);
    deliver(f, f->done, attempt, "6.1.0-1");
    judge(f, f->done);
    f->moved = add_job(f, JOB_BACKFILL, 6, 0);
    deliver(f, f->moved, submit(f, f->moved, "token-of-another-attempt"), "6.1.0-2");
    add_points(f, f->done);

    f->failed = add_job(f, JOB_PUSH, 8, 0);
    MUST(store_job_fail(f->store, f->failed, FAILURE_BUILD, SIDE_HEAD, "cc: exit 1", &e));

    bool gave_up;
    f->running = add_job(f, JOB_PUSH, 9, 0);
    attempt = submit(f, f->running, FILLED_TOKEN_LOST);
    MUST(store_attempt_lost(f->store, f->running, attempt, "host is gone", &gave_up, &e));
    submit(f, f->running, FILLED_TOKEN_RUNNING);
    f->queued = add_job(f, JOB_PUSH, 10, 0);
    add_merge_request(f);
    write_job_files(f);
}

void filled_remove(struct filled *f)
{
    store_closep(&f->store);
    MUST(fdio_remove_tree(f->dir, &e));
}
