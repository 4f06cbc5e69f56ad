/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "rng.h"
#include "steady.h"

enum { SERIES = 500 };

/* Windows until the rule calls the series steady; STEADY_WINDOWS: never. */
static size_t steady_after(const double *values)
{
    for (size_t n = 1; n < STEADY_WINDOWS; n++)
        if (steady_reached(values, n))
            return n;
    return STEADY_WINDOWS;
}

/* A level with noise of 'sd', and 'height' above it that falls by 'pace' a window. */
static void make(struct rng *rng, double height, double pace, double sd,
                 double out[STEADY_WINDOWS])
{
    for (int i = 0; i < STEADY_WINDOWS; i++) {
        double noise = sqrt(-2 * log1p(-rng_unit(rng))) * cos(2 * M_PI * rng_unit(rng));
        out[i] = 1 + height * exp(-i * pace) + sd * noise;
    }
}

static void a_flat_service_is_steady_soon(void **state)
{
    struct rng rng;
    double values[STEADY_WINDOWS];
    size_t sum = 0;
    rng_init(&rng, 1);

    for (int i = 0; i < SERIES; i++) {
        make(&rng, 0, 0, 0.05, values);
        sum += steady_after(values);
    }

    assert_true((double)sum / SERIES < 12);
    (void)state;
}

static void a_fast_start_is_waited_for(void **state)
{
    struct rng rng;
    double values[STEADY_WINDOWS];
    int missed = 0;
    rng_init(&rng, 2);

    for (int i = 0; i < SERIES; i++) {
        make(&rng, 2, 0.5, 0.02, values);
        size_t n = steady_after(values);
        assert_true(n >= STEADY_WINDOWS_LEAST);
        /* What is left of the start is below the noise. */
        assert_true(2 * exp(-(double)n * 0.5) < 0.02);
        missed += n == STEADY_WINDOWS;
    }
    print_message("not seen to be steady: %d of %d\n", missed, SERIES);
    assert_true(missed <= SERIES / 50);
    (void)state;
}

static void a_level_that_falls_all_the_time_is_never_steady(void **state)
{
    struct rng rng;
    double values[STEADY_WINDOWS];
    int steady = 0;
    rng_init(&rng, 3);

    for (int i = 0; i < SERIES; i++) {
        for (int k = 0; k < STEADY_WINDOWS; k++)
            values[k] = 3 - 0.05 * k + 0.02 * rng_unit(&rng);
        steady += steady_after(values) < STEADY_WINDOWS;
    }

    assert_true(steady < SERIES / 20);
    (void)state;
}

static void few_windows_say_nothing(void **state)
{
    const double same[STEADY_WINDOWS] = {0};

    assert_false(steady_reached(same, STEADY_WINDOWS_LEAST - 1));
    assert_true(steady_reached(same, STEADY_WINDOWS_LEAST));
    assert_int_equal(steady_cut(same, STEADY_KEPT_LEAST - 1), STEADY_KEPT_LEAST - 1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_service_is_steady_soon),
        cmocka_unit_test(a_fast_start_is_waited_for),
        cmocka_unit_test(a_level_that_falls_all_the_time_is_never_steady),
        cmocka_unit_test(few_windows_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
