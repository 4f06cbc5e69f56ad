/* SPDX-License-Identifier: MIT */
/*
 * claims: which of many p values may be believed together.
 */
#ifndef STATS_CLAIMS_H
#define STATS_CLAIMS_H

#include <stddef.h>

/* Each function writes adjusted p values: claim where adjusted <= level. In and out may be the
 * same array. NaN stays NaN and does not count. */

/* Chance of any false claim, no assumption (Holm 1979). */
void claims_holm(const double *p, size_t n, double *adjusted);

/* Expected share of false claims among the claims; independent or positively dependent tests
 * (Benjamini, Hochberg 1995). */
void claims_bh(const double *p, size_t n, double *adjusted);

/* The same under any dependence: BH times 1 + 1/2 + ... + 1/n (Benjamini, Yekutieli 2001). */
void claims_by(const double *p, size_t n, double *adjusted);

#endif
