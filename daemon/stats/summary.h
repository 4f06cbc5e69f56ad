/* SPDX-License-Identifier: MIT */
/*
 * summary: medians, quantiles and robust scales of small and large samples.
 *
 * Functions named _inplace reorder what they are given; the others copy. Nothing here accepts
 * NaN: callers drop missing values first. An empty sample gives 0.
 */
#ifndef STATS_SUMMARY_H
#define STATS_SUMMARY_H

#include <stddef.h>

void summary_sort(double *x, size_t n); /* ascending */

/* Median by selection (Hoare's quickselect); the mean of the two middle values when n is even.
 */
double summary_median_inplace(double *x, size_t n);
double summary_median(const double *x, size_t n);

/* Quantile with linear interpolation between order statistics (type 7 of Hyndman, Fan 1996; the
 * default of R and numpy). 'sorted' ascending, q in [0, 1]. */
double summary_quantile(const double *sorted, size_t n, double q);

/* 1.4826 * median |x - centre|: the standard deviation of a Gaussian sample (Hampel 1974). */
double summary_mad(const double *x, size_t n, double centre);

/* 1.0484 * median |x_i - x_j| over pairs, corrected for small n (Shamos 1976; Bickel, Lehmann
 * 1979): 86 % as efficient as the standard deviation for Gaussian data, and 29 % of the values
 * may be anything. 0 when n < 2. Takes n^2/2 doubles of memory, so at most SUMMARY_SHAMOS_MAX
 * values are used (the first ones). */
enum { SUMMARY_SHAMOS_MAX = 1000 };
double summary_shamos(const double *x, size_t n);

double summary_mean(const double *x, size_t n);

#endif
