/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_parts.h"
#include "rng.h"

enum { ROUNDS_MAX = 40 };

/* --- medians ------------------------------------------------------------------------------ */

static void the_median_lies_inside_its_interval(void **state)
{
    /* Ranks of the 95 % interval of a median; tables of Conover 1999, A3 (binomial). */
    static const struct {
        size_t n, lo, hi; /* ranks from 1 */
    } cases[] = {{1, 1, 1},  {5, 1, 5},   {6, 1, 6},   {8, 1, 8},   {9, 2, 8},
                 {10, 2, 9}, {15, 4, 12}, {20, 6, 15}, {30, 10, 21}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double x[ROUNDS_MAX], median, lo, hi;
        for (size_t k = 0; k < cases[i].n; k++)
            x[k] = (double)(cases[i].n - k); /* descending, so that sorting matters */

        judge_median(x, cases[i].n, &median, &lo, &hi);

        assert_true(median == ((double)cases[i].n + 1) / 2);
        assert_true(lo == (double)cases[i].lo);
        assert_true(hi == (double)cases[i].hi);
    }
    (void)state;
}

/* --- the error rate ----------------------------------------------------------------------- */

static struct verdict_line errors_of(const double *base, const double *head, size_t n)
{
    double again[ROUNDS_MAX];
    struct verdict_line line = {.metric = METRIC_ERRORS};
    for (size_t i = 0; i < n; i++)
        again[i] = NAN;
    struct series_rounds s = {.key = {.metric = METRIC_ERRORS},
                              .base = (double *)(uintptr_t)base,
                              .head = (double *)(uintptr_t)head,
                              .again = again,
                              .twin = (double *)(uintptr_t)base};
    judge_errors(&s, n,
                 &(struct judge_errors_rules){.margin = 0.001, .level = 0.005, .direction = -1},
                 &line);
    return line;
}

static void error_rates_are_judged_by_rounds_and_size(void **state)
{
    static const struct {
        const char *what;
        double base, head;
        size_t rounds, differing; /* rounds in which head differs from base */
        enum outcome outcome;
    } cases[] = {
        {"none on either side", 0, 0, 10, 0, OUTCOME_NO_CHANGE},
        {"head fails in every round", 0, .02, 10, 10, OUTCOME_SLOWER},
        {"base failed in every round", .02, 0, 10, 10, OUTCOME_FASTER},
        {"head fails in one round of ten", 0, .02, 10, 1, OUTCOME_NO_CHANGE},
        {"head fails in seven of ten", 0, .02, 10, 7, OUTCOME_UNDECIDED},
        {"head fails always, but less than anybody cares for", 0, .0001, 10, 10,
         OUTCOME_NO_CHANGE},
        {"too few rounds to claim", 0, .02, 5, 5, OUTCOME_UNDECIDED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double base[ROUNDS_MAX], head[ROUNDS_MAX];
        for (size_t k = 0; k < cases[i].rounds; k++) {
            base[k] = cases[i].base;
            head[k] = k < cases[i].differing ? cases[i].head : cases[i].base;
        }

        struct verdict_line line = errors_of(base, head, cases[i].rounds);

        if (line.outcome != cases[i].outcome)
            fail_msg("%s: %s", cases[i].what, line.why);
    }
    (void)state;
}

static void missing_rounds_of_the_error_rate_do_not_count(void **state)
{
    double base[] = {0, 0, NAN, 0, 0, 0, 0, 0, 0, 0}, head[10];
    for (size_t i = 0; i < 10; i++)
        head[i] = i == 5 ? NAN : .02;

    struct verdict_line line = errors_of(base, head, 10);

    assert_int_equal(line.rounds, 8);
    assert_int_equal(line.outcome, OUTCOME_SLOWER);
    (void)state;
}

/* Equal error rates on both sides must not be told apart: 0.5 % for each side at most. */
static void equal_error_rates_are_rarely_told_apart(void **state)
{
    enum { JOBS = 4000 };
    struct rng rng;
    int claims = 0;
    rng_init(&rng, 20261124);
    for (int job = 0; job < JOBS; job++) {
        double base[10], head[10];
        for (int i = 0; i < 10; i++) {
            base[i] = .02 * rng_unit(&rng);
            head[i] = .02 * rng_unit(&rng);
        }

        struct verdict_line line = errors_of(base, head, 10);

        claims += line.outcome == OUTCOME_SLOWER || line.outcome == OUTCOME_FASTER;
    }

    /* Expected at most 40 of 4,000 (sd 6.3): 65 is four standard deviations above. */
    assert_true(claims <= 65);
    (void)state;
}

/* --- equality ----------------------------------------------------------------------------- */

static void fill_throughput(struct job_samples *js, struct rng *rng)
{
    struct series_rounds *s = vec_push(&js->series);
    js->rounds = 10;
    s->key = (struct series_key){.id = 1,
                                 .scenario = mem_strdup("a"),
                                 .endpoint = mem_strdup(""),
                                 .metric = METRIC_THROUGHPUT};
    s->base = mem_alloc(10 * sizeof *s->base);
    s->head = mem_alloc(10 * sizeof *s->head);
    s->again = mem_alloc(10 * sizeof *s->again);
    s->twin = mem_alloc(10 * sizeof *s->twin);
    for (int i = 0; i < 10; i++) {
        s->base[i] = 1000 * (1 + .12 * rng_unit(rng));
        s->head[i] = 1000 * (1 + .12 * rng_unit(rng));
        s->twin[i] = s->base[i];
        s->again[i] = i < 3 ? 1000 * (1 + .12 * rng_unit(rng)) : NAN;
    }
}

/* What a reader sees must not contradict itself. */
static void nothing_is_undecided_beside_an_interval_inside_the_margin(void **state)
{
    struct spec *spec = NULL;
    struct rng rng;
    int same = 0;
    rng_init(&rng, 11);
    assert_int_equal(spec_parse(VIEW("{\"start\":{\"command\":[\"x\"]},\"scenarios\":[{"
                                     "\"name\":\"a\",\"endpoints\":[{\"path\":\"/\"}]}]}"),
                                "spec", &spec, NULL),
                     0);
    struct judge_rules rules = {.spec = spec, .today = "2026-11-24"};
    double margin = spec->sensitivity.least_effect[METRIC_THROUGHPUT];
    for (int job = 0; job < 200; job++) {
        AUTO(job_samples_done) struct job_samples js = {0};
        AUTO(verdict_record_done) struct verdict_record v = {0};
        fill_throughput(&js, &rng);

        assert_int_equal(judge_verdict(&js, &rules, "", &v, NULL), 0);

        const struct verdict_line *line = &v.lines.at[0];
        bool inside = line->lo > -margin / (1 + margin) && line->hi < margin;
        assert_true(line->lo <= line->effect && line->effect <= line->hi);
        assert_true(line->outcome == OUTCOME_NO_CHANGE || !inside);
        same += line->outcome == OUTCOME_NO_CHANGE;
    }
    assert_true(same > 100);
    spec_freep(&spec);
    (void)state;
}

/* --- two jobs ----------------------------------------------------------------------------- */

static void add_line(struct verdict_record *v, const char *scenario, enum outcome outcome)
{
    struct verdict_line *line = vec_push(&v->lines);
    for (size_t i = 0; scenario[i]; i++)
        line->scenario[i] = scenario[i];
    line->primary = true;
    line->outcome = outcome;
    line->effect = outcome == OUTCOME_SLOWER ? .2 : 0;
}

struct pair_of_jobs {
    enum outcome first[2], again[2], both[2]; /* of rows a and b */
};

static bool reconsider(const struct pair_of_jobs *p, struct verdict_record *v)
{
    AUTO(verdict_record_done) struct verdict_record again = {0};
    AUTO(verdict_record_done) struct verdict_record both = {.rounds = 20};
    for (int i = 0; i < 2; i++) {
        add_line(v, i ? "b" : "a", p->first[i]);
        add_line(&again, i ? "b" : "a", p->again[i]);
        add_line(&both, i ? "b" : "a", p->both[i]);
    }
    judge_sum_up(v);
    judge_sum_up(&again);
    judge_sum_up(&both);
    return judge_reconsider(v, &(struct judge_second){&again, &both, 9});
}

static void only_a_row_that_is_slower_twice_confirms(void **state)
{
    static const struct {
        struct pair_of_jobs jobs;
        bool agreed;
        enum outcome outcome;
    } cases[] = {
        {{{OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
          {OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
          {OUTCOME_SLOWER, OUTCOME_NO_CHANGE}},
         true,
         OUTCOME_SLOWER},
        {{{OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
          {OUTCOME_NO_CHANGE, OUTCOME_NO_CHANGE},
          {OUTCOME_NO_CHANGE, OUTCOME_NO_CHANGE}},
         false,
         OUTCOME_NO_CHANGE},
        /* another row is slower the second time: that confirms nothing */
        {{{OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
          {OUTCOME_NO_CHANGE, OUTCOME_SLOWER},
          {OUTCOME_UNDECIDED, OUTCOME_UNDECIDED}},
         false,
         OUTCOME_UNDECIDED},
        /* slower by all rounds together, but not by the second job alone */
        {{{OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
          {OUTCOME_UNDECIDED, OUTCOME_NO_CHANGE},
          {OUTCOME_SLOWER, OUTCOME_NO_CHANGE}},
         false,
         OUTCOME_SLOWER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(verdict_record_done) struct verdict_record v = {.rounds = 10};

        bool agreed = reconsider(&cases[i].jobs, &v);

        assert_int_equal(agreed, cases[i].agreed);
        assert_int_equal(v.outcome, cases[i].outcome);
        assert_int_equal(v.confirmed, cases[i].agreed);
        assert_non_null(strstr(v.why, "job 9"));
    }
    (void)state;
}

static void a_row_not_seen_again_beside_a_confirmed_one_takes_what_both_say(void **state)
{
    static const struct pair_of_jobs jobs = {{OUTCOME_SLOWER, OUTCOME_SLOWER},
                                             {OUTCOME_SLOWER, OUTCOME_NO_CHANGE},
                                             {OUTCOME_SLOWER, OUTCOME_NO_CHANGE}};
    AUTO(verdict_record_done) struct verdict_record v = {0};

    bool agreed = reconsider(&jobs, &v);

    assert_true(agreed);
    assert_string_equal(v.lines.at[0].scenario, "a");
    assert_int_equal(v.lines.at[0].outcome, OUTCOME_SLOWER);
    assert_string_equal(v.lines.at[1].scenario, "b");
    assert_int_equal(v.lines.at[1].outcome, OUTCOME_NO_CHANGE);
    (void)state;
}

static void joined_rounds_stay_paired(void **state)
{
    struct job_samples one = {.rounds = 2, .rounds_void = 1},
                       two = {.rounds = 1, .rounds_void = 2};
    const double values[2][3] = {{1, 2, 0}, {7, 0, 0}};
    struct job_samples *all[] = {&one, &two};
    for (int j = 0; j < 2; j++)
        for (int m = 0; m < (j ? 1 : 2); m++) {
            struct series_rounds *s = vec_push(&all[j]->series);
            s->key = (struct series_key){.scenario = mem_strdup("a"),
                                         .endpoint = mem_strdup(""),
                                         .metric = m ? METRIC_P99 : METRIC_P50};
            s->base = mem_dup(values[j], sizeof values[j]);
            s->head = mem_dup(values[j], sizeof values[j]);
            s->again = mem_dup(values[j], sizeof values[j]);
            s->twin = mem_dup(values[j], sizeof values[j]);
        }

    judge_join(&one, &two);

    assert_int_equal(one.rounds, 3);
    assert_int_equal(one.rounds_void, 3);
    assert_true(one.series.at[0].base[2] == 7);
    assert_true(one.series.at[0].head[1] == 2);
    assert_true(isnan(one.series.at[1].base[2])); /* the second job has no such quantity */
    job_samples_done(&one);
    job_samples_done(&two);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_lies_inside_its_interval),
        cmocka_unit_test(error_rates_are_judged_by_rounds_and_size),
        cmocka_unit_test(missing_rounds_of_the_error_rate_do_not_count),
        cmocka_unit_test(equal_error_rates_are_rarely_told_apart),
        cmocka_unit_test(nothing_is_undecided_beside_an_interval_inside_the_margin),
        cmocka_unit_test(only_a_row_that_is_slower_twice_confirms),
        cmocka_unit_test(a_row_not_seen_again_beside_a_confirmed_one_takes_what_both_say),
        cmocka_unit_test(joined_rounds_stay_paired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
