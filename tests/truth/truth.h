/* SPDX-License-Identifier: MIT */
/*
 * truth: sizes and error bars of the statistical tests.
 *
 * A rate is checked against its bound plus three standard errors, so a right program fails
 * about once in a thousand runs with new seeds, and never with the fixed ones.
 * PACEWATCH_NIGHTLY=1 makes the samples large and the error bars small.
 */
#ifndef TRUTH_TRUTH_H
#define TRUTH_TRUTH_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline size_t truth_size(size_t quick, size_t nightly)
{
    const char *env = getenv("PACEWATCH_NIGHTLY");
    return env && strcmp(env, "1") == 0 ? nightly : quick;
}

/* Largest count out of n that is compatible with a rate. */
static inline double truth_at_most(double rate, double n)
{
    return rate * n + 3 * sqrt(rate * n) + 1;
}

/* Smallest count out of n that is compatible with a rate. */
static inline double truth_at_least(double rate, double n)
{
    return rate * n - 3 * sqrt(rate * (1 - rate) * n) - 1;
}

/* Upper end of Wilson's 95 % interval (one-sided, 1927) of a rate. */
static inline double truth_upper(double count, double n)
{
    double z = 1.645, p = count / n;
    return (p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) /
           (1 + z * z / n);
}

#endif
