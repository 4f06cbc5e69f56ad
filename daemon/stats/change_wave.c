/* SPDX-License-Identifier: MIT */
/*
 * Waves: nightly load, weekday patterns, thermal cycles. A step search follows them up and
 * down, so they are taken out first.
 *
 * A component is a line in the spectrum that stands out from its neighbourhood (Fisher's g
 * test, 1929, with a local background because benchmark noise is seldom white). It is looked
 * for in clipped first differences: a step is one outlier there, while in the history itself it
 * would fill all low frequencies.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "change_parts.h"
#include "mem.h"
#include "summary.h"

enum {
    WAVE_LINES_MAX = 4, /* a wave that is no sine has harmonics */
    WAVE_POINTS_MAX =
        32768, /* longer histories keep their waves: a phase does not last as long */
    WAVE_FOUND_MAX = 64,
    WAVE_SHORT_MAX = 100, /* up to here steps must beat a wave */
    WAVE_AROUND = 12,     /* bins on each side that make the background */
};
#define WAVE_PERIOD_MAX 40.0
#define WAVE_LEVEL      1e-4 /* chance of one false line in white noise */
#define WAVE_CLIP       3.0

struct spectrum {
    size_t n, size; /* points; bins of the padded transform */
    double *re, *im, *cosine, *sine, *power, *around;
};

static void spectrum_done(struct spectrum *s)
{
    free(s->re);
}

static void spectrum_init(struct spectrum *s, size_t n)
{
    size_t size = 2;
    while (size < 2 * n && (size < 8192 || size < n))
        size *= 2;
    *s = (struct spectrum){.n = n, .size = size};
    s->re = mem_alloc((5 * size + 8) * sizeof *s->re);
    s->im = s->re + size;
    s->cosine = s->im + size;
    s->sine = s->cosine + size / 2;
    s->power = s->sine + size / 2;
    s->around = s->power + size / 2 + 1;
    for (size_t i = 0; i < size / 2; i++) {
        s->cosine[i] = cos(2 * M_PI * (double)i / (double)size);
        s->sine[i] = -sin(2 * M_PI * (double)i / (double)size);
    }
}

/* Iterative radix-2 transform (Cooley, Tukey 1965) of re + i im in place. */
static void transform(struct spectrum *s)
{
    size_t n = s->size;
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double swap = s->re[i];
            s->re[i] = s->re[j];
            s->re[j] = swap;
            swap = s->im[i];
            s->im[i] = s->im[j];
            s->im[j] = swap;
        }
    }
    for (size_t half = 1; half < n; half *= 2)
        for (size_t i = 0; i < n; i += 2 * half)
            for (size_t j = 0; j < half; j++) {
                double c = s->cosine[j * (n / (2 * half))], d = s->sine[j * (n / (2 * half))];
                double *re = s->re + i + j, *im = s->im + i + j;
                double x = re[half] * c - im[half] * d, y = re[half] * d + im[half] * c;
                re[half] = re[0] - x;
                im[half] = im[0] - y;
                re[0] += x;
                im[0] += y;
            }
}

static void spectrum_of(struct spectrum *s, const double *w)
{
    memset(s->re, 0, 2 * s->size * sizeof *s->re);
    memcpy(s->re, w, s->n * sizeof *w);
    transform(s);
    for (size_t i = 0; i <= s->size / 2; i++)
        s->power[i] = s->re[i] * s->re[i] + s->im[i] * s->im[i];
}

/* Median power around bin i over ln 2: the mean of exponentially distributed powers. */
static double background(struct spectrum *s, size_t i, size_t lo)
{
    size_t reach = WAVE_AROUND * s->size / s->n, top = s->size / 2;
    size_t from = i < reach + lo / 2 ? lo / 2 : i - reach;
    size_t to = from + 2 * reach < top ? from + 2 * reach : top;
    if (to == top)
        from = top > 2 * reach + 1 ? top - 2 * reach : 1;
    size_t count = 0;
    for (size_t k = from; k <= to; k += 1 + (to - from) / 100)
        s->around[count++] = s->power[k];
    return summary_median_inplace(s->around, count) / M_LN2;
}

struct line {
    double power, above; /* as it is, and over the background */
    size_t at;
};

/* Lines above their background, strongest first, none beside a stronger one. The background is
 * taken once per quarter window. */
static size_t strongest(struct spectrum *s, struct line *lines)
{
    double size = (double)s->size, n = (double)s->n, back = 0, limit = log(n / 2 / WAVE_LEVEL);
    size_t lo = (size_t)fmax(size / WAVE_PERIOD_MAX, 3 * size / n), hi = s->size / 2, len = 0;
    size_t reach = WAVE_AROUND * s->size / s->n, fresh = 0;
    if (lo < 1 || lo + 8 >= hi)
        return 0;
    for (size_t i = lo; i < hi; i++) {
        if (i >= fresh) {
            back = background(s, i + reach / 4, lo);
            fresh = i + reach / 2;
        }
        if (s->power[i] < s->power[i - 1] || s->power[i] < s->power[i + 1] || back <= 0 ||
            s->power[i] < limit * back)
            continue;
        struct line now = {s->power[i], s->power[i] / back, i};
        if (len && i - lines[len - 1].at < reach) {
            lines[len - 1] = now.power > lines[len - 1].power ? now : lines[len - 1];
            continue;
        }
        if (len < WAVE_FOUND_MAX)
            lines[len++] = now;
    }
    for (size_t i = 1; i < len; i++)
        for (size_t j = i; j > 0 && lines[j].above > lines[j - 1].above; j--) {
            struct line swap = lines[j];
            lines[j] = lines[j - 1];
            lines[j - 1] = swap;
        }
    return len < WAVE_LINES_MAX ? len : WAVE_LINES_MAX;
}

/* Least-squares sine of frequency f: w ~ a cos(2 pi f i) + b sin(2 pi f i); returns the sum of
 * squares it explains. */
static double fit(const double *w, size_t n, double f, double *a, double *b)
{
    double c = 0, s = 0, cc = 0, ss = 0, cs = 0;
    double x = 1, y = 0, dx = cos(2 * M_PI * f), dy = sin(2 * M_PI * f);
    for (size_t i = 0; i < n; i++) {
        c += w[i] * x;
        s += w[i] * y;
        cc += x * x;
        ss += y * y;
        cs += x * y;
        double t = x * dx - y * dy;
        y = x * dy + y * dx;
        x = t;
    }
    double det = cc * ss - cs * cs;
    if (det < 1e-9)
        return *a = *b = 0;
    *a = (c * ss - s * cs) / det;
    *b = (s * cc - c * cs) / det;
    return *a * c + *b * s;
}

/* Climbs to the best frequency near f; the grid is fine enough for a few steps. */
static double refine(const double *w, size_t n, double f, double step)
{
    double a, b, best = fit(w, n, f, &a, &b);
    for (int i = 0; i < 6; i++) {
        double down = fit(w, n, f - step, &a, &b);
        double up = down > best ? 0 : fit(w, n, f + step, &a, &b);
        if (down > best || up > best)
            f += down > best ? -step : step;
        best = fmax(best, fmax(down, up));
        step /= 2;
    }
    return f;
}

/* out[i] -= p cos(2 pi f i) + q sin(2 pi f i) */
static void subtract(double *out, size_t n, double f, double p, double q)
{
    double x = 1, y = 0, dx = cos(2 * M_PI * f), dy = sin(2 * M_PI * f);
    for (size_t i = 0; i < n; i++) {
        out[i] -= p * x + q * y;
        double t = x * dx - y * dy;
        y = x * dy + y * dx;
        x = t;
    }
}

static void clipped_differences(const double *x, size_t n, double *w)
{
    for (size_t i = 0; i + 1 < n; i++)
        w[i] = x[i + 1] - x[i];
    double reach = WAVE_CLIP * summary_mad(w, n - 1, 0);
    for (size_t i = 0; i + 1 < n; i++)
        w[i] = fmax(-reach, fmin(reach, w[i]));
}

int change_remove_waves(double *x, size_t n, const double *residual)
{
    if (n < 20 || n > WAVE_POINTS_MAX)
        return 0;
    AUTO(mem_freep) double *w = mem_alloc(n * sizeof *w);
    size_t m = residual ? n : n - 1;
    if (residual)
        memcpy(w, residual, n * sizeof *w);
    else
        clipped_differences(x, n, w);
    AUTO(spectrum_done) struct spectrum s;
    spectrum_init(&s, m);
    struct line lines[WAVE_FOUND_MAX];
    spectrum_of(&s, w);
    size_t found = strongest(&s, lines);
    for (size_t k = 0; k < found; k++) {
        double step = 1 / (double)s.size, a, b;
        double f = refine(w, m, (double)lines[k].at * step, step / 2);
        (void)fit(w, m, f, &a, &b);
        subtract(w, m, f, a, b);
        if (residual) {
            subtract(x, n, f, a, b);
            continue;
        }
        /* Differences: w = Re((a - ib) e^(i phi)), so x = Re((a - ib) / (e^(i phi) - 1) ...).
         */
        double c = cos(2 * M_PI * f) - 1, d = sin(2 * M_PI * f), size = c * c + d * d;
        double re = (a * c - b * d) / size, im = (-b * c - a * d) / size;
        subtract(x, n, f, re, -im);
    }
    return (int)found;
}

/* --- wave or steps? --------------------------------------------------------------------------
 */

/* Sum of squares that 1, cos and sin of period p leave of y; normal equations, three unknowns.
 */
static double left_by_wave(const double *y, size_t n, double p)
{
    double a[3][4] = {{0}}, all = 0, x = 1, z = 0, dx = cos(2 * M_PI / p),
           dz = sin(2 * M_PI / p);
    for (size_t i = 0; i < n; i++) {
        double v[3] = {1, x, z};
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++)
                a[r][c] += v[r] * v[c];
            a[r][3] += v[r] * y[i];
        }
        all += y[i] * y[i];
        double t = x * dx - z * dz;
        z = x * dz + z * dx;
        x = t;
    }
    double right[3] = {a[0][3], a[1][3], a[2][3]};
    for (int i = 0; i < 3; i++) { /* Gauss, Jordan; the matrix is positive definite */
        if (fabs(a[i][i]) < 1e-9)
            return INFINITY;
        for (int r = 0; r < 3; r++) {
            double f = a[r][i] / a[i][i];
            for (int c = i; c < 4 && r != i; c++)
                a[r][c] -= f * a[i][c];
        }
    }
    for (int i = 0; i < 3; i++)
        all -= a[i][3] / a[i][i] * right[i];
    return fmax(all, 0);
}

static double left_by_steps(const double *y, size_t n, const size_t *edges, size_t len)
{
    double left = 0;
    size_t lo = 0;
    for (size_t j = 0; j <= len; j++) {
        size_t hi = j < len ? edges[j] : n;
        double mean = summary_mean(y + lo, hi - lo);
        for (size_t i = lo; i < hi; i++)
            left += (y[i] - mean) * (y[i] - mean);
        lo = hi;
    }
    return left;
}

bool change_is_wave(const double *y, size_t n, const size_t *edges, size_t len)
{
    if (len == 0 || n > WAVE_SHORT_MAX)
        return false;
    double wave = INFINITY, points = (double)n, steps = left_by_steps(y, n, edges, len);
    for (double p = 5; p <= 36 && p <= points; p *= 1.05)
        wave = fmin(wave, left_by_wave(y, n, p));
    if (steps <= 0 || wave <= 0)
        return steps > 0;
    return points * log(wave) + 4 * log(points) <
           points * log(steps) + 2 * (double)len * log(points);
}
