/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_setup.h"
#include "store_outbox.h"

static void a_failed_job_gets_a_report_and_never_a_verdict(void **state)
{
    struct setup t;
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    open_judge(&t, NULL);
    with_webhook(&t);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &(struct fixture_result){.failed = true});

    (void)judge_step(&t.judge);

    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM verdict"), 0);
    assert_int_equal(fixture_int(&t.f, "SELECT outcome FROM job"), -1);
    fixture_text(&t.f, "SELECT body FROM outbox WHERE target = 'file'", &body);
    assert_true(view_starts(str_view(&body), "**could not measure: build of head**"));
    fixture_text(&t.f, "SELECT body FROM outbox WHERE target = 'webhook'", &body);
    assert_non_null(strstr(str_text(&body), "\"outcome\":null"));
    (void)judge_step(&t.judge);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox"), 2);
    (void)job;
    close_judge(&t);
    (void)state;
}

static void a_merge_request_has_rows_but_no_points(void **state)
{
    struct setup t;
    AUTO(str_done) struct str slot = STR_INIT(256);
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_MR, 3, -1, &slow);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM point"), 0);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM change_point"), 0);
    fixture_text(&t.f, "SELECT slot FROM outbox", &slot);
    assert_string_equal(str_text(&slot), "mr/12/report");
    close_judge(&t);
    (void)state;
}

static void a_webhook_hears_of_a_regression_once_it_is_confirmed(void **state)
{
    struct setup t;
    struct fixture_result again = slow;
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    open_judge(&t, NULL);
    with_webhook(&t);
    (void)fixture_job(&t.f, JOB_MR, 3, -1, &slow);

    (void)judge_step(&t.judge);
    int64_t before = fixture_int(&t.f, "SELECT count(*) FROM outbox WHERE target = 'webhook'");
    again.seed = 77;
    fixture_deliver(&t.f, fixture_queued(&t.f), &again);
    (void)judge_step(&t.judge);

    assert_int_equal(before, 0);
    fixture_text(&t.f, "SELECT body FROM outbox WHERE target = 'webhook'", &body);
    assert_non_null(strstr(str_text(&body), "\"mr\":12"));
    assert_non_null(strstr(str_text(&body), "\"confirmed\":true"));
    assert_non_null(strstr(str_text(&body), "slower (confirmed)"));
    close_judge(&t);
    (void)state;
}

static void a_webhook_hears_nothing_of_no_change_unless_asked_or_told_before(void **state)
{
    static const struct {
        const char *spec;
        bool told; /* something was sent to the slot before */
        int64_t sent;
    } cases[] = {
        {NULL, false, 0},
        {"\"report\":{\"when\":\"confirmed\"}", false, 0},
        {"\"report\":{\"when\":\"always\"}", false, 1},
        {NULL, true, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct setup t;
        open_judge(&t, cases[i].spec);
        with_webhook(&t);
        struct outbox old = {.repo_id = t.f.repo,
                             .target = OUTBOX_WEBHOOK,
                             .slot = "mr/12/report",
                             .message_id = "msg_old",
                             .body = "{}"};
        if (cases[i].told)
            assert_int_equal(store_outbox_put(t.f.store, &old, NULL), 0);
        (void)fixture_job(&t.f, JOB_MR, 3, -1, &calm);

        (void)judge_step(&t.judge);

        assert_int_equal(fixture_int(&t.f,
                                     "SELECT count(*) FROM outbox WHERE target = 'webhook' "
                                     "AND message_id <> 'msg_old'"),
                         cases[i].sent);
        close_judge(&t);
    }
    (void)state;
}

static void more_failed_requests_are_slower_though_base_had_none(void **state)
{
    struct setup t;
    AUTO(verdict_record_done) struct verdict_record v = {0};
    bool found;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1,
                              &(struct fixture_result){.head_errors = 0.02, .seed = 4});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    assert_int_equal(store_verdict_get(t.f.store, job, &v, &found, NULL), 0);
    assert_int_equal(v.lines.at[0].metric, METRIC_ERRORS);
    assert_true(v.lines.at[0].effect == 0.02);
    assert_non_null(strstr(v.lines.at[0].why, "10 of 10 rounds"));
    close_judge(&t);
    (void)state;
}

static void a_limit_that_head_breaks_first_is_slower(void **state)
{
    struct setup t;
    open_judge(&t, "\"checks\":[{\"metric\":\"peak_memory\",\"max\":\"51MiB\"}]");
    int64_t job = fixture_job(
        &t.f, JOB_PUSH, 0, 1,
        &(struct fixture_result){.factor = {[METRIC_PEAK_MEMORY] = 1.2}, .seed = 6});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    close_judge(&t);
    (void)state;
}

static void a_limit_that_base_breaks_too_does_not_blame_the_commit(void **state)
{
    struct setup t;
    AUTO(str_done) struct str why = STR_INIT(1024);
    open_judge(&t, "\"checks\":[{\"metric\":\"peak_memory\",\"max\":\"20MiB\"}]");
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &calm);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NO_CHANGE, false);
    fixture_text(&t.f,
                 "SELECT w.why FROM verdict_row w JOIN series s ON s.id = w.series_id "
                 "WHERE s.metric = 'peak_memory'",
                 &why);
    assert_non_null(strstr(str_text(&why), "limit broken, as base did"));
    close_judge(&t);
    (void)state;
}

static void an_ignored_metric_is_shown_and_decides_nothing(void **state)
{
    struct setup t;
    AUTO(str_done) struct str why = STR_INIT(1024);
    open_judge(&t, "\"ignore\":[{\"metric\":\"cpu_per_request\","
                   "\"reason\":\"known, see the tracker\"}]");
    int64_t job = fixture_job(
        &t.f, JOB_PUSH, 0, 1,
        &(struct fixture_result){.factor = {[METRIC_CPU_PER_REQUEST] = 1.5}, .seed = 8});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NO_CHANGE, false);
    fixture_text(&t.f,
                 "SELECT w.why FROM verdict_row w JOIN series s ON s.id = w.series_id "
                 "WHERE s.metric = 'cpu_per_request' AND w.outcome = 'slower' "
                 "AND w.is_primary = 0",
                 &why);
    assert_non_null(strstr(str_text(&why), "known, see the tracker"));
    close_judge(&t);
    (void)state;
}

static void a_first_commit_that_breaks_a_limit_says_so(void **state)
{
    struct setup t;
    AUTO(str_done) struct str why = STR_INIT(1024);
    open_judge(&t, "\"checks\":[{\"metric\":\"peak_memory\",\"max\":\"20MiB\"}]");
    int64_t job =
        fixture_job(&t.f, JOB_BACKFILL, -1, 0, &(struct fixture_result){.single = true});

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_NOT_COMPARABLE, false);
    fixture_text(&t.f, "SELECT why FROM verdict", &why);
    assert_non_null(strstr(str_text(&why), "limit broken: peak memory 47."));
    assert_non_null(strstr(str_text(&why), "is above 20.0 MiB"));
    close_judge(&t);
    (void)state;
}

static void an_ignore_rule_ends_with_its_day(void **state)
{
    static const struct {
        const char *until;
        enum outcome outcome;
    } cases[] = {{"2020-01-01", OUTCOME_SLOWER}, {"2999-12-31", OUTCOME_NO_CHANGE}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct setup t;
        AUTO(str_done) struct str spec = STR_INIT(1024);
        str_addf(&spec,
                 "\"ignore\":[{\"metric\":\"cpu_per_request\",\"reason\":\"known\","
                 "\"until\":\"%s\"}]",
                 cases[i].until);
        open_judge(&t, str_text(&spec));
        int64_t job = fixture_job(
            &t.f, JOB_PUSH, 0, 1,
            &(struct fixture_result){.factor = {[METRIC_CPU_PER_REQUEST] = 1.5}, .seed = 8});

        (void)judge_step(&t.judge);

        check_verdict(&t.f, job, cases[i].outcome, false);
        close_judge(&t);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_job_gets_a_report_and_never_a_verdict),
        cmocka_unit_test(a_merge_request_has_rows_but_no_points),
        cmocka_unit_test(a_webhook_hears_of_a_regression_once_it_is_confirmed),
        cmocka_unit_test(a_webhook_hears_nothing_of_no_change_unless_asked_or_told_before),
        cmocka_unit_test(more_failed_requests_are_slower_though_base_had_none),
        cmocka_unit_test(a_limit_that_head_breaks_first_is_slower),
        cmocka_unit_test(a_limit_that_base_breaks_too_does_not_blame_the_commit),
        cmocka_unit_test(an_ignored_metric_is_shown_and_decides_nothing),
        cmocka_unit_test(a_first_commit_that_breaks_a_limit_says_so),
        cmocka_unit_test(an_ignore_rule_ends_with_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
