/* SPDX-License-Identifier: MIT */
/* Looks: whether a job in the middle of its rounds should end, and how it is judged then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "judge_parts.h"
#include "judge_setup.h"
#include "store_attempt.h"
#include "store_look.h"

static enum look_answer answer_of(struct setup *t, int64_t job, int attempt, int n)
{
    struct look look = {.job_id = job, .attempt = attempt, .n = n};
    enum look_answer answer;
    struct err e = {0};
    if (store_look_get(t->f.store, &look, &answer, &e) < 0)
        fail_msg("%s", e.text);
    return answer;
}

static enum look_answer look_at(struct fixture_result r, int n)
{
    struct setup t;
    r.planned = 30;
    r.rounds = n;
    open_judge(&t, NULL);
    int64_t job = fixture_queue(&t.f, 0, 1);
    int attempt = fixture_look(&t.f, job, n, &r);
    assert_int_equal(answer_of(&t, job, attempt, n), LOOK_OPEN);

    (void)judge_step(&t.judge);

    enum look_answer answer = answer_of(&t, job, attempt, n);
    assert_int_equal(fixture_int(&t.f, "SELECT body IS NULL AND length(why) > 0 FROM look"), 1);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM verdict"), 0);
    close_judge(&t);
    return answer;
}

static void a_clear_regression_ends_the_job(void **state)
{
    assert_int_equal(look_at(slow, 10), LOOK_STOP);
    (void)state;
}

static void a_job_whose_rows_all_have_answers_ends(void **state)
{
    struct fixture_result quiet = {.seed = 4, .scatter = 0.002};
    assert_int_equal(look_at(quiet, 15), LOOK_STOP);
    (void)state;
}

static void an_open_question_goes_on(void **state)
{
    /* About the margin of 5 %, in much scatter. */
    struct fixture_result open = {
        .factor = {[METRIC_CPU_PER_REQUEST] = 1.06}, .scatter = 0.03, .seed = 6};
    assert_int_equal(look_at(open, 10), LOOK_GO_ON);
    (void)state;
}

static void a_look_that_nobody_planned_goes_on(void **state)
{
    assert_int_equal(look_at(slow, 12), LOOK_GO_ON);
    (void)state;
}

/* What an attempt that died had asked is no answer for the next one. */
static void each_attempt_has_its_own_looks(void **state)
{
    struct setup t;
    struct fixture_result r = slow;
    bool failed;
    r.planned = 30;
    open_judge(&t, NULL);
    int64_t job = fixture_queue(&t.f, 0, 1);
    int first = fixture_look(&t.f, job, 10, &r);
    assert_int_equal(store_attempt_lost(t.f.store, job, first, "killed", &failed, NULL), 0);

    (void)judge_step(&t.judge);
    assert_int_equal(answer_of(&t, job, first, 10), LOOK_OPEN);
    r = calm;
    r.planned = 30;
    r.scatter = 0.05;
    int second = fixture_look(&t.f, job, 10, &r);
    (void)judge_step(&t.judge);

    assert_int_equal(second, first + 1);
    assert_int_equal(answer_of(&t, job, second, 10), LOOK_GO_ON);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM look"), 1);
    close_judge(&t);
    (void)state;
}

/* The job is judged as its last look was: the same claim, by the same share of alpha. */
static void a_job_that_a_look_ended_keeps_its_claim(void **state)
{
    struct setup t;
    struct fixture_result r = slow;
    r.planned = 30;
    r.rounds = 10;
    r.end = RESULT_END_LOOK;
    open_judge(&t, NULL);
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &r);

    (void)judge_step(&t.judge);

    check_verdict(&t.f, job, OUTCOME_SLOWER, false);
    close_judge(&t);
    (void)state;
}

/* --- which look --------------------------------------------------------------------------- */

static enum outcome judged_as(double effect, int rounds, int planned, int look)
{
    AUTO(job_samples_done) struct job_samples js = {0};
    AUTO(verdict_record_done) struct verdict_record v = {0};
    struct spec *spec = NULL;
    assert_int_equal(spec_parse(VIEW("{\"start\":{\"command\":[\"x\"]},\"scenarios\":[{"
                                     "\"name\":\"a\",\"endpoints\":[{\"path\":\"/\"}]}]}"),
                                "spec", &spec, NULL),
                     0);
    struct judge_rules rules = {.spec = spec, .today = "2026-11-24"};
    struct series_rounds *s = vec_push(&js.series);
    js.rounds = (size_t)rounds;
    s->key = (struct series_key){.id = 1, .metric = METRIC_CPU_PER_REQUEST};
    s->key.scenario = mem_strdup("a");
    s->key.endpoint = mem_strdup("");
    series_rounds_init(s, js.rounds);
    for (size_t i = 0; i < js.rounds; i++) {
        /* All but one round in eight point the same way. */
        s->base[i] = 100;
        s->head[i] = 100 * (i % 8 == 3 ? 1.04 : 1 + effect + 0.001 * (double)(i % 5));
    }
    judge_set_looks(spec, planned, &rules);
    if (look >= 0)
        rules.look = look;
    assert_int_equal(judge_verdict(&js, &rules, "", &v, NULL), 0);
    spec_freep(&spec);
    return v.outcome;
}

/* One round of ten against it has p = .002: a claim for a job of ten rounds, not for the first
 * of four looks. A job that ran out of time after ten may spend all that is left. */
static void an_early_look_may_spend_less_than_an_end(void **state)
{
    assert_int_equal(judged_as(0.08, 10, 0, -1), OUTCOME_SLOWER);
    assert_int_not_equal(judged_as(0.08, 10, 30, 0), OUTCOME_SLOWER);
    assert_int_equal(judged_as(0.08, 10, 30, 3), OUTCOME_SLOWER);
    assert_int_equal(judged_as(0.08, 30, 30, 3), OUTCOME_SLOWER);
    (void)state;
}

static void the_planned_looks_are_those_of_the_spec(void **state)
{
    static const struct {
        int64_t least, most;
        size_t n;
        int looks[SPEC_LOOKS_MAX];
    } cases[] = {
        {10, 30, 4, {10, 15, 20, 30}}, {10, 10, 1, {10}},     {12, 15, 2, {12, 15}},
        {10, 20, 3, {10, 15, 20}},     {40, 40, 1, {40}},     {10, 60, 5, {10, 15, 20, 30, 60}},
        {15, 30, 3, {15, 20, 30}},     {25, 26, 2, {25, 26}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int looks[SPEC_LOOKS_MAX];
        struct spec_sensitivity s = {.rounds_least = cases[i].least,
                                     .rounds_most = cases[i].most};

        size_t n = spec_looks(&s, looks);

        assert_int_equal(n, cases[i].n);
        assert_memory_equal(looks, cases[i].looks, n * sizeof looks[0]);
    }
    (void)state;
}

/* A second job must not stop at a row that the first one did not accuse. */
static void a_confirming_job_waits_for_the_accused_row(void **state)
{
    AUTO(verdict_record_done) struct verdict_record now = {0};
    AUTO(verdict_record_done) struct verdict_record first = {0};
    for (int i = 0; i < 2; i++) {
        struct verdict_line *line = vec_push(&now.lines);
        line->metric = i ? METRIC_P50 : METRIC_CPU_PER_REQUEST;
        line->primary = true;
        line->outcome = i ? OUTCOME_SLOWER : OUTCOME_UNDECIDED;
        line = vec_push(&first.lines);
        line->metric = i ? METRIC_P50 : METRIC_CPU_PER_REQUEST;
        line->primary = true;
        line->outcome = i ? OUTCOME_UNDECIDED : OUTCOME_SLOWER;
    }

    assert_true(judge_may_stop(&now, NULL));
    assert_false(judge_may_stop(&now, &first));
    now.lines.at[0].outcome = OUTCOME_SLOWER;
    assert_true(judge_may_stop(&now, &first));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clear_regression_ends_the_job),
        cmocka_unit_test(a_job_whose_rows_all_have_answers_ends),
        cmocka_unit_test(an_open_question_goes_on),
        cmocka_unit_test(a_look_that_nobody_planned_goes_on),
        cmocka_unit_test(each_attempt_has_its_own_looks),
        cmocka_unit_test(a_job_that_a_look_ended_keeps_its_claim),
        cmocka_unit_test(an_early_look_may_spend_less_than_an_end),
        cmocka_unit_test(the_planned_looks_are_those_of_the_spec),
        cmocka_unit_test(a_confirming_job_waits_for_the_accused_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
