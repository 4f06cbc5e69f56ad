/* SPDX-License-Identifier: MIT */
/*
 * Error rates and power of the verdict over simulated jobs. Time runs through the rounds; the
 * two arms take their turns in random order, as the runner measures them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "auto.h"
#include "histories.h"
#include "truth.h"
#include "verdict.h"

enum { METRICS = 20, ROUNDS_MAX = 30 };

struct job {
    double base[METRICS][ROUNDS_MAX], head[METRICS][ROUNDS_MAX];
    double aa_first[METRICS][3], aa_second[METRICS][3];
    struct verdict_metric metric[METRICS];
    struct verdict_row row[METRICS];
    struct verdict_family family;
};

enum world {
    WORLD_GAUSS,
    WORLD_HEAVY, /* Student t, 3 degrees of freedom */
    WORLD_AR1,   /* autocorrelated in time, rho .8 */
    WORLD_DRIFT, /* the machine gets slower by 10 cv during the job, with outliers */
    WORLDS,
};

static const char *const world_names[WORLDS] = {"gauss", "t3", "AR(1)", "drift"};

static double noise_of(enum world world, struct rng *r)
{
    return world == WORLD_HEAVY || world == WORLD_DRIFT ? noise_student3(r) : noise_gauss(r);
}

/* One measured slot: noise of all metrics, correlated by .6 through a common part; 'slow'
 * carries the state of the machine from slot to slot. */
static void slot(enum world world, struct rng *r, double at, double *slow, double *out,
                 size_t n)
{
    double common = noise_of(world, r);
    *slow = 0.8 * *slow + 0.6 * noise_gauss(r);
    for (size_t m = 0; m < n; m++) {
        out[m] = sqrt(.6) * common + sqrt(.4) * noise_of(world, r);
        out[m] += world == WORLD_AR1 ? 2 * *slow : world == WORLD_DRIFT ? 10 * at : 0;
    }
}

/* 'shift' moves metric 0 of head, in cv. */
static void make_job(struct job *j, enum world world, struct rng *r, size_t metrics,
                     size_t rounds, double shift, double least)
{
    static const double cv = .01;
    double first[METRICS], second[METRICS], slow = noise_gauss(r);
    for (size_t i = 0; i < rounds; i++) {
        double at = (double)i / (double)rounds;
        slot(world, r, at, &slow, first, metrics);
        slot(world, r, at + .5 / (double)rounds, &slow, second, metrics);
        bool base_first = rng_below(r, 2);
        for (size_t m = 0; m < metrics; m++) {
            double b = base_first ? first[m] : second[m], h = base_first ? second[m] : first[m];
            j->base[m][i] = exp(cv * b);
            j->head[m][i] = exp(cv * (h + (m == 0 ? shift : 0)));
        }
    }
    for (size_t i = 0; i < 3; i++) {
        slot(world, r, 1, &slow, first, metrics);
        slot(world, r, 1, &slow, second, metrics);
        for (size_t m = 0; m < metrics; m++) {
            j->aa_first[m][i] = exp(cv * first[m]);
            j->aa_second[m][i] = exp(cv * second[m]);
        }
    }
    for (size_t m = 0; m < metrics; m++)
        j->metric[m] = (struct verdict_metric){
            "m",        -1, true,           least,          0, rounds, j->base[m],
            j->head[m], 0,  j->aa_first[m], j->aa_second[m]};
}

static void judge(struct job *j, size_t metrics, uint64_t seed)
{
    struct verdict_rules rules = {.alpha = .01, .seed = seed};
    struct err e = {0};
    assert_int_equal(verdict_judge(j->metric, metrics, &rules, j->row, &j->family, &e), 0);
}

static bool any_claim(const struct job *j, size_t from, size_t metrics)
{
    for (size_t m = from; m < metrics; m++)
        if (j->row[m].outcome == STATS_SLOWER || j->row[m].outcome == STATS_FASTER)
            return true;
    return false;
}

/* The test is exact and keeps 15 % of alpha back, so that 20,000 jobs can show it: at a true
 * rate of .85 % the upper end of their interval is .96 %. */
static void accuse_equal_arms(enum world world, size_t rounds)
{
    size_t jobs = truth_size(rounds == 10 ? 150 : 12, 20000), claims = 0, slower = 0;
    static struct job j;
    struct rng r;
    rng_init(&r, 40 + world + 10 * rounds);
    for (size_t i = 0; i < jobs; i++) {
        make_job(&j, world, &r, METRICS, rounds, 0, 0);
        judge(&j, METRICS, i);
        claims += any_claim(&j, 0, METRICS);
        slower += j.family.slower > 0;
    }
    double upper = truth_upper((double)claims, (double)jobs);
    print_message("%-6s %d rounds: any false claim in %d of %d jobs (%.2f %%, upper bound %.2f "
                  "%%), %d of them slower\n",
                  world_names[world], (int)rounds, (int)claims, (int)jobs,
                  100.0 * (double)claims / (double)jobs, 100 * upper, (int)slower);
    assert_true((double)claims <= truth_at_most(.01, (double)jobs));
    assert_true(jobs < 20000 || upper <= .01);
}

static void equal_arms_are_seldom_accused(void **state)
{
    for (enum world world = 0; world < WORLDS; world++) {
        accuse_equal_arms(world, 10);
        accuse_equal_arms(world, 20);
    }
    (void)state;
}

/* Not what the runner does: each arm remembers its last round (rho .6), so that rounds are not
 * exchangeable. Without a guard two of three such jobs would be accused. */
static void arms_that_remember_are_not_believed(void **state)
{
    size_t jobs = truth_size(80, 1000), claims = 0;
    static struct job j;
    struct rng r;
    rng_init(&r, 45);
    for (size_t i = 0; i < jobs; i++) {
        make_job(&j, WORLD_GAUSS, &r, METRICS, 20, 0, 0);
        for (size_t m = 0; m < METRICS; m++) {
            double b = noise_gauss(&r), h = noise_gauss(&r);
            for (size_t k = 0; k < 20; k++) {
                j.base[m][k] = exp(.01 * (b = .6 * b + .8 * noise_gauss(&r)));
                j.head[m][k] = exp(.01 * (h = .6 * h + .8 * noise_gauss(&r)));
            }
        }
        judge(&j, METRICS, i);
        claims += any_claim(&j, 0, METRICS);
    }
    print_message("arms with memory: any false claim in %d of %d jobs\n", (int)claims,
                  (int)jobs);
    assert_true((double)claims <= truth_at_most(.01, (double)jobs));
    (void)state;
}

static void looking_four_times_costs_nothing(void **state)
{
    static const int looks[] = {10, 15, 20, 30};
    size_t jobs = truth_size(16, 1000), claims = 0;
    static struct job j;
    struct rng r;
    rng_init(&r, 50);
    for (size_t i = 0; i < jobs; i++) {
        bool claimed = false;
        make_job(&j, i % 2 ? WORLD_HEAVY : WORLD_GAUSS, &r, METRICS, 30, 0, 0);
        for (int k = 0; k < 4 && !claimed; k++) {
            struct verdict_rules rules = {
                .alpha = .01, .looks = looks, .looks_len = 4, .look = k, .seed = i};
            for (size_t m = 0; m < METRICS; m++)
                j.metric[m].rounds = (size_t)looks[k];
            (void)verdict_judge(j.metric, METRICS, &rules, j.row, &j.family, NULL);
            claimed = any_claim(&j, 0, METRICS);
        }
        claims += claimed;
    }
    print_message("false claims at any of four looks: %d of %d\n", (int)claims, (int)jobs);
    assert_true((double)claims <= truth_at_most(.01, (double)jobs));
    (void)state;
}

static void a_change_at_the_margin_is_not_reported(void **state)
{
    size_t jobs = truth_size(400, 4000), slower = 0, same = 0;
    static struct job j;
    struct rng r;
    rng_init(&r, 60);
    for (size_t i = 0; i < jobs; i++) {
        make_job(&j, WORLD_GAUSS, &r, 1, 20, 3, .01 * 3.04);
        judge(&j, 1, i);
        slower += j.row[0].outcome == STATS_SLOWER;
        same += j.row[0].outcome == STATS_NO_CHANGE;
    }
    print_message("at the margin: slower %d, no change %d of %d\n", (int)slower, (int)same,
                  (int)jobs);
    assert_true((double)slower <= truth_at_most(.005, (double)jobs));
    assert_true((double)same <= truth_at_most(.01, (double)jobs));
    (void)state;
}

/* Plain rounds without A/A: half of an arm's variance is common to both, so that a difference
 * varies by cv. Several metrics are correlated by .6. 'shift' moves metric 0 of head, in cv. */
static void make_plain(struct job *j, enum noise_kind kind, struct rng *r, size_t metrics,
                       size_t rounds, double shift)
{
    static const double cv = .01;
    double common[2][ROUNDS_MAX], own[ROUNDS_MAX];
    noise_fill(kind, r, common[0], rounds);
    noise_fill(kind, r, common[1], rounds);
    double share = metrics > 1 ? .6 : 0;
    for (size_t m = 0; m < metrics; m++)
        for (int side = 0; side < 2; side++) {
            double *out = side ? j->head[m] : j->base[m], move = side && m == 0 ? shift : 0;
            noise_fill(kind, r, own, rounds);
            for (size_t i = 0; i < rounds; i++)
                out[i] = exp(cv * (move + M_SQRT1_2 * (sqrt(share) * common[side][i] +
                                                       sqrt(1 - share) * own[i])));
        }
    for (size_t m = 0; m < metrics; m++)
        j->metric[m] = (struct verdict_metric){"m",        -1,         true, 0,    0,   rounds,
                                               j->base[m], j->head[m], 0,    NULL, NULL};
}

/* Power of the best pair test of the field at alpha .01: alone, the exact signed rank; in a
 * family of 20, the better of signed rank and t at alpha / 20. Shifts in cv; the sd of
 * two modes 3 apart is 1.46. The figures were
 * simulated and are known to about .01. The last two rows are max-T with the whole of alpha.
 *
 * Left out, because it is not reached: a heavy-tailed family of 20 in 15 rounds (4.29 cv; about
 * .90 here instead of .95). There the metrics share outliers of both arms, which a single
 * metric of the table does not.
 */
static void power_reaches_the_tables(void **state)
{
    static const struct {
        size_t metrics, rounds;
        enum noise_kind kind;
        double shift, power;
    } row[] = {
        {1, 10, NOISE_GAUSS, 1, .43},      {1, 20, NOISE_GAUSS, 1, .91},
        {1, 30, NOISE_GAUSS, 1, .99},      {1, 10, NOISE_HEAVY, 1, .51},
        {1, 20, NOISE_HEAVY, 1, .80},      {1, 30, NOISE_HEAVY, 1, .96},
        {1, 10, NOISE_LOGNORMAL, 1, .62},  {1, 20, NOISE_LOGNORMAL, 1, .95},
        {1, 30, NOISE_LOGNORMAL, 1, .99},  {1, 10, NOISE_BIMODAL, 1.46, .44},
        {1, 20, NOISE_BIMODAL, 1.46, .91}, {1, 30, NOISE_BIMODAL, 1.46, .99},
        {1, 10, NOISE_GAUSS, 1.79, .95},   {1, 15, NOISE_GAUSS, 1.29, .95},
        {1, 20, NOISE_GAUSS, 1.09, .95},   {1, 30, NOISE_GAUSS, .85, .95},
        {1, 15, NOISE_HEAVY, 3.05, .95},   {1, 20, NOISE_HEAVY, 2.26, .95},
        {1, 30, NOISE_HEAVY, .96, .95},    {20, 15, NOISE_GAUSS, 1.71, .95},
        {20, 20, NOISE_GAUSS, 1.41, .95},  {20, 30, NOISE_GAUSS, 1.07, .95},
        {20, 20, NOISE_HEAVY, 3.32, .95},  {20, 30, NOISE_HEAVY, 2.10, .95},
        {20, 20, NOISE_GAUSS, 1.25, .87},  {20, 30, NOISE_GAUSS, 1, .94},
    };
    static struct job j;
    for (size_t k = 0; k < ARRAY_LEN(row); k++) {
        size_t jobs = row[k].metrics > 1 ? truth_size(6, 2000) : truth_size(60, 4000);
        size_t hits = 0;
        struct rng r;
        rng_init(&r, 70 + k);
        for (size_t i = 0; i < jobs; i++) {
            make_plain(&j, row[k].kind, &r, row[k].metrics, row[k].rounds, row[k].shift);
            judge(&j, row[k].metrics, i);
            hits += j.row[0].outcome == STATS_SLOWER;
        }
        print_message("%-9s %2d metrics, %d rounds, shift %.2f cv: power %.3f (table %.2f), %d "
                      "jobs\n",
                      noise_name(row[k].kind), (int)row[k].metrics, (int)row[k].rounds,
                      row[k].shift, (double)hits / (double)jobs, row[k].power, (int)jobs);
        assert_true((double)hits >= truth_at_least(row[k].power - .015, (double)jobs));
    }
    (void)state;
}

static void what_is_called_detectable_is_detected(void **state)
{
    size_t jobs = truth_size(200, 2000), hits = 0;
    double detectable = 0;
    static struct job j;
    struct rng r;
    rng_init(&r, 80);
    for (size_t i = 0; i < jobs; i++) {
        make_job(&j, WORLD_GAUSS, &r, 1, 10, 0, 0);
        judge(&j, 1, i);
        detectable += j.row[0].detectable / (double)jobs;
    }
    for (size_t i = 0; i < jobs; i++) {
        make_job(&j, WORLD_GAUSS, &r, 1, 10, log1p(detectable) / .01, 0);
        judge(&j, 1, i);
        hits += j.row[0].outcome == STATS_SLOWER;
    }
    print_message("detectable %.2f %%: detected %.3f\n", 100 * detectable,
                  (double)hits / (double)jobs);
    assert_true((double)hits >= truth_at_least(.92, (double)jobs));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_arms_are_seldom_accused),
        cmocka_unit_test(arms_that_remember_are_not_believed),
        cmocka_unit_test(looking_four_times_costs_nothing),
        cmocka_unit_test(a_change_at_the_margin_is_not_reported),
        cmocka_unit_test(power_reaches_the_tables),
        cmocka_unit_test(what_is_called_detectable_is_detected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
