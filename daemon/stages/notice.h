/* SPDX-License-Identifier: MIT */
/*
 * notice: where reports of a repository go, besides the file that is always written.
 */
#ifndef STAGES_NOTICE_H
#define STAGES_NOTICE_H

#include <stddef.h>

#include "forge_webhook.h"

struct notice_target {
    const char *repo; /* its name */
    struct forge_webhook webhook;
};

struct notice_targets { /* borrowed; a repository has at most one */
    const struct notice_target *at;
    size_t len;
};

/* NULL: the repository has none. */
const struct notice_target *notice_target_of(const struct notice_targets *t, const char *repo);

#endif
