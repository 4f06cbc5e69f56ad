/* SPDX-License-Identifier: MIT */
/*
 * Point by point. The whole search costs a fraction of a millisecond on the newest few hundred
 * points, and most new points cannot change its answer: no split of the newest points stands
 * out even as white noise. So the search runs only when one does, when an edge is still
 * provisional, and every REFRESH points.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "changepoint.h"
#include "mem.h"

enum {
    WINDOW = 320,  /* points that are searched again; older edges are frozen */
    SLACK = 80,    /* the buffer moves on in steps of this size */
    REFRESH = 25,  /* points after which the search runs anyway */
    LOOK_BACK = 64 /* newest splits that are checked for standing out */
};
#define STANDS_OUT 2.5 /* standard errors; an edge needs more than 4 */

struct change_watch {
    struct change_options options;
    double *value; /* the newest 'len' values; value[0] has index 'first' */
    size_t len, first;
    double center, scale;    /* of the level after the last edge, from the last search */
    size_t since, level_at;  /* points since the search; index of that level's first point */
    struct change_list list; /* frozen edges, then those of the window */
    size_t frozen;
};

struct change_watch *change_watch_new(const struct change_options *options)
{
    struct change_watch *w = mem_zero(1, sizeof *w);
    w->options = *options;
    w->value = mem_alloc((WINDOW + SLACK) * sizeof *w->value);
    return w;
}

void change_watch_freep(struct change_watch **w)
{
    if (*w) {
        free((*w)->value);
        change_list_done(&(*w)->list);
        free(*w);
    }
    *w = NULL;
}

const struct change_list *change_watch_edges(const struct change_watch *w)
{
    return &w->list;
}

/* Makes room by dropping the oldest points. Confirmed edges that are dropped, or have few
 * points before them now, are frozen; the search begins at the newest of them. */
static void move_on(struct change_watch *w)
{
    if (w->len < WINDOW + SLACK)
        return;
    memmove(w->value, w->value + SLACK, WINDOW * sizeof *w->value);
    w->len = WINDOW;
    w->first += SLACK;
    while (w->frozen < w->list.len && w->list.edge[w->frozen].index < w->first + SLACK / 2)
        w->frozen++;
}

/* Where in the buffer the search begins. */
static size_t window_begin(const struct change_watch *w)
{
    size_t edge = w->frozen ? w->list.edge[w->frozen - 1].index : 0;
    return edge > w->first ? edge - w->first : 0;
}

/* Could an edge have appeared? Compares the newest 3 to LOOK_BACK points with the level so far.
 */
static bool stands_out(const struct change_watch *w)
{
    double sum = 0;
    size_t level = w->level_at > w->first ? w->level_at - w->first : 0, n = w->len;
    for (size_t k = 1; k <= LOOK_BACK && level + k + 3 <= n; k++) {
        sum += w->value[n - k] - w->center;
        double rest = (double)(n - k - level);
        double se = w->scale * sqrt(1 / (double)k + 1 / rest);
        if (k >= 3 && fabs(sum) / (double)k > STANDS_OUT * se)
            return true;
    }
    return false;
}

static void note_level(struct change_watch *w)
{
    const struct change_list *l = &w->list;
    size_t from =
        l->len && l->edge[l->len - 1].index > w->first ? l->edge[l->len - 1].index : w->first;
    double sum = 0, squares = 0, n = (double)(w->first + w->len - from);
    for (size_t i = from - w->first; i < w->len; i++)
        sum += w->value[i];
    w->center = sum / n;
    for (size_t i = from - w->first; i < w->len; i++)
        squares += (w->value[i] - w->center) * (w->value[i] - w->center);
    /* Slow noise is larger over many points than its scatter shows. */
    w->scale = fmax(sqrt(squares / n), fabs(w->center) * l->noise * sqrt(l->kappa));
    w->level_at = from;
    w->since = 0;
}

static int search_again(struct change_watch *w, struct err *e)
{
    AUTO(change_list_done) struct change_list found = {0};
    size_t begin = window_begin(w), first = w->first + begin;
    if (change_find(w->value + begin, w->len - begin, &w->options, &found, e) < 0)
        return -1;
    w->list.edge = mem_resize(w->list.edge, w->frozen + found.len + 1, sizeof *w->list.edge);
    w->list.len = w->frozen;
    w->list.noise = found.noise;
    w->list.kappa = found.kappa;
    for (size_t i = 0; i < found.len; i++) {
        struct change_edge edge = found.edge[i];
        edge.index += first;
        edge.loc_lo += first;
        edge.loc_hi += first;
        w->list.edge[w->list.len++] = edge;
    }
    note_level(w);
    return 0;
}

int change_watch_append(struct change_watch *w, double value, struct err *e)
{
    if (!isfinite(value))
        return err_set(e, ERR_INPUT, "point %zu is not a finite number", w->first + w->len);
    move_on(w);
    w->value[w->len++] = value;
    w->since++;
    const struct change_list *l = &w->list;
    bool open = l->len && l->edge[l->len - 1].state == CHANGE_PROVISIONAL;
    bool young = w->first + w->len - w->level_at < 30;
    if (w->options.deterministic || open || young || w->since >= REFRESH || stands_out(w))
        return search_again(w, e);
    return 0;
}
