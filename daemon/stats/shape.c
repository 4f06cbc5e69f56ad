/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"
#include "rng.h"

enum { EXACT_ROUNDS = 10, DRAWS_DEFAULT = 2000, TAIL_SHARES = 64 };

static double total(const struct shape_hist *h)
{
    double sum = 0;
    for (size_t i = 0; i < h->len; i++)
        sum += h->count[i];
    return sum;
}

double shape_quantile(const struct shape_hist *h, double q)
{
    double all = total(h), need = fmax(1, ceil(q * all - 1e-9)), sum = 0;
    if (all == 0)
        return NAN;
    for (size_t i = 0; i < h->len; i++) {
        sum += h->count[i];
        if (sum >= need)
            return h->value[i];
    }
    return NAN;
}

double shape_tail(const struct shape_hist *h)
{
    double sum = 0;
    if (total(h) == 0)
        return NAN;
    for (int k = 0; k < TAIL_SHARES; k++) {
        double rest = 0.9 * pow(0.001 / 0.9, k / (TAIL_SHARES - 1.0)); /* .9 down to .001 */
        double value = shape_quantile(h, 1 - rest);
        sum += log(fmax(value, 1e-300));
    }
    return sum / TAIL_SHARES;
}

/* Differences of the two arms' shares in each bucket, per round; the sum over rounds with signs
 * is the difference of the merged (equally weighted) distributions. */
static void round_differences(const struct shape_hist *base, const struct shape_hist *head,
                              size_t rounds, double *d)
{
    size_t len = base[0].len;
    for (size_t r = 0; r < rounds; r++) {
        double b = fmax(1, total(&base[r])), h = fmax(1, total(&head[r]));
        double sum = 0;
        for (size_t i = 0; i < len; i++) {
            sum += head[r].count[i] / h - base[r].count[i] / b;
            d[r * len + i] = sum / (double)rounds;
        }
    }
}

/* Largest |difference| of the distribution functions when the rounds in 'flip' are exchanged.
 */
static double distance(const double *d, size_t rounds, size_t len, const bool *flip,
                       double *room, size_t *at)
{
    double most = 0;
    memset(room, 0, len * sizeof *room);
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < len; i++)
            room[i] += flip[r] ? -d[r * len + i] : d[r * len + i];
    for (size_t i = 0; i < len; i++)
        if (fabs(room[i]) > most) {
            most = fabs(room[i]);
            *at = i;
        }
    return most;
}

void shape_compare(const struct shape_hist *base, const struct shape_hist *head, size_t rounds,
                   size_t draws, uint64_t seed, struct shape_test *out)
{
    *out = (struct shape_test){.p = 1};
    if (rounds == 0 || base[0].len == 0)
        return;
    size_t len = base[0].len, at = 0, unused = 0, reached = 0;
    AUTO(mem_freep) double *d = mem_alloc(rounds * len * sizeof *d);
    AUTO(mem_freep) double *room = mem_alloc(len * sizeof *room);
    AUTO(mem_freep) bool *flip = mem_zero(rounds, sizeof *flip);
    round_differences(base, head, rounds, d);
    out->distance = distance(d, rounds, len, flip, room, &at);
    out->at = base[0].value[at];
    bool exact = rounds <= EXACT_ROUNDS;
    size_t count = exact ? (size_t)1 << rounds : draws ? draws : DRAWS_DEFAULT;
    struct rng rng;
    rng_init(&rng, seed);
    for (size_t b = 0; b < count; b++) {
        for (size_t r = 0; r < rounds; r++)
            flip[r] = exact ? (b >> r) & 1 : rng_below(&rng, 2);
        reached += distance(d, rounds, len, flip, room, &unused) >= out->distance - 1e-12;
    }
    out->p = exact ? (double)reached / (double)count
                   : (double)(reached + 1) / (double)(count + 1); /* Phipson, Smyth 2010 */
}
