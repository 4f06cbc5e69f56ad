/* SPDX-License-Identifier: MIT */
/* sample: seeded numbers for the tests of stats. */
#ifndef TEST_SAMPLE_H
#define TEST_SAMPLE_H

#include <math.h>
#include <stddef.h>

#include "auto.h"
#include "rng.h"

#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static inline double sample_gauss(struct rng *r)
{
    double a = rng_unit(r) + 1e-300, b = rng_unit(r);
    return sqrt(-2 * log(a)) * cos(2 * M_PI * b); /* Box, Muller 1958 */
}

/* 100 * (1 + cv * noise), from index 'at' on times 'factor'. */
static inline void sample_history(struct rng *r, double *out, size_t n, double cv, size_t at,
                                  double factor)
{
    for (size_t i = 0; i < n; i++)
        out[i] = 100 * (1 + cv * sample_gauss(r)) * (i >= at ? factor : 1);
}

#endif
