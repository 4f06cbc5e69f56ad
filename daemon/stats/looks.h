/* SPDX-License-Identifier: MIT */
/*
 * looks: how much of alpha each planned look may spend, and when to stop without an answer.
 */
#ifndef STATS_LOOKS_H
#define STATS_LOOKS_H

#include <stdbool.h>
#include <stddef.h>

/* Spending function (Lan, DeMets 1983): A(t) = alpha * max(0, 1.2 t - .2), t = rounds now /
 * rounds at the last look. For looks at 10, 15, 20, 30 it is .2, .4, .6 and 1 of alpha: enough
 * at the first look for the smallest p that 10 rounds can reach (2 / 1024). */
double looks_spent(double alpha, size_t rounds, size_t rounds_last);

/* Conditional power (Lan, Simon, Halperin 1982): the chance that a standardised mean crosses
 * 'critical' at rounds_last, when the remaining rounds have mean 'drift' sd each and the mean
 * so far is 'mean' sd. */
double looks_conditional_power(double mean, size_t rounds, size_t rounds_last, double drift,
                               double critical);

#endif
