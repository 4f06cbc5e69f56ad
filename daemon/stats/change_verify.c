/* SPDX-License-Identifier: MIT */
/*
 * Proof of edges. The search proposes; an edge stays when its step is large against the
 * long-run noise beside it. Bottom-up (Keogh et al. 2001; Fryzlewicz 2018): the weakest goes
 * first and its neighbours, now with longer levels, are weighed again.
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
    LEVEL_POINTS_MAX = 150, /* of a level that weigh; far ones may be another story */
    LOCAL_POINTS = 50,      /* around an edge, for the local scale */
    MOVE_MAX = 30,          /* how far an edge may move to its best split */
    LEVEL_POINTS_MIN = 3,
};
#define PRIOR_POINTS  4.0 /* pseudo-observations of the common scale (Smyth 2004) */
#define SHARP_FREEDOM 30.0
#define SHARP_EXTRA   3.0 /* what a step between short windows must have more */

double change_threshold(size_t n)
{
    return 4.15 + 32 / (double)n;
}

struct level {
    double mean, squares, n;
};

static struct level level_of(const struct change_view *v, size_t from, size_t to)
{
    struct level l = {.n = (double)(to - from)};
    double sum = v->sums.s1[to] - v->sums.s1[from];
    l.mean = sum / l.n;
    l.squares = fmax(0, v->sums.s2[to] - v->sums.s2[from] - sum * l.mean);
    return l;
}

/* Student's t as a normal deviate of about the same tail (Wallace 1959). */
static double normal_of(double t, double freedom)
{
    return (8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log1p(t * t / freedom));
}

static double local_scale(const struct change_view *v, size_t at)
{
    size_t half = LOCAL_POINTS / 2, lo = at > half ? at - half : 0;
    size_t hi = at + half < v->n ? at + half : v->n, edge = at - lo;
    double g = change_difference_scale(v->y + lo, hi - lo, &edge, 1, NULL);
    return fmax(g, v->noise->white);
}

/* Variance of one point of a level: half from its own scatter, half from its differences, each
 * shrunk to the common scale g. */
static double variance_of(const struct change_view *v, size_t from, size_t to, struct level l,
                          double g)
{
    double own = (l.squares + PRIOR_POINTS * g * g) / (l.n - 1 + PRIOR_POINTS), d = g;
    if (to - from >= 12) {
        double s = change_difference_scale(v->y + from, to - from, NULL, 0, NULL);
        double n = (double)(to - from);
        d = sqrt((s * s * n + PRIOR_POINTS * g * g) / (n + PRIOR_POINTS));
    }
    return 0.5 * (own + d * d);
}

/* The sharpest view of the edge: short windows, with the variance that block means of that
 * length really have. A drifting history has a large kappa, but its jumps are sharp. */
static double sharpness(const struct change_view *v, size_t a, size_t t, size_t b, double g)
{
    double best = 0;
    for (size_t k = 2; k < CHANGE_ALLAN; k++) {
        size_t w = (size_t)1 << k, from = t - a > w ? t - w : a, to = b - t > w ? t + w : b;
        if (t - from < 4 || to - t < 4)
            continue;
        struct level l = level_of(v, from, t), r = level_of(v, t, to);
        double step = fabs(l.mean - r.mean), allan = v->noise->allan[k];
        double se = g * sqrt((allan < 1.3 ? 1 : allan) * (1 / l.n + 1 / r.n));
        if (step > v->least)
            best = fmax(best, normal_of(step / se, SHARP_FREEDOM) - SHARP_EXTRA);
    }
    return best;
}

void change_weigh(const struct change_view *v, const size_t *edges, size_t len, size_t i,
                  struct change_evidence *out)
{
    size_t t = edges[i], a = i ? edges[i - 1] : 0, b = i + 1 < len ? edges[i + 1] : v->n;
    a = t - a > LEVEL_POINTS_MAX ? t - LEVEL_POINTS_MAX : a;
    b = b - t > LEVEL_POINTS_MAX ? t + LEVEL_POINTS_MAX : b;
    struct level l = level_of(v, a, t), r = level_of(v, t, b);
    double g = local_scale(v, t);
    size_t near_a = t - a > LOCAL_POINTS ? t - LOCAL_POINTS : a;
    size_t near_b = b - t > LOCAL_POINTS ? t + LOCAL_POINTS : b;
    double left = variance_of(v, near_a, t, l, g) / l.n;
    double right = variance_of(v, t, near_b, r, g) / r.n;
    /* Degrees of freedom of the sum (Welch 1947), pseudo-observations included. */
    out->freedom =
        (left + right) * (left + right) /
        (left * left / (l.n - 1 + PRIOR_POINTS) + right * right / (r.n - 1 + PRIOR_POINTS));
    out->step = r.mean - l.mean;
    out->se = sqrt(v->noise->kappa * (left + right));
    out->z = normal_of(fabs(out->step) / out->se, out->freedom);
    out->z = fmax(out->z, sharpness(v, a, t, b, g));
}

static double strength(const struct change_view *v, const size_t *edges, size_t len, size_t i)
{
    struct change_evidence e;
    change_weigh(v, edges, len, i, &e);
    return fmin(e.z / change_threshold(v->n), fabs(e.step) / v->least);
}

static size_t prune(const struct change_view *v, size_t *edges, size_t len)
{
    AUTO(mem_freep) double *keep = mem_alloc((len + 1) * sizeof *keep);
    for (size_t i = 0; i < len; i++)
        keep[i] = strength(v, edges, len, i);
    while (len > 0) {
        size_t worst = 0;
        for (size_t i = 1; i < len; i++)
            if (keep[i] < keep[worst])
                worst = i;
        if (keep[worst] >= 1)
            break;
        len--;
        memmove(edges + worst, edges + worst + 1, (len - worst) * sizeof *edges);
        memmove(keep + worst, keep + worst + 1, (len - worst) * sizeof *keep);
        if (worst > 0)
            keep[worst - 1] = strength(v, edges, len, worst - 1);
        if (worst < len)
            keep[worst] = strength(v, edges, len, worst);
    }
    return len;
}

/* Least-squares split of [a, b) near t. */
static size_t best_split(const struct change_view *v, size_t a, size_t t, size_t b)
{
    size_t from = t > a + MOVE_MAX ? t - MOVE_MAX : a, to = t + MOVE_MAX < b ? t + MOVE_MAX : b;
    double best = -1;
    size_t at = t;
    for (size_t k = from + 1; k < to; k++) {
        if (k < a + LEVEL_POINTS_MIN || k + LEVEL_POINTS_MIN > b)
            continue;
        struct level l = level_of(v, a, k), r = level_of(v, k, b);
        double gain = (l.mean - r.mean) * (l.mean - r.mean) * l.n * r.n / (l.n + r.n);
        if (gain > best) {
            best = gain;
            at = k;
        }
    }
    return at;
}

size_t change_verify(const struct change_view *v, size_t *edges, size_t len)
{
    for (int pass = 0; pass < 2; pass++) {
        len = prune(v, edges, len);
        for (size_t i = 0; i < len; i++)
            edges[i] = best_split(v, i ? edges[i - 1] : 0, edges[i],
                                  i + 1 < len ? edges[i + 1] : v->n);
    }
    return len;
}

/* --- excursions and the tail -----------------------------------------------------------------
 */

/* Is what lies between edges i and j a way out and back? Both levels around it must be longer.
 */
static bool is_excursion(const double *y, size_t n, const size_t *edges, size_t len, size_t i,
                         size_t j)
{
    size_t a = i ? edges[i - 1] : 0, b = j + 1 < len ? edges[j + 1] : n;
    size_t inside = edges[j] - edges[i];
    if (edges[i] - a < inside || b - edges[j] < inside)
        return false;
    size_t before = edges[i] - a > 30 ? 30 : edges[i] - a;
    size_t after = b - edges[j] > 30 ? 30 : b - edges[j];
    double left = summary_median(y + edges[i] - before, before);
    double right = summary_median(y + edges[j], after), depth = 0;
    for (size_t k = i; k < j; k++) {
        double middle = summary_median(y + edges[k], edges[k + 1] - edges[k]);
        depth = fmax(depth, fabs(middle - 0.5 * (left + right)));
    }
    return fabs(left - right) < CHANGE_RETURN * depth;
}

size_t change_drop_excursions(const double *y, size_t n, size_t *edges, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t j = i;
        while (j + 1 < len && edges[j + 1] - edges[i] <= CHANGE_EXCURSION_MAX)
            j++;
        while (j > i && !is_excursion(y, n, edges, len, i, j))
            j--;
        if (j == i) {
            i++;
            continue;
        }
        memmove(edges + i, edges + j + 1, (len - j - 1) * sizeof *edges);
        len -= j - i + 1;
        i = i > 2 ? i - 2 : 0;
    }
    return len;
}

struct tail {
    double mean, least; /* of the last k deviations, all on one side */
    double past_mean;   /* largest |mean| of k neighbours before */
    double past_least;  /* largest common deviation of k neighbours before */
};

/* false when the last k points do not lie on one side. 'd' are clipped deviations of the m
 * points before them. */
static bool tail_of(const double *x, size_t n, size_t k, double middle, const double *d,
                    size_t m, struct tail *out)
{
    *out = (struct tail){.least = INFINITY};
    bool up = x[n - 1] > middle;
    for (size_t i = n - k; i < n; i++) {
        if ((x[i] > middle) != up)
            return false;
        out->mean += fabs(x[i] - middle) / (double)k;
        out->least = fmin(out->least, fabs(x[i] - middle));
    }
    for (size_t i = 0; i + k <= m; i++) {
        double sum = 0, above = INFINITY, below = INFINITY;
        for (size_t j = i; j < i + k; j++) {
            sum += d[j];
            above = fmin(above, d[j]);
            below = fmin(below, -d[j]);
        }
        out->past_mean = fmax(out->past_mean, fabs(sum) / (double)k);
        out->past_least = fmax(out->past_least, fmax(above, below));
    }
    return true;
}

/* The first of the points around 'at' that lie nearer to the new level than to the one before:
 * the shortest stretch that convinces need not be all of it. */
static size_t first_departed(const double *x, size_t at, size_t from, double middle,
                             double mean)
{
    double side = x[at] > middle ? 1 : -1;
    while (at > from + 1 && side * (x[at - 1] - middle) > mean / 2)
        at--;
    return at;
}

/* The search cannot place an edge in the last 4 points, and proof takes more. Here the last k
 * points are held against every k neighbours of the level before: whatever the noise is like,
 * skewed or slow, it has shown what k neighbours can do. */
size_t change_watch_tail(const double *x, size_t n, const struct change_noise *noise,
                         double least, size_t *edges, size_t len)
{
    enum { FROM = 3, UPTO = 6, BEFORE_MIN = 15, BEFORE_MAX = 100 };
    double d[BEFORE_MAX];
    size_t level = len ? edges[len - 1] : 0;
    for (size_t k = FROM; k <= UPTO && n >= level + k + BEFORE_MIN; k++) {
        size_t from = n - k > level + BEFORE_MAX ? n - k - BEFORE_MAX : level, m = n - k - from;
        double middle = summary_median(x + from, m), scale = summary_mad(x + from, m, middle);
        scale = scale > 0 ? scale : noise->white;
        for (size_t i = 0; i < m; i++)
            d[i] = fmax(-6 * scale, fmin(6 * scale, x[from + i] - middle));
        struct tail t;
        if (!tail_of(x, n, k, middle, d, m, &t))
            continue;
        double factor = 2.3 + (m < 56 ? (56 - (double)m) / 30 : 0);
        double se = scale * sqrt(1 / (double)k + 1.57 / (double)m); /* 1.57: of the median */
        if (t.mean > factor * t.past_mean && t.least > 0.8 * factor * t.past_least &&
            t.least > 0.4 * t.mean && t.mean > least && t.mean > 4 * se) {
            edges[len] = first_departed(x, n - k, from, middle, t.mean);
            return len + 1;
        }
    }
    return len;
}
