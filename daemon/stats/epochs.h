/* SPDX-License-Identifier: MIT */
/*
 * epochs: tells a machine that changed from a program that changed.
 *
 * Three witnesses: the fingerprint (another machine or kernel is another epoch: no baseline is
 * carried over), the canary (a fixed program measured in every job: when it moves, the machine
 * moved), and co-movement (when a third of unrelated series step at one commit, it was not that
 * commit). Bridging measures old commits again in the new epoch and gives the ratio.
 */
#ifndef STATS_EPOCHS_H
#define STATS_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- fingerprints ----------------------------------------------------------------------------
 */

struct epoch_point {
    uint64_t identity; /* hash of CPU model, microcode, kernel, governor, tool chain, machine
                          and benchmark definition: nothing that varies from boot to boot */
    uint64_t state; /* hash of what may vary but should be seen: frequency limits, load class */
};

struct epoch {
    size_t first, len;  /* points [first, first + len) */
    size_t state_marks; /* how often the state changed inside */
};

/* Splits where the identity changes. 'out' has room for n; returns the number of epochs. */
size_t epochs_split(const struct epoch_point *points, size_t n, struct epoch *out);

/* --- co-movement -----------------------------------------------------------------------------
 */

struct epoch_step {
    size_t series;
    int64_t position; /* of the commit on the branch, the same scale for all series */
    int direction;    /* +1 the value rose, -1 it fell */
    bool canary;      /* a step of the reference program */
};

struct epoch_move {
    int64_t position;
    int direction;
    size_t series; /* that stepped within EPOCH_MOVE_REACH of it */
    double share;  /* of all series measured */
    bool canary;
};

enum { EPOCH_MOVE_REACH = 2, EPOCH_MOVE_SERIES_MIN = 5 };
#define EPOCH_MOVE_SHARE 0.30

/* Positions at which the environment is to blame: at least 30 % of the series, and at least 5,
 * step the same way within 2 positions; or the canary steps. 'out' has room for n; strongest
 * first where two claim the same steps. 'by_move', unless NULL, gets for every step the index
 * of the move that explains it, or SIZE_MAX. */
size_t epochs_moves(const struct epoch_step *steps, size_t n, size_t series_total,
                    struct epoch_move *out, size_t *by_move);

/* --- bridging --------------------------------------------------------------------------------
 */

struct epoch_bridge {
    bool usable;   /* at least 5 anchors or rounds */
    double ratio;  /* new epoch / old epoch: Hodges-Lehmann estimate of the log ratios */
    double lo, hi; /* 99 % interval, or what n allows */
    size_t n;
};

/* Anchors: the same commit measured in both epochs, pair by pair; NaN = missing. */
void epochs_bridge(const double *before, const double *after, size_t n,
                   struct epoch_bridge *out);

#endif
