/* SPDX-License-Identifier: MIT */
/*
 * How noisy a history is, told apart from how often it steps. Everything is a median of
 * differences of neighbours or of neighbouring blocks, in which a step shows up only once.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "change_parts.h"
#include "mem.h"
#include "summary.h"

#define KAPPA_DEAD 1.3  /* below this the noise counts as white */
#define KAPPA_MAX  40.0 /* more is a step not seen yet */
#define RHO_MAX    0.85

/* A median of this many values is sharp enough; longer histories are sampled. */
enum { SAMPLE_MAX = 4096, LONG_BLOCKS = 128 };

/* Window of the burst search: 17 of 51 points, every third; how far out a burst is, in raw
 * scales. */
enum { BURST_HALF = 8, BURST_EVERY = 3, BURST_AROUND = 10 };
#define BURST_REACH 4.5

double change_difference_scale(const double *x, size_t n, const size_t *edges, size_t len,
                               size_t *count)
{
    AUTO(mem_freep) double *d = mem_alloc((n + 1) * sizeof *d);
    size_t k = 0, j = 0, stride = 1 + n / SAMPLE_MAX;
    for (size_t i = 1; i < n; i += stride) {
        while (j < len && edges[j] < i)
            j++;
        if (j < len && edges[j] == i)
            continue;
        d[k++] = fabs(x[i] - x[i - 1]);
    }
    if (count)
        *count = k;
    return 1.4826 * summary_median_inplace(d, k) / M_SQRT2;
}

/* Replaces 'out' by 'in' in a sorted window. */
static void window_move(double *window, size_t m, double out, double in)
{
    size_t lo = 0; /* first not below 'out', without a branch the processor could guess wrong */
    for (size_t left = m; left > 1;) {
        size_t half = left / 2;
        lo += window[lo + half - 1] < out ? half : 0;
        left -= half;
    }
    while (lo + 1 < m && window[lo + 1] < in) {
        window[lo] = window[lo + 1];
        lo++;
    }
    while (lo > 0 && window[lo - 1] > in) {
        window[lo] = window[lo - 1];
        lo--;
    }
    window[lo] = in;
}

/* Running median; near an end the window stops moving. */
static void running_median(const double *x, size_t n, size_t half, double *out)
{
    size_t m = 2 * half + 1 < n ? 2 * half + 1 : n, start = 0;
    if (n == 0)
        return;
    AUTO(mem_freep) double *window = mem_dup(x, m * sizeof *x);
    summary_sort(window, m);
    for (size_t i = 0; i < n; i++) {
        size_t want = i < half ? 0 : i - half;
        if (want + m > n)
            want = n - m;
        for (; start < want; start++)
            window_move(window, m, x[start], x[start + m]);
        out[i] = m % 2 ? window[m / 2] : 0.5 * (window[m / 2 - 1] + window[m / 2]);
    }
}

static double clamp(double v, double centre, double reach)
{
    return v > centre + reach ? centre + reach : v < centre - reach ? centre - reach : v;
}

void change_clip(const double *x, size_t n, size_t half, double reach, double *y)
{
    running_median(x, n, half, y);
    for (size_t i = 0; i < n; i++)
        y[i] = clamp(x[i], y[i], reach);
}

/* [from, to) lies outside; does the level come back? Then pulls it in. */
static bool mask_one(double *x, size_t n, size_t from, size_t to, double scale)
{
    if (to - from > CHANGE_EXCURSION_MAX || from < CHANGE_LENGTH_MIN ||
        n - to < CHANGE_LENGTH_MIN)
        return false;
    size_t before = from < BURST_AROUND ? from : BURST_AROUND;
    size_t after = n - to < BURST_AROUND ? n - to : BURST_AROUND;
    double left = summary_median(x + from - before, before);
    double right = summary_median(x + to, after), base = 0.5 * (left + right);
    double depth[CHANGE_EXCURSION_MAX];
    for (size_t i = from; i < to; i++)
        depth[i - from] = fabs(x[i] - base);
    if (fabs(left - right) >= CHANGE_RETURN * summary_median_inplace(depth, to - from))
        return false;
    for (size_t i = from; i < to; i++)
        x[i] = clamp(x[i], base, scale);
    return true;
}

bool change_mask_bursts(double *x, size_t n, double scale)
{
    if (n < 30)
        return false;
    size_t thin = (n + BURST_EVERY - 1) / BURST_EVERY;
    AUTO(mem_freep) double *sample = mem_alloc(2 * thin * sizeof *sample);
    double *around = sample + thin, reach = BURST_REACH * scale;
    for (size_t i = 0; i < thin; i++)
        sample[i] = x[BURST_EVERY * i];
    running_median(sample, thin, BURST_HALF, around);
    bool any = false;
    for (size_t i = 0; i < n;) {
        if (fabs(x[i] - around[i / BURST_EVERY]) <= reach) {
            i++;
            continue;
        }
        size_t from = i, to = i + 1; /* gaps of up to two points belong to the burst */
        for (size_t j = i + 1; j < n && j <= to + 2; j++)
            if (fabs(x[j] - around[j / BURST_EVERY]) > reach)
                to = j + 1;
        any = mask_one(x, n, from, to, scale) || any;
        i = to;
    }
    return any;
}

/* b * w_b^2 / (2 white^2), w_b the scale of differences of neighbouring block means (Allan
 * 1966); 0 when there are too few. 'sums' are prefix sums of the residuals. */
static double block_variance(const double *sums, size_t n, const size_t *edges, size_t len,
                             size_t b, double white, double *room)
{
    size_t k = 0, lo = 0, least = 4 * b > 12 ? 4 * b : 12, stride = 1 + n / SAMPLE_MAX;
    if (n < 8 * b)
        return 0;
    for (size_t j = 0; j <= len; j++) {
        size_t hi = j < len ? edges[j] : n;
        for (size_t t = lo + b; t + b <= hi; t += stride)
            room[k++] = fabs((sums[t + b] - 2 * sums[t] + sums[t - b]) / (double)b);
        lo = hi;
    }
    if (k < least)
        return 0;
    double w = 1.4826 * summary_median_inplace(room, k);
    return (double)b * w * w / (2 * white * white);
}

/* kappa of AR(1) noise whose blocks of two vary v times as much as white ones. */
static double ar1_kappa(double v)
{
    double rho = fmin(RHO_MAX, 0.5 * (sqrt(9 - 8 * (1 - v)) - 3));
    return (1 + rho) / ((1 - rho) * (1 - rho));
}

void change_long_run(const double *r, size_t n, const size_t *edges, size_t len,
                     struct change_noise *noise)
{
    AUTO(mem_freep) double *sums = mem_alloc((n + 1) * sizeof *sums);
    AUTO(mem_freep) double *room = mem_alloc((n + 1) * sizeof *room);
    sums[0] = 0;
    for (size_t i = 0; i < n; i++)
        sums[i + 1] = sums[i] + r[i];
    double most = 1;
    noise->allan[0] = 1;
    for (size_t k = 1; k < CHANGE_ALLAN; k++) {
        double v = block_variance(sums, n, edges, len, (size_t)1 << k, noise->white, room);
        noise->allan[k] = fmax(noise->allan[k - 1], v);
        most = fmax(most, v);
    }
    /* Short histories have no long blocks: what two points share is carried on. */
    if (n < LONG_BLOCKS && noise->allan[1] > 1.5 + 25 / (double)n)
        most = fmax(most, ar1_kappa(noise->allan[1]));
    noise->kappa = most < KAPPA_DEAD ? 1 : fmin(most, KAPPA_MAX);
}

/* For AR(1) with coefficient rho, block_variance of b = 2 is (2 + rho)(1 + rho) / 2, and the
 * long run is (1 + rho) / (1 - rho)^2. */
double change_kappa_guess(const double *y, size_t n, double white)
{
    if (n < 16)
        return 1;
    AUTO(mem_freep) double *room = mem_alloc(n * sizeof *room);
    size_t k = 0;
    for (size_t t = 2; t + 2 <= n; t += 1 + n / SAMPLE_MAX)
        room[k++] = fabs(y[t] + y[t + 1] - y[t - 1] - y[t - 2]) / 2;
    double w = 1.4826 * summary_median_inplace(room, k), v = 2 * w * w / (2 * white * white);
    if (v <= 1.2)
        return 1;
    return ar1_kappa(v);
}
