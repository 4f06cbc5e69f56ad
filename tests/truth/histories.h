/* SPDX-License-Identifier: MIT */
/*
 * histories: seeded artificial benchmark histories with exactly known change points.
 *
 * Every value is level * (1 + cv * noise), never below 5 % of the level, times a random unit.
 * The noise kinds have zero mean and about unit scale before cv.
 */
#ifndef TRUTH_HISTORIES_H
#define TRUTH_HISTORIES_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"
#include "score.h"

enum noise_kind {
    NOISE_GAUSS,
    NOISE_LOGNORMAL, /* right-skewed, sigma .8 */
    NOISE_HEAVY,     /* Student t, 3 degrees of freedom, and 2 % outliers of 5 to 30 sd */
    NOISE_BIMODAL,   /* two modes 3 sd apart, 30 % of the points in the upper one */
    NOISE_AR1,       /* autoregression, rho .6 */
    NOISE_HETERO,    /* variance changes at random places: factors .5, 2, 1 */
    NOISE_PERIODIC,  /* sine of period 7 or 24 plus white noise */
    NOISE_KINDS,
};

const char *noise_name(enum noise_kind kind);
double noise_gauss(struct rng *r);
double noise_student3(struct rng *r); /* t with 3 degrees of freedom, unit variance */
void noise_fill(enum noise_kind kind, struct rng *r, double *out, size_t n);

/* Scenarios: single steps of 1 to 20 %, none, several steps, ramps, spikes, there-and-back,
 * short series; 'repeat' times 105 series of each kind. Caller frees with truth_series_free. */
struct truth_series *histories_make(uint64_t seed, size_t repeat, size_t *count);

/* One flat series, or one with a step of 'shift' (in units of cv) at 'at'. */
void histories_one(enum noise_kind kind, struct rng *r, double cv, double shift, size_t at,
                   double *out, size_t n);

#endif
