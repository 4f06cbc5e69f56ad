/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include <math.h>

#include "auto.h"
#include "mem.h"
#include "rng.h"
#include "summary.h"

enum { SHUFFLES = 399, ROUNDS_MIN = 8 };
#define LEVEL   0.01 /* chance to notice what is not there */
#define RHO_MAX 0.9

/* Residuals about the median, clipped at 3 scales, over the root of their sum of squares. */
static void residuals(const double *d, size_t rounds, double *room, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < rounds; i++)
        if (!isnan(d[i]))
            room[n++] = d[i];
    double middle = summary_median_inplace(room, n), scale = summary_mad(room, n, middle);
    double squares = 0, mean = 0;
    for (size_t i = 0; i < rounds; i++) {
        out[i] = isnan(d[i]) ? 0 : fmax(-3 * scale, fmin(3 * scale, d[i] - middle));
        mean += out[i] / (double)(n ? n : 1);
    }
    for (size_t i = 0; i < rounds; i++) {
        out[i] = isnan(d[i]) ? 0 : out[i] - mean;
        squares += out[i] * out[i];
    }
    for (size_t i = 0; i < rounds && squares > 0; i++)
        out[i] /= sqrt(squares);
}

/* Lag-1 products with the rounds in the given order, mean over the metrics. */
static double lag_one(const double *e, const size_t *order, size_t metrics, size_t rounds)
{
    double sum = 0;
    for (size_t m = 0; m < metrics; m++)
        for (size_t i = 0; i + 1 < rounds; i++)
            sum += e[m * rounds + order[i]] * e[m * rounds + order[i + 1]];
    return sum / (double)metrics;
}

/* What rounds without memory show: all metrics of a round move together, so that their
 * correlation and the bias of short series are in it. */
struct chance {
    double mean, sd, p; /* p: of what was observed */
};

static struct chance shuffle(const double *e, size_t metrics, size_t rounds, double observed,
                             uint64_t seed)
{
    AUTO(mem_freep) size_t *order = mem_alloc(rounds * sizeof *order);
    double sum = 0, squares = 0, reached = 1;
    struct rng rng;
    rng_init(&rng, seed ^ 0x5e71a1);
    for (size_t i = 0; i < rounds; i++)
        order[i] = i;
    for (int b = 0; b < SHUFFLES; b++) {
        rng_shuffle(&rng, order, rounds, sizeof *order);
        double s = lag_one(e, order, metrics, rounds);
        sum += s;
        squares += s * s;
        reached += s >= observed;
    }
    double mean = sum / SHUFFLES;
    return (struct chance){mean, sqrt(fmax(0, squares / SHUFFLES - mean * mean)),
                           reached / (SHUFFLES + 1)};
}

double serial_inflation(const double *d, size_t metrics, size_t rounds, uint64_t seed,
                        double *rho)
{
    if (rho)
        *rho = 0;
    if (rounds < ROUNDS_MIN || metrics == 0)
        return 1;
    AUTO(mem_freep) double *room = mem_alloc(rounds * (metrics + 1) * sizeof *room);
    AUTO(mem_freep) size_t *in_order = mem_alloc(rounds * sizeof *in_order);
    double *e = room + rounds, n = (double)rounds;
    for (size_t m = 0; m < metrics; m++)
        residuals(d + m * rounds, rounds, room, e + m * rounds);
    for (size_t i = 0; i < rounds; i++)
        in_order[i] = i;
    double observed = lag_one(e, in_order, metrics, rounds);
    struct chance chance = shuffle(e, metrics, rounds, observed, seed);
    if (chance.p > LEVEL)
        return 1;
    /* One standard error more than seen: a memory that is taken for less costs a false claim.
     */
    double r = fmin(RHO_MAX, (observed - chance.mean + chance.sd) / (1 - 4 / n));
    if (rho)
        *rho = r;
    return (1 + r) / (1 - r);
}
