/* SPDX-License-Identifier: MIT */
/*
 * The cost is draws * rounds * metrics multiply-adds per look; sign vectors are made on the
 * fly, and vector b has the same signs in its first rounds at every look.
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

/* Clipping at this many medians of |u|; chosen by power at 10 to 30 rounds, see tests/truth. */
#define SIGNFLIP_CLIP 2.0

/* Statistics are sums in a different order than the observed one; equal ones may differ by
 * this. */
#define SIGNFLIP_TIE 1e-9

struct scores {
    double *a; /* round * metrics + metric: u, clipped, over the norm of its metric */
    double *t; /* observed statistic of each metric */
};

static void scores_make(const struct signflip_plan *plan, size_t rounds, struct scores *out)
{
    AUTO(mem_freep) double *size = mem_alloc((rounds + 1) * sizeof *size);
    for (size_t m = 0; m < plan->metrics; m++) {
        const double *u = plan->u + m * plan->rounds;
        size_t n = 0;
        for (size_t i = 0; i < rounds; i++)
            if (!isnan(u[i]))
                size[n++] = fabs(u[i]);
        double clip = SIGNFLIP_CLIP * summary_median_inplace(size, n);
        double squares = 0, sum = 0;
        for (size_t i = 0; i < rounds; i++) {
            double a = isnan(u[i]) ? 0 : clip > 0 ? fmin(fabs(u[i]), clip) : fabs(u[i]);
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

/* Where the sign vectors come from: all of them, vector 0 being the data as they are, or random
 * ones. */
struct flips {
    bool exact;
    size_t count;
    struct rng rng;
    size_t rounds;
    double *sign; /* of the present vector, +1 or -1 */
};

static void flips_next(struct flips *f, size_t b)
{
    if (f->exact) {
        for (size_t i = 0; i < f->rounds; i++)
            f->sign[i] = (b >> i) & 1 ? -1 : 1;
        return;
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < f->rounds; i++) {
        if (i % 64 == 0)
            bits = rng_next(&f->rng);
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

static double largest_of(const double *t, size_t n)
{
    double largest = t[0];
    for (size_t m = 1; m < n; m++)
        largest = t[m] > largest ? t[m] : largest;
    return largest;
}

static struct flips flips_start(const struct signflip_plan *plan, size_t rounds, double *sign)
{
    struct flips f = {.exact = rounds <= SIGNFLIP_EXACT_ROUNDS, .rounds = rounds, .sign = sign};
    f.count = f.exact ? (size_t)1 << rounds : SIGNFLIP_DRAWS;
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
    /* With random vectors the observed one is added to both counts, so one less may be claimed.
     */
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

/* Would the vector whose signs are set have been claimed at a look before k? */
static bool claimed_before(const struct signflip_plan *plan, struct work *w, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (isinf(w->bounds[i]))
            continue;
        flipped(plan, &w->looks[i], plan->looks[i], w->sign, w->t);
        if (largest_of(w->t, plan->metrics) > w->bounds[i])
            return true;
    }
    return false;
}

/* Boundary of look k, given those before it. */
static double look_boundary(const struct signflip_plan *plan, struct work *w, size_t k)
{
    struct flips f = flips_start(plan, plan->looks[k], w->sign);
    AUTO(mem_freep) bool *claimed = mem_zero(f.count, sizeof *claimed);
    AUTO(mem_freep) double *largest = mem_alloc(f.count * sizeof *largest);
    for (size_t b = 0; b < f.count; b++) {
        flips_next(&f, b);
        claimed[b] = claimed_before(plan, w, k);
        flipped(plan, &w->looks[k], plan->looks[k], w->sign, w->t);
        largest[b] = largest_of(w->t, plan->metrics);
    }
    return boundary(largest, claimed, f.count, plan->spent[k]);
}

static void step_down_order(const double *t, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t j = i;
        for (; j > 0 && t[order[j - 1]] > t[i]; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
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

void signflip_family(const struct signflip_plan *plan, double *p, double *t)
{
    size_t n = plan->metrics, last = plan->looks_len - 1;
    if (n == 0)
        return;
    AUTO(work_done) struct work w;
    work_init(&w, plan);
    for (size_t k = 0; k < last; k++)
        w.bounds[k] = look_boundary(plan, &w, k);

    AUTO(mem_freep) size_t *order = mem_alloc(n * sizeof *order);
    AUTO(mem_freep) size_t *reached = mem_zero(n, sizeof *reached);
    double *observed = w.looks[last].t;
    for (size_t m = 0; m < n; m++)
        observed[m] = weakened(plan, m, observed[m]);
    step_down_order(observed, n, order); /* ascending */
    struct flips f = flips_start(plan, plan->rounds, w.sign);
    for (size_t b = 0; b < f.count; b++) {
        flips_next(&f, b);
        bool claimed = claimed_before(plan, &w, last);
        flipped(plan, &w.looks[last], plan->rounds, w.sign, w.t);
        double largest = -INFINITY;
        for (size_t i = 0; i < n; i++) { /* step-down: against itself and the weaker ones */
            size_t m = order[i];
            largest = w.t[m] > largest ? w.t[m] : largest;
            reached[m] += claimed || largest >= observed[m] - SIGNFLIP_TIE;
        }
    }
    double least = 0, extra = f.exact ? 0 : 1;
    for (size_t i = n; i-- > 0;) {
        size_t m = order[i];
        least = fmax(least, ((double)reached[m] + extra) / ((double)f.count + extra));
        p[m] = least;
        if (t)
            t[m] = observed[m];
    }
}
