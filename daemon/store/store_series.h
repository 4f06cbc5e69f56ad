/* SPDX-License-Identifier: MIT */
/*
 * store_series: the samples of a job in pairs, and the points of a series along its branch.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include "record.h"
#include "store.h"
#include "vec.h"

/* One measured quantity of a job. The arrays are 'rounds' long, index i is the same round in
 * every series, NaN stands for a value that is missing. */
struct series_rounds {
    struct series_key key;
    double *base, *head;
    double *again; /* base measured the second time in that round (A/A) */
    double *twin;  /* what stood beside that: base itself, or in a duet its third measurement */
};

struct job_samples {
    size_t rounds;                    /* that count */
    int rounds_void;                  /* that do not, and are left out */
    VEC(struct series_rounds) series; /* by scenario, endpoint, metric */
};

/* Room for so many rounds, all missing; and one value of them. */
void series_rounds_init(struct series_rounds *r, size_t rounds);
void series_rounds_set(struct series_rounds *r, size_t round, enum side side, int copy,
                       double value);

int store_samples_load(struct store *s, int64_t job, struct job_samples *out, struct err *e);
void job_samples_done(struct job_samples *js);
void series_key_done(struct series_key *key);

int store_point_put(struct store *s, const struct point *p, struct err *e);
int store_point_add(struct store *s, const struct point *p,
                    struct err *e); /* unless there is one */

struct point_list {
    VEC(struct point) points; /* ascending positions */
};

/* Points on live commits up to position 'upto', the newest 'limit' of them. */
int store_point_list(struct store *s, int64_t series_id, int64_t upto, int64_t limit,
                     struct point_list *out, struct err *e);
void point_list_done(struct point_list *l);

#endif
