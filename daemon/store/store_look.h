/* SPDX-License-Identifier: MIT */
/*
 * store_look: questions of runners whether to go on, and the judge's answers.
 *
 * A look belongs to one attempt, so nothing that an attempt left behind can answer a later one.
 */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include "record.h"
#include "store.h"
#include "str.h"

/* Notes the question. The same look again changes nothing; looks of earlier attempts go. */
int store_look_ask(struct store *s, int64_t job, int attempt, int n, struct view body,
                   struct err *e);

struct look {
    int64_t job_id;
    int attempt, n;
};

/* The oldest question of an attempt that is still open, and its result document. */
int store_look_next(struct store *s, struct look *out, struct str *body, bool *found,
                    struct err *e);
int store_look_answer(struct store *s, const struct look *look, bool stop, const char *why,
                      struct err *e);

enum look_answer { LOOK_OPEN, LOOK_GO_ON, LOOK_STOP };

/* ERR_NOT_FOUND when it was never asked. */
int store_look_get(struct store *s, const struct look *look, enum look_answer *out,
                   struct err *e);

#endif
