/* SPDX-License-Identifier: MIT */
/*
 * shape: latency distributions as a whole. Advisory: says that the shape changed, not that it
 * is worse.
 *
 * Works on counts of log-spaced buckets (hist.h has 1024 per octave; any merging of neighbours
 * will do), so that this library needs no histogram type. Percentiles are taken from merged
 * counts only; percentiles are never averaged over rounds.
 */
#ifndef STATS_SHAPE_H
#define STATS_SHAPE_H

#include <stddef.h>
#include <stdint.h>

struct shape_hist {
    const double *value;   /* of each bucket, ascending */
    const uint32_t *count; /* of each bucket */
    size_t len;
};

/* The smallest value that a share q of all counts does not exceed (nearest rank); NaN if empty.
 */
double shape_quantile(const struct shape_hist *h, double q);

/* Tail average: mean of ln(quantile) over 64 shares from .1 to .999, log-spaced towards 1. The
 * difference of two is a mean log ratio: one number that sees body and tail. NaN if empty. */
double shape_tail(const struct shape_hist *h);

struct shape_test {
    double
        distance; /* largest difference of the two merged distribution functions (Kolmogorov) */
    double at;    /* the value where it is */
    double p;     /* by exchanging the arms inside rounds (Fisher 1935) */
};

/* base[i] and head[i] belong to round i and share one bucket layout. All 2^rounds exchanges up
 * to 10 rounds, else 'draws' random ones from 'seed' (default 2000 when 0). */
void shape_compare(const struct shape_hist *base, const struct shape_hist *head, size_t rounds,
                   size_t draws, uint64_t seed, struct shape_test *out);

#endif
