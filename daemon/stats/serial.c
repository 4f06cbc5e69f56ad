/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include <math.h>
#include <string.h>

#include "auto.h"
#include "mem.h"
#include "rng.h"
#include "summary.h"

enum { FLIPS = 399, ROUNDS_MIN = 8 };
#define LEVEL_ONE  0.01 /* chance to notice what is not there: a single metric, ... */
#define LEVEL_MANY 0.05 /* and a family, which has more to lose */
#define RHO_MAX    0.9

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

double serial_inflation(const double *d, size_t metrics, size_t rounds, uint64_t seed,
                        double *rho)
{
    if (rho)
        *rho = 0;
    if (rounds < ROUNDS_MIN || metrics == 0)
        return 1;
    AUTO(mem_freep) double *room = mem_alloc(rounds * (metrics + 2) * sizeof *room);
    double *product = room + rounds, *e = product + rounds, observed = 0, squares = 0;
    memset(product, 0, rounds * sizeof *product);
    for (size_t m = 0; m < metrics; m++) {
        residuals(d + m * rounds, rounds, room, e + m * rounds);
        for (size_t i = 0; i + 1 < rounds; i++)
            product[i] += e[m * rounds + i] * e[m * rounds + i + 1] / (double)metrics;
    }
    for (size_t i = 0; i + 1 < rounds; i++) {
        observed += product[i];
        squares += product[i] * product[i];
    }
    /* Flipping whole rounds at random flips each neighbouring product at random. */
    struct rng rng;
    size_t reached = 1;
    rng_init(&rng, seed ^ 0x5e71a1);
    for (int b = 0; b < FLIPS; b++) {
        double sum = 0;
        for (size_t i = 0; i + 1 < rounds; i++)
            sum += rng_next(&rng) >> 63 ? product[i] : -product[i];
        reached += sum >= observed;
    }
    if ((double)reached / (FLIPS + 1) > (metrics > 1 ? LEVEL_MANY : LEVEL_ONE))
        return 1;
    double n = (double)rounds, se = sqrt(squares);
    double r = fmin(RHO_MAX, (observed + se + 1 / n) / (1 - 4 / n));
    if (rho)
        *rho = r;
    return (1 + r) / (1 - r);
}
