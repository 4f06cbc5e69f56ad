/* SPDX-License-Identifier: MIT */
/*
 * commands: does what people ask in comments on merge requests.
 *
 *     command(new) --ask the forge--> approval, change, job, mr_decision; reply in the outbox
 *
 * The webhook only said that there is a comment. Its text, its author and what he may do are
 * asked of the forge at that moment. Comments of our own, of bots and those that were edited
 * are passed over; whoever may not push is refused once, politely, and passed over from then
 * on.
 *
 * What a command leads to, its reply and the end of its row are one transaction, so a daemon
 * that is killed neither forgets a command nor obeys it twice.
 */
#ifndef STAGES_COMMANDS_H
#define STAGES_COMMANDS_H

#include <stdatomic.h>

#include "notice.h"
#include "stage.h"

struct commands { /* all borrowed */
    struct store *store;
    struct notice_targets targets;
    const struct stage_bells *bells; /* NULL: nobody waits */
    const atomic_bool *stopping;     /* NULL: never */
};

/* 'self' is a struct commands. */
int64_t commands_step(void *self);

#endif
