/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "change_parts.h"
#include "changepoint.h"
#include "mem.h"
#include "sample.h"

static void find(const double *x, size_t n, struct change_list *out)
{
    struct err e = {0};
    assert_int_equal(change_find(x, n, &(struct change_options){0}, out, &e), 0);
}

static void a_step_is_found_with_its_size_and_place(void **state)
{
    AUTO(change_list_done) struct change_list found = {0};
    struct rng r;
    double x[200];
    rng_init(&r, 1);
    sample_history(&r, x, 200, .01, 120, 1.05);

    find(x, 200, &found);

    assert_int_equal(found.len, 1);
    const struct change_edge *edge = &found.edge[0];
    assert_in_range(edge->index, 117, 123);
    assert_true(edge->loc_lo <= 120 && edge->loc_hi >= 120);
    assert_true(edge->lo < .05 && edge->hi > .05);
    assert_near(edge->effect, .05, .01);
    assert_near(edge->after / edge->before, 1.05, .01);
    assert_int_equal(edge->state, CHANGE_CONFIRMED);
    assert_true(edge->p < 1e-6);
    (void)state;
}

static void every_step_is_reported_not_only_the_last(void **state)
{
    AUTO(change_list_done) struct change_list found = {0};
    struct rng r;
    double x[300];
    rng_init(&r, 2);
    sample_history(&r, x, 300, .01, 60, 1.08);
    for (size_t i = 140; i < 300; i++)
        x[i] *= i < 220 ? 0.9 : 1.05;

    find(x, 300, &found);

    assert_int_equal(found.len, 3);
    assert_true(found.edge[0].effect > 0 && found.edge[1].effect < 0 &&
                found.edge[2].effect > 0);
    (void)state;
}

static void flat_noise_and_recovering_spikes_are_not_steps(void **state)
{
    struct rng r;
    rng_init(&r, 3);
    for (int rep = 0; rep < 30; rep++) {
        AUTO(change_list_done) struct change_list found = {0};
        double x[150];
        sample_history(&r, x, 150, .01, 150, 1);
        if (rep % 2)
            for (size_t i = 70; i < 73; i++)
                x[i] *= 1.4;
        if (rep % 3 == 0)
            for (size_t i = 100; i < 110; i++)
                x[i] *= 0.8;

        find(x, 150, &found);

        assert_int_equal(found.len, 0);
    }
    (void)state;
}

static void a_weekly_wave_is_not_steps(void **state)
{
    AUTO(change_list_done) struct change_list found = {0};
    struct rng r;
    double x[150];
    rng_init(&r, 4);
    for (size_t i = 0; i < 150; i++)
        x[i] = 100 + 2 * sin(2 * M_PI * (double)i / 24) + 0.7 * sample_gauss(&r);

    find(x, 150, &found);

    assert_int_equal(found.len, 0);
    (void)state;
}

static void unit_and_direction_do_not_matter(void **state)
{
    struct rng r;
    rng_init(&r, 5);
    for (int rep = 0; rep < 20; rep++) {
        AUTO(change_list_done) struct change_list a = {0}, b = {0}, c = {0};
        double x[240], scaled[240], mirrored[240];
        sample_history(&r, x, 240, .01, 100, 1.04);
        for (size_t i = 0; i < 240; i++) {
            scaled[i] = 1024 * x[i];
            mirrored[i] = 1 / x[i];
        }

        find(x, 240, &a);
        find(scaled, 240, &b);
        find(mirrored, 240, &c);

        assert_int_equal(a.len, b.len);
        assert_int_equal(a.len, c.len);
        for (size_t i = 0; i < a.len; i++) {
            assert_int_equal(a.edge[i].index, b.edge[i].index);
            assert_int_equal(a.edge[i].index, c.edge[i].index);
            assert_near((1 + a.edge[i].effect) * (1 + c.edge[i].effect), 1, 1e-6);
        }
    }
    (void)state;
}

static void a_larger_step_is_not_lost(void **state)
{
    bool seen = false;
    for (double factor = 1; factor < 1.5; factor *= 1.005) {
        AUTO(change_list_done) struct change_list found = {0};
        struct rng r;
        double x[100];
        rng_init(&r, 6);
        sample_history(&r, x, 100, .01, 50, factor);

        find(x, 100, &found);

        assert_true(found.len == 1 || !seen);
        seen = seen || found.len == 1;
    }
    assert_true(seen);
    (void)state;
}

static void few_points_claim_little(void **state)
{
    AUTO(change_list_done) struct change_list nine = {0}, fifteen = {0};
    double x[15];
    struct rng r;
    rng_init(&r, 7);
    sample_history(&r, x, 15, .01, 8, 1.5);

    find(x, 9, &nine);
    find(x, 15, &fifteen);

    assert_int_equal(nine.len, 0);
    assert_int_equal(fifteen.len, 1);
    assert_int_equal(fifteen.edge[0].state, CHANGE_PROVISIONAL);
    (void)state;
}

static void odd_histories_are_harmless(void **state)
{
    struct err e = {0};
    struct change_options o = {0};
    for (size_t n = 0; n < 60; n++) {
        AUTO(change_list_done) struct change_list zero = {0}, same = {0}, mixed = {0};
        double a[60] = {0}, b[60], c[60];
        for (size_t i = 0; i < n; i++) {
            b[i] = 5;
            c[i] = (double)(i % 3) - 1; /* zeros and both signs */
        }
        assert_int_equal(change_find(a, n, &o, &zero, &e), 0);
        assert_int_equal(change_find(b, n, &o, &same, &e), 0);
        assert_int_equal(change_find(c, n, &o, &mixed, &e), 0);
        assert_int_equal(zero.len + same.len, 0);
    }
    double bad[12] = {1, 2, 1, 2, 1, NAN, 1, 2, 1, 2, 1, 2};
    struct change_list none = {0};
    assert_int_equal(change_find(bad, 12, &o, &none, &e), -1);
    assert_non_null(strstr(e.text, "point 5"));
    assert_int_equal(change_find(bad, CHANGE_POINTS_MAX + 1, &o, &none, &e), -1);
    (void)state;
}

static void counts_change_when_two_points_say_so(void **state)
{
    AUTO(change_list_done) struct change_list found = {0};
    double x[] = {4096, 4096, 4096, 4200, 4096, 4096, 4300, 4300, 4300, 4300};
    struct err e = {0};

    int rc = change_find(x, 10, &(struct change_options){.deterministic = true}, &found, &e);

    assert_int_equal(rc, 0);
    assert_int_equal(found.len, 1);
    assert_int_equal(found.edge[0].index, 6);
    (void)state;
}

static void the_newest_points_are_watched(void **state)
{
    AUTO(change_list_done) struct change_list found = {0};
    struct rng r;
    double x[80];
    rng_init(&r, 8);
    sample_history(&r, x, 80, .01, 77, 1.1);
    size_t departed = 0;

    find(x, 80, &found);

    assert_int_equal(found.len, 1);
    assert_int_equal(found.edge[0].index, 77);
    assert_int_equal(found.edge[0].state, CHANGE_PROVISIONAL);
    assert_true(change_tail_departs(x, 80, &departed));
    assert_true(departed >= 77);
    assert_false(change_tail_departs(x, 70, &departed));
    (void)state;
}

/* Optimal partition by trying everything (Jackson et al. 2005). */
static double slow_search(const double *y, size_t n, double penalty)
{
    double best[200], s1[200] = {0}, s2[200] = {0};
    for (size_t i = 0; i < n; i++) {
        s1[i + 1] = s1[i] + y[i];
        s2[i + 1] = s2[i] + y[i] * y[i];
    }
    best[0] = -penalty;
    for (size_t t = 1; t <= n; t++) {
        best[t] = INFINITY;
        for (size_t e = 0; e + CHANGE_LENGTH_MIN <= t; e++) {
            double sum = s1[t] - s1[e];
            best[t] =
                fmin(best[t], best[e] + penalty + s2[t] - s2[e] - sum * sum / (double)(t - e));
        }
    }
    return best[n];
}

static void search_is_exact(void **state)
{
    struct rng r;
    rng_init(&r, 9);
    for (int rep = 0; rep < 400; rep++) {
        size_t n = 10 + (size_t)rng_below(&r, 150), edges[200];
        double y[200], level = 0, penalty = 1 + 10 * rng_unit(&r);
        for (size_t i = 0; i < n; i++) {
            level = rng_below(&r, 20) ? level : 3 * sample_gauss(&r);
            y[i] = level + sample_gauss(&r);
        }

        size_t len = change_search(y, n, penalty, edges);

        double cost = penalty * (double)len;
        for (size_t k = 0, lo = 0; k <= len; k++) {
            size_t hi = k < len ? edges[k] : n;
            double sum = 0, squares = 0;
            for (size_t i = lo; i < hi; i++) {
                sum += y[i];
                squares += y[i] * y[i];
            }
            cost += squares - sum * sum / (double)(hi - lo);
            lo = hi;
        }
        assert_near(cost, slow_search(y, n, penalty), 1e-6);
    }
    (void)state;
}

static void watching_agrees_with_searching(void **state)
{
    struct rng r;
    rng_init(&r, 10);
    for (int rep = 0; rep < 8; rep++) {
        AUTO(change_watch_freep)
        struct change_watch *w = change_watch_new(&(struct change_options){0});
        AUTO(change_list_done) struct change_list whole = {0};
        double x[300];
        struct err e = {0};
        sample_history(&r, x, 300, .01, 150, rep % 2 ? 1.05 : 0.9);
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(change_watch_append(w, x[i], &e), 0);

        find(x, 300, &whole);

        const struct change_list *seen = change_watch_edges(w);
        assert_int_equal(seen->len, whole.len);
        for (size_t i = 0; i < whole.len; i++)
            assert_int_equal(seen->edge[i].index, whole.edge[i].index);
    }
    (void)state;
}

static void watching_goes_on_for_ever(void **state)
{
    AUTO(change_watch_freep)
    struct change_watch *w = change_watch_new(&(struct change_options){0});
    struct rng r;
    struct err e = {0};
    size_t near_truth = 0;
    rng_init(&r, 11);
    for (size_t i = 0; i < 3000; i++) {
        double level = (i / 500) % 2 ? 106 : 100;
        assert_int_equal(change_watch_append(w, level * (1 + .01 * sample_gauss(&r)), &e), 0);
    }
    const struct change_list *seen = change_watch_edges(w);

    for (size_t i = 0; i < seen->len; i++)
        near_truth += (seen->edge[i].index + 5) % 500 <= 10;
    assert_int_equal(near_truth, 5);
    assert_int_equal(seen->len, 5);
    assert_int_equal(change_watch_append(w, NAN, &e), -1);
    (void)state;
}

static void edges_keep_their_identity(void **state)
{
    double values[100];
    struct change_edge before[2] = {
        {.index = 30, .effect = .05, .loc_lo = 28, .loc_hi = 33},
        {.index = 70, .effect = .10, .loc_lo = 69, .loc_hi = 71},
    };
    struct change_edge now[2] = {
        {.index = 32, .effect = .055, .loc_lo = 29, .loc_hi = 34, .z = 8, .p = 1e-9},
        {.index = 90, .effect = -.04, .loc_lo = 88, .loc_hi = 91, .z = 6, .p = 1e-5},
    };
    struct change_match match[4];
    for (size_t i = 0; i < 100; i++)
        values[i] = i < 30 ? 100 : 105;

    size_t len = change_reconcile(before, 2, now, 2, values, 100, match);

    assert_int_equal(len, 3);
    assert_int_equal(match[0].fate, CHANGE_KEPT);
    assert_int_equal(match[0].now, 0);
    assert_int_equal(match[1].fate, CHANGE_RETRACTED);
    assert_non_null(strstr(match[1].why, "went back"));
    assert_int_equal(match[2].fate, CHANGE_NEW);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_found_with_its_size_and_place),
        cmocka_unit_test(every_step_is_reported_not_only_the_last),
        cmocka_unit_test(flat_noise_and_recovering_spikes_are_not_steps),
        cmocka_unit_test(a_weekly_wave_is_not_steps),
        cmocka_unit_test(unit_and_direction_do_not_matter),
        cmocka_unit_test(a_larger_step_is_not_lost),
        cmocka_unit_test(few_points_claim_little),
        cmocka_unit_test(odd_histories_are_harmless),
        cmocka_unit_test(counts_change_when_two_points_say_so),
        cmocka_unit_test(the_newest_points_are_watched),
        cmocka_unit_test(search_is_exact),
        cmocka_unit_test(watching_agrees_with_searching),
        cmocka_unit_test(watching_goes_on_for_ever),
        cmocka_unit_test(edges_keep_their_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
