/* SPDX-License-Identifier: MIT */
/*
 * The scale is pooled from two sources that see the same run-to-run noise: the scatter of the
 * differences around their centre (N - 1 degrees of freedom) and the A/A differences around
 * zero (one each). Three to five A/A rounds alone would give a scale anywhere between half and
 * twice the truth; both estimates are medians, so one wild round moves neither.
 */
#include "pair.h"

#include <math.h>
#include <stdlib.h>

#include "mem.h"
#include "summary.h"

/* An effect must stand this many noises away from nothing. */
#define NOISE_FACTOR 3.0

static bool complete(double a, double b)
{
    return isfinite(a) && isfinite(b);
}

/* Median |value| over both arms: the same when arms are exchanged, as the sign-flip test needs.
 */
static double linear_scale(const struct verdict_metric *m)
{
    AUTO(mem_freep) double *size = mem_alloc((2 * m->rounds + 1) * sizeof *size);
    size_t n = 0;
    double largest = 0;
    for (size_t i = 0; i < m->rounds; i++) {
        if (!complete(m->base[i], m->head[i]))
            continue;
        size[n++] = fabs(m->base[i]);
        size[n++] = fabs(m->head[i]);
        largest = fmax(largest, fmax(size[n - 1], size[n - 2]));
    }
    double middle = summary_median_inplace(size, n);
    return middle > 0 ? middle : largest > 0 ? largest : 1;
}

static double difference(const struct pair *p, double from, double to, double scale)
{
    if (!complete(from, to) || (!p->linear && (from <= 0 || to <= 0)))
        return NAN;
    return p->linear ? (to - from) / scale : log(to / from);
}

/* Deterministic: at least three equal measurements of base, no scatter anywhere. */
static bool no_scatter(const struct pair *p, const struct verdict_metric *m)
{
    const double *base = NULL, *head = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < m->rounds; i++) {
        if (!complete(m->base[i], m->head[i]))
            continue;
        base = base ? base : &m->base[i];
        head = head ? head : &m->head[i];
        if (m->base[i] != *base || m->head[i] != *head)
            return false;
        seen++;
    }
    for (size_t i = 0; i < m->aa_rounds; i++) {
        if (!complete(m->aa_first[i], m->aa_second[i]) || !base)
            continue;
        if (m->aa_first[i] != *base || m->aa_second[i] != *base)
            return false;
        seen += 2;
    }
    return p->n > 0 && seen >= 5;
}

static void measure_noise(struct pair *p, const struct verdict_metric *m, double scale)
{
    AUTO(mem_freep) double *aa = mem_alloc((m->aa_rounds + 1) * sizeof *aa);
    size_t k = 0;
    for (size_t i = 0; i < m->aa_rounds; i++) {
        double d = difference(p, m->aa_first[i], m->aa_second[i], scale);
        if (!isnan(d))
            aa[k++] = d;
    }
    double pairs = summary_shamos(p->good, p->n);
    double own = summary_mad(aa, k, 0);
    double free_pairs = p->n > 1 ? (double)p->n - 1 : 0, free_aa = k > 1 ? (double)k : 0;
    if (free_pairs + free_aa > 0)
        p->sd =
            sqrt((free_pairs * pairs * pairs + free_aa * own * own) / (free_pairs + free_aa));
    p->noise = p->n ? 1.0233 * p->sd / sqrt((double)p->n) : 0; /* sqrt(pi / 3) */
    p->floor = k > 0 ? NOISE_FACTOR * p->noise : 0;
}

void pair_init(struct pair *p, const struct verdict_metric *m)
{
    *p = (struct pair){.rounds = m->rounds, .direction = m->direction > 0 ? -1 : 1};
    p->d = mem_alloc((m->rounds + 1) * sizeof *p->d);
    p->good = mem_alloc((m->rounds + 1) * sizeof *p->good);
    AUTO(mem_freep) double *base = mem_alloc((m->rounds + 1) * sizeof *base);
    AUTO(mem_freep) double *head = mem_alloc((m->rounds + 1) * sizeof *head);
    for (size_t i = 0; i < m->rounds; i++)
        if (complete(m->base[i], m->head[i]) && (m->base[i] <= 0 || m->head[i] <= 0))
            p->linear = true;
    double scale = p->linear ? linear_scale(m) : 1;
    for (size_t i = 0; i < m->rounds; i++) {
        p->d[i] = difference(p, m->base[i], m->head[i], scale);
        if (isnan(p->d[i]))
            continue;
        base[p->n] = m->base[i];
        head[p->n] = m->head[i];
        p->good[p->n++] = p->d[i];
    }
    p->base = summary_median_inplace(base, p->n);
    p->head = summary_median_inplace(head, p->n);
    measure_noise(p, m, scale);
    p->deterministic = no_scatter(p, m);
}

void pair_done(struct pair *p)
{
    free(p->d);
    free(p->good);
    p->d = p->good = NULL;
}

double pair_relative(const struct pair *p, double d)
{
    return p->linear ? d : expm1(d);
}

double pair_margin(const struct pair *p, double relative)
{
    return p->linear ? relative : log1p(relative);
}
