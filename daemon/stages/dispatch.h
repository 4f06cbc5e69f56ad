/* SPDX-License-Identifier: MIT */
/*
 * dispatch: gives queued jobs to the executor and notices how its attempts end.
 *
 *     job(queued) --base, spec, trees--> attempt(submitting) --executor--> runner
 *     runner's end without a result: attempt(lost), job(queued) or job(failed)
 *
 * An attempt's row is committed before the executor is asked, so a crash in between leaves a
 * trace instead of a runner nobody knows. The executor's word never overrules a delivered
 * result.
 *
 * In <state>/jobs/<job> lie job.json, base.tar and head.tar for the runner, which asks for them
 * over HTTP; they go away when the attempt has ended.
 */
#ifndef STAGES_DISPATCH_H
#define STAGES_DISPATCH_H

#include "executor.h"
#include "stage.h"
#include "store.h"

struct dispatch;

struct dispatch_options { /* all borrowed */
    struct store *store;
    struct executor *executor;
    const char *state_dir;
    const struct stage_repo *repos;
    size_t repos_len;
    bool sandbox, build_network;     /* what the operator allows */
    const struct stage_bells *bells; /* judge is rung for failed jobs; NULL: nobody waits */
    const atomic_bool *stopping;     /* NULL: never */
};

/* Before any runner can ask: attempts that died with an earlier daemon are lost. */
int dispatch_open(const struct dispatch_options *options, struct dispatch **out, struct err *e);
void dispatch_closep(struct dispatch **d);

/* 'self' is a struct dispatch. Both run in one thread, with which the runners die. */
int64_t dispatch_step(void *self);
/* Stops what runs; its jobs wait again, and this attempt does not count. */
void dispatch_end(void *self);

#endif
