/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "claims.h"
#include "eprocess.h"
#include "looks.h"
#include "sample.h"
#include "serial.h"
#include "signflip.h"

static void one_metric_without_clipping_is_the_plain_share(void **state)
{
    /* All positive and equal: only the identity reaches the statistic. */
    double u[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, p;
    size_t looks = 10;
    double spent = 0.005;

    signflip_family(&(struct signflip_plan){.u = u,
                                            .metrics = 1,
                                            .rounds = 10,
                                            .looks = &looks,
                                            .spent = &spent,
                                            .looks_len = 1},
                    &p, NULL);

    assert_near(p, 1 / 1024.0, 1e-12);
    (void)state;
}

static void a_family_is_judged_together(void **state)
{
    /* Three unchanged metrics beside a changed one cannot lower its p. */
    struct rng r;
    double u[4 * 12], p[4], alone;
    size_t looks = 12;
    double spent = 0.005;
    rng_init(&r, 1);
    for (size_t i = 0; i < 12; i++) {
        u[i] = 3 + sample_gauss(&r);
        for (size_t m = 1; m < 4; m++)
            u[m * 12 + i] = sample_gauss(&r);
    }
    struct signflip_plan plan = {
        .u = u, .metrics = 4, .rounds = 12, .looks = &looks, .spent = &spent, .looks_len = 1};

    signflip_family(&plan, p, NULL);
    plan.metrics = 1;
    signflip_family(&plan, &alone, NULL);

    assert_true(alone <= p[0] && p[0] < 0.005);
    for (size_t m = 1; m < 4; m++)
        assert_true(p[m] > 0.01);
    (void)state;
}

static void the_order_of_metrics_does_not_matter(void **state)
{
    struct rng r;
    double u[3 * 20], v[3 * 20], p[3], q[3];
    size_t looks[2] = {10, 20};
    double spent[2] = {0.002, 0.005};
    rng_init(&r, 2);
    for (size_t m = 0; m < 3; m++)
        for (size_t i = 0; i < 20; i++)
            u[m * 20 + i] = v[(2 - m) * 20 + i] = (double)m * 0.5 + sample_gauss(&r);

    signflip_family(&(struct signflip_plan){u, 3, 20, looks, spent, 2, 0, 7}, p, NULL);
    signflip_family(&(struct signflip_plan){v, 3, 20, looks, spent, 2, 0, 7}, q, NULL);

    for (size_t m = 0; m < 3; m++)
        assert_near(p[m], q[2 - m], 1e-12);
    (void)state;
}

static void missing_rounds_are_left_out(void **state)
{
    double u[10] = {1, 1, NAN, 1, 1, 1, 1, 1, NAN, 1}, p;
    size_t looks = 10;
    double spent = 0.005;

    signflip_family(&(struct signflip_plan){u, 1, 10, &looks, &spent, 1, 0, 0}, &p, NULL);

    assert_near(p, 1 / 256.0, 1e-12);
    (void)state;
}

/* Seven rounds agree; whether the wild one does may matter, but it cannot hide the others. */
static void a_monster_value_hides_nothing(void **state)
{
    double u[12] = {1.1, .9, 1, 1.2, .8, 1.05, .95, 500, 1.1, 1, .9, 1}, p;
    size_t looks = 8;
    double spent = 0.005;
    struct signflip_plan plan = {u, 1, 8, &looks, &spent, 1, 0, 0};

    signflip_family(&plan, &p, NULL);
    assert_near(p, 1 / 256.0, 1e-12);

    looks = plan.rounds = 12;
    u[7] = -500;
    signflip_family(&plan, &p, NULL);
    assert_near(p, 2 / 4096.0, 1e-12);
    (void)state;
}

static void looks_spend_all_at_the_last(void **state)
{
    assert_near(looks_spent(0.01, 10, 30), 0.002, 1e-12);
    assert_near(looks_spent(0.01, 15, 30), 0.004, 1e-12);
    assert_near(looks_spent(0.01, 30, 30), 0.01, 1e-12);
    assert_near(looks_spent(0.01, 4, 30), 0, 0);
    assert_true(looks_conditional_power(0.0, 10, 30, 0.0, 2.6) < 0.01);
    assert_true(looks_conditional_power(1.0, 10, 30, 1.0, 2.6) > 0.99);
    (void)state;
}

static void adjusted_p_values_are_those_of_the_papers(void **state)
{
    double p[] = {0.01, 0.04, NAN, 0.03, 0.005}, q[5];

    claims_holm(p, 5, q);
    assert_near(q[4], 0.02, 1e-12);
    assert_near(q[0], 0.03, 1e-12);
    assert_near(q[1], 0.06, 1e-12);
    assert_true(isnan(q[2]));
    claims_bh(p, 5, q);
    assert_near(q[4], 0.02, 1e-12);
    assert_near(q[1], 0.04, 1e-12);
    claims_by(p, 5, q);
    assert_near(q[4], 0.02 * (1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0), 1e-12);
    (void)state;
}

static void evidence_grows_with_a_change_and_not_without(void **state)
{
    struct rng r;
    int false_claims = 0, jobs = 1500;
    rng_init(&r, 3);
    for (int job = 0; job < jobs; job++) {
        AUTO(eprocess_done) struct eprocess p;
        bool claimed = false;
        eprocess_init(&p, 0);
        for (int round = 0; round < 30; round++) {
            eprocess_add(&p, sample_gauss(&r));
            claimed = claimed || eprocess_slower(&p) >= 200 || eprocess_faster(&p) >= 200;
        }
        false_claims += claimed;
    }
    AUTO(eprocess_done) struct eprocess changed;
    eprocess_init(&changed, 0.5);
    for (int round = 0; round < 15; round++)
        eprocess_add(&changed, 3 + sample_gauss(&r));

    assert_true(false_claims <= 0.01 * jobs + 3 * sqrt(0.01 * jobs)); /* at any of 30 rounds */
    assert_true(eprocess_slower(&changed) >= 200);
    assert_true(eprocess_faster(&changed) < 1);
    (void)state;
}

static void rounds_that_follow_each_other_are_noticed(void **state)
{
    struct rng r;
    double white[4 * 20], slow[4 * 20], rho;
    int false_notices = 0, notices = 0;
    rng_init(&r, 9);
    for (int job = 0; job < 200; job++) {
        for (size_t m = 0; m < 4; m++) {
            double s = sample_gauss(&r);
            for (size_t i = 0; i < 20; i++) {
                white[m * 20 + i] = 5 + sample_gauss(&r);
                slow[m * 20 + i] = 5 + (s = 0.6 * s + 0.8 * sample_gauss(&r));
            }
        }
        false_notices += serial_inflation(white, 4, 20, (uint64_t)job, NULL) > 1;
        notices += serial_inflation(slow, 4, 20, (uint64_t)job, &rho) > 2;
    }

    assert_in_range(false_notices, 0, 19); /* 5 % and three standard errors */
    assert_true(notices > 160);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_metric_without_clipping_is_the_plain_share),
        cmocka_unit_test(a_family_is_judged_together),
        cmocka_unit_test(the_order_of_metrics_does_not_matter),
        cmocka_unit_test(missing_rounds_are_left_out),
        cmocka_unit_test(a_monster_value_hides_nothing),
        cmocka_unit_test(looks_spend_all_at_the_last),
        cmocka_unit_test(adjusted_p_values_are_those_of_the_papers),
        cmocka_unit_test(rounds_that_follow_each_other_are_noticed),
        cmocka_unit_test(evidence_grows_with_a_change_and_not_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
