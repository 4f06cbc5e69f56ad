/* SPDX-License-Identifier: MIT */
/*
 * store_run: takes a result document apart into rows and moves its job on.
 */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include "record.h"
#include "store.h"

/* Measured or identical: run, rounds, arms, samples and histograms are written and the job is
 * 'measured'. Failed: the job is 'failed' with the class given. One transaction, on disk when
 * it returns. The same attempt again: 0, nothing changes. Not the newest attempt, or one that
 * is lost or cancelled: ERR_CONFLICT. 'spec' is the one the document was parsed with. */
int store_run_accept(struct store *s, const struct result_doc *doc, const struct spec *spec,
                     struct err *e);

struct run {
    int64_t id, job_id, env_state_id, environment_id;
    int attempt;
    bool identical;
    int64_t started_ms, ended_ms;
    char host[RECORD_NAME_MAX];
    int rounds_planned; /* 0: not known */
    enum result_end end;
};

int store_run_by_job(struct store *s, int64_t job, struct run *out, bool *found, struct err *e);

/* How many rounds jobs like this one took lately; 0: there was none. */
int store_run_rounds_usual(struct store *s, int64_t job, int64_t *out, struct err *e);

#endif
