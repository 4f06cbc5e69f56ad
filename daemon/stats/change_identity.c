/* SPDX-License-Identifier: MIT */
/*
 * A recomputed history must not raise old alerts again, nor drop one silently. Pairs are made
 * nearest first, so the answer does not depend on the order of the lists.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "changepoint.h"
#include "explain.h"
#include "mem.h"
#include "summary.h"

enum { SAME_WITHIN = 5, LEVEL_POINTS = 30 };

static size_t apart(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

static bool may_be_same(const struct change_edge *a, const struct change_edge *b)
{
    if ((a->effect > 0) != (b->effect > 0))
        return false;
    bool inside = b->index >= a->loc_lo && b->index <= a->loc_hi;
    return inside || apart(a->index, b->index) <= SAME_WITHIN;
}

/* What the values say now at an edge that is gone: the step between the two sides. */
static double step_now(const struct change_edge *edge, const double *values, size_t n)
{
    size_t t = edge->index < n ? edge->index : n;
    size_t before = t < LEVEL_POINTS ? t : LEVEL_POINTS;
    size_t after = n - t < LEVEL_POINTS ? n - t : LEVEL_POINTS;
    if (before == 0 || after == 0)
        return 0;
    double left = summary_median(values + t - before, before);
    double right = summary_median(values + t, after);
    return left != 0 ? (right - left) / fabs(left) : right - left;
}

static void explain_retraction(struct change_match *m, const struct change_edge *edge,
                               const struct change_edge *now, size_t now_len,
                               const double *values, size_t n)
{
    char a[EXPLAIN_NUMBER], b[EXPLAIN_NUMBER];
    double step = step_now(edge, values, n);
    explain_add(m->why, sizeof m->why, "retracted: %s at point %zu; ",
                explain_percent(a, edge->effect, 1), edge->index);
    for (size_t i = 0; i < now_len; i++)
        if (apart(now[i].index, edge->index) <= 3 * SAME_WITHIN) {
            explain_add(m->why, sizeof m->why,
                        "with the newer points the change is %s at point %zu",
                        explain_percent(b, now[i].effect, 1), now[i].index);
            return;
        }
    bool back = fabs(step) < 0.5 * fabs(edge->effect) || (step > 0) != (edge->effect > 0);
    explain_add(m->why, sizeof m->why,
                back ? "the level went back: the sides now differ by %s"
                     : "the sides still differ by %s, but the noise is larger than was thought",
                explain_percent(b, step, 1));
}

size_t change_reconcile(const struct change_edge *before, size_t before_len,
                        const struct change_edge *now, size_t now_len, const double *values,
                        size_t n, struct change_match *out)
{
    AUTO(mem_freep) size_t *partner = mem_alloc((before_len + 1) * sizeof *partner);
    AUTO(mem_freep) bool *taken = mem_zero(now_len + 1, sizeof *taken);
    for (size_t i = 0; i < before_len; i++)
        partner[i] = SIZE_MAX;
    for (;;) { /* lists are short: tens of edges in years of history */
        size_t best = SIZE_MAX, bi = 0, bj = 0;
        for (size_t i = 0; i < before_len; i++)
            for (size_t j = 0; j < now_len && partner[i] == SIZE_MAX; j++)
                if (!taken[j] && may_be_same(&before[i], &now[j]) &&
                    apart(before[i].index, now[j].index) < best) {
                    best = apart(before[i].index, now[j].index);
                    bi = i;
                    bj = j;
                }
        if (best == SIZE_MAX)
            break;
        partner[bi] = bj;
        taken[bj] = true;
    }
    size_t len = 0;
    for (size_t i = 0; i < before_len; i++) {
        struct change_match *m = &out[len++];
        *m = (struct change_match){.before = i, .now = partner[i]};
        if (partner[i] != SIZE_MAX) {
            m->fate = CHANGE_KEPT;
            change_why(&now[partner[i]], m->why);
        } else {
            m->fate = CHANGE_RETRACTED;
            explain_retraction(m, &before[i], now, now_len, values, n);
        }
    }
    for (size_t j = 0; j < now_len; j++)
        if (!taken[j]) {
            out[len] = (struct change_match){.fate = CHANGE_NEW, .before = SIZE_MAX, .now = j};
            change_why(&now[j], out[len++].why);
        }
    return len;
}
