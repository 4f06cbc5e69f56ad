/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "rows.h"
#include "store_run.h"
#include "store_series.h"

static const char spec_text[] =
    "{\"start\": {\"command\": [\"./shop\"]}, \"scenarios\": [{\"name\": \"items\", "
    "\"endpoints\": ["
    "{\"name\": \"list\", \"path\": \"/\"}, {\"name\": \"one\", \"path\": \"/1\"}]}]}";

static struct spec *spec;

static int parse_spec(void **state)
{
    (void)state;
    MUST(spec_parse(view_z(spec_text), "spec", &spec, &e));
    return 0;
}

static int free_spec(void **state)
{
    (void)state;
    spec_freep(&spec);
    return 0;
}

/* A queued job that a runner has begun. */
static int64_t begin(struct rows *r, enum job_kind kind, int head, int *out_n)
{
    int64_t spec_id, id = rows_queue(r, kind, head);
    MUST(store_spec_put(r->store, r->repo, view_z(spec_text), &spec_id, &e));
    *out_n = rows_submit(r, id, spec_id);
    MUST(store_attempt_begin(r->store, id, *out_n, &e));
    return id;
}

static void add_sample(struct result_arm *arm, int endpoint, enum metric metric, double value)
{
    *vec_push(&arm->samples) = (struct result_sample){
        .scenario = 0, .endpoint = endpoint, .metric = metric, .value = value};
}

static void add_arm(struct result_round *round, enum side side, int copy, double value)
{
    struct result_arm *arm = vec_push(&round->arms);
    arm->place = (int)round->arms.len - 1;
    arm->side = side;
    arm->copy = copy;
    *vec_push(&arm->gauges) = (struct result_fact){.name = mem_strdup("load"), .number = 0.5};
    add_sample(arm, -1, METRIC_CPU_PER_REQUEST, value);
    add_sample(arm, -1, METRIC_P99, 10 * value);
    add_sample(arm, 1, METRIC_P99, 20 * value);
    *vec_push(&arm->hists) = (struct result_hist){.scenario = 0,
                                                  .endpoint = -1,
                                                  .packed = mem_strdup("packed"),
                                                  .packed_len = 6,
                                                  .count = 9};
}

static struct result_round *add_round(struct result_doc *doc, enum round_kind kind)
{
    struct result_round *round = vec_push(&doc->rounds);
    round->n = (int)doc->rounds.len;
    round->kind = kind;
    return round;
}

/* Three rounds: head before base, base twice, and a void one; the values tell where they
 * belong. */
static struct result_doc *make_doc(int64_t job, int attempt)
{
    struct result_doc *doc = result_doc_new();
    doc->job = job;
    doc->attempt = attempt;
    doc->outcome = RESULT_MEASURED;
    doc->failure_side = -1;
    doc->started_ms = 1764000000000;
    doc->ended_ms = 1764000060000;
    doc->host = mem_strdup("bench1");
    *vec_push(&doc->identity) =
        (struct result_fact){.name = mem_strdup("cpu"), .text = mem_strdup("Z80 \"fast\"")};
    *vec_push(&doc->state) =
        (struct result_fact){.name = mem_strdup("kernel"), .text = mem_strdup("6.1")};
    *vec_push(&doc->noise) = (struct result_fact){.name = mem_strdup("steal"), .number = 0.01};
    doc->artifact[SIDE_HEAD].present = true;
    doc->artifact[SIDE_HEAD].digest[0] = 0xab;

    struct result_round *round = add_round(doc, ROUND_AB);
    add_arm(round, SIDE_HEAD, 0, 12);
    add_arm(round, SIDE_BASE, 0, 11);
    round = add_round(doc, ROUND_AB);
    round->void_reason = mem_strdup("the generator fell behind");
    add_arm(round, SIDE_BASE, 0, 99);
    round = add_round(doc, ROUND_ABA);
    add_arm(round, SIDE_BASE, 0, 31);
    add_arm(round, SIDE_BASE, 1, 33);
    add_arm(round, SIDE_HEAD, 0, 32);
    return doc;
}

static void count_rows(struct rows *r, char out[256])
{
    scratch_ask(
        &r->dir, out,
        "sqlite3 pacewatch.db \"SELECT (SELECT count(*) FROM run) || ' ' || (SELECT count(*) "
        "FROM round) || ' ' || (SELECT count(*) FROM arm) || ' ' || (SELECT count(*) FROM "
        "sample) || ' ' || (SELECT count(*) FROM histogram) || ' ' || (SELECT count(*) FROM "
        "series)\"");
}

static void result_is_taken_apart_and_the_job_is_measured(void **state)
{
    struct rows *r = *state;
    struct run run;
    bool found;
    char line[256];
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);

    MUST(store_run_accept(r->store, doc, spec, &e));

    count_rows(r, line);
    assert_string_equal(line, "1 3 6 18 6 3");
    assert_int_equal(rows_job(r, id).state, JOB_MEASURED);
    rows_attempts(r, id, line);
    assert_string_equal(line, "delivered");
    scratch_ask(&r->dir, line,
                "sqlite3 pacewatch.db \"SELECT identity_json || facts_json || noise_json"
                " || hex(substr(head_artifact, 1, 1)) || (base_artifact IS NULL) FROM"
                " run, environment, environment_state\"");
    assert_string_equal(
        line, "{\"cpu\":\"Z80 \\\"fast\\\"\"}{\"kernel\":\"6.1\"}{\"steal\":0.01}AB1");
    scratch_ask(
        &r->dir, line,
        "sqlite3 pacewatch.db \"SELECT group_concat(scenario || '/' || endpoint || '/' || "
        "metric || '/' || unit || direction, ' ') FROM series\"");
    assert_string_equal(line, "items//cpu_per_request/ns-1 items//p99/ns-1 items/one/p99/ns-1");
    MUST(store_run_by_job(r->store, id, &run, &found, &e));
    assert_true(found);
    assert_string_equal(run.host, "bench1");
    assert_false(run.identical);
}

static void samples_come_back_in_pairs_without_void_rounds(void **state)
{
    struct rows *r = *state;
    AUTO(job_samples_done) struct job_samples js = {0};
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
    MUST(store_run_accept(r->store, doc, spec, &e));

    MUST(store_samples_load(r->store, id, &js, &e));

    assert_int_equal(js.rounds, 2);
    assert_int_equal(js.rounds_void, 1);
    assert_int_equal(js.series.len, 3);
    const struct series_rounds *cpu = &js.series.at[0];
    assert_string_equal(cpu->key.scenario, "items");
    assert_string_equal(cpu->key.endpoint, "");
    assert_int_equal(cpu->key.metric, METRIC_CPU_PER_REQUEST);
    assert_true(cpu->base[0] == 11 && cpu->head[0] == 12 && isnan(cpu->again[0]));
    assert_true(cpu->base[1] == 31 && cpu->head[1] == 32 && cpu->again[1] == 33);
    const struct series_rounds *p99 = &js.series.at[2];
    assert_string_equal(p99->key.endpoint, "one");
    assert_true(p99->head[1] == 640);
}

static void same_attempt_may_deliver_again_and_nothing_changes(void **state)
{
    struct rows *r = *state;
    char before[256], after[256];
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
    MUST(store_run_accept(r->store, doc, spec, &e));
    count_rows(r, before);
    MUST(store_job_judged(r->store, id, OUTCOME_SLOWER, &e));

    MUST(store_run_accept(r->store, doc, spec, &e));

    count_rows(r, after);
    assert_string_equal(after, before);
    assert_int_equal(rows_job(r, id).state, JOB_JUDGED);
}

static void assert_refused(struct rows *r, const struct result_doc *doc)
{
    struct err why = {0};
    char line[256];
    assert_int_equal(store_run_accept(r->store, doc, spec, &why), -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
    count_rows(r, line);
    assert_string_equal(line, "0 0 0 0 0 0");
}

static void attempts_that_are_over_are_refused(void **state)
{
    struct rows *r = *state;
    bool failed;
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
    MUST(store_attempt_lost(r->store, id, n, "no beat", &failed, &e));
    assert_refused(r, doc);

    (void)rows_submit(r, id, 0);
    assert_refused(r, doc); /* the first one is still not the newest */
    doc->attempt = 9;
    assert_refused(r, doc);

    MUST(store_job_cancel(r->store, id, &e));
    doc->attempt = 2;
    assert_refused(r, doc);
    assert_int_equal(rows_job(r, id).state, JOB_SUPERSEDED);
}

static void failed_result_fails_the_job_with_its_reason(void **state)
{
    struct rows *r = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    char line[256];
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = result_doc_new();
    doc->job = id;
    doc->attempt = n;
    doc->outcome = RESULT_FAILED;
    doc->failure = FAILURE_BUILD;
    doc->failure_side = SIDE_HEAD;
    doc->failure_text = mem_strdup("make: *** [all] Error 1");

    MUST(store_run_accept(r->store, doc, spec, &e));
    MUST(store_run_accept(r->store, doc, spec, &e));

    MUST(store_job_failure(r->store, id, &failure, &e));
    assert_int_equal(rows_job(r, id).state, JOB_FAILED);
    assert_int_equal(failure.cls, FAILURE_BUILD);
    assert_int_equal(failure.side, SIDE_HEAD);
    assert_string_equal(failure.text, "make: *** [all] Error 1");
    rows_attempts(r, id, line);
    assert_string_equal(line, "delivered");
    count_rows(r, line);
    assert_string_equal(line, "0 0 0 0 0 0");
}

static void identical_result_has_a_run_without_rounds(void **state)
{
    struct rows *r = *state;
    struct run run;
    bool found;
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = result_doc_new();
    doc->job = id;
    doc->attempt = n;
    doc->outcome = RESULT_IDENTICAL;

    MUST(store_run_accept(r->store, doc, spec, &e));

    MUST(store_run_by_job(r->store, id, &run, &found, &e));
    assert_true(found && run.identical);
    assert_int_equal(rows_job(r, id).state, JOB_MEASURED);
}

static void series_are_shared_by_jobs_and_split_by_environment(void **state)
{
    struct rows *r = *state;
    char line[256];
    int n;
    for (int i = 0; i < 3; i++) {
        int64_t id = begin(r, JOB_PUSH, i, &n);
        AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
        if (i == 2) { /* another machine, */
            free(doc->identity.at[0].text);
            doc->identity.at[0].text = mem_strdup("6502");
        }
        if (i == 1) { /* the same machine after an update: an event, not another series */
            free(doc->state.at[0].text);
            doc->state.at[0].text = mem_strdup("6.2");
        }
        MUST(store_run_accept(r->store, doc, spec, &e));
    }

    scratch_ask(
        &r->dir, line,
        "sqlite3 pacewatch.db \"SELECT (SELECT count(*) FROM environment) || ' ' || (SELECT "
        "count(*) FROM environment_state) || ' ' || (SELECT count(*) FROM series)\"");
    assert_string_equal(line, "2 3 6");
}

/* The process is killed at some moment of the transaction: all of it is there, or nothing. */
static void killed_while_accepting_leaves_all_or_nothing(void **state)
{
    struct rows *r = *state;
    int seen_none = 0, seen_all = 0;
    for (int i = 0; i < 40; i++) {
        char line[256], want[256];
        int n;
        struct job want_job = rows_want(r, JOB_AA, i % 3);
        int64_t id;
        bool added;
        want_job.base = r->commits[3];
        MUST(store_job_add(r->store, &want_job, &id, &added, &e));
        n = rows_submit(r, id, 0);
        AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
        store_closep(&r->store);

        pid_t pid = fork();
        if (pid == 0) {
            struct store *s = NULL;
            MUST(store_open(r->db, &s, &e));
            MUST(store_run_accept(s, doc, spec, &e));
            _exit(0);
        }
        clock_sleep_until(clock_now_ns() + i * i * 50 * CLOCK_NS_PER_US);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);

        MUST(store_open(r->db, &r->store, &e));
        bool measured = rows_job(r, id).state == JOB_MEASURED;
        scratch_ask(
            &r->dir, line,
            "sqlite3 pacewatch.db \"SELECT count(*) FROM run JOIN round ON run_id = run.id "
            "JOIN arm ON round_id = round.id JOIN sample ON arm_id = arm.id WHERE job_id = "
            "%lld\"",
            (long long)id);
        snprintf(want, sizeof want, "%d", measured ? 18 : 0);
        assert_string_equal(line, want);
        seen_none += !measured;
        seen_all += measured;
        if (!measured)
            MUST(store_job_cancel(r->store, id, &e));
    }
    assert_true(seen_none > 0);
    print_message("killed before the commit %d times, after it %d times\n", seen_none,
                  seen_all);
}

/* --- points ------------------------------------------------------------------------------- */

static void points_of_live_commits_come_in_order_newest_last(void **state)
{
    struct rows *r = *state;
    AUTO(point_list_done) struct point_list list = {0};
    AUTO(job_samples_done) struct job_samples js = {0};
    struct run run;
    bool found;
    int n;
    int64_t id = begin(r, JOB_PUSH, 1, &n);
    AUTO(result_doc_freep) struct result_doc *doc = make_doc(id, n);
    MUST(store_run_accept(r->store, doc, spec, &e));
    MUST(store_samples_load(r->store, id, &js, &e));
    MUST(store_run_by_job(r->store, id, &run, &found, &e));
    MUST(store_branch_move(r->store, r->branch, r->commits[1], r->commits + 3, 2, &e));

    for (int pos = 1; pos <= 5; pos++) {
        struct point p = {.series_id = js.series.at[0].key.id,
                          .pos = pos,
                          .value = 1,
                          .n = 3,
                          .env_state_id = run.env_state_id};
        MUST(store_point_put(r->store, &p, &e));
        p.value = pos * 10; /* measured again */
        MUST(store_point_put(r->store, &p, &e));
    }
    MUST(store_point_list(r->store, js.series.at[0].key.id, 4, 2, &list, &e));

    assert_int_equal(list.points.len, 2); /* position 3 was force-pushed away */
    assert_true(list.points.at[0].pos == 2 && list.points.at[0].value == 20);
    assert_true(list.points.at[1].pos == 4 && list.points.at[1].value == 40);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rows_set_up, rows_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(result_is_taken_apart_and_the_job_is_measured),
        CASE(samples_come_back_in_pairs_without_void_rounds),
        CASE(same_attempt_may_deliver_again_and_nothing_changes),
        CASE(attempts_that_are_over_are_refused),
        CASE(failed_result_fails_the_job_with_its_reason),
        CASE(identical_result_has_a_run_without_rounds),
        CASE(series_are_shared_by_jobs_and_split_by_environment),
        CASE(killed_while_accepting_leaves_all_or_nothing),
        CASE(points_of_live_commits_come_in_order_newest_last),
    };
    return cmocka_run_group_tests(tests, parse_spec, free_spec);
}
