/* SPDX-License-Identifier: MIT */
/*
 * judge: turns measured jobs into verdicts, points, change points, alerts and reports.
 *
 *     measured --judge_step--> judged, and its report waits in the outbox
 *     failed   --judge_step--> failed, and its report ("could not measure: ...") waits there
 *
 * One job is one transaction, so a daemon killed half-way judges the job again from the start.
 * A regression is announced by webhook only after a confirm job has measured the same commits
 * again with new rounds; the file beside it shows the suspicion at once. When the confirm job
 * does not see it again, the verdict becomes what the rounds of both jobs together say.
 */
#ifndef STAGES_JUDGE_H
#define STAGES_JUDGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "notice.h"
#include "stage.h"
#include "store.h"

struct judge { /* all borrowed */
    struct store *store;
    const struct stage_bells *bells; /* dispatch and post are rung; NULL: nobody waits */
    const atomic_bool *stopping;     /* NULL: never */
    const char *public_url;          /* for links in reports; NULL: none */
    struct notice_targets targets;
};

/* 'self' is a struct judge. */
int64_t judge_step(void *self);

#endif
