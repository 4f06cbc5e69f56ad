/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "judge_setup.h"
#include "rng.h"
#include "store_job.h"

static void a_commit_that_changes_nothing_is_no_change_and_gets_its_points(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &calm);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NO_CHANGE, false);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM point"), METRIC_COUNT);
    assert_int_equal(fixture_int(&t.f,
                                 "SELECT count(*) FROM point WHERE n = 10 AND lo <= value "
                                 "AND value <= hi"),
                     METRIC_COUNT);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM change_point"), 0);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert"), 0);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE state = 'judged' AND "
                                       "outcome = 'no_change'"),
                     1);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static bool tells_shape(struct fixture *f)
{
    return fixture_int(f, "SELECT why LIKE '%shape of response times changed%' FROM verdict") ==
           1;
}

static void a_new_shape_of_response_times_is_told_and_decides_nothing(void **state)
{
    struct setup t;
    struct fixture_result two_modes = {.seed = 1, .histograms = true, .head_slow = .2};
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &two_modes);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NO_CHANGE, false);
    assert_true(tells_shape(&t.f));
    assert_int_equal(
        fixture_int(&t.f, "SELECT v.base BETWEEN 1e6 AND 2e6 AND v.head BETWEEN 1e7 AND 2e7"
                          " FROM verdict_row v JOIN series s ON s.id = v.series_id"
                          " WHERE s.metric = 'p99'"),
        1); /* of all requests; the median of the rounds' p99 is 4e6 on both sides */
    close_judge(&t);
    (void)state;
}

static void the_same_shape_of_response_times_is_not_told(void **state)
{
    struct setup t;
    struct fixture_result same = {.seed = 1, .histograms = true};
    open_judge(&t, NULL);
    (void)fixture_job(&t.f, JOB_PUSH, 0, 1, &same);

    (void)judge_step(&t.judge);

    assert_false(tells_shape(&t.f));
    close_judge(&t);
    (void)state;
}

static void a_slower_commit_is_suspected_and_measured_again(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    assert_int_equal(alert_state(&t.f, job), ALERT_CONFIRMING);
    int64_t second = fixture_queued(&t.f);
    assert_true(second > job);
    assert_int_equal(fixture_int(&t.f, "SELECT confirms FROM job WHERE kind = 'confirm'"), job);
    assert_int_equal(fixture_int(&t.f,
                                 "SELECT count(*) FROM change_point WHERE method = 'pair' AND "
                                 "state = 'provisional'"),
                     2);
    assert_true(bell_wait(&t.bells.dispatch, 0));
    assert_true(bell_wait(&t.bells.post, 0));
    close_judge(&t);
    (void)state;
}

static void a_second_job_that_agrees_confirms_the_regression(void **state)
{
    struct setup t;
    struct fixture_result again = slow;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);
    (void)judge_step(&t.judge);
    again.seed = 99;
    int64_t second = fixture_queued(&t.f);
    fixture_deliver(&t.f, second, &again);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, true);
    assert_int_equal(alert_state(&t.f, job), ALERT_OPEN);
    assert_int_equal(fixture_int(&t.f,
                                 "SELECT count(*) FROM change_point WHERE method = 'pair' AND "
                                 "state = 'confirmed'"),
                     2);
    assert_int_equal(fixture_int(&t.f, "SELECT min(n) FROM point"), 20);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void a_second_job_that_disagrees_makes_it_noise(void **state)
{
    struct setup t;
    struct fixture_result again = {.seed = 99, .rounds = 20};
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);
    (void)judge_step(&t.judge);
    fixture_deliver(&t.f, fixture_queued(&t.f), &again);

    (void)judge_step(&t.judge);

    AUTO(verdict_record_done) struct verdict_record v = {0};
    bool found;
    assert_int_equal(store_verdict_get(t.f.store, job, &v, &found, NULL), 0);
    assert_int_not_equal(v.outcome, OUTCOME_SLOWER);
    assert_non_null(strstr(v.why, "was slower"));
    assert_int_equal(v.rounds, 30);
    assert_int_equal(alert_state(&t.f, job), ALERT_NOISE);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert WHERE closed_ms IS NULL"),
                     0);
    assert_int_equal(fixture_int(&t.f, "SELECT kind = 'regression' FROM alert"), 1);
    assert_int_equal(fixture_int(&t.f,
                                 "SELECT count(*) FROM change_point WHERE method = 'pair' AND "
                                 "state <> 'retracted'"),
                     0);
    close_judge(&t);
    (void)state;
}

static void a_second_job_that_fails_leaves_an_open_unconfirmed_alert(void **state)
{
    struct setup t;
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);
    (void)judge_step(&t.judge);
    fixture_deliver(&t.f, fixture_queued(&t.f), &(struct fixture_result){.failed = true});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    assert_int_equal(alert_state(&t.f, job), ALERT_OPEN);
    fixture_text(&t.f, "SELECT body FROM outbox WHERE state = 'pending' AND target = 'file'",
                 &body);
    assert_non_null(strstr(str_text(&body), "slower (unconfirmed)"));
    assert_non_null(strstr(str_text(&body), "could not measure it again"));
    close_judge(&t);
    (void)state;
}

static void a_spec_without_reruns_opens_the_alert_at_once(void **state)
{
    struct setup t;
    open_judge(&t, "\"confirm\":{\"reruns\":0}");
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    assert_int_equal(alert_state(&t.f, job), ALERT_OPEN);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void a_faster_commit_is_told_without_a_second_job(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &fast);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_FASTER, false);
    assert_int_equal(fixture_int(&t.f, "SELECT kind = 'improvement' FROM alert"), 1);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void equal_artefacts_are_identical(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    int64_t job =
        fixture_job(&t.f, JOB_PUSH, 0, 1, &(struct fixture_result){.identical = true});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_IDENTICAL, false);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM point"), 0);
    close_judge(&t);
    (void)state;
}

static void a_first_commit_gets_points_but_no_comparison(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    int64_t job =
        fixture_job(&t.f, JOB_BACKFILL, -1, 0, &(struct fixture_result){.single = true});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NOT_COMPARABLE, false);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM point"), METRIC_COUNT);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM verdict_row"), 0);
    close_judge(&t);
    (void)state;
}

static void void_rounds_do_not_count(void **state)
{
    struct setup t;
    AUTO(verdict_record_done) struct verdict_record v = {0};
    bool found;
    open_judge(&t, NULL);
    int64_t job =
        fixture_job(&t.f, JOB_PUSH, 0, 1,
                    &(struct fixture_result){.rounds = 9, .rounds_void = 4, .seed = 5});

    (void)judge_step(&t.judge);

    assert_int_equal(store_verdict_get(t.f.store, job, &v, &found, NULL), 0);
    assert_int_equal(v.rounds, 9);
    assert_int_equal(v.rounds_void, 4);
    assert_int_equal(v.lines.at[0].rounds, 9);
    close_judge(&t);
    (void)state;
}

static void a_job_without_a_counting_round_is_undecided_and_says_why(void **state)
{
    struct setup t;
    AUTO(verdict_record_done) struct verdict_record v = {0};
    bool found;
    open_judge(&t, NULL);
    int64_t job =
        fixture_job(&t.f, JOB_PUSH, 0, 1, &(struct fixture_result){.rounds_void = 10});

    (void)judge_step(&t.judge);

    assert_int_equal(store_verdict_get(t.f.store, job, &v, &found, NULL), 0);
    assert_int_equal(v.outcome, OUTCOME_UNDECIDED);
    assert_string_equal(v.why, "none of 10 rounds counted: the generator fell behind");
    close_judge(&t);
    (void)state;
}

static void judging_twice_writes_nothing_twice(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    with_webhook(&t);
    (void)fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);
    (void)fixture_job(&t.f, JOB_PUSH, 1, 2, &calm);
    (void)judge_step(&t.judge);
    int64_t verdicts = fixture_int(&t.f, "SELECT count(*) FROM verdict");
    int64_t outbox = fixture_int(&t.f, "SELECT count(*) FROM outbox");

    (void)judge_step(&t.judge);

    assert_int_equal(verdicts, 2);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM verdict"), verdicts);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox"), outbox);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE kind = 'confirm'"), 1);
    close_judge(&t);
    (void)state;
}

/* A daemon killed after the result was accepted finds a job 'measured'; one killed inside the
 * judge's transaction finds the same. Both are this: */
static void a_job_left_over_by_a_killed_daemon_is_judged_by_the_next(void **state)
{
    struct setup t;
    AUTO(str_done) struct str path = STR_INIT(256);
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &slow);
    str_addf(&path, "%s/pacewatch.db", t.f.dir);
    {
        struct store_tx tx = {0}; /* work that was never committed */
        assert_int_equal(store_begin(t.f.store, &tx, NULL), 0);
        struct verdict_record v = {.job_id = job, .outcome = OUTCOME_FASTER};
        assert_int_equal(store_verdict_put(t.f.store, &v, NULL), 0);
        store_tx_done(&tx);
    }
    store_closep(&t.f.store);
    assert_int_equal(store_open(str_text(&path), &t.f.store, NULL), 0);
    t.judge.store = t.f.store;

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    close_judge(&t);
    (void)state;
}

static void a_step_in_a_history_keeps_its_id_while_points_follow(void **state)
{
    struct setup t;
    open_judge(&t, "\"confirm\":{\"reruns\":0}");
    int64_t first_id = 0;
    for (int i = 1; i < 30; i++) {
        struct fixture_result r = {
            .seed = 1000 + (uint64_t)i, .rounds = 8, .base_factor = i >= 15 ? 1.4 : 1};
        (void)fixture_job(&t.f, JOB_BACKFILL, i - 1, i, &r);
        (void)judge_step(&t.judge);
        if (i == 24)
            first_id =
                fixture_int(&t.f, "SELECT c.id FROM change_point c JOIN series s ON "
                                  "s.id = c.series_id WHERE c.method = 'history' AND "
                                  "s.metric = 'cpu_per_request' AND c.state <> 'retracted'");
    }

    assert_int_equal(fixture_int(&t.f,
                                 "SELECT c.id FROM change_point c JOIN series s ON "
                                 "s.id = c.series_id WHERE c.method = 'history' AND "
                                 "s.metric = 'cpu_per_request' AND c.state = 'confirmed'"),
                     first_id);
    assert_int_equal(fixture_int(&t.f,
                                 "SELECT count(*) FROM change_point c JOIN series s ON "
                                 "s.id = c.series_id WHERE c.method = 'history' AND "
                                 "s.metric = 'cpu_per_request' AND c.state <> 'retracted'"),
                     1);
    close_judge(&t);
    (void)state;
}

static void a_spec_that_cannot_be_read_ends_in_a_verdict_that_says_so(void **state)
{
    struct setup t;
    AUTO(str_done) struct str why = STR_INIT(1024);
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &calm);
    assert_int_equal(store_spec_put(t.f.store, t.f.repo, VIEW("{"), &(int64_t){0}, NULL), 0);
    assert_true(job > 0);
    {
        AUTO(str_done) struct str sql = STR_INIT(256);
        /* Point the job at the broken one, as a bug or a damaged database would. */
        str_addf(&sql, "UPDATE job SET spec_id = (SELECT max(id) FROM spec) RETURNING id");
        (void)fixture_int(&t.f, str_text(&sql));
    }

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NOT_COMPARABLE, false);
    fixture_text(&t.f, "SELECT why FROM verdict", &why);
    assert_non_null(strstr(str_text(&why), "it cannot be judged"));
    close_judge(&t);
    (void)state;
}

/* In a process that may be killed at any moment; never returns. */
static void judge_in_child(const char *path)
{
    struct store *store = NULL;
    if (store_open(path, &store, NULL) < 0)
        _exit(1);
    struct judge judge = {.store = store, .targets = {to_shop, 1}};
    (void)judge_step(&judge);
    store_closep(&store);
    _exit(0);
}

static bool judge_and_kill(const char *path, int64_t after_ns)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        judge_in_child(path);
    clock_sleep_until(clock_now_ns() + after_ns);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
}

static void killed_at_any_moment_it_neither_loses_nor_doubles(void **state)
{
    struct setup t;
    struct rng rng;
    AUTO(str_done) struct str path = STR_INIT(256);
    int killed = 0;
    open_judge(&t, NULL);
    with_webhook(&t);
    for (int i = 1; i <= 12; i++)
        (void)fixture_job(&t.f, i % 4 ? JOB_PUSH : JOB_BACKFILL, i - 1, i,
                          i % 3   ? &calm
                          : i % 2 ? &slow
                                  : &(struct fixture_result){.failed = true});
    str_addf(&path, "%s/pacewatch.db", t.f.dir);
    rng_init(&rng, 5);

    for (int i = 0; i < 30; i++)
        killed += judge_and_kill(str_text(&path), (int64_t)rng_below(&rng, 20000000));
    (void)judge_step(&t.judge);

    assert_true(killed > 0);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE state = 'measured'"), 0);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM verdict"), 10);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert"), 2);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE kind = 'confirm'"), 2);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox WHERE target = 'file'"),
                     12);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox WHERE target = 'webhook'"),
                     1);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    close_judge(&t);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_changes_nothing_is_no_change_and_gets_its_points),
        cmocka_unit_test(a_new_shape_of_response_times_is_told_and_decides_nothing),
        cmocka_unit_test(the_same_shape_of_response_times_is_not_told),
        cmocka_unit_test(a_slower_commit_is_suspected_and_measured_again),
        cmocka_unit_test(a_second_job_that_agrees_confirms_the_regression),
        cmocka_unit_test(a_second_job_that_disagrees_makes_it_noise),
        cmocka_unit_test(a_second_job_that_fails_leaves_an_open_unconfirmed_alert),
        cmocka_unit_test(a_spec_without_reruns_opens_the_alert_at_once),
        cmocka_unit_test(a_faster_commit_is_told_without_a_second_job),
        cmocka_unit_test(equal_artefacts_are_identical),
        cmocka_unit_test(a_first_commit_gets_points_but_no_comparison),
        cmocka_unit_test(void_rounds_do_not_count),
        cmocka_unit_test(a_job_without_a_counting_round_is_undecided_and_says_why),
        cmocka_unit_test(judging_twice_writes_nothing_twice),
        cmocka_unit_test(a_job_left_over_by_a_killed_daemon_is_judged_by_the_next),
        cmocka_unit_test(a_step_in_a_history_keeps_its_id_while_points_follow),
        cmocka_unit_test(a_spec_that_cannot_be_read_ends_in_a_verdict_that_says_so),
        cmocka_unit_test(killed_at_any_moment_it_neither_loses_nor_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
