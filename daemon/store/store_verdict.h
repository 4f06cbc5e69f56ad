/* SPDX-License-Identifier: MIT */
/*
 * store_verdict: the verdict of a job with its rows, and the change points of a series.
 */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H

#include "record.h"
#include "store.h"
#include "str.h"

/* Writes verdict and rows; those of an earlier judgement of the job are replaced. */
int store_verdict_put(struct store *s, const struct verdict_record *v, struct err *e);
/* Rows come worst first: slower, faster, undecided, the rest; primary ones and large ones
 * first. */
int store_verdict_get(struct store *s, int64_t job, struct verdict_record *out, bool *found,
                      struct err *e);
void verdict_record_done(struct verdict_record *v);

/* Why most of the void rounds of a job do not count; "" when there are none. */
int store_void_reason(struct store *s, int64_t job, struct str *out, struct err *e);

enum change_point_method { CHANGE_PAIR, CHANGE_HISTORY, CHANGE_METHOD_COUNT };
enum change_point_state {
    CHANGE_POINT_PROVISIONAL,
    CHANGE_POINT_CONFIRMED,
    CHANGE_POINT_RETRACTED,
    CHANGE_POINT_STATE_COUNT,
};

struct change_point {
    int64_t id, series_id;
    int64_t pos;            /* first of the new level */
    int64_t after_pos;      /* last measured before it */
    int64_t pos_lo, pos_hi; /* where it may really be */
    double before, after;   /* levels */
    double effect, lo, hi;
    enum change_point_method method;
    enum change_point_state state;
    char why[VERDICT_WHY_MAX];
};

struct change_point_list {
    VEC(struct change_point) at; /* ascending positions */
};

/* Of one method, retracted ones too: a change that is found again gets its old id back. */
int store_change_point_list(struct store *s, int64_t series_id, enum change_point_method method,
                            struct change_point_list *out, struct err *e);
void change_point_list_done(struct change_point_list *l);

/* Writes the points given, all of one series and method. Those with an id keep it, also when
 * they move; those without get one, or that of the point at the same position. */
int store_change_point_put(struct store *s, const struct change_point *points, size_t n,
                           struct err *e);

#endif
