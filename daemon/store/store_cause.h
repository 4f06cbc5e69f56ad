/* SPDX-License-Identifier: MIT */
/*
 * store_cause: what the judge needs to find causes in the histories of a branch: the change
 * points of all its series, the canary along it, and the jobs that measured two commits side by
 * side.
 */
#ifndef STORE_CAUSE_H
#define STORE_CAUSE_H

#include "store_alert.h"
#include "store_series.h"
#include "store_verdict.h"

struct cause_edge {
    struct change_point point; /* of the history method */
    int64_t alert_id;          /* 0: none yet */
    struct series_key series;
};

struct cause_edge_list {
    VEC(struct cause_edge) at; /* by position; retracted ones only when they have an alert */
};

/* Of one branch in one environment; metrics that this program does not know are left out. */
int store_cause_edges(struct store *s, int64_t branch_id, int64_t environment_id,
                      struct cause_edge_list *out, struct err *e);
void cause_edge_list_done(struct cause_edge_list *l);

/* The canary's CPU time per request, one value per position: the mean of all arms measured
 * there. Positions of jobs without it are left out. */
int store_cause_canary(struct store *s, int64_t branch_id, int64_t environment_id,
                       int64_t limit, struct point_list *out, struct err *e);

/* A history alert: writes a->id when it is 0. */
int store_cause_alert_put(struct store *s, struct alert *a, struct err *e);
int store_cause_link(struct store *s, int64_t change_point, int64_t alert, struct err *e);
/* The alert of a pair of commits of the branch whose head lies in [lo, hi], noise excluded. */
int store_cause_pair_alert(struct store *s, int64_t branch_id, int64_t lo, int64_t hi,
                           int64_t *out, struct err *e); /* 0: none */
/* True when it is one that the history raised. */
int store_cause_is_history(struct store *s, int64_t alert, bool *out, struct err *e);

/* The change points behind a history alert are gone: it is noise, and says why. */
int store_cause_retract(struct store *s, int64_t alert, const char *why, struct err *e);

/* The live commit at a position; 0: none. */
int store_cause_commit(struct store *s, int64_t branch_id, int64_t pos, int64_t *out,
                       struct err *e);
/* The middle one of the live commits between two positions; 0: they are neighbours. */
int store_cause_between(struct store *s, int64_t branch_id, int64_t after, int64_t before,
                        int64_t *out, struct err *e);

/* The newest bisect job over two commits. */
struct cause_job {
    int64_t id; /* 0: none */
    bool over;  /* judged, reported or failed */
    enum outcome outcome;
};
int store_cause_job(struct store *s, int64_t branch_id, int64_t base, int64_t head,
                    struct cause_job *out, struct err *e);

#endif
