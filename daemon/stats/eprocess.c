/* SPDX-License-Identifier: MIT */
#include "eprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"

#define BET_MAX 0.95 /* never stake everything on one round */

static const double bets[EPROCESS_BETS] = {.25, .5, 1, 2, 4};

void eprocess_init(struct eprocess *p, double margin)
{
    *p = (struct eprocess){.margin = margin};
}

void eprocess_done(struct eprocess *p)
{
    free(p->size[0]);
    free(p->size[1]);
    p->size[0] = p->size[1] = NULL;
}

static void insert(double *sorted, size_t n, double v)
{
    size_t i = n;
    for (; i > 0 && sorted[i - 1] > v; i--)
        sorted[i] = sorted[i - 1];
    sorted[i] = v;
}

void eprocess_add(struct eprocess *p, double d)
{
    if (isnan(d) || p->n >= EPROCESS_ROUNDS_MAX)
        return;
    if (p->n == p->room) {
        p->room = p->room ? 2 * p->room : 32;
        for (int side = 0; side < 2; side++)
            p->size[side] = mem_resize(p->size[side], p->room, sizeof **p->size);
    }
    for (int side = 0; side < 2; side++) {
        double u = (side == 0 ? d : -d) - p->margin;
        insert(p->size[side], p->n, fabs(u));
        const double *s = p->size[side];
        size_t n = p->n + 1;
        double middle = n % 2 ? s[n / 2] : 0.5 * (s[n / 2 - 1] + s[n / 2]);
        double size = middle > 0 ? fabs(u) / middle : u != 0 ? INFINITY : 0;
        for (int b = 0; b < EPROCESS_BETS; b++) {
            double stake = fmin(tanh(bets[b] * size), BET_MAX);
            p->log_product[side][b] += log1p(u > 0 ? stake : -stake);
        }
    }
    p->n++;
}

static double evidence(const double *log_product)
{
    double sum = 0;
    for (int b = 0; b < EPROCESS_BETS; b++)
        sum += exp(fmin(log_product[b], 690)) / EPROCESS_BETS;
    return fmin(sum, 1e300);
}

double eprocess_slower(const struct eprocess *p)
{
    return evidence(p->log_product[0]);
}

double eprocess_faster(const struct eprocess *p)
{
    return evidence(p->log_product[1]);
}
