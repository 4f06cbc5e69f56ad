/* SPDX-License-Identifier: MIT */
/* steady: see steady.h. */
#include "steady.h"

#include <math.h>

/* The squared standard error of the mean, but for a constant: sum of squares over n squared. */
static double error_of_mean(const double *values, size_t n)
{
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return squares / ((double)n * (double)n);
}

size_t steady_cut(const double *values, size_t n)
{
    size_t best = n;
    double least = INFINITY;
    for (size_t cut = 0; cut + STEADY_KEPT_LEAST <= n; cut++) {
        double error = error_of_mean(values + cut, n - cut);
        if (error < least) {
            least = error;
            best = cut;
        }
    }
    return best;
}

bool steady_reached(const double *values, size_t n)
{
    return n >= STEADY_WINDOWS_LEAST && 2 * steady_cut(values, n) < n;
}
