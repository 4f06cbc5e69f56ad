/* SPDX-License-Identifier: MIT */
/*
 * The order of work on one history:
 *
 *   prepare    logs, minus the median; waves taken out (change_wave.c)
 *   calm       bursts that come back and spikes are pulled in (change_noise.c)
 *   search     optimal partition, penalty 3.5 kappa s^2 ln n per edge (Schwarz 1978; Yao 1988);
 *              noise and edges are estimated in turn, because each needs the other
 *   proof      weak edges and excursions go (change_verify.c); the newest points are watched
 *   describe   effect, interval, p, location interval, state
 *
 * The surprise: kappa. Benchmark noise is autocorrelated, and a method that takes it for white
 * finds steps everywhere. But a step that is not found yet looks like slow noise, too. The
 * first guess of kappa therefore comes from blocks of two, where a step hardly shows.
 */
#include "changepoint.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "change_parts.h"
#include "dist.h"
#include "explain.h"
#include "mem.h"
#include "summary.h"

enum {
    CLAIM_POINTS_MIN = 10,   /* below: nothing */
    CONFIRM_POINTS_MIN = 20, /* below: provisional only */
    CONFIRM_AFTER = 5,       /* points behind an edge that confirm it */
    ROUNDS_MAX = 6,          /* of noise and search */
    CLIP_HALF = 6,
    LOCATE_MAX = 150,
    RESIDUAL_WAVES_MAX = 200, /* up to here waves are looked for in residuals as well */
};
#define CLIP_REACH       2.0
#define PENALTY          3.5
#define LOCATE_COST      10.6 /* covers 99 % (likelihood-ratio set; Siegmund 1988) */
#define EXACT_SHARE      0.9  /* of equal neighbours: the metric has no noise */
#define EXACT_MIN_EFFECT 0.001

struct history {
    const double *values;
    size_t n;
    bool logs;
    double scale, shift; /* x = ln value - shift, or value / scale - shift */
    double *x, *y, *r;
    struct change_prefix sums;
    size_t *edges;
    size_t len;
    bool tail; /* the last edge comes from the tail watch */
    struct change_noise noise;
    double least;
};

const char *change_state_name(enum change_state state)
{
    return state == CHANGE_CONFIRMED ? "confirmed" : "provisional";
}

void change_list_done(struct change_list *list)
{
    free(list->edge);
    *list = (struct change_list){0};
}

static void history_done(struct history *h)
{
    free(h->x);
    free(h->edges);
}

static int history_init(struct history *h, const double *values, size_t n, double least,
                        struct err *e)
{
    *h = (struct history){.values = values, .n = n, .logs = true, .scale = 1, .least = least};
    if (n > CHANGE_POINTS_MAX)
        return err_set(e, ERR_LIMIT, "%zu points; at most %d", n, CHANGE_POINTS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return err_set(e, ERR_INPUT, "point %zu is not a finite number", i);
        h->logs = h->logs && values[i] > 0;
    }
    h->x = mem_alloc((5 * n + 8) * sizeof *h->x);
    h->y = h->x + n;
    h->r = h->y + n;
    h->sums.s1 = h->r + n;
    h->sums.s2 = h->sums.s1 + n + 1;
    h->edges = mem_alloc((n + 1) * sizeof *h->edges);
    return 0;
}

static void to_logs(struct history *h)
{
    if (!h->logs) {
        for (size_t i = 0; i < h->n; i++)
            h->x[i] = fabs(h->values[i]);
        double middle = summary_median_inplace(h->x, h->n);
        h->scale = middle > 0 ? middle : summary_mean(h->x, h->n);
        h->scale = h->scale > 0 ? h->scale : 1;
    }
    for (size_t i = 0; i < h->n; i++)
        h->x[i] = h->logs ? log(h->values[i]) : h->values[i] / h->scale;
    h->shift = summary_median(h->x, h->n);
    for (size_t i = 0; i < h->n; i++)
        h->x[i] -= h->shift;
}

static double raw_scale(const struct history *h)
{
    double s = change_difference_scale(h->x, h->n, NULL, 0, NULL);
    if (s > 0)
        return s;
    for (size_t i = 1; i < h->n; i++) /* most neighbours are equal */
        s += 0.9 * fabs(h->x[i] - h->x[i - 1]) / (double)(h->n - 1);
    return s;
}

static void residuals(struct history *h)
{
    size_t lo = 0;
    for (size_t j = 0; j <= h->len; j++) {
        size_t hi = j < h->len ? h->edges[j] : h->n;
        double mean = summary_mean(h->y + lo, hi - lo);
        for (size_t i = lo; i < hi; i++)
            h->r[i] = h->y[i] - mean;
        lo = hi;
    }
}

/* Noise and edges in turn until kappa settles. */
static void search(struct history *h)
{
    struct change_noise *noise = &h->noise;
    noise->white = fmax(change_difference_scale(h->y, h->n, NULL, 0, NULL), noise->raw / 2);
    double guess = change_kappa_guess(h->y, h->n, noise->white), last = INFINITY;
    h->len = 0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t count;
        residuals(h);
        double white = change_difference_scale(h->y, h->n, h->edges, h->len, &count);
        if (count >= 8 && white >= 0.3 * noise->raw)
            noise->white = white;
        change_long_run(h->r, h->n, h->edges, h->len, noise);
        if (round == 0)
            noise->kappa = fmin(noise->kappa, guess);
        bool settled = round > 1 && noise->kappa > 0.85 * last;
        if (settled || (round > 0 && h->len == 0)) {
            noise->kappa = fmin(noise->kappa, last);
            return;
        }
        last = noise->kappa;
        h->len = change_search(
            h->y, h->n,
            PENALTY * noise->kappa * noise->white * noise->white * log((double)h->n), h->edges);
    }
}

/* false when the history is constant. */
static bool calm_and_search(struct history *h)
{
    h->noise.raw = raw_scale(h);
    if (h->noise.raw <= 0)
        return false;
    if (change_mask_bursts(h->x, h->n, h->noise.raw)) {
        double again = change_difference_scale(h->x, h->n, NULL, 0, NULL);
        h->noise.raw = again > 0 ? again : h->noise.raw;
    }
    change_clip(h->x, h->n, CLIP_HALF, CLIP_REACH * h->noise.raw, h->y);
    search(h);
    return true;
}

static void prefix_sums(struct history *h)
{
    h->sums.s1[0] = h->sums.s2[0] = 0;
    for (size_t i = 0; i < h->n; i++) {
        h->sums.s1[i + 1] = h->sums.s1[i] + h->y[i];
        h->sums.s2[i + 1] = h->sums.s2[i] + h->y[i] * h->y[i];
    }
}

static struct change_view view_of(const struct history *h)
{
    return (struct change_view){
        .y = h->y, .n = h->n, .sums = h->sums, .noise = &h->noise, .least = h->least};
}

static void find_edges(struct history *h)
{
    to_logs(h);
    (void)change_remove_waves(h->x, h->n, NULL);
    if (!calm_and_search(h))
        return;
    if (h->n <= RESIDUAL_WAVES_MAX && h->len > 0) {
        residuals(h);
        if (change_remove_waves(h->x, h->n, h->r) > 0 && !calm_and_search(h))
            return;
    }
    prefix_sums(h);
    struct change_view v = view_of(h);
    h->len = change_verify(&v, h->edges, h->len);
    h->len = change_drop_excursions(h->y, h->n, h->edges, h->len);
    if (change_is_wave(h->y, h->n, h->edges, h->len))
        h->len = 0;
    size_t before = h->len;
    h->len = change_watch_tail(h->x, h->n, &h->noise, h->least, h->edges, h->len);
    h->tail = h->len > before;
    if (h->tail) { /* the newest points were clipped to the level they left */
        for (size_t i = h->edges[h->len - 1]; i < h->n; i++)
            h->y[i] = h->x[i];
        prefix_sums(h);
    }
}

/* --- description -----------------------------------------------------------------------------
 */

/* Chance that the largest standardised step anywhere in a flat white history of n points
 * reaches z: z phi(z) ((1 - 1/z^2) ln((1-h)^2 / h^2) + 4 / z^2), h the shortest piece (James,
 * James, Siegmund 1987). */
static double anywhere(double z, size_t n)
{
    double h = fmin(0.25, CHANGE_LENGTH_MIN / (double)n), range = 2 * log((1 - h) / h);
    double density = exp(-z * z / 2) / sqrt(2 * M_PI);
    return fmin(1, z * density * ((1 - 1 / (z * z)) * range + 4 / (z * z)));
}

/* Quantile .995 of Student's t (Cornish-Fisher expansion; Abramowitz, Stegun 26.7.5). */
static double t_995(double f)
{
    double z = 2.575829;
    return z + (z * z * z + z) / (4 * f) +
           (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * f * f);
}

static double to_value(const struct history *h, double x)
{
    return h->logs ? exp(x + h->shift) : (x + h->shift) * h->scale;
}

static double to_effect(const struct history *h, double before, double step)
{
    if (h->logs)
        return expm1(step);
    double level = fabs(before + h->shift);
    return level > 0 ? step / level : step;
}

static double mean_of(const struct history *h, size_t from, size_t to)
{
    return (h->sums.s1[to] - h->sums.s1[from]) / (double)(to - from);
}

static void locate(const struct history *h, size_t a, size_t b, double variance,
                   struct change_edge *edge)
{
    size_t t = edge->index, from = t - a > LOCATE_MAX ? t - LOCATE_MAX : a;
    size_t to = b - t > LOCATE_MAX ? t + LOCATE_MAX : b;
    double best = 0;
    edge->loc_lo = edge->loc_hi = t;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = from + 1; k < to; k++) {
            double l = (double)(k - from), r = (double)(to - k);
            double step = mean_of(h, from, k) - mean_of(h, k, to);
            double gain = step * step * l * r / (l + r);
            if (pass == 0) {
                best = fmax(best, gain);
            } else if (best - gain <= LOCATE_COST * variance) {
                edge->loc_lo = k < edge->loc_lo ? k : edge->loc_lo;
                edge->loc_hi = k > edge->loc_hi ? k : edge->loc_hi;
            }
        }
}

static void describe(const struct history *h, size_t i, struct change_edge *edge)
{
    struct change_view v = view_of(h);
    struct change_evidence ev;
    change_weigh(&v, h->edges, h->len, i, &ev);
    size_t t = h->edges[i], a = i ? h->edges[i - 1] : 0;
    size_t b = i + 1 < h->len ? h->edges[i + 1] : h->n;
    double l = fmin((double)(t - a), LOCATE_MAX), r = fmin((double)(b - t), LOCATE_MAX);
    size_t near_a = t - a > LOCATE_MAX ? t - LOCATE_MAX : a;
    size_t near_b = b - t > LOCATE_MAX ? t + LOCATE_MAX : b;
    double before = mean_of(h, near_a, t), reach = t_995(ev.freedom) * ev.se;
    *edge = (struct change_edge){.index = t,
                                 .z = ev.z,
                                 .p = anywhere(ev.z, h->n),
                                 .before = to_value(h, before),
                                 .after = to_value(h, mean_of(h, t, near_b)),
                                 .effect = to_effect(h, before, ev.step),
                                 .lo = to_effect(h, before, ev.step - reach),
                                 .hi = to_effect(h, before, ev.step + reach)};
    locate(h, a, b, ev.se * ev.se / (1 / l + 1 / r), edge);
    bool settled = h->n - t >= CONFIRM_AFTER && h->n >= CONFIRM_POINTS_MIN;
    if (settled && !(h->tail && i + 1 == h->len))
        edge->state = CHANGE_CONFIRMED;
}

/* --- metrics without noise -------------------------------------------------------------------
 */

static bool is_exact(const double *values, size_t n)
{
    size_t equal = 0;
    for (size_t i = 1; i < n; i++)
        equal += values[i] == values[i - 1];
    return n > 1 && (double)equal > EXACT_SHARE * (double)(n - 1);
}

static double relative(double from, double to)
{
    return from != 0 ? (to - from) / fabs(from) : to == 0 ? 0 : copysign(1, to);
}

/* Any change of at least the minimum that two points in a row show. */
static void find_exact(const double *values, size_t n, double least, struct change_list *out)
{
    out->edge = mem_alloc((n + 1) * sizeof *out->edge);
    double level = n ? values[0] : 0;
    for (size_t i = 1; i + 1 < n; i++) {
        double now = relative(level, values[i]), next = relative(level, values[i + 1]);
        bool together = now * next > 0 && fabs(next) >= least;
        if (fabs(now) < least || !together)
            continue;
        out->edge[out->len++] =
            (struct change_edge){.index = i,
                                 .effect = now,
                                 .lo = now,
                                 .hi = now,
                                 .z = INFINITY,
                                 .loc_lo = i,
                                 .loc_hi = i,
                                 .before = level,
                                 .after = values[i],
                                 .state = i + 2 < n ? CHANGE_CONFIRMED : CHANGE_PROVISIONAL};
        level = values[i];
    }
}

/* --- public ----------------------------------------------------------------------------------
 */

int change_find(const double *values, size_t n, const struct change_options *options,
                struct change_list *out, struct err *e)
{
    AUTO(history_done) struct history h;
    double least = options->min_effect > 0 ? options->min_effect : CHANGE_MIN_EFFECT;
    if (history_init(&h, values, n, log1p(least), e) < 0)
        return -1;
    *out = (struct change_list){.kappa = 1};
    if (options->deterministic || (is_exact(values, n) && n >= CLAIM_POINTS_MIN)) {
        find_exact(values, n, options->min_effect > 0 ? least : EXACT_MIN_EFFECT, out);
        return 0;
    }
    if (n < CLAIM_POINTS_MIN)
        return 0;
    find_edges(&h);
    out->noise = h.noise.white;
    out->kappa = h.noise.kappa > 0 ? h.noise.kappa : 1;
    out->edge = mem_alloc((h.len + 1) * sizeof *out->edge);
    for (; out->len < h.len; out->len++)
        describe(&h, out->len, &out->edge[out->len]);
    return 0;
}

bool change_tail_departs(const double *values, size_t n, size_t *departed)
{
    enum { BEFORE_MIN = 12, BEFORE_MAX = 100 };
    for (size_t k = 1; k <= 4 && n >= k + BEFORE_MIN; k++) {
        size_t from = n - k > BEFORE_MAX ? n - k - BEFORE_MAX : 0, m = n - k - from;
        double middle = summary_median(values + from, m), sum = 0;
        double scale = summary_mad(values + from, m, middle);
        bool up = values[n - 1] > middle, together = true;
        for (size_t i = n - k; i < n; i++) {
            together = together && (values[i] > middle) == up;
            sum += values[i] - middle;
        }
        double se = scale * sqrt(1 / (double)k + 1.57 / (double)m);
        if (together && se > 0 && fabs(sum) / (double)k >= (k == 1 ? 5 : 4.5) * se) {
            *departed = n - k;
            return true;
        }
    }
    return false;
}

void change_why(const struct change_edge *edge, char out[CHANGE_WHY_MAX])
{
    char a[EXPLAIN_NUMBER], b[EXPLAIN_NUMBER], c[EXPLAIN_NUMBER], p[EXPLAIN_NUMBER];
    out[0] = '\0';
    explain_add(
        out, CHANGE_WHY_MAX,
        "%s: the level %s by %s at point %zu (between %zu and %zu; 99 %% interval %s to %s)",
        change_state_name(edge->state), edge->effect > 0 ? "rose" : "fell",
        explain_percent(a, fabs(edge->effect), 0), edge->index, edge->loc_lo, edge->loc_hi,
        explain_percent(b, edge->lo, 1), explain_percent(c, edge->hi, 1));
    if (isfinite(edge->z))
        explain_add(out, CHANGE_WHY_MAX, ", %s standard errors, p %s", explain_real(b, edge->z),
                    edge->p < 1e-6 ? "below 0.000001" : explain_real(p, edge->p));
}
