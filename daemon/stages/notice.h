/* SPDX-License-Identifier: MIT */
/*
 * notice: where reports of a repository go, besides the file that is always written: to the
 * merge request and the commit on its forge, and to any number of other places.
 */
#ifndef STAGES_NOTICE_H
#define STAGES_NOTICE_H

#include <stddef.h>

#include "forge.h"
#include "forge_courier.h"
#include "store_outbox.h"

enum { NOTICE_ROOM = 2048 }; /* of a comment, for what stands behind the report */

struct notice_target {
    const char *repo;  /* its name */
    const char *place; /* what the target is called in the configuration; may be "" */
    struct courier courier;
};

struct notice_forge {
    const char *repo;
    struct forge *forge;
    const char *context; /* of commit statuses */
    bool comments, statuses;
};

struct notice_targets { /* borrowed */
    const struct notice_target *at;
    size_t len;
    const struct notice_forge *forges; /* at most one per repository */
    size_t forges_len;
};

/* The next target of a repository behind '*at', which begins at 0; NULL: no more. */
const struct notice_target *notice_target_next(const struct notice_targets *t, const char *repo,
                                               size_t *at);
/* The target that a text of the outbox goes to; NULL: it left the configuration. */
const struct notice_target *notice_target_of(const struct notice_targets *t,
                                             const struct outbox *o);
const struct notice_forge *notice_forge_of(const struct notice_targets *t, const char *repo);
enum outbox_target notice_outbox_target(const struct notice_target *target);

/* Queues text for a slot; takes the body's memory. */
int notice_queue(struct store *s, struct outbox *o, struct str *body, struct err *e);
void notice_name_slot(struct outbox *o, const char *fmt, ...) PRINTF(2, 3);

/* The status of a commit as it lies in the outbox. */
struct notice_status {
    char sha[JOB_SHA_MAX + 1];
    enum forge_state state;
    const char *description, *url, *summary; /* url, summary: NULL for none */
};
int notice_queue_status(struct store *s, struct outbox *o, const struct notice_status *status,
                        struct err *e);

#endif
