/* SPDX-License-Identifier: MIT */
/*
 * serial: do rounds follow each other? Differences of a round are exchangeable in sign when the
 * order of the arms is random and nothing of an arm lives on to the next round. Where something
 * does, neighbouring rounds repeat each other and ten of them are worth three.
 */
#ifndef STATS_SERIAL_H
#define STATS_SERIAL_H

#include <stddef.h>
#include <stdint.h>

/* By how much the variance of a mean over rounds is larger than it looks: (1 + rho) / (1 -
 * rho), rho the lag-1 autocorrelation pooled over the metrics and corrected for its bias in
 * short series (Kendall, Marriott 1954); 1 unless a permutation of the rounds shows at 1 % that
 * there is any (Pitman 1937). 'd' is row-major, metric * rounds + round; NaN = missing. '*rho'
 * may be NULL. */
double serial_inflation(const double *d, size_t metrics, size_t rounds, uint64_t seed,
                        double *rho);

#endif
