/* SPDX-License-Identifier: MIT */
/* dispatch_parts: the parts of the dispatch stage, for its own files. */
#ifndef STAGES_DISPATCH_PARTS_H
#define STAGES_DISPATCH_PARTS_H

#include "dispatch.h"
#include "mirror.h"
#include "record.h"

struct active { /* an attempt the executor has */
    int64_t job;
    int attempt;
    bool cancelled;       /* the executor was asked to end it */
    int64_t delivered_ns; /* when we saw its result, 0: not yet */
    bool ended;           /* says 'end', which the executor tells only once */
    struct executor_info end;
    char key[EXECUTOR_KEY_MAX + 1];
};

struct dispatch {
    struct dispatch_options o;
    int quiet;
    VEC(struct active) actives;
};

/* dispatch_job.c: everything from a queued job to a runner. *started is false when there was
 * nothing to start after all: the job failed, or was taken back. */
int dispatch_start(struct dispatch *d, const struct job *job, bool *started, struct err *e);
void dispatch_remove_files(const struct dispatch *d, int64_t job);

#endif
