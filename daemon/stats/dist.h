/* SPDX-License-Identifier: MIT */
/*
 * dist: distribution functions of the normal and of Student's t.
 */
#ifndef STATS_DIST_H
#define STATS_DIST_H

double dist_normal_cdf(double z);
double dist_normal_upper(double z);    /* P(Z > z), exact in the far tail too */
double dist_normal_quantile(double p); /* p in (0, 1) */

double dist_t_cdf(double t, double freedom);
double dist_t_quantile(double p, double freedom); /* p in (0, 1), freedom >= 1 */

#endif
