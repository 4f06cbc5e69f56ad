/* SPDX-License-Identifier: MIT */
/*
 * eprocess: evidence that may be watched after every round without spending anything.
 *
 * For the progress display of a running job: the value for "slower" passes 2 / alpha with
 * chance at most alpha / 2 if head is not slower than the margin, however often one looks
 * (Ville 1939). The verdict itself comes from verdict.h, which is more powerful at its planned
 * looks.
 *
 * E_n = mean over theta in {.25, .5, 1, 2, 4} of prod (1 + min(tanh(theta |u_i| / s_i), .95)
 * sign u_i), u_i = d_i - m, s_i = median(|u_1| .. |u_i|). Valid when d is symmetric about its
 * centre, and for m > 0 also unimodal (after Vovk, Wang 2024).
 */
#ifndef STATS_EPROCESS_H
#define STATS_EPROCESS_H

#include <stddef.h>

enum { EPROCESS_BETS = 5, EPROCESS_ROUNDS_MAX = 4096 };

struct eprocess {
    double margin;                        /* in units of d */
    double log_product[2][EPROCESS_BETS]; /* slower, faster */
    double *size[2];                      /* |u| so far, ascending */
    size_t n, room;
};

void eprocess_init(struct eprocess *p, double margin);
void eprocess_done(struct eprocess *p);
void eprocess_add(struct eprocess *p, double d); /* positive = worse; NaN is ignored */

/* Evidence so far; infinity is capped at 1e300. */
double eprocess_slower(const struct eprocess *p);
double eprocess_faster(const struct eprocess *p);

#endif
