/* SPDX-License-Identifier: MIT */
/*
 * changepoint: where the level of a history changed: every step, not only the last.
 *
 * One value per commit, in first-parent order, of one series inside one environment epoch
 * (epochs.h). Values must be finite; the caller drops points without a measurement and keeps
 * the mapping from index to commit. Up to CHANGE_POINTS_MAX points; below 10 nothing is
 * claimed, below 20 only steps of 5 standard deviations, provisionally.
 *
 *     AUTO(change_list_done) struct change_list found = {0};
 *     if (change_find(values, n, &(struct change_options){0}, &found, e) < 0) ...
 *     for (size_t i = 0; i < found.len; i++) use(&found.edge[i]);
 *
 * The result depends on the values alone: not on their unit (scaling changes nothing), and a
 * series and its mirror image have the same edges.
 */
#ifndef STATS_CHANGEPOINT_H
#define STATS_CHANGEPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "errors.h"

enum { CHANGE_POINTS_MAX = 1000000, CHANGE_WHY_MAX = 200 };

struct change_options {
    double min_effect;  /* relative; smaller steps are not reported; 0: CHANGE_MIN_EFFECT */
    bool deterministic; /* bytes, allocations, instructions: any lasting change counts */
};

#define CHANGE_MIN_EFFECT 0.005

enum change_state {
    CHANGE_PROVISIONAL, /* fewer than 5 points follow it, or the history is short: measure again
                         */
    CHANGE_CONFIRMED,
};

const char *change_state_name(enum change_state state);

struct change_edge {
    size_t index;          /* first point of the new level, from 0 */
    double effect, lo, hi; /* relative change of the level, and its 99 % interval */
    double z;              /* size in standard errors */
    double p; /* chance of one such edge anywhere in a flat series of this length */
    size_t loc_lo, loc_hi; /* 99 % interval of 'index' */
    double before, after;  /* levels */
    enum change_state state;
};

struct change_list {
    struct change_edge *edge; /* ascending by index */
    size_t len;
    double noise; /* relative standard deviation of one point inside levels */
    double kappa; /* long-run variance over that: 1 = independent points */
};

void change_list_done(struct change_list *list);

/* ERR_INPUT for a value that is not finite, ERR_LIMIT for too many points. */
int change_find(const double *values, size_t n, const struct change_options *options,
                struct change_list *out, struct err *e);

/* One sentence for a person: "rose by 5.1 % at point 120 (99 % interval 4.6 % to 5.6 %) ...".
 */
void change_why(const struct change_edge *edge, char out[CHANGE_WHY_MAX]);

/* --- point by point --------------------------------------------------------------------------
 *
 * The same answers at the cost of the newest stretch: edges older than a few hundred points are
 * frozen. The watch owns a copy of the newest values. */
struct change_watch;

struct change_watch *change_watch_new(const struct change_options *options);
void change_watch_freep(struct change_watch **w);
int change_watch_append(struct change_watch *w, double value, struct err *e);
const struct change_list *
change_watch_edges(const struct change_watch *w); /* until next append */

/* Does the newest point leave the level so far that it is worth measuring again? Never an alert
 * by itself. 'departed' gets the first point that left. */
bool change_tail_departs(const double *values, size_t n, size_t *departed);

/* --- identity under recomputation ------------------------------------------------------------
 *
 * An edge found again is the same edge when it has the same direction and lies within the
 * location interval of the old one (or 5 points), nearest first. */
enum change_fate {
    CHANGE_KEPT,
    CHANGE_NEW,
    CHANGE_RETRACTED, /* known before, not found now: see why */
};

struct change_match {
    enum change_fate fate;
    size_t before, now; /* indices into the lists; SIZE_MAX when there is none */
    char why[CHANGE_WHY_MAX];
};

/* 'out' has room for before_len + now_len matches; returns how many were written. */
size_t change_reconcile(const struct change_edge *before, size_t before_len,
                        const struct change_edge *now, size_t now_len, const double *values,
                        size_t n, struct change_match *out);

#endif
