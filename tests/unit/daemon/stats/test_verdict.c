/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "sample.h"
#include "verdict.h"

enum { ROUNDS = 12, METRICS = 3 };

struct job {
    double base[METRICS][ROUNDS], head[METRICS][ROUNDS];
    struct verdict_metric metric[METRICS];
    struct verdict_row row[METRICS];
    struct verdict_family family;
};

/* Metric k of head is base times factor[k]; noise of cv per arm. */
static void make_job(struct job *j, uint64_t seed, double cv, const double *factor,
                     double least)
{
    static const char *const names[METRICS] = {"p50", "p99", "throughput"};
    struct rng r;
    rng_init(&r, seed);
    for (size_t k = 0; k < METRICS; k++) {
        for (size_t i = 0; i < ROUNDS; i++) {
            j->base[k][i] = 100 * exp(cv * sample_gauss(&r));
            j->head[k][i] = 100 * exp(cv * sample_gauss(&r)) * factor[k];
        }
        j->metric[k] = (struct verdict_metric){.name = names[k],
                                               .direction = k == 2 ? 1 : -1,
                                               .primary = true,
                                               .least_effect = least,
                                               .rounds = ROUNDS,
                                               .base = j->base[k],
                                               .head = j->head[k]};
    }
}

static void judge(struct job *j)
{
    struct verdict_rules rules = {.alpha = .01, .seed = 5};
    struct err e = {0};
    assert_int_equal(verdict_judge(j->metric, METRICS, &rules, j->row, &j->family, &e), 0);
}

static void slower_means_worse_for_the_user(void **state)
{
    struct job j;
    make_job(&j, 1, .01, (double[]){1.2, 1, .8}, .05);

    judge(&j);

    assert_int_equal(j.row[0].outcome, STATS_SLOWER);
    assert_int_equal(j.row[1].outcome, STATS_NO_CHANGE);
    assert_int_equal(j.row[2].outcome, STATS_SLOWER); /* less throughput */
    assert_true(j.row[0].effect > 0 && j.row[2].effect < 0);
    assert_int_equal(j.family.outcome, STATS_SLOWER);
    assert_int_equal(j.family.worst, 2);
    assert_true(j.family.final);
    assert_non_null(strstr(j.row[0].why, "slower: +"));
    (void)state;
}

static void both_ways_is_mixed(void **state)
{
    struct job j;
    make_job(&j, 2, .01, (double[]){1.2, .8, 1}, .05);

    judge(&j);

    assert_int_equal(j.family.outcome, STATS_MIXED);
    assert_int_equal(j.family.worst, 0);
    (void)state;
}

static void exchanging_the_arms_mirrors_the_verdict(void **state)
{
    struct job a, b;
    make_job(&a, 3, .02, (double[]){1.15, 1, 1.1}, .03);
    b = a;
    for (size_t k = 0; k < METRICS; k++) {
        b.metric[k].base = a.head[k];
        b.metric[k].head = a.base[k];
    }

    judge(&a);
    judge(&b);

    for (size_t k = 0; k < METRICS; k++) {
        enum stats_outcome mirror = a.row[k].outcome == STATS_SLOWER   ? STATS_FASTER
                                    : a.row[k].outcome == STATS_FASTER ? STATS_SLOWER
                                                                       : a.row[k].outcome;
        assert_int_equal(b.row[k].outcome, mirror);
        assert_near(b.row[k].p, a.row[k].p, 1e-12);
        assert_near((1 + a.row[k].effect) * (1 + b.row[k].effect), 1, 1e-9);
    }
    (void)state;
}

static void the_unit_does_not_matter(void **state)
{
    struct job a, b;
    make_job(&a, 4, .02, (double[]){1.1, 1, .95}, .03);
    b = a;
    for (size_t k = 0; k < METRICS; k++) {
        b.metric[k].base = b.base[k];
        b.metric[k].head = b.head[k];
        for (size_t i = 0; i < ROUNDS; i++) {
            b.base[k][i] *= 1e6;
            b.head[k][i] *= 1e6;
        }
    }

    judge(&a);
    judge(&b);

    for (size_t k = 0; k < METRICS; k++) {
        assert_int_equal(a.row[k].outcome, b.row[k].outcome);
        assert_near(a.row[k].effect, b.row[k].effect, 1e-9);
    }
    (void)state;
}

static void a_larger_effect_never_weakens_the_claim(void **state)
{
    double last = 1;
    bool claimed = false;
    for (double factor = 1; factor < 1.3; factor *= 1.01) {
        struct job j;
        make_job(&j, 5, .02, (double[]){factor, 1, 1}, .02);

        judge(&j);

        bool slower = j.row[0].outcome == STATS_SLOWER;
        assert_true(slower || !claimed);
        if (claimed)
            assert_true(j.row[0].p <= last + 1e-12);
        claimed = slower;
        last = j.row[0].p;
    }
    assert_true(claimed);
    (void)state;
}

static void too_few_rounds_decide_nothing(void **state)
{
    struct job j;
    make_job(&j, 6, .01, (double[]){3, 1, 1}, .05);
    for (size_t k = 0; k < METRICS; k++)
        j.metric[k].rounds = 7;

    judge(&j);

    for (size_t k = 0; k < METRICS; k++)
        assert_int_equal(j.row[k].outcome, STATS_UNDECIDED);
    assert_int_equal(j.family.outcome, STATS_UNDECIDED);
    assert_true(isinf(j.row[0].detectable));
    assert_non_null(strstr(j.row[0].why, "needs at least 8"));
    (void)state;
}

static void missing_values_cost_rounds_only(void **state)
{
    struct job j;
    make_job(&j, 7, .01, (double[]){1.2, 1, 1}, .05);
    j.base[0][3] = NAN;
    j.head[0][8] = INFINITY;

    judge(&j);

    assert_int_equal(j.row[0].rounds, ROUNDS - 2);
    assert_int_equal(j.row[0].outcome, STATS_SLOWER);
    (void)state;
}

static void noise_above_the_limit_is_undecided(void **state)
{
    struct job j;
    make_job(&j, 8, .05, (double[]){1.8, 1, 1}, .05);
    j.metric[0].max_noise = .001;

    judge(&j);

    assert_int_equal(j.row[0].outcome, STATS_UNDECIDED);
    assert_non_null(strstr(j.row[0].why, "above the limit"));
    (void)state;
}

static void loud_a_a_rounds_raise_the_margin(void **state)
{
    struct job quiet, loud;
    static const double first[5] = {100, 100, 100, 100, 100};
    static const double second[5] = {180, 60, 150, 55, 170};
    make_job(&quiet, 9, .01, (double[]){1.06, 1, 1}, .01);
    loud = quiet;
    for (size_t k = 0; k < METRICS; k++) {
        loud.metric[k].aa_rounds = 5;
        loud.metric[k].aa_first = first;
        loud.metric[k].aa_second = second;
    }

    judge(&quiet);
    judge(&loud);

    assert_int_equal(quiet.row[0].outcome, STATS_SLOWER);
    assert_int_equal(loud.row[0].outcome, STATS_UNDECIDED);
    assert_true(loud.row[0].least_effect > 3 * quiet.row[0].least_effect);
    (void)state;
}

static void shares_of_errors_may_be_zero(void **state)
{
    double base[10] = {0}, head[10];
    struct verdict_metric m = {"errors", -1, true, .01, 0, 10, base, head, 0, NULL, NULL};
    struct verdict_row row;
    struct verdict_family family;
    struct err e = {0};
    for (size_t i = 0; i < 10; i++)
        head[i] = .02 + .001 * (double)i;

    int rc = verdict_judge(&m, 1, &(struct verdict_rules){.alpha = .01}, &row, &family, &e);

    assert_int_equal(rc, 0);
    assert_int_equal(row.outcome, STATS_SLOWER);
    for (size_t i = 0; i < 10; i++)
        head[i] = 0;
    (void)verdict_judge(&m, 1, &(struct verdict_rules){.alpha = .01}, &row, &family, &e);
    assert_int_equal(row.outcome, STATS_NO_CHANGE);
    (void)state;
}

static void counts_without_scatter_need_no_luck(void **state)
{
    double base[2] = {4096, 4096}, head[2] = {4300, 4300};
    double aa[2] = {4096, 4096};
    struct verdict_metric m = {"bytes", -1, true, .01, 0, 2, base, head, 2, aa, aa};
    struct verdict_row row;
    struct verdict_family family;
    struct err e = {0};

    (void)verdict_judge(&m, 1, &(struct verdict_rules){.alpha = .01}, &row, &family, &e);

    assert_true(row.deterministic);
    assert_int_equal(row.outcome, STATS_SLOWER);
    m.least_effect = .1;
    (void)verdict_judge(&m, 1, &(struct verdict_rules){.alpha = .01}, &row, &family, &e);
    assert_int_equal(row.outcome, STATS_NO_CHANGE);
    (void)state;
}

static void advisory_metrics_never_decide(void **state)
{
    struct job j;
    make_job(&j, 10, .01, (double[]){1.5, 1, 1}, .05);
    j.metric[0].primary = false;

    judge(&j);

    assert_int_equal(j.row[0].outcome, STATS_SLOWER);
    assert_true(j.row[0].advisory);
    assert_int_equal(j.family.outcome, STATS_NO_CHANGE);
    assert_int_equal(j.family.worst, -1);
    (void)state;
}

static void looks_stop_a_clear_case_early(void **state)
{
    struct job j;
    struct verdict_rules rules = {.alpha = .01, .looks = (int[]){12, 20, 30}, .looks_len = 3};
    struct err e = {0};
    make_job(&j, 11, .01, (double[]){1.3, 1, 1}, .1);

    int rc = verdict_judge(j.metric, METRICS, &rules, j.row, &j.family, &e);

    assert_int_equal(rc, 0);
    assert_int_equal(j.family.outcome, STATS_SLOWER);
    assert_true(j.family.final);
    assert_true(j.family.spent < .01);
    (void)state;
}

static void impossible_rules_are_refused(void **state)
{
    struct job j;
    struct err e = {0};
    struct verdict_rules bad[] = {
        {.alpha = .7},
        {.alpha = NAN},
        {.looks = (int[]){10, 10}, .looks_len = 2},
        {.looks = (int[]){10}, .looks_len = 1, .look = 1},
    };
    make_job(&j, 12, .01, (double[]){1, 1, 1}, .05);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(verdict_judge(j.metric, METRICS, &bad[i], j.row, &j.family, &e), -1);
    j.metric[0].least_effect = NAN;
    assert_int_equal(
        verdict_judge(j.metric, METRICS, &(struct verdict_rules){0}, j.row, &j.family, &e), -1);
    (void)state;
}

static void no_metrics_are_undecided(void **state)
{
    struct verdict_family f;
    struct err e = {0};

    assert_int_equal(verdict_judge(NULL, 0, &(struct verdict_rules){0}, NULL, &f, &e), 0);

    assert_int_equal(f.outcome, STATS_UNDECIDED);
    assert_int_equal(f.worst, -1);
    (void)state;
}

static void *judge_thread(void *job)
{
    struct verdict_rules rules = {.alpha = .01, .seed = 5};
    struct job *j = job;
    (void)verdict_judge(j->metric, METRICS, &rules, j->row, &j->family, NULL);
    return NULL;
}

static void threads_and_locales_change_nothing(void **state)
{
    struct job jobs[3];
    pthread_t thread[2];
    for (int i = 0; i < 3; i++)
        make_job(&jobs[i], 13, .02, (double[]){1.1, 1, .9}, .03);
    judge(&jobs[2]);

    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, judge_thread, &jobs[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    (void)setlocale(LC_ALL, "C");

    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < METRICS; k++) {
            assert_string_equal(jobs[i].row[k].why, jobs[2].row[k].why);
            assert_near(jobs[i].row[k].p, jobs[2].row[k].p, 0);
        }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slower_means_worse_for_the_user),
        cmocka_unit_test(both_ways_is_mixed),
        cmocka_unit_test(exchanging_the_arms_mirrors_the_verdict),
        cmocka_unit_test(the_unit_does_not_matter),
        cmocka_unit_test(a_larger_effect_never_weakens_the_claim),
        cmocka_unit_test(too_few_rounds_decide_nothing),
        cmocka_unit_test(missing_values_cost_rounds_only),
        cmocka_unit_test(noise_above_the_limit_is_undecided),
        cmocka_unit_test(loud_a_a_rounds_raise_the_margin),
        cmocka_unit_test(shares_of_errors_may_be_zero),
        cmocka_unit_test(counts_without_scatter_need_no_luck),
        cmocka_unit_test(advisory_metrics_never_decide),
        cmocka_unit_test(looks_stop_a_clear_case_early),
        cmocka_unit_test(impossible_rules_are_refused),
        cmocka_unit_test(no_metrics_are_undecided),
        cmocka_unit_test(threads_and_locales_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
