/* SPDX-License-Identifier: MIT */
/*
 * change_parts: the steps of the change-point search, private to the change_*.c files.
 *
 * All work on the history in logs, minus its median. Edges are first indices of new levels,
 * ascending, without 0 and n. Scales are robust estimates of a standard deviation.
 */
#ifndef STATS_CHANGE_PARTS_H
#define STATS_CHANGE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CHANGE_LENGTH_MIN = 5,     /* of a piece in the search */
    CHANGE_EXCURSION_MAX = 18, /* points; longer ones are two steps */
    CHANGE_ALLAN = 5,          /* block lengths 1, 2, 4, 8, 16 */
};
#define CHANGE_RETURN \
    0.3 /* an excursion ends within this share of its depth of where it began */

struct change_noise {
    double raw;                 /* difference scale of the history as it came */
    double white;               /* difference scale inside segments, spikes clipped */
    double kappa;               /* long-run variance / white^2; at least 1 */
    double allan[CHANGE_ALLAN]; /* variance of block means * block length / white^2 */
};

/* --- noise (change_noise.c) ------------------------------------------------------------------
 */

/* MAD of first differences inside segments / sqrt 2 (von Neumann 1941; Rice 1984). */
double change_difference_scale(const double *x, size_t n, const size_t *edges, size_t len,
                               size_t *count);

/* Pulls values to the running median of 2 * half + 1 points +- reach (Davies, Gather 1993). */
void change_clip(const double *x, size_t n, size_t half, double reach, double *y);

/* Bursts that leave the level and come back to it within CHANGE_EXCURSION_MAX points are pulled
 * to the level around them. True when there were any. */
bool change_mask_bursts(double *x, size_t n, double scale);

/* kappa and allan from residuals about segment means. */
void change_long_run(const double *r, size_t n, const size_t *edges, size_t len,
                     struct change_noise *noise);

/* First guess of kappa from blocks of two, as if the noise were AR(1): robust against steps. */
double change_kappa_guess(const double *y, size_t n, double white);

/* --- waves (change_wave.c) -------------------------------------------------------------------
 */

/* Subtracts periodic components with 3 periods or more in n and a period of at most 40 points.
 * 'basis' is what they are looked for in: x itself (then in its differences, where steps are
 * harmless) or residuals of x. Returns how many were removed. */
int change_remove_waves(double *x, size_t n, const double *residual);

/* Short histories: is one wave a better explanation than these edges (BIC; Schwarz 1978)? */
bool change_is_wave(const double *y, size_t n, const size_t *edges, size_t len);

/* --- search (change_search.c) ----------------------------------------------------------------
 */

/* Optimal partition into pieces of at least CHANGE_LENGTH_MIN points: minimises the sum of
 * (y - mean)^2 plus 'penalty' per edge. Exact. 'edges' has room for n; returns their number. */
size_t change_search(const double *y, size_t n, double penalty, size_t *edges);

/* --- proof (change_verify.c) -----------------------------------------------------------------
 */

struct change_prefix { /* sums of y and y^2 before each index */
    double *s1, *s2;
};

struct change_evidence {
    double z;        /* normal equivalent of the step in standard errors */
    double step, se; /* difference of levels and its standard error */
    double freedom;  /* of se */
};

struct change_view {
    const double *y;
    size_t n;
    struct change_prefix sums;
    const struct change_noise *noise;
    double least; /* smallest step in logs */
};

/* z that an edge must reach in a history of n points. */
double change_threshold(size_t n);

/* Evidence for edge i of the list against its neighbours. */
void change_weigh(const struct change_view *v, const size_t *edges, size_t len, size_t i,
                  struct change_evidence *out);

/* Removes the weakest edge until all pass, then moves each to the best split; twice. */
size_t change_verify(const struct change_view *v, size_t *edges, size_t len);

/* Removes groups of edges that are an excursion: out and back within CHANGE_EXCURSION_MAX. */
size_t change_drop_excursions(const double *y, size_t n, size_t *edges, size_t len);

/* Appends an edge when the newest 3 to 6 points left the level; returns the new length. */
size_t change_watch_tail(const double *x, size_t n, const struct change_noise *noise,
                         double least, size_t *edges, size_t len);

#endif
