/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rows.h"

/* --- queue -------------------------------------------------------------------------------- */

static void push_and_backfill_of_one_commit_are_one_open_job(void **state)
{
    struct rows *r = *state;
    struct job push = rows_want(r, JOB_PUSH, 1), past = rows_want(r, JOB_BACKFILL, 1);
    int64_t first, second, third;
    bool added[3];

    MUST(store_job_add(r->store, &past, &first, &added[0], &e));
    MUST(store_job_add(r->store, &push, &second, &added[1], &e));
    MUST(store_job_cancel(r->store, first, &e));
    MUST(store_job_add(r->store, &push, &third, &added[2], &e));

    assert_true(added[0] && !added[1] && added[2]);
    assert_int_equal(second, first);
    assert_int_not_equal(third, first);
}

static void confirm_jobs_are_one_per_confirmed_job(void **state)
{
    struct rows *r = *state;
    struct job a = rows_want(r, JOB_CONFIRM, 1), b = rows_want(r, JOB_CONFIRM, 1);
    int64_t id;
    bool added[3];
    a.confirms = rows_queue(r, JOB_PUSH, 1);
    b.confirms = rows_queue(r, JOB_PUSH, 2);

    MUST(store_job_add(r->store, &a, &id, &added[0], &e));
    MUST(store_job_add(r->store, &a, &id, &added[1], &e));
    MUST(store_job_add(r->store, &b, &id, &added[2], &e));

    assert_true(added[0] && !added[1] && added[2]);
}

static void queue_goes_by_kind_and_then_by_age(void **state)
{
    struct rows *r = *state;
    int64_t past = rows_queue(r, JOB_BACKFILL, 0), parent = rows_queue(r, JOB_PUSH, 1);
    int64_t child = rows_queue(r, JOB_PUSH, 2), confirm = rows_queue(r, JOB_CONFIRM, 2);
    int64_t mr = rows_queue(r, JOB_MR, 3);
    const int64_t want[] = {mr, confirm, parent, child, past};

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct job job;
        bool found;
        MUST(store_job_next(r->store, &job, &found, &e));
        assert_true(found);
        assert_int_equal(job.id, want[i]);
        (void)rows_submit(r, job.id, 0);
    }
}

static void jobs_of_a_repository_that_left_the_settings_wait(void **state)
{
    struct rows *r = *state;
    struct job job;
    bool found;
    (void)rows_queue(r, JOB_PUSH, 1);
    MUST(store_repo_unconfigure_all(r->store, &e));

    MUST(store_job_next(r->store, &job, &found, &e));

    assert_false(found);
}

static void seed_that_is_not_given_is_drawn(void **state)
{
    struct rows *r = *state;
    struct job want = rows_want(r, JOB_PUSH, 1);
    int64_t id;
    bool added;
    want.seed = 0;

    MUST(store_job_add(r->store, &want, &id, &added, &e));

    assert_true(rows_job(r, id).seed > 0);
}

/* --- moves -------------------------------------------------------------------------------- */

static void job_goes_the_whole_way_and_no_move_twice(void **state)
{
    struct rows *r = *state;
    struct err why = {0};
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    int n = rows_submit(r, id, 0);
    unsigned char hash[DIGEST_BYTES] = {200};
    MUST(store_attempt_submitted(r->store, id, n, "4711", &e));
    assert_int_equal(rows_job(r, id).state, JOB_SUBMITTED);

    assert_int_equal(store_job_submit(r->store, id, 0, 0, "local", hash, &n, &why), -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
    MUST(store_attempt_begin(r->store, id, 1, &e));
    MUST(store_attempt_begin(r->store, id, 1, &e)); /* a runner repeats its request */
    assert_int_equal(rows_job(r, id).state, JOB_RUNNING);
    assert_int_equal(store_job_judged(r->store, id, OUTCOME_SLOWER, &why), -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
    scratch_run(&r->dir, "sqlite3 pacewatch.db \"UPDATE job SET state = 'measured'\"");
    MUST(store_job_judged(r->store, id, OUTCOME_SLOWER, &e));
    MUST(store_job_reported(r->store, id, &e));

    assert_int_equal(store_job_reported(r->store, id, &why), -1);
    assert_int_equal(rows_job(r, id).state, JOB_REPORTED);
    assert_int_equal(store_job_cancel(r->store, id, &why), -1);
}

static void failed_job_is_reported_once(void **state)
{
    struct rows *r = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    struct job job;
    struct err why = {0};
    bool found;
    char attempts[256];
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    (void)rows_submit(r, id, 0);
    MUST(store_job_fail(r->store, id, FAILURE_CONFIG, SIDE_BASE, "line 3", &e));

    MUST(store_job_failed_unreported(r->store, &job, &found, &e));
    assert_true(found);
    assert_int_equal(job.id, id);
    MUST(store_job_reported(r->store, id, &e));
    MUST(store_job_failed_unreported(r->store, &job, &found, &e));

    assert_false(found);
    assert_int_equal(rows_job(r, id).state, JOB_FAILED);
    assert_int_equal(store_job_reported(r->store, id, &why), -1);
    MUST(store_job_failure(r->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_CONFIG);
    assert_int_equal(failure.side, SIDE_BASE);
    assert_string_equal(failure.text, "line 3");
    rows_attempts(r, id, attempts);
    assert_string_equal(attempts, "lost");
}

static void newer_head_supersedes_open_jobs_and_counts_the_running(void **state)
{
    struct rows *r = *state;
    struct merge_request mr = {.repo_id = r->repo, .number = 1, .target = "main"};
    int64_t mr_id, old_running, old_confirm, done, now, id;
    bool added;
    int running;
    MUST(store_mr_put(r->store, &mr, r->commits[3], r->commits[2], &mr_id, &e));
    struct job want = rows_want(r, JOB_MR, 3);
    want.mr_id = mr_id;
    MUST(store_job_add(r->store, &want, &done, &added, &e));
    MUST(store_job_fail(r->store, done, FAILURE_BUILD, SIDE_HEAD, "", &e));
    MUST(store_job_add(r->store, &want, &old_running, &added, &e));
    (void)rows_submit(r, old_running, 0);
    want.kind = JOB_CONFIRM;
    want.confirms = done;
    MUST(store_job_add(r->store, &want, &old_confirm, &added, &e));
    want = rows_want(r, JOB_MR, 4);
    want.mr_id = mr_id;
    MUST(store_job_add(r->store, &want, &now, &added, &e));
    id = rows_queue(r, JOB_PUSH, 3); /* not of the merge request */

    MUST(store_job_supersede(r->store, mr_id, r->commits[4], &running, &e));

    assert_int_equal(running, 1);
    assert_int_equal(rows_job(r, old_running).state, JOB_SUPERSEDED);
    assert_int_equal(rows_job(r, old_confirm).state, JOB_SUPERSEDED);
    assert_int_equal(rows_job(r, done).state, JOB_FAILED);
    assert_int_equal(rows_job(r, now).state, JOB_QUEUED);
    assert_int_equal(rows_job(r, id).state, JOB_QUEUED);
}

static void commit_counts_as_seen_unless_its_job_was_taken_back(void **state)
{
    struct rows *r = *state;
    bool before, open, after;
    MUST(store_job_seen(r->store, r->branch, r->commits[1], &before, &e));

    int64_t id = rows_queue(r, JOB_BACKFILL, 1);
    MUST(store_job_seen(r->store, r->branch, r->commits[1], &open, &e));
    MUST(store_job_cancel(r->store, id, &e));
    MUST(store_job_seen(r->store, r->branch, r->commits[1], &after, &e));

    assert_true(!before && open && !after);
}

/* --- base --------------------------------------------------------------------------------- */

static int64_t base_of(struct rows *r, int head)
{
    int64_t base;
    MUST(store_job_choose_base(r->store, r->branch, r->commits[head], &base, &e));
    return base;
}

/* Queues, submits with that base and fails a job. */
static void fail_job(struct rows *r, int head, int base, enum failure_class cls, int side)
{
    static unsigned char tokens = 50;
    unsigned char hash[DIGEST_BYTES] = {tokens++};
    int64_t id = rows_queue(r, JOB_PUSH, head);
    int n;
    MUST(store_job_submit(r->store, id, base < 0 ? 0 : r->commits[base], 0, "local", hash, &n,
                          &e));
    MUST(store_job_fail(r->store, id, cls, side, "", &e));
}

static void base_is_the_nearest_live_ancestor(void **state)
{
    struct rows *r = *state;
    MUST(store_branch_move(r->store, r->branch, r->commits[1], r->commits + 3, 2, &e));

    assert_int_equal(base_of(r, 4), r->commits[3]);
    assert_int_equal(base_of(r, 3), r->commits[1]); /* not c2, which was replaced */
    assert_int_equal(base_of(r, 1), r->commits[0]);
    assert_int_equal(base_of(r, 0), 0);
}

static void ancestors_that_failed_by_their_own_fault_are_passed_over(void **state)
{
    struct rows *r = *state;
    fail_job(r, 1, 0, FAILURE_BUILD, SIDE_HEAD);
    assert_int_equal(base_of(r, 2), r->commits[0]);

    fail_job(r, 0, -1, FAILURE_START, SIDE_HEAD);
    assert_int_equal(base_of(r, 2), 0);
}

static void ancestors_that_failed_by_ours_are_good_enough(void **state)
{
    struct rows *r = *state;
    fail_job(r, 1, 0, FAILURE_INFRA, -1);

    assert_int_equal(base_of(r, 2), r->commits[1]);
}

static void failure_of_the_base_side_is_held_against_the_base(void **state)
{
    struct rows *r = *state;
    MUST(store_branch_move(r->store, r->branch, r->commits[2], r->commits + 3, 1, &e));
    fail_job(r, 2, 1, FAILURE_BUILD, SIDE_BASE);

    assert_int_equal(base_of(r, 3), r->commits[2]); /* it was not its fault */
    assert_int_equal(base_of(r, 2), r->commits[0]);
}

static void newest_word_on_an_ancestor_counts(void **state)
{
    struct rows *r = *state;
    fail_job(r, 1, 0, FAILURE_BUILD, SIDE_HEAD);
    int64_t again = rows_queue(r, JOB_PUSH, 1);
    scratch_run(&r->dir,
                "sqlite3 pacewatch.db \"UPDATE job SET state = 'reported' WHERE id = %lld\"",
                (long long)again);

    assert_int_equal(base_of(r, 2), r->commits[1]);
}

/* --- attempts ----------------------------------------------------------------------------- */

static void token_leads_to_its_attempt_and_no_other_does(void **state)
{
    struct rows *r = *state;
    unsigned char hash[DIGEST_BYTES] = {9, 9}, other[DIGEST_BYTES] = {9, 8};
    struct attempt a;
    bool found, none;
    int n;
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    MUST(store_job_submit(r->store, id, r->commits[0], 0, "local", hash, &n, &e));

    MUST(store_attempt_by_token(r->store, hash, &a, &found, &e));
    MUST(store_attempt_by_token(r->store, other, &a, &none, &e));

    assert_true(found && !none && attempt_is_open(&a));
    assert_int_equal(a.job_id, id);
    assert_int_equal(a.state, ATTEMPT_SUBMITTING);
    assert_int_equal(a.job_state, JOB_SUBMITTED);
    assert_string_equal(a.executor, "local");
}

static void beat_is_noted_and_answers_whether_to_stop(void **state)
{
    struct rows *r = *state;
    struct attempt_beat beat = {
        .stage = VIEW("round 4"), .rounds_done = 3, .rounds_planned = 10, .eta_ms = 99};
    char line[256];
    bool cancel = true;
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    int n = rows_submit(r, id, 0);
    MUST(store_attempt_begin(r->store, id, n, &e));

    MUST(store_attempt_beat(r->store, id, n, &beat, &cancel, &e));
    scratch_ask(&r->dir, line,
                "sqlite3 pacewatch.db \"SELECT stage || rounds_done || '/' || "
                "rounds_planned || ' ' || eta_ms FROM attempt\"");

    assert_false(cancel);
    assert_string_equal(line, "round 43/10 99");
    MUST(store_job_cancel(r->store, id, &e));
    MUST(store_attempt_beat(r->store, id, n, &beat, &cancel, &e));
    assert_true(cancel);
}

static void log_keeps_each_piece_once_and_stays_bounded(void **state)
{
    struct rows *r = *state;
    AUTO(str_done) struct str piece = STR_INIT(STORE_LOG_PIECE_MAX + 1);
    struct err why = {0};
    char line[256];
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    int n = rows_submit(r, id, 0);
    while (piece.len < STORE_LOG_PIECE_MAX)
        str_addc(&piece, 'x');

    for (int seq = 0; seq < 40; seq++)
        for (int twice = 0; twice < 2; twice++)
            MUST(store_attempt_log(r->store, id, n, VIEW("build-head"), seq, str_view(&piece),
                                   &e));
    str_addc(&piece, 'x');
    int rc = store_attempt_log(r->store, id, n, VIEW("runner"), 0, str_view(&piece), &why);

    scratch_ask(
        &r->dir, line,
        "sqlite3 pacewatch.db \"SELECT sum(length(bytes)) || ' ' || count(*) FROM job_log\"");
    assert_string_equal(line, "1048576 16");
    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_LIMIT);
}

static void lost_attempts_queue_the_job_again_three_times_at_most(void **state)
{
    struct rows *r = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    bool failed = false;
    char attempts[256];
    int64_t id = rows_queue(r, JOB_PUSH, 1);

    for (int i = 1; i <= ATTEMPTS_MAX; i++) {
        assert_int_equal(rows_job(r, id).state, JOB_QUEUED);
        assert_false(failed);
        int n = rows_submit(r, id, 0);
        assert_int_equal(n, i);
        MUST(store_attempt_lost(r->store, id, n, "it died", &failed, &e));
    }

    assert_true(failed);
    assert_int_equal(rows_job(r, id).state, JOB_FAILED);
    MUST(store_job_failure(r->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_INFRA);
    assert_string_equal(failure.text, "it died (lost attempt 3 of 3)");
    rows_attempts(r, id, attempts);
    assert_string_equal(attempts, "lost,lost,lost");
}

static void attempt_that_is_taken_back_does_not_count(void **state)
{
    struct rows *r = *state;
    bool failed;
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    for (int i = 0; i < 5; i++)
        MUST(store_attempt_release(r->store, id, rows_submit(r, id, 0), &e));

    MUST(store_attempt_lost(r->store, id, rows_submit(r, id, 0), "it died", &failed, &e));

    assert_false(failed);
    assert_int_equal(rows_job(r, id).state, JOB_QUEUED);
}

static void restart_recovers_every_open_attempt_of_its_executor(void **state)
{
    struct rows *r = *state;
    unsigned char hash[DIGEST_BYTES] = {111};
    int64_t submitting = rows_queue(r, JOB_PUSH, 0), running = rows_queue(r, JOB_PUSH, 1);
    int64_t waiting = rows_queue(r, JOB_PUSH, 2), away = rows_queue(r, JOB_MR, 3);
    int taken, n;
    (void)rows_submit(r, submitting, 0);
    n = rows_submit(r, running, 0);
    MUST(store_attempt_begin(r->store, running, n, &e));
    MUST(store_job_submit(r->store, away, 0, 0, "slurm", hash, &n, &e));
    store_closep(&r->store); /* the daemon was killed */
    MUST(store_open(r->db, &r->store, &e));

    MUST(store_attempt_recover(r->store, "local", &taken, &e));

    assert_int_equal(taken, 2);
    assert_int_equal(rows_job(r, submitting).state, JOB_QUEUED);
    assert_int_equal(rows_job(r, running).state, JOB_QUEUED);
    assert_int_equal(rows_job(r, waiting).state, JOB_QUEUED);
    assert_int_equal(rows_job(r, away).state, JOB_SUBMITTED);
    MUST(store_attempt_recover(r->store, "local", &taken, &e));
    assert_int_equal(taken, 0);
    assert_int_equal(rows_submit(r, running, 0), 2);
}

/* A job that brings down its daemon must not do so for ever. */
static void job_that_ends_its_daemon_again_and_again_fails_at_last(void **state)
{
    struct rows *r = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    int64_t id = rows_queue(r, JOB_PUSH, 1);
    int taken, n = 0;

    while (rows_job(r, id).state == JOB_QUEUED && n < 2 * ATTEMPTS_EVER_MAX) {
        n = rows_submit(r, id, 0);
        MUST(store_attempt_recover(r->store, "local", &taken, &e));
        assert_int_equal(taken, 1);
    }

    MUST(store_job_failure(r->store, id, &failure, &e));
    assert_int_equal(n, ATTEMPTS_EVER_MAX + ATTEMPTS_MAX - 1);
    assert_int_equal(failure.cls, FAILURE_INFRA);
}

static void specs_are_kept_once_per_content(void **state)
{
    struct rows *r = *state;
    AUTO(str_done) struct str body = STR_INIT(100);
    int64_t a, b, c;

    MUST(store_spec_put(r->store, r->repo, VIEW("{\"a\": 1}"), &a, &e));
    MUST(store_spec_put(r->store, r->repo, VIEW("{\"a\": 2}"), &b, &e));
    MUST(store_spec_put(r->store, r->repo, VIEW("{\"a\": 1}"), &c, &e));
    MUST(store_spec_body(r->store, b, &body, &e));

    assert_true(a == c && a != b);
    assert_string_equal(str_text(&body), "{\"a\": 2}");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rows_set_up, rows_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(push_and_backfill_of_one_commit_are_one_open_job),
        CASE(confirm_jobs_are_one_per_confirmed_job),
        CASE(queue_goes_by_kind_and_then_by_age),
        CASE(jobs_of_a_repository_that_left_the_settings_wait),
        CASE(seed_that_is_not_given_is_drawn),
        CASE(job_goes_the_whole_way_and_no_move_twice),
        CASE(failed_job_is_reported_once),
        CASE(newer_head_supersedes_open_jobs_and_counts_the_running),
        CASE(commit_counts_as_seen_unless_its_job_was_taken_back),
        CASE(base_is_the_nearest_live_ancestor),
        CASE(ancestors_that_failed_by_their_own_fault_are_passed_over),
        CASE(ancestors_that_failed_by_ours_are_good_enough),
        CASE(failure_of_the_base_side_is_held_against_the_base),
        CASE(newest_word_on_an_ancestor_counts),
        CASE(token_leads_to_its_attempt_and_no_other_does),
        CASE(beat_is_noted_and_answers_whether_to_stop),
        CASE(log_keeps_each_piece_once_and_stays_bounded),
        CASE(lost_attempts_queue_the_job_again_three_times_at_most),
        CASE(attempt_that_is_taken_back_does_not_count),
        CASE(restart_recovers_every_open_attempt_of_its_executor),
        CASE(job_that_ends_its_daemon_again_and_again_fails_at_last),
        CASE(specs_are_kept_once_per_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
