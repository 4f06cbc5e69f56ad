/* SPDX-License-Identifier: MIT */
/*
 * rng: seeded randomness; the same seed gives the same sequence on every machine.
 *
 * xoshiro256** 1.0, seeded by SplitMix64 (Blackman, Vigna 2018). Not for secrets: those come
 * from rng_secret.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n), n > 0, without bias */
double rng_unit(struct rng *r);                /* uniform in [0, 1) */
void rng_shuffle(struct rng *r, void *items, size_t count, size_t size); /* Fisher, Yates */

/* Bytes for tokens and seeds from the kernel. Ends the program when the kernel has none. */
void rng_secret(void *out, size_t len);
uint64_t rng_seed(void);

#endif
