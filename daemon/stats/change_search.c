/* SPDX-License-Identifier: MIT */
/*
 * FPOP (functional pruning optimal partitioning; Maidstone, Hocking, Rigaill, Fearnhead 2017).
 *
 * For every level m the best last edge so far is kept, as a list of pieces of the m axis. The
 * cost of a candidate as a function of m is a parabola; all candidates gain the same (y - m)^2
 * with a new point, so the list only changes when a candidate enters, which is
 * CHANGE_LENGTH_MIN points after its edge: that is how the minimum length is kept exactly. A
 * candidate that is best nowhere is gone for good. Flat histories keep a handful of pieces, so
 * the time is linear in practice, with changes and without.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "auto.h"
#include "change_parts.h"
#include "mem.h"

/* Cost of a candidate: a + b m - edge m^2, without what is common to all. */
struct piece {
    double to; /* piece covers (to of the piece before, to] */
    double a, b;
    uint32_t edge;
};

/* In long histories edges are searched on every second index; proof moves them by up to 30
 * points anyway, and the search takes half the time. */
enum { GRID_POINTS = 600 };

struct front {
    struct piece *now, *next;
    size_t len, room;
};

static void put(struct front *f, size_t *len, struct piece p)
{
    if (*len && f->next[*len - 1].edge == p.edge) {
        f->next[*len - 1].to = p.to;
        return;
    }
    if (*len + 1 >= f->room) {
        f->room *= 2;
        f->now = mem_resize(f->now, f->room, sizeof *f->now);
        f->next = mem_resize(f->next, f->room, sizeof *f->next);
    }
    f->next[(*len)++] = p;
}

/* The newcomer has the later edge, so the difference newcomer - p is a parabola that opens
 * downwards: the newcomer is cheaper outside its roots r1 and r2. */
static void enter(struct front *f, struct piece newcomer, double lo)
{
    size_t len = 0;
    double from = lo;
    for (size_t i = 0; i < f->len; i++) {
        struct piece p = f->now[i];
        double to = p.to;
        double c = -((double)newcomer.edge - (double)p.edge);
        double b = newcomer.b - p.b, a = newcomer.a - p.a;
        double root = b * b - 4 * a * c;
        struct piece mine = newcomer;
        if (root <= 0) { /* never dearer */
            mine.to = to;
            put(f, &len, mine);
        } else {
            double scale = -0.5 / c, half = sqrt(root) * scale, mid = b * scale;
            double r1 = mid - half, r2 = mid + half;
            if (r1 > from && r1 < to) {
                mine.to = r1;
                put(f, &len, mine);
            } else if (r1 >= to) {
                mine.to = to;
                put(f, &len, mine);
                from = to;
                continue;
            }
            if (r2 > from) {
                p.to = r2 < to ? r2 : to;
                put(f, &len, p);
            }
            if (r2 < to) {
                mine.to = to;
                put(f, &len, mine);
            }
        }
        from = to;
    }
    struct piece *swap = f->now;
    f->now = f->next;
    f->next = swap;
    f->len = len;
}

/* Smallest cost over m at time t, with s1 and s2 the sums of y and y^2 up to t. */
static double cheapest(const struct front *f, double lo, double t, double s1, double s2,
                       uint32_t *edge)
{
    double best = INFINITY, from = lo;
    for (size_t i = 0; i < f->len; i++) {
        const struct piece *p = &f->now[i];
        double c = t - (double)p->edge, b = p->b - 2 * s1, a = p->a + s2;
        double m = -b / (2 * c);
        m = m < from ? from : m > p->to ? p->to : m;
        double cost = a + m * (b + c * m);
        if (cost < best) {
            best = cost;
            *edge = p->edge;
        }
        from = p->to;
    }
    return best;
}

size_t change_search(const double *y, size_t n, double penalty, size_t *edges)
{
    if (n < 2 * CHANGE_LENGTH_MIN)
        return 0;
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        lo = fmin(lo, y[i]);
        hi = fmax(hi, y[i]);
    }
    AUTO(mem_freep) double *sums = mem_alloc(3 * (n + 1) * sizeof *sums);
    double *s1 = sums, *s2 = sums + n + 1, *cost = sums + 2 * (n + 1);
    AUTO(mem_freep) uint32_t *last = mem_zero(n + 1, sizeof *last);
    s1[0] = s2[0] = 0;
    for (size_t i = 0; i < n; i++) {
        s1[i + 1] = s1[i] + y[i];
        s2[i + 1] = s2[i] + y[i] * y[i];
    }
    struct front f = {.room = 64};
    f.now = mem_alloc(f.room * sizeof *f.now);
    f.next = mem_alloc(f.room * sizeof *f.next);
    f.now[f.len++] = (struct piece){.to = hi, .edge = 0};
    cost[0] = -penalty;
    size_t grid = n > GRID_POINTS ? 2 : 1;
    for (size_t t = CHANGE_LENGTH_MIN; t <= n; t++) {
        size_t e = t - CHANGE_LENGTH_MIN;
        if (e >= CHANGE_LENGTH_MIN && e % grid == 0)
            enter(&f,
                  (struct piece){
                      .a = cost[e] + penalty - s2[e], .b = 2 * s1[e], .edge = (uint32_t)e},
                  lo);
        if (t % grid == 0 || t == n)
            cost[t] = cheapest(&f, lo, (double)t, s1[t], s2[t], &last[t]);
    }
    free(f.now);
    free(f.next);
    size_t len = 0;
    for (size_t t = last[n]; t > 0; t = last[t])
        edges[len++] = t;
    for (size_t i = 0; i < len / 2; i++) {
        size_t swap = edges[i];
        edges[i] = edges[len - 1 - i];
        edges[len - 1 - i] = swap;
    }
    return len;
}
