/* SPDX-License-Identifier: MIT */
/* rng: see rng.h. */
#include "rng.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void rng_init(struct rng *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        r->state[i] = splitmix(&seed);
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    /* Values below 2^64 mod n are thrown away, so that every remainder is equally likely. */
    uint64_t skip = -n % n;
    uint64_t x;
    do
        x = rng_next(r);
    while (x < skip);
    return x % n;
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

void rng_shuffle(struct rng *r, void *items, size_t count, size_t size)
{
    char *p = items;
    char hold[256];
    assert(size <= sizeof hold);
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(r, i);
        memcpy(hold, p + (i - 1) * size, size);
        memmove(p + (i - 1) * size, p + j * size, size);
        memcpy(p + j * size, hold, size);
    }
}

void rng_secret(void *out, size_t len)
{
    char *p = out;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fprintf(stderr, "the kernel gives no random bytes\n");
            abort();
        }
        p += n;
        len -= (size_t)n;
    }
}

uint64_t rng_seed(void)
{
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    return seed >> 1; /* fits a signed 64-bit column */
}
