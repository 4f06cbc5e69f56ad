/* SPDX-License-Identifier: MIT */
/*
 * store_explain: the sentences behind verdicts, change points and alerts, in the order in which
 * a person asks for them. Retracted change points are among them: they say why they are gone.
 */
#ifndef STORE_EXPLAIN_H
#define STORE_EXPLAIN_H

#include "record.h"
#include "store.h"
#include "vec.h"

struct explained {
    char what[256]; /* "items: CPU time per request", or a commit and its subject */
    char state[32]; /* outcome or state */
    char why[VERDICT_WHY_MAX];
};

struct explained_list {
    VEC(struct explained) at;
};

/* The verdict of a job first, then its rows, worst first. */
int store_explain_job(struct store *s, int64_t job, struct explained_list *out, struct err *e);
/* The alert first, then the change points that belong to it or lie at its commit. */
int store_explain_alert(struct store *s, int64_t alert, struct explained_list *out,
                        struct err *e);
/* All change points of a series, retracted ones too, by position. */
int store_explain_series(struct store *s, int64_t series, struct explained_list *out,
                         struct err *e);
void explained_list_done(struct explained_list *l);

#endif
