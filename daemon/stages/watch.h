/* SPDX-License-Identifier: MIT */
/*
 * watch: looks at the remotes and turns what moved into jobs.
 *
 *     remote --fetch--> mirror --refs that moved--> change(new) --plan--> job(queued)
 *
 * Every new commit on a branch's first-parent chain gets a job, parents first, however many of
 * them one push brought. The head of a merge request gets one job against its merge base; a
 * newer head supersedes the jobs of the older one. The spec's triggers may leave commits out.
 *
 * Between a fetch and the rows it leads to nothing is remembered outside the tables: killed
 * anywhere, the next look finds the same differences again.
 */
#ifndef STAGES_WATCH_H
#define STAGES_WATCH_H

#include "stage.h"
#include "store.h"

struct watch;

struct watch_options { /* all borrowed */
    struct store *store;
    const char *state_dir;
    const struct stage_repo *repos;
    size_t repos_len;
    const struct stage_bells *bells; /* dispatch is rung; NULL: nobody waits */
    const atomic_bool *stopping;     /* NULL: never */
    int64_t fetch_timeout_ns;        /* of a first fetch; 0: 10 minutes */
    int64_t asked_pause_ns;          /* between looks that webhooks ask for; 0: 1 s */
};

/* Enters the repositories into the database; those that left the settings stay, unconfigured.
 */
int watch_open(const struct watch_options *options, struct watch **out, struct err *e);
void watch_closep(struct watch **w);

/* 'self' is a struct watch. */
int64_t watch_step(void *self);

#endif
