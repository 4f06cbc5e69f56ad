/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_setup.h"
#include "store_job.h"

enum { STEP = 15, LAST = 24 };

/* A branch that got 40 % slower at one commit, which no pair of neighbours shows: both sides of
 * every job are at the same level. Stops when the history has queued a job, or at the end. */
static void measure_branch(struct setup *t, double canary_step, int last)
{
    for (int i = 1; i <= last && !fixture_queued(&t->f); i++) {
        struct fixture_result r = {
            .seed = 1000 + (uint64_t)i,
            .rounds = 8,
            .base_factor = i >= STEP ? 1.4 : 1,
            .canary_ns = 5e5 * (i >= STEP ? canary_step : 1),
        };
        (void)fixture_job(&t->f, JOB_BACKFILL, i - 1, i, &r);
        (void)judge_step(&t->judge);
    }
}

static void text_is(struct setup *t, const char *sql, const char *wanted)
{
    AUTO(str_done) struct str text = STR_INIT(1024);
    fixture_text(&t->f, sql, &text);
    assert_string_equal(str_text(&text), wanted);
}

static void text_has(struct setup *t, const char *sql, const char *wanted)
{
    AUTO(str_done) struct str text = STR_INIT(1024);
    fixture_text(&t->f, sql, &text);
    if (!strstr(str_text(&text), wanted))
        fail_msg("no '%s' in '%s'", wanted, str_text(&text));
}

static void a_step_of_the_history_is_one_suspicion_and_is_measured_side_by_side(void **state)
{
    struct setup t;
    open_judge(&t, NULL);

    measure_branch(&t, 1, LAST);

    int64_t job = fixture_queued(&t.f);
    assert_true(job > 0);
    text_is(&t, "SELECT kind FROM job WHERE state = 'queued'", "bisect");
    assert_int_equal(fixture_int(&t.f, "SELECT base FROM job WHERE state = 'queued'"),
                     t.f.commits[STEP - 1]);
    assert_int_equal(fixture_int(&t.f, "SELECT head FROM job WHERE state = 'queued'"),
                     t.f.commits[STEP]);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert"), 1);
    text_is(&t, "SELECT kind || ' ' || state || ' ' || method FROM alert",
            "regression confirming history");
    assert_true(fixture_int(&t.f, "SELECT count(*) FROM change_point WHERE alert_id") > 1);
    close_judge(&t);
    (void)state;
}

static void the_same_step_side_by_side_confirms_it(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    measure_branch(&t, 1, LAST);
    int64_t alert = fixture_int(&t.f, "SELECT id FROM alert");
    fixture_deliver(&t.f, fixture_queued(&t.f), &slow);

    (void)judge_step(&t.judge);

    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert"), 1);
    assert_int_equal(fixture_int(&t.f, "SELECT id FROM alert WHERE state = 'open'"), alert);
    text_has(&t, "SELECT why FROM alert", "side by side");
    assert_true(fixture_int(&t.f, "SELECT count(*) FROM change_point WHERE method = 'history' "
                                  "AND state = 'confirmed' AND why LIKE '%side by side%'") > 0);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void commits_that_do_not_differ_side_by_side_acquit_the_program(void **state)
{
    struct setup t;
    struct fixture_result equal = {.seed = 77, .rounds = 20};
    open_judge(&t, NULL);
    measure_branch(&t, 1, LAST);
    fixture_deliver(&t.f, fixture_queued(&t.f), &equal);

    (void)judge_step(&t.judge);

    text_is(&t, "SELECT kind || ' ' || state FROM alert", "environment noise");
    text_has(&t, "SELECT why FROM alert", "the machine changed");
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void a_canary_that_steps_too_names_the_machine(void **state)
{
    struct setup t;
    open_judge(&t, NULL);

    measure_branch(&t, 1.4, LAST);

    text_has(&t, "SELECT why FROM alert WHERE kind = 'environment' AND state = 'open'",
             "canary");
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM alert WHERE kind = 'regression'"),
                     0);
    assert_int_equal(fixture_queued(&t.f), 0);
    close_judge(&t);
    (void)state;
}

static void unmeasured_commits_are_bisected(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    for (int i = 1; i <= LAST && !fixture_queued(&t.f); i++) {
        struct fixture_result r = {
            .seed = 1000 + (uint64_t)i, .rounds = 8, .base_factor = i >= STEP ? 1.4 : 1};
        if (i > STEP - 4 && i < STEP)
            continue;
        (void)fixture_job(&t.f, JOB_BACKFILL, i - 1, i, &r);
        (void)judge_step(&t.judge);
    }
    fixture_deliver(&t.f, fixture_queued(&t.f), &slow);

    (void)judge_step(&t.judge);

    assert_int_equal(fixture_int(&t.f, "SELECT base FROM job WHERE state = 'queued'"),
                     t.f.commits[STEP - 4]);
    assert_int_equal(fixture_int(&t.f, "SELECT head FROM job WHERE state = 'queued'"),
                     t.f.commits[STEP - 2]);
    close_judge(&t);
    (void)state;
}

static void a_new_machine_measures_old_commits_again_and_is_bridged(void **state)
{
    struct setup t;
    open_judge(&t, NULL);
    for (int i = 1; i <= 8; i++) {
        struct fixture_result r = {.seed = (uint64_t)i};
        (void)fixture_job(&t.f, JOB_PUSH, i - 1, i, &r);
        (void)judge_step(&t.judge);
    }
    struct fixture_result moved = {.seed = 50, .host = "bench-2", .base_factor = 2};
    (void)fixture_job(&t.f, JOB_PUSH, 8, 9, &moved);

    (void)judge_step(&t.judge);

    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE kind = 'anchor'"), 5);
    moved.single = true;
    for (int64_t job; (job = fixture_queued(&t.f)) != 0; moved.seed++) {
        fixture_deliver(&t.f, job, &moved);
        (void)judge_step(&t.judge);
    }
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM job WHERE kind = 'anchor'"), 5);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM bridge WHERE n = 5"),
                     METRIC_COUNT - 1); /* no share of errors: it is zero */
    assert_int_equal(
        fixture_int(&t.f, "SELECT count(*) FROM bridge WHERE ratio BETWEEN 1.95 AND 2.05"),
        METRIC_COUNT - 1);
    close_judge(&t);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_the_history_is_one_suspicion_and_is_measured_side_by_side),
        cmocka_unit_test(the_same_step_side_by_side_confirms_it),
        cmocka_unit_test(commits_that_do_not_differ_side_by_side_acquit_the_program),
        cmocka_unit_test(a_canary_that_steps_too_names_the_machine),
        cmocka_unit_test(unmeasured_commits_are_bisected),
        cmocka_unit_test(a_new_machine_measures_old_commits_again_and_is_bridged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
