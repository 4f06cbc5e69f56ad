/* SPDX-License-Identifier: MIT */
/*
 * Co-movement is a common break in a panel of series (Bai 2010), kept simple: count the series
 * that step the same way near one commit. Positions are taken strongest first, and a step
 * belongs to one move only.
 */
#include "epochs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"
#include "rank.h"

enum { BRIDGE_MIN = 5 };

size_t epochs_split(const struct epoch_point *points, size_t n, struct epoch *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || points[i].identity != points[i - 1].identity)
            out[len++] = (struct epoch){.first = i};
        else
            out[len - 1].state_marks += points[i].state != points[i - 1].state;
        out[len - 1].len++;
    }
    return len;
}

static bool near(const struct epoch_step *s, int64_t position, int direction)
{
    int64_t gap = s->position - position;
    return s->direction == direction && gap >= -EPOCH_MOVE_REACH && gap <= EPOCH_MOVE_REACH;
}

/* Series with a free step near the position; each counts once. 'seen' has room for all series.
 */
static size_t count_series(const struct epoch_step *steps, size_t n, const bool *used,
                           int64_t position, int direction, size_t *seen, bool *canary)
{
    size_t count = 0;
    *canary = false;
    for (size_t i = 0; i < n; i++) {
        if (used[i] || !near(&steps[i], position, direction))
            continue;
        *canary = *canary || steps[i].canary;
        bool known = false;
        for (size_t k = 0; k < count && !known; k++)
            known = seen[k] == steps[i].series;
        if (!known)
            seen[count++] = steps[i].series;
    }
    return count;
}

static bool is_move(const struct epoch_move *m)
{
    return m->canary || (m->series >= EPOCH_MOVE_SERIES_MIN && m->share >= EPOCH_MOVE_SHARE);
}

/* The canary outranks any count; then more series; then steps exactly there; then the older. */
static bool stronger(const struct epoch_move *a, const struct epoch_move *b)
{
    if (a->canary != b->canary)
        return a->canary;
    return a->series != b->series ? a->series > b->series : a->position < b->position;
}

size_t epochs_moves(const struct epoch_step *steps, size_t n, size_t series_total,
                    struct epoch_move *out, size_t *by_move)
{
    AUTO(mem_freep) bool *used = mem_zero(n + 1, sizeof *used);
    AUTO(mem_freep) size_t *seen = mem_alloc((n + 1) * sizeof *seen);
    size_t len = 0;
    for (size_t i = 0; by_move && i < n; i++)
        by_move[i] = SIZE_MAX;
    for (;;) {
        struct epoch_move best = {0};
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            if (used[i])
                continue;
            struct epoch_move m = {.position = steps[i].position,
                                   .direction = steps[i].direction};
            m.series = count_series(steps, n, used, m.position, m.direction, seen, &m.canary);
            m.share = series_total ? (double)m.series / (double)series_total : 0;
            if (is_move(&m) && (!any || stronger(&m, &best))) {
                best = m;
                any = true;
            }
        }
        if (!any)
            return len;
        for (size_t i = 0; i < n; i++)
            if (!used[i] && near(&steps[i], best.position, best.direction)) {
                used[i] = true;
                if (by_move)
                    by_move[i] = len;
            }
        out[len++] = best;
    }
}

void epochs_bridge(const double *before, const double *after, size_t n,
                   struct epoch_bridge *out)
{
    AUTO(mem_freep) double *d = mem_alloc((n + 1) * sizeof *d);
    *out = (struct epoch_bridge){.ratio = 1};
    for (size_t i = 0; i < n; i++)
        if (before[i] > 0 && after[i] > 0 && isfinite(before[i]) && isfinite(after[i]))
            d[out->n++] = log(after[i] / before[i]);
    struct rank_interval range;
    rank_location(d, out->n, 0.01, &range);
    out->usable = out->n >= BRIDGE_MIN;
    out->ratio = exp(range.estimate);
    out->lo = exp(range.lo);
    out->hi = exp(range.hi);
}
