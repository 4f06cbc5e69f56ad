/* SPDX-License-Identifier: MIT */
#include "histories.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"

struct maker {
    struct rng rng;
    struct truth_series *list;
    size_t len, room;
};

const char *noise_name(enum noise_kind kind)
{
    static const char *const names[] = {"gauss", "lognormal", "heavy",   "bimodal",
                                        "ar1",   "hetero",    "periodic"};
    return names[kind];
}

double noise_gauss(struct rng *r)
{
    double a = rng_unit(r) + 1e-300, b = rng_unit(r);
    return sqrt(-2 * log(a)) * cos(2 * M_PI * b); /* Box, Muller 1958 */
}

double noise_student3(struct rng *r)
{
    double chi = 0, z = noise_gauss(r);
    for (int i = 0; i < 3; i++) {
        double g = noise_gauss(r);
        chi += g * g;
    }
    return z / sqrt(chi / 3) / sqrt(3);
}

static double between(struct rng *r, double lo, double hi)
{
    return lo + (hi - lo) * rng_unit(r);
}

static size_t whole(struct rng *r, size_t lo, size_t hi) /* in [lo, hi) */
{
    return lo + (size_t)rng_below(r, hi - lo);
}

static void fill_hetero(struct rng *r, double *out, size_t n)
{
    static const double factors[] = {0.5, 2, 1};
    size_t k = n / 60 > 2 ? n / 60 : 2;
    AUTO(mem_freep) double *factor = mem_alloc(n * sizeof *factor);
    AUTO(mem_freep) bool *cut = mem_zero(n + 1, sizeof *cut);
    for (size_t j = 0; j < k; j++)
        cut[whole(r, 1, n > 2 ? n : 2)] = true;
    double f = 1;
    for (size_t i = 0, j = 0; i < n; i++) {
        if (cut[i])
            f = factors[j++ % 3];
        factor[i] = f;
        out[i] = factor[i] * noise_gauss(r);
    }
}

void noise_fill(enum noise_kind kind, struct rng *r, double *out, size_t n)
{
    double state = noise_gauss(r), phase = rng_unit(r);
    double period = rng_below(r, 2) ? 7 : 24, s = 0.8;
    if (kind == NOISE_HETERO) {
        fill_hetero(r, out, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double z = kind == NOISE_HEAVY ? 0 : noise_gauss(r);
        switch (kind) {
        case NOISE_LOGNORMAL:
            out[i] = (exp(s * z) - exp(s * s / 2)) / sqrt((exp(s * s) - 1) * exp(s * s));
            break;
        case NOISE_HEAVY:
            out[i] = noise_student3(r);
            if (rng_unit(r) < 0.02)
                out[i] += between(r, 5, 30) * (rng_unit(r) < 0.25 ? -1 : 1);
            break;
        case NOISE_BIMODAL:
            out[i] = 0.5 * z + 3.0 * (rng_unit(r) < 0.3) - 0.9;
            break;
        case NOISE_AR1:
            out[i] = state = 0.6 * state + 0.8 * z;
            break;
        case NOISE_PERIODIC:
            out[i] = 1.5 * sin(2 * M_PI * ((double)i / period + phase)) + 0.7 * z;
            break;
        default:
            out[i] = z;
        }
    }
}

/* --- scenarios -------------------------------------------------------------------------------
 */

static double factor(struct rng *r, double percent)
{
    double f = 1 + percent / 100;
    return rng_below(r, 2) ? f : 1 / f;
}

static struct truth_series *add(struct maker *m, const char *group, enum noise_kind kind,
                                double cv, double shift, double *level, size_t n)
{
    if (m->len == m->room) {
        m->room = m->room ? 2 * m->room : 256;
        m->list = mem_resize(m->list, m->room, sizeof *m->list);
    }
    struct truth_series *s = &m->list[m->len++];
    *s = (struct truth_series){.cv = cv, .shift = shift, .n = n};
    (void)snprintf(s->group, sizeof s->group, "%s", group);
    (void)snprintf(s->kind, sizeof s->kind, "%s", noise_name(kind));
    s->value = mem_alloc(n * sizeof *s->value);
    noise_fill(kind, &m->rng, s->value, n);
    double unit = pow(10, between(&m->rng, 0, 5));
    for (size_t i = 0; i < n; i++)
        s->value[i] = unit * fmax(level[i] * (1 + cv * s->value[i]), 0.05 * level[i]);
    return s;
}

static void label(struct truth_series *s, size_t from, size_t to)
{
    s->label = mem_resize(s->label, s->labels + 1, sizeof *s->label);
    s->label[s->labels++] = (struct truth_label){from, to};
}

static void flat(double *level, size_t n)
{
    for (size_t i = 0; i < n; i++)
        level[i] = 1;
}

static void scale(double *level, size_t from, size_t to, double f)
{
    for (size_t i = from; i < to; i++)
        level[i] *= f;
}

static void make_steps(struct maker *m, enum noise_kind kind)
{
    static const double shifts[] = {1, 2, 3, 5, 10, 20};
    double level[200];
    for (size_t k = 0; k < ARRAY_LEN(shifts); k++)
        for (int rep = 0; rep < 8; rep++) {
            size_t at = whole(&m->rng, 20, 180);
            flat(level, 200);
            scale(level, at, 200, factor(&m->rng, shifts[k]));
            label(add(m, "step", kind, rep < 5 ? .01 : .03, shifts[k], level, 200), at, at);
        }
}

static void make_flat(struct maker *m, enum noise_kind kind)
{
    static const size_t lengths[] = {20, 50, 100, 200, 500, 1000};
    static const double cvs[] = {.005, .01, .02, .05};
    double level[1000];
    flat(level, 1000);
    for (size_t k = 0; k < ARRAY_LEN(lengths); k++)
        for (int rep = 0; rep < 4; rep++)
            (void)add(m, "none", kind, cvs[rng_below(&m->rng, 4)], 0, level, lengths[k]);
}

static void make_multi(struct maker *m, enum noise_kind kind)
{
    static const double shifts[] = {2, 3, 5, 10, 20};
    double level[500];
    for (int rep = 0; rep < 6; rep++) {
        size_t slots[18], k = 3 + (size_t)rng_below(&m->rng, 4);
        for (size_t i = 0; i < 18; i++)
            slots[i] = 25 + 25 * i;
        rng_shuffle(&m->rng, slots, 18, sizeof *slots);
        flat(level, 500);
        size_t at[6];
        for (size_t i = 0; i < k; i++) {
            at[i] = slots[i] + whole(&m->rng, 0, 11) - 5;
            scale(level, at[i], 500, factor(&m->rng, shifts[rng_below(&m->rng, 5)]));
        }
        struct truth_series *s = add(m, "multi", kind, .01, 0, level, 500);
        for (size_t i = 0; i < k; i++)
            label(s, at[i], at[i]);
    }
}

static void make_ramps(struct maker *m, enum noise_kind kind)
{
    static const double shifts[] = {5, 10, 20};
    double level[200];
    for (int rep = 0; rep < 6; rep++) {
        size_t width = whole(&m->rng, 10, 31), at = whole(&m->rng, 30, 140);
        double f = factor(&m->rng, shifts[rep / 2]);
        flat(level, 200);
        for (size_t i = at; i < 200; i++)
            level[i] = i < at + width ? 1 + (f - 1) * (double)(i - at + 1) / (double)width : f;
        label(add(m, "ramp", kind, .01, shifts[rep / 2], level, 200), at, at + width - 1);
    }
}

static void make_spikes(struct maker *m, enum noise_kind kind)
{
    double level[200];
    for (int rep = 0; rep < 6; rep++) {
        flat(level, 200);
        for (int k = 0; k < 3; k++) {
            size_t at = whole(&m->rng, 5, 194);
            scale(level, at, at + whole(&m->rng, 1, 4),
                  factor(&m->rng, between(&m->rng, 10, 50)));
        }
        (void)add(m, "spike", kind, .01, 0, level, 200);
    }
}

static void make_temporary(struct maker *m, enum noise_kind kind)
{
    static const double shifts[] = {3, 5, 10};
    double level[200];
    for (int rep = 0; rep < 6; rep++) {
        size_t at = whole(&m->rng, 20, 100), width = whole(&m->rng, 20, 61);
        flat(level, 200);
        scale(level, at, at + width, factor(&m->rng, shifts[rng_below(&m->rng, 3)]));
        struct truth_series *s = add(m, "temp", kind, .01, 0, level, 200);
        label(s, at, at);
        label(s, at + width, at + width);
    }
}

static void make_short(struct maker *m, enum noise_kind kind)
{
    static const double shifts[] = {5, 10, 20};
    double level[50];
    for (int rep = 0; rep < 9; rep++) {
        size_t n = whole(&m->rng, 20, 51), at = whole(&m->rng, 6, n - 5);
        flat(level, n);
        scale(level, at, n, factor(&m->rng, shifts[rep / 3]));
        label(add(m, "short", kind, .01, shifts[rep / 3], level, n), at, at);
    }
}

struct truth_series *histories_make(uint64_t seed, size_t repeat, size_t *count)
{
    struct maker m = {0};
    rng_init(&m.rng, seed);
    for (size_t r = 0; r < repeat; r++)
        for (enum noise_kind kind = 0; kind < NOISE_KINDS; kind++) {
            make_steps(&m, kind);
            make_flat(&m, kind);
            make_multi(&m, kind);
            make_ramps(&m, kind);
            make_spikes(&m, kind);
            make_temporary(&m, kind);
            make_short(&m, kind);
        }
    *count = m.len;
    return m.list;
}

void histories_one(enum noise_kind kind, struct rng *r, double cv, double shift, size_t at,
                   double *out, size_t n)
{
    noise_fill(kind, r, out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = fmax(1 + cv * (out[i] + (i >= at ? shift : 0)), 0.05);
}
