/* SPDX-License-Identifier: MIT */
/*
 * alerts: one alert per cause. Edges that may belong to the same push are grouped across
 * series; the worst confirmed one speaks for the group. Ratios are never averaged.
 */
#ifndef STATS_ALERTS_H
#define STATS_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alert_edge {
    size_t series;
    int64_t position;       /* of the first commit of the new level on the branch */
    int64_t loc_lo, loc_hi; /* where it may really be */
    double effect;          /* relative change of the value */
    int direction;          /* of the metric: +1 larger is better */
    bool confirmed;
    bool environment; /* explained by a move of the machine (epochs.h) */
    double p;
};

struct alert_group {
    int64_t position; /* of its worst edge */
    size_t worst;     /* index of that edge */
    size_t edges, slower, faster;
    bool confirmed; /* the worst edge is */
    bool environment;
    double p; /* of the worst edge, adjusted over the groups (Benjamini, Hochberg) */
};

/* 'group_of' gets the group of every edge, 'out' has room for n. Groups come in the order to
 * show them: confirmed regressions by size, then provisional ones, improvements, environment.
 */
size_t alerts_group(const struct alert_edge *edges, size_t n, size_t *group_of,
                    struct alert_group *out);

#endif
