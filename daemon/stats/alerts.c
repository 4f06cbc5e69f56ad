/* SPDX-License-Identifier: MIT */
/*
 * Edges whose location intervals share a commit may have one cause. Grouping goes from the edge
 * with the tightest interval outwards, so a vague edge joins a sharp one and not the reverse,
 * and two sharp edges at different commits stay two alerts.
 */
#include "alerts.h"

#include <math.h>
#include <stdlib.h>

#include "auto.h"
#include "claims.h"
#include "mem.h"

struct order {
    const struct alert_edge *edge;
    size_t index;
};

static int by_tightness(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    int64_t p = x->edge->loc_hi - x->edge->loc_lo, q = y->edge->loc_hi - y->edge->loc_lo;
    if (p != q)
        return p < q ? -1 : 1;
    if (x->edge->position != y->edge->position)
        return x->edge->position < y->edge->position ? -1 : 1;
    return (x->edge->series > y->edge->series) - (x->edge->series < y->edge->series);
}

static bool is_worse(const struct alert_edge *e)
{
    return e->effect * e->direction < 0;
}

/* Size of a relative change, the same for a doubling and a halving. */
static double size_of(const struct alert_edge *e)
{
    return fabs(log1p(fmax(e->effect, -0.999999)));
}

/* Regressions before improvements, confirmed before provisional, then by size. */
static int rank_of(const struct alert_edge *e)
{
    return (is_worse(e) ? 2 : 0) + (e->confirmed ? 1 : 0);
}

static bool outranks(const struct alert_edge *a, const struct alert_edge *b)
{
    if (rank_of(a) != rank_of(b))
        return rank_of(a) > rank_of(b);
    if (size_of(a) != size_of(b))
        return size_of(a) > size_of(b);
    return a->series < b->series;
}

struct seed {
    int64_t lo, hi; /* commits common to all edges so far */
    struct alert_group group;
    size_t number;
};

static void join(struct seed *s, const struct alert_edge *edges, size_t i)
{
    const struct alert_edge *e = &edges[i];
    struct alert_group *g = &s->group;
    if (g->edges == 0 || outranks(e, &edges[g->worst]))
        g->worst = i;
    s->lo = g->edges && s->lo > e->loc_lo ? s->lo : e->loc_lo;
    s->hi = g->edges && s->hi < e->loc_hi ? s->hi : e->loc_hi;
    g->edges++;
    g->slower += is_worse(e);
    g->faster += !is_worse(e);
    g->environment = g->environment || e->environment;
    g->position = edges[g->worst].position;
    g->confirmed = edges[g->worst].confirmed;
    g->p = edges[g->worst].p;
}

static void sort_groups(struct seed *s, size_t n, const struct alert_edge *edges)
{
    for (size_t i = 1; i < n; i++) {
        struct seed hold = s[i];
        size_t j = i;
        for (; j > 0; j--) {
            const struct alert_group *a = &hold.group, *b = &s[j - 1].group;
            bool before = a->environment != b->environment
                              ? b->environment
                              : outranks(&edges[a->worst], &edges[b->worst]);
            if (!before)
                break;
            s[j] = s[j - 1];
        }
        s[j] = hold;
    }
}

size_t alerts_group(const struct alert_edge *edges, size_t n, size_t *group_of,
                    struct alert_group *out)
{
    AUTO(mem_freep) struct order *order = mem_alloc((n + 1) * sizeof *order);
    AUTO(mem_freep) struct seed *seeds = mem_zero(n + 1, sizeof *seeds);
    AUTO(mem_freep) double *p = mem_alloc((n + 1) * sizeof *p);
    AUTO(mem_freep) size_t *place = mem_alloc((n + 1) * sizeof *place);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct order){&edges[i], i};
    qsort(order, n, sizeof *order, by_tightness);
    size_t len = 0;
    for (size_t k = 0; k < n; k++) {
        size_t i = order[k].index, g = 0;
        while (g < len && (edges[i].loc_lo > seeds[g].hi || edges[i].loc_hi < seeds[g].lo ||
                           edges[i].environment != seeds[g].group.environment))
            g++;
        if (g == len)
            seeds[len++].number = g;
        join(&seeds[g], edges, i);
        group_of[i] = g;
    }
    sort_groups(seeds, len, edges);
    for (size_t g = 0; g < len; g++) {
        place[seeds[g].number] = g;
        p[g] = seeds[g].group.p;
    }
    claims_bh(p, len, p);
    for (size_t g = 0; g < len; g++) {
        out[g] = seeds[g].group;
        out[g].p = p[g];
    }
    for (size_t i = 0; i < n; i++)
        group_of[i] = place[group_of[i]];
    return len;
}
