/* SPDX-License-Identifier: MIT */
/*
 * filled: a state directory with a database that went through the real moves: a repository with
 * twelve commits, one job of each interesting state, points, a change point, an alert. 'moved'
 * was measured with another kernel and is not judged yet; points from position 9 on have that
 * kernel.
 */
#ifndef TEST_FILLED_H
#define TEST_FILLED_H

#include "record.h"
#include "store.h"

enum { FILLED_COMMITS = 12, FILLED_ROUNDS = 4 };

struct filled {
    char dir[64], db[96], socket[96];
    struct store *store;
    int64_t repo, branch, series, spec;
    struct commit commits[FILLED_COMMITS];                /* positions 1 to 12 */
    int64_t done, moved, running, queued, failed, mr_job; /* jobs */
};

#define FILLED_TOKEN_DONE    "token-of-the-attempt-that-delivered"
#define FILLED_TOKEN_RUNNING "token-of-the-attempt-that-runs"
#define FILLED_TOKEN_LOST    "token-of-the-attempt-that-was-lost"

extern const char filled_spec[];

void filled_make(struct filled *f);
void filled_remove(struct filled *f);

/* A result for the running job as its runner would deliver it. */
void filled_result(const struct filled *f, int64_t job, int64_t attempt, struct str *out);

#endif
