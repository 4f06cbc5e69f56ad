/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "alerts.h"
#include "epochs.h"
#include "sample.h"
#include "shape.h"

static void another_machine_is_another_epoch(void **state)
{
    struct epoch_point points[] = {{1, 1}, {1, 2}, {1, 2}, {2, 2}, {2, 2}, {1, 2}};
    struct epoch epoch[6];

    size_t len = epochs_split(points, 6, epoch);

    assert_int_equal(len, 3);
    assert_int_equal(epoch[0].len, 3);
    assert_int_equal(epoch[0].state_marks, 1);
    assert_int_equal(epoch[1].first, 3);
    assert_int_equal(epoch[2].len, 1);
    (void)state;
}

static void many_series_moving_together_blame_the_machine(void **state)
{
    struct epoch_step step[9];
    struct epoch_move move[9];
    size_t by[9];
    for (size_t i = 0; i < 6; i++)
        step[i] =
            (struct epoch_step){.series = i, .position = 50 + (int64_t)(i % 3), .direction = 1};
    step[6] = (struct epoch_step){.series = 7, .position = 51, .direction = -1};
    step[7] = (struct epoch_step){.series = 8, .position = 90, .direction = 1};
    step[8] =
        (struct epoch_step){.series = 3, .position = 51, .direction = 1}; /* again series 3 */

    size_t len = epochs_moves(step, 9, 20, move, by);

    assert_int_equal(len, 1);
    assert_int_equal(move[0].series, 6);
    assert_near(move[0].share, .3, 1e-12);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(by[i], 0);
    assert_true(by[6] == SIZE_MAX && by[7] == SIZE_MAX);
    assert_int_equal(epochs_moves(step, 9, 21, move, by), 0); /* 29 % are not enough */
    (void)state;
}

static void the_canary_alone_blames_the_machine(void **state)
{
    struct epoch_step step[2] = {{.series = 0, .position = 10, .direction = -1, .canary = true},
                                 {.series = 5, .position = 12, .direction = -1}};
    struct epoch_move move[2];
    size_t by[2];

    size_t len = epochs_moves(step, 2, 100, move, by);

    assert_int_equal(len, 1);
    assert_true(move[0].canary);
    assert_int_equal(by[1], 0);
    (void)state;
}

static void anchors_bridge_two_epochs(void **state)
{
    struct rng r;
    double before[8], after[8];
    struct epoch_bridge bridge;
    rng_init(&r, 1);
    for (size_t i = 0; i < 8; i++) {
        before[i] = 100 * exp(.01 * sample_gauss(&r));
        after[i] = 130 * exp(.01 * sample_gauss(&r));
    }
    after[2] = NAN;

    epochs_bridge(before, after, 8, &bridge);

    assert_true(bridge.usable);
    assert_int_equal(bridge.n, 7);
    assert_near(bridge.ratio, 1.3, .02);
    assert_true(bridge.lo < 1.3 && bridge.hi > 1.3);
    epochs_bridge(before, after, 4, &bridge);
    assert_false(bridge.usable);
    (void)state;
}

static void one_alert_per_cause_and_the_worst_first(void **state)
{
    struct alert_edge edge[] = {
        {0, 100, 98, 103, .10, -1, true, false, 1e-6},   /* slower */
        {1, 100, 100, 100, .04, -1, true, false, 1e-4},  /* slower, same push, sharp */
        {2, 101, 101, 101, .30, -1, false, false, 1e-4}, /* another commit, not confirmed */
        {3, 60, 59, 61, .20, 1, true, false, 1e-4},      /* faster */
        {4, 100, 99, 101, .50, -1, true, true, 1e-9},    /* the machine */
    };
    size_t of[5];
    struct alert_group group[5];

    size_t len = alerts_group(edge, 5, of, group);

    assert_int_equal(len, 4);
    assert_int_equal(of[0], of[1]);
    assert_int_equal(of[0], 0);
    assert_int_equal(group[0].worst, 0);
    assert_int_equal(group[0].edges, 2);
    assert_true(group[0].confirmed);
    assert_int_equal(of[2], 1);
    assert_int_equal(of[3], 2);
    assert_int_equal(of[4], 3);
    assert_true(group[3].environment);
    (void)state;
}

enum { BUCKETS = 200, ROUNDS = 10, REQUESTS = 2000 };

struct latency {
    double value[BUCKETS];
    uint32_t count[2][ROUNDS][BUCKETS];
    struct shape_hist base[ROUNDS], head[ROUNDS];
};

/* Lognormal latencies, a share of them slow; head's slow share may differ. */
static void make_latency(struct latency *l, uint64_t seed, double slow_base, double slow_head)
{
    struct rng r;
    rng_init(&r, seed);
    *l = (struct latency){0};
    for (size_t i = 0; i < BUCKETS; i++)
        l->value[i] = exp(.02 * (double)i);
    for (size_t round = 0; round < ROUNDS; round++)
        for (int arm = 0; arm < 2; arm++) {
            for (size_t k = 0; k < REQUESTS; k++) {
                double slow = rng_unit(&r) < (arm ? slow_head : slow_base) ? 1.4 : 0;
                double at = (1 + .2 * sample_gauss(&r) + slow) / .02;
                size_t bucket = at < 0 ? 0 : at >= BUCKETS ? BUCKETS - 1 : (size_t)at;
                l->count[arm][round][bucket]++;
            }
            struct shape_hist *h = arm ? l->head : l->base;
            h[round] = (struct shape_hist){l->value, l->count[arm][round], BUCKETS};
        }
}

static void a_new_slow_path_changes_the_shape(void **state)
{
    struct latency same, changed;
    struct shape_test t;
    make_latency(&same, 1, .02, .02);
    make_latency(&changed, 2, .02, .06);

    shape_compare(same.base, same.head, ROUNDS, 0, 1, &t);
    assert_true(t.p > .05);
    shape_compare(changed.base, changed.head, ROUNDS, 0, 1, &t);

    assert_true(t.p <= .01);
    assert_near(t.distance, .04, .02);
    assert_true(shape_tail(&changed.head[0]) > shape_tail(&changed.base[0]));
    assert_true(shape_quantile(&changed.head[0], .97) >
                2 * shape_quantile(&changed.base[0], .97));
    (void)state;
}

static void quantiles_are_nearest_ranks(void **state)
{
    double value[] = {1, 2, 3};
    uint32_t count[] = {50, 49, 1}, none[] = {0, 0, 0};
    struct shape_hist h = {value, count, 3}, empty = {value, none, 3};

    assert_near(shape_quantile(&h, .5), 1, 0);
    assert_near(shape_quantile(&h, .51), 2, 0);
    assert_near(shape_quantile(&h, .99), 2, 0);
    assert_near(shape_quantile(&h, 1), 3, 0);
    assert_true(isnan(shape_quantile(&empty, .5)) && isnan(shape_tail(&empty)));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_machine_is_another_epoch),
        cmocka_unit_test(many_series_moving_together_blame_the_machine),
        cmocka_unit_test(the_canary_alone_blames_the_machine),
        cmocka_unit_test(anchors_bridge_two_epochs),
        cmocka_unit_test(one_alert_per_cause_and_the_worst_first),
        cmocka_unit_test(a_new_slow_path_changes_the_shape),
        cmocka_unit_test(quantiles_are_nearest_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
