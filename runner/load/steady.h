/* SPDX-License-Identifier: MIT */
/*
 * steady: whether a service's warm-up is over. Pure.
 *
 * The warm-up is cut into windows of equal length, each with the mean response time of what was
 * answered in it (in a closed loop that is connections over throughput). The marginal standard
 * error rule (MSER; K. P. White, "An effective truncation heuristic for bias reduction in
 * simulation output", Simulation 69(6), 1997) finds how many windows must be dropped so that
 * the mean of the rest is best known. When that is less than the first half, the rest has
 * no trend worth naming; when it is not, the level is still moving and more must be seen. The
 * last few windows are never all that is kept, as few values are alike by chance.
 */
#ifndef LOAD_STEADY_H
#define LOAD_STEADY_H

#include <stdbool.h>
#include <stddef.h>

enum {
    STEADY_WINDOWS = 40,       /* in the longest warm-up */
    STEADY_WINDOWS_LEAST = 10, /* before anything can be said: a quarter of it */
    STEADY_KEPT_LEAST = 5,
};

/* How many of the values the rule drops; 'n' when it cannot say. */
size_t steady_cut(const double *values, size_t n);
bool steady_reached(const double *values, size_t n);

#endif
