/* SPDX-License-Identifier: MIT */
/*
 * pair: the paired differences of one metric and how noisy they are.
 */
#ifndef STATS_PAIR_H
#define STATS_PAIR_H

#include "rank.h"
#include "verdict.h"

struct pair {
    double *d;     /* one per round, NaN = missing; positive = the value rose */
    double *good;  /* the same without the missing ones, in order */
    size_t rounds; /* length of d */
    size_t n;      /* length of good */
    bool linear; /* d is a difference over median |value| because some value is not positive */
    double base, head; /* medians of complete rounds */
    double sd;         /* robust standard deviation of one difference, pairs and A/A pooled */
    double noise;      /* standard error of the Hodges-Lehmann estimate: 1.023 * sd / sqrt(n) */
    bool deterministic; /* base always the same, head always the same, A/A equal, seen often
                           enough */
    double floor;       /* 3 * noise when there are A/A rounds to show it, else 0 */
    double direction;   /* +1 when a rising value is worse, -1 when it is better */
};

void pair_init(struct pair *p, const struct verdict_metric *metric);
void pair_done(struct pair *p);

/* Differences to relative change and back: exp(d) - 1, or d itself when linear. */
double pair_relative(const struct pair *p, double d);
double pair_margin(const struct pair *p, double relative); /* of a margin, >= 0 */

#endif
