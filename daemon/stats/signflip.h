/* SPDX-License-Identifier: MIT */
/*
 * signflip: the randomisation test over the signs of paired differences, for a whole family.
 *
 * When a round's two arms are exchangeable, each difference is as likely to be +u as -u. All
 * metrics of a round are flipped together, so their correlation is kept, and the largest
 * statistic over the family is what each metric is compared with: the chance of any false claim
 * in the family stays below alpha (max-T, Westfall, Young 1993; step-down after each
 * rejection).
 *
 * Statistic of a metric: sum(s_i * a_i) / sqrt(sum(a_i^2)), a_i = |u_i| up to 2.5 spreads
 * above the median of |u|, constant up to 5, and falling to a hundredth of it at 7.5 (Hampel
 * 1974; the spread is 1.4826 * median absolute deviation of |u|). It depends on the data
 * through |u| alone, so the scores cannot cost validity; the corners follow a shift, since |u|
 * gathers around it: rounds that agree count in full, as in Student's t, and a monster value
 * cannot hide what all other rounds show. With a_i = |u_i| it is Student's t in disguise: t = S
 * * sqrt((n - 1) / (n
 * - S^2)).
 *
 * Looks: with several planned looks a sign vector counts as "claimed" at look k when it would
 * have been claimed at an earlier look, or its statistic at look k is as large. So the shares
 * spent at the looks add up to alpha without the waste of a union bound (Lan, DeMets 1983, on
 * the randomisation distribution). Up to SIGNFLIP_EXACT_ROUNDS rounds all sign vectors are
 * listed; beyond, random ones and their mirror images stand for them, and the observed one is
 * among them (Phipson, Smyth 2010), so the level holds exactly at any number of draws.
 */
#ifndef STATS_SIGNFLIP_H
#define STATS_SIGNFLIP_H

#include <stddef.h>
#include <stdint.h>

enum { SIGNFLIP_EXACT_ROUNDS = 15, SIGNFLIP_DRAWS = 8192, SIGNFLIP_LOOKS_MAX = 16 };

struct signflip_plan {
    const double
        *u; /* row-major: metric * rounds + round; NaN = missing; > 0 supports the claim */
    size_t metrics, rounds;
    const size_t *looks; /* rounds at each look so far, the last one == rounds */
    const double *spent; /* alpha spent up to and including each look */
    size_t looks_len;
    double inflation; /* of the variance of a mean (serial.h): the observed statistics, as
                         Student's t, are divided by its root; 0 or 1: none */
    uint64_t seed;
};

/* One-sided p of each metric, adjusted for the family (step-down), for the claim that u lies
 * above 0, and, unless NULL, for the claim that it lies below. Claim where p <= spent at the
 * last look. */
void signflip_family(const struct signflip_plan *plan, double *above, double *below);

#endif
