/* SPDX-License-Identifier: MIT */
/*
 * What the change-point search finds in histories whose truth is known. Bounds are those of
 * docs/statistics.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "changepoint.h"
#include "histories.h"
#include "mem.h"
#include "truth.h"

enum { ONLINE_FROM = 20, ONLINE_TO = 150, STEP_AT = 60, STEP_TO = 110, LATE = 99 };

static size_t find(const double *x, size_t n, size_t *index, size_t room)
{
    AUTO(change_list_done) struct change_list found = {0};
    struct err e = {0};
    assert_int_equal(change_find(x, n, &(struct change_options){0}, &found, &e), 0);
    assert_true(found.len <= room);
    for (size_t i = 0; i < found.len; i++)
        index[i] = found.edge[i].index;
    return found.len;
}

static void steps_are_found_and_little_else(void **state)
{
    size_t seeds = truth_size(2, 12), index[1000];
    for (uint64_t seed = 100; seed < 100 + seeds; seed++) {
        struct score all = {0}, flat = {0};
        size_t n;
        struct truth_series *list = histories_make(seed, 1, &n);
        for (size_t i = 0; i < n; i++) {
            size_t len = find(list[i].value, list[i].n, index, 1000);
            score_add(&all, &list[i], index, len);
            if (list[i].labels == 0)
                score_add(&flat, &list[i], index, len);
        }
        truth_series_free(list, n);
        print_message(
            "seed %d: F1 %.3f, P %.3f, R %.3f, false alarms %.3f per 1000 flat points\n",
            (int)seed, score_f1(&all), (double)all.hits / (double)all.found,
            (double)all.hits / (double)all.labels, score_false_alarms(&flat));

        assert_true(score_f1(&all) >= 0.905); /* .91 less one standard deviation over seeds */
        assert_true((double)flat.false_alarms <= truth_at_most(5e-5, (double)flat.flat_points));
    }
    (void)state;
}

static void flat_histories_stay_silent(void **state)
{
    static const size_t length[] = {20, 50, 100, 200, 500, 1000};
    size_t repeat = truth_size(6, 100), index[1000];
    double alarms = 0, points = 0, x[1000];
    for (enum noise_kind kind = 0; kind < NOISE_KINDS; kind++) {
        struct rng r;
        double a = 0, p = 0;
        rng_init(&r, 900 + kind);
        for (size_t k = 0; k < ARRAY_LEN(length); k++)
            for (size_t i = 0; i < repeat; i++) {
                histories_one(kind, &r, .01, 0, 0, x, length[k]);
                a += (double)find(x, length[k], index, 1000);
                p += (double)length[k];
            }
        print_message("%-10s %.3f per 1000\n", noise_name(kind), 1000 * a / p);
        assert_true(a <= truth_at_most(3e-4, p));
        alarms += a;
        points += p;
    }
    print_message("mean       %.3f per 1000\n", 1000 * alarms / points);
    assert_true(alarms <= truth_at_most(5e-5, points));
    (void)state;
}

/* Runs the search after every new point; an alert is a finding more than 5 points from all
 * earlier ones. */
static size_t alerts_online(const double *x)
{
    size_t known[ONLINE_TO], alerts = 0, index[ONLINE_TO];
    for (size_t n = ONLINE_FROM; n <= ONLINE_TO; n++) {
        size_t len = find(x, n, index, ONLINE_TO);
        for (size_t i = 0; i < len && alerts < ONLINE_TO; i++) {
            bool seen = false;
            for (size_t k = 0; k < alerts && !seen; k++)
                seen =
                    index[i] + SCORE_MARGIN >= known[k] && index[i] <= known[k] + SCORE_MARGIN;
            if (!seen)
                known[alerts++] = index[i];
        }
    }
    return alerts;
}

static void watching_every_point_raises_few_alerts(void **state)
{
    size_t repeat = truth_size(8, 100);
    double alerts = 0, each = (double)repeat * (ONLINE_TO - ONLINE_FROM + 1), x[ONLINE_TO];
    for (enum noise_kind kind = 0; kind < NOISE_KINDS; kind++) {
        struct rng r;
        double a = 0;
        rng_init(&r, 700 + kind);
        for (size_t i = 0; i < repeat; i++) {
            histories_one(kind, &r, .01, 0, 0, x, ONLINE_TO);
            a += (double)alerts_online(x);
        }
        print_message("%-10s %.2f alerts per 1000 new points\n", noise_name(kind),
                      1000 * a / each);
        assert_true(a <= truth_at_most(3e-3, each));
        alerts += a;
    }
    print_message("mean       %.2f\n", 1000 * alerts / each / NOISE_KINDS);
    assert_true(alerts <= truth_at_most(1e-3, NOISE_KINDS * each));
    (void)state;
}

static size_t delay_of(const double *x)
{
    size_t index[STEP_TO];
    for (size_t n = STEP_AT + 1; n <= STEP_TO; n++) {
        size_t len = find(x, n, index, STEP_TO);
        for (size_t i = 0; i < len; i++)
            if (index[i] + SCORE_MARGIN >= STEP_AT && index[i] <= STEP_AT + SCORE_MARGIN)
                return n - STEP_AT;
    }
    return LATE;
}

static size_t median_delay(double shift, size_t repeat)
{
    size_t within[LATE + 1] = {0}, total = 0, sum = 0, d = 0;
    double x[STEP_TO];
    for (enum noise_kind kind = 0; kind < NOISE_KINDS; kind++) {
        struct rng r;
        rng_init(&r, 500 + kind);
        for (size_t i = 0; i < repeat; i++, total++) {
            histories_one(kind, &r, .01, rng_below(&r, 2) ? shift : -shift, STEP_AT, x,
                          STEP_TO);
            within[delay_of(x)]++;
        }
    }
    while (2 * sum < total)
        sum += within[d++];
    print_message("step of %g cv: median delay %d points\n", shift, (int)d - 1);
    return d - 1;
}

static void steps_are_noticed_soon(void **state)
{
    size_t repeat = truth_size(12, 100);

    assert_true(median_delay(3, repeat) <= 5);
    assert_true(median_delay(5, repeat) <= 3);
    assert_true(median_delay(10, repeat) <= 3);
    (void)state;
}

static void intervals_cover_the_truth(void **state)
{
    size_t runs = truth_size(300, 5000), found_runs = 0, place = 0, size = 0;
    struct rng r;
    rng_init(&r, 300);
    for (size_t i = 0; i < runs; i++) {
        AUTO(change_list_done) struct change_list found = {0};
        double x[200];
        histories_one(NOISE_GAUSS, &r, .01, 3, 90, x, 200);
        (void)change_find(x, 200, &(struct change_options){0}, &found, NULL);
        if (found.len != 1)
            continue;
        found_runs++;
        place += found.edge[0].loc_lo <= 90 && found.edge[0].loc_hi >= 90;
        size += found.edge[0].lo <= .03 && found.edge[0].hi >= .03;
    }
    print_message("of %d steps: place covered %.3f, size covered %.3f\n", (int)found_runs,
                  (double)place / (double)found_runs, (double)size / (double)found_runs);

    assert_true(found_runs >= 0.97 * (double)runs);
    assert_true((double)place >= truth_at_least(.98, (double)found_runs));
    assert_true((double)size >= truth_at_least(.97, (double)found_runs));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_found_and_little_else),
        cmocka_unit_test(flat_histories_stay_silent),
        cmocka_unit_test(watching_every_point_raises_few_alerts),
        cmocka_unit_test(steps_are_noticed_soon),
        cmocka_unit_test(intervals_cover_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
