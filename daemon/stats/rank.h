/* SPDX-License-Identifier: MIT */
/*
 * rank: exact rank tests for pairs and for two samples, and the estimate that belongs to them.
 *
 * The signed-rank test asks whether paired differences are symmetric about a value; when the
 * order of the two arms inside each round is random, "both arms are the same" gives exactly
 * that. The normal approximation is wrong at the small levels used here, so the exact
 * distribution is computed at every size in use, ties and zeros included.
 */
#ifndef STATS_RANK_H
#define STATS_RANK_H

#include <stddef.h>

/* Beyond these sizes the distribution is approximated by the normal one with tie correction. */
enum { RANK_SIGNED_EXACT_MAX = 200, RANK_SUM_EXACT_MAX = 40 };

struct rank_test {
    size_t used;      /* values that took part: zeros are dropped (Wilcoxon 1945) */
    double statistic; /* sum of ranks of the positive differences; or U of the first sample */
    double p_greater; /* one-sided: the values lie above (the first sample lies above) */
    double p_less;
    double p_two; /* min(1, 2 * smaller one) */
};

/* Wilcoxon's signed-rank test of symmetry about 'centre'. Distribution: counts of subset sums
 * of the (doubled mid-) ranks, c[j] += c[j - k], divided by 2^N. */
void rank_signed(const double *d, size_t n, double centre, struct rank_test *out);

/* Mann, Whitney 1947. Exact by counting subset sums of mid-ranks, for ties too. */
void rank_sum(const double *x, size_t n, const double *y, size_t m, struct rank_test *out);

struct rank_interval {
    double estimate; /* median of all pairwise means (Hodges, Lehmann 1963) */
    double lo, hi;   /* order statistics of the Walsh averages */
    double level;    /* coverage really reached; below what was asked when n is too small */
};

/* Interval that leaves at most alpha/2 on each side: [w_(c+1), w_(M-c)], c the largest with
 * P(W <= c) <= alpha/2. When n is too small for alpha it is the range of the averages. */
void rank_location(const double *d, size_t n, double alpha, struct rank_interval *out);

/* Smallest two-sided p the signed-rank test can reach: 2 / 2^n. */
double rank_signed_least_p(size_t n);

#endif
