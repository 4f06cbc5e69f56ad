/* SPDX-License-Identifier: MIT */
/*
 * The cost is vectors * rounds * metrics multiply-adds per look; sign vectors are made on the
 * fly, and vector b has the same signs in its first rounds at every look. Each vector stands
 * for its mirror image too, whose statistics are the same with the other sign.
 */
#include "signflip.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"
#include "rng.h"
#include "summary.h"

/* Corners of the score in spreads of |u| above its median; chosen by power at 10 to 30 rounds
 * over Gaussian, heavy-tailed, skewed and two-moded noise. */
#define SIGNFLIP_FLAT 2.5  /* from here on a value counts as much as at this corner */
#define SIGNFLIP_FALL 5.0  /* from here on it counts less */
#define SIGNFLIP_NONE 7.5  /* from here on only its sign matters */
#define SIGNFLIP_LAST 0.01 /* of a full score: eight rounds that agree keep p = 1/256 */
#define SIGNFLIP_CLIP 2.0  /* medians; when most |u| are equal, so that there is no spread */

/* Statistics are sums in a different order than the observed one; equal ones may differ by
 * this. */
#define SIGNFLIP_TIE 1e-9

struct scores {
    double *a; /* round * metrics + metric: u, clipped, over the norm of its metric */
    double *t; /* observed statistic of each metric */
};

/* Three-part descending score (Hampel 1974) of one |u|. */
static double score(double size, double median, double spread)
{
    if (spread <= 0)
        return median > 0 ? fmin(size, SIGNFLIP_CLIP * median) : size;
    double flat = median + SIGNFLIP_FLAT * spread, x = (size - median) / spread;
    double left = (SIGNFLIP_NONE - x) / (SIGNFLIP_NONE - SIGNFLIP_FALL);
    return fmin(size, flat) * fmin(1, fmax(SIGNFLIP_LAST, left));
}

static void scores_make(const struct signflip_plan *plan, size_t rounds, struct scores *out)
{
    AUTO(mem_freep) double *size = mem_alloc((rounds + 1) * sizeof *size);
    for (size_t m = 0; m < plan->metrics; m++) {
        const double *u = plan->u + m * plan->rounds;
        size_t n = 0;
        for (size_t i = 0; i < rounds; i++)
            if (!isnan(u[i]))
                size[n++] = fabs(u[i]);
        double median = summary_median_inplace(size, n), spread = summary_mad(size, n, median);
        double squares = 0, sum = 0;
        for (size_t i = 0; i < rounds; i++) {
            double a = isnan(u[i]) ? 0 : score(fabs(u[i]), median, spread);
            a = u[i] < 0 ? -a : a;
            out->a[i * plan->metrics + m] = a;
            squares += a * a;
            sum += a;
        }
        double norm = squares > 0 ? 1 / sqrt(squares) : 0;
        for (size_t i = 0; i < rounds; i++)
            out->a[i * plan->metrics + m] *= norm;
        out->t[m] = sum * norm;
    }
}

/* Where the sign vectors come from: half of all of them, or random ones; vector 0 is the data
 * as they are. The mirror images are the other half. */
struct flips {
    bool exact;
    size_t count;
    struct rng rng;
    size_t rounds;
    double *sign; /* of the present vector, +1 or -1 */
};

static void flips_next(struct flips *f, size_t b)
{
    uint64_t bits = b;
    for (size_t i = 0; i < f->rounds; i++) {
        if (!f->exact && i % 64 == 0)
            bits = b ? rng_next(&f->rng) : 0;
        f->sign[i] = bits & 1 ? -1 : 1;
        bits >>= 1;
    }
}

/* Statistics of all metrics under the present signs. */
static void flipped(const struct signflip_plan *plan, const struct scores *scores,
                    size_t rounds, const double *sign, double *out)
{
    size_t metrics = plan->metrics;
    memset(out, 0, metrics * sizeof *out);
    for (size_t i = 0; i < rounds; i++) {
        const double *a = scores->a + i * metrics;
        double s = sign[i];
        for (size_t m = 0; m < metrics; m++)
            out[m] += s * a[m];
    }
}

/* The largest statistic of a vector, and of its mirror image. */
struct extremes {
    double own, mirror;
};

static struct extremes extremes_of(const double *t, size_t n)
{
    struct extremes x = {t[0], -t[0]};
    for (size_t m = 1; m < n; m++) {
        x.own = t[m] > x.own ? t[m] : x.own;
        x.mirror = -t[m] > x.mirror ? -t[m] : x.mirror;
    }
    return x;
}

static struct flips flips_start(const struct signflip_plan *plan, size_t rounds, double *sign)
{
    struct flips f = {.exact = rounds <= SIGNFLIP_EXACT_ROUNDS, .rounds = rounds, .sign = sign};
    f.count = f.exact && rounds ? (size_t)1 << (rounds - 1) : SIGNFLIP_DRAWS;
    rng_init(&f.rng, plan->seed);
    return f;
}

/* Boundary of one look: the smallest statistic whose claim keeps what is spent within the plan.
 */
static double boundary(double *largest, const bool *claimed, size_t count, double spent)
{
    size_t before = 0, free = 0;
    for (size_t b = 0; b < count; b++) {
        before += claimed[b];
        if (!claimed[b])
            largest[free++] = largest[b];
    }
    double allowed = floor(spent * (double)count * (1 + 1e-9)) - (double)before;
    summary_sort(largest, free);
    if (allowed < 1 || free == 0)
        return INFINITY;
    size_t take = (size_t)fmin(allowed, (double)free);
    if (take == free)
        return largest[0] - SIGNFLIP_TIE;
    /* Values equal to the first one left out must stay out. */
    return largest[free - take - 1] + SIGNFLIP_TIE;
}

/* Working memory of one call. */
struct work {
    struct scores looks[SIGNFLIP_LOOKS_MAX];
    double bounds[SIGNFLIP_LOOKS_MAX];
    double *room, *sign, *t;
};

struct claimed {
    bool own, mirror;
};

/* Would the vector whose signs are set have been claimed at a look before k? */
static struct claimed claimed_before(const struct signflip_plan *plan, struct work *w, size_t k)
{
    struct claimed c = {0};
    for (size_t i = 0; i < k && !(c.own && c.mirror); i++) {
        if (isinf(w->bounds[i]))
            continue;
        flipped(plan, &w->looks[i], plan->looks[i], w->sign, w->t);
        struct extremes x = extremes_of(w->t, plan->metrics);
        c.own = c.own || x.own > w->bounds[i];
        c.mirror = c.mirror || x.mirror > w->bounds[i];
    }
    return c;
}

/* Boundary of look k, given those before it. */
static double look_boundary(const struct signflip_plan *plan, struct work *w, size_t k)
{
    struct flips f = flips_start(plan, plan->looks[k], w->sign);
    AUTO(mem_freep) bool *claimed = mem_zero(2 * f.count, sizeof *claimed);
    AUTO(mem_freep) double *largest = mem_alloc(2 * f.count * sizeof *largest);
    for (size_t b = 0; b < f.count; b++) {
        flips_next(&f, b);
        struct claimed c = claimed_before(plan, w, k);
        flipped(plan, &w->looks[k], plan->looks[k], w->sign, w->t);
        struct extremes x = extremes_of(w->t, plan->metrics);
        claimed[2 * b] = c.own;
        claimed[2 * b + 1] = c.mirror;
        largest[2 * b] = x.own;
        largest[2 * b + 1] = x.mirror;
    }
    return boundary(largest, claimed, 2 * f.count, plan->spent[k]);
}

/* Observed statistic as it would be if a mean varied 'inflation' times as much: through
 * Student's t, because S itself cannot pass sqrt(n) however clear a change is. */
static double weakened(const struct signflip_plan *plan, size_t m, double s)
{
    double n = 0;
    for (size_t i = 0; i < plan->rounds; i++)
        n += !isnan(plan->u[m * plan->rounds + i]);
    if (plan->inflation <= 1 || n < 2)
        return s;
    double rest = n - s * s;
    if (rest <= 1e-12 * n)
        return s;
    double t = s * sqrt((n - 1) / rest) / sqrt(plan->inflation);
    return t * sqrt(n / (n - 1 + t * t));
}

static void work_done(struct work *w)
{
    free(w->room);
}

static void work_init(struct work *w, const struct signflip_plan *plan)
{
    size_t n = plan->metrics, each = n * (plan->rounds + 1);
    w->room = mem_zero(plan->looks_len * each + n + plan->rounds + 1, sizeof *w->room);
    w->t = w->room + plan->looks_len * each;
    w->sign = w->t + n;
    for (size_t k = 0; k < plan->looks_len; k++) {
        w->looks[k].a = w->room + k * each;
        w->looks[k].t = w->looks[k].a + n * plan->rounds;
        scores_make(plan, plan->looks[k], &w->looks[k]);
    }
}

/* --- p of one direction --------------------------------------------------------------------
 */

struct side {
    double *seen;    /* observed statistics in that direction */
    size_t *order;   /* metrics by it, ascending */
    size_t *reached; /* vectors in which chance does as much, by metric */
};

static void side_init(struct side *s, double sign, const double *observed, size_t n)
{
    *s = (struct side){mem_alloc(n * sizeof *s->seen), mem_alloc(n * sizeof *s->order),
                       mem_zero(n, sizeof *s->reached)};
    for (size_t i = 0; i < n; i++) {
        s->seen[i] = sign * observed[i];
        size_t j = i;
        for (; j > 0 && s->seen[s->order[j - 1]] > s->seen[i]; j--)
            s->order[j] = s->order[j - 1];
        s->order[j] = i;
    }
}

static void side_done(struct side *s)
{
    free(s->seen);
    free(s->order);
    free(s->reached);
}

/* One vector: step-down, each metric against itself and the weaker ones. */
static void side_count(struct side *s, const double *t, double sign, bool claimed, size_t n)
{
    double largest = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        size_t m = s->order[i];
        largest = sign * t[m] > largest ? sign * t[m] : largest;
        s->reached[m] += claimed || largest >= s->seen[m] - SIGNFLIP_TIE;
    }
}

static void side_p(const struct side *s, size_t n, size_t vectors, double *p)
{
    double least = 0;
    for (size_t i = n; i-- > 0;) {
        size_t m = s->order[i];
        least = fmax(least, (double)s->reached[m] / (double)vectors);
        p[m] = least;
    }
}

void signflip_family(const struct signflip_plan *plan, double *above, double *below)
{
    size_t n = plan->metrics, last = plan->looks_len - 1;
    if (n == 0)
        return;
    AUTO(work_done) struct work w;
    AUTO(side_done) struct side up, down;
    work_init(&w, plan);
    for (size_t k = 0; k < last; k++)
        w.bounds[k] = look_boundary(plan, &w, k);
    double *observed = w.looks[last].t;
    for (size_t m = 0; m < n; m++)
        observed[m] = weakened(plan, m, observed[m]);
    side_init(&up, 1, observed, n);
    side_init(&down, -1, observed, n);
    struct flips f = flips_start(plan, plan->rounds, w.sign);
    for (size_t b = 0; b < f.count; b++) {
        flips_next(&f, b);
        struct claimed c = claimed_before(plan, &w, last);
        flipped(plan, &w.looks[last], plan->rounds, w.sign, w.t);
        /* The vectors are closed under mirroring, so both directions see the same ones. */
        side_count(&up, w.t, 1, c.own, n);
        side_count(&up, w.t, -1, c.mirror, n);
        if (!below)
            continue;
        side_count(&down, w.t, 1, c.own, n);
        side_count(&down, w.t, -1, c.mirror, n);
    }
    side_p(&up, n, 2 * f.count, above);
    if (below)
        side_p(&down, n, 2 * f.count, below);
}
