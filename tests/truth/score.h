/* SPDX-License-Identifier: MIT */
/*
 * score: counts how well found change points agree with true ones.
 *
 * Matches are one-to-one, |found - true| <= margin, nearest pair first (van den Burg, Williams
 * 2020, without the trivial point). A ramp is hit by any finding inside it (margin added at
 * both ends); further findings there are ignored. Findings in series without labels are false
 * alarms.
 */
#ifndef TRUTH_SCORE_H
#define TRUTH_SCORE_H

#include <stddef.h>

enum { SCORE_MARGIN = 5 };

struct truth_label {
    size_t from, to; /* equal for a step; first and last point of a ramp */
};

struct truth_series {
    char group[16], kind[24];
    double cv, shift; /* shift in percent */
    double *value;
    size_t n;
    struct truth_label *label;
    size_t labels;
};

struct score {
    size_t series, points, hits, found, labels;
    size_t false_alarms, flat_points;
};

void score_add(struct score *s, const struct truth_series *series, const size_t *found,
               size_t len);
double score_f1(const struct score *s);
double score_false_alarms(const struct score *s); /* per 1,000 points of flat series */
void truth_series_free(struct truth_series *list, size_t n);

#endif
