/* SPDX-License-Identifier: MIT */
/*
 * store_change: refs that were seen with a new head, and what became of them.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "record.h"
#include "store.h"
#include "store_repo.h"

/* Appends unless the newest row of that ref has this head already: seeing a ref twice, or a
 * hook delivered twice, is one change. What is
 * to be planned again is one each time, and so is what somebody asked for by hand. */
int store_change_add(struct store *s, const struct change *c, int64_t *out_id, bool *added,
                     struct err *e);
/* The oldest that is still new behind the one with the id 'behind'; 0: of all. */
int store_change_next(struct store *s, int64_t repo_id, int64_t behind, struct change *out,
                      bool *found, struct err *e);
/* When the repository's newest change was noted; 0: there is none. */
int store_change_newest_ms(struct store *s, int64_t repo_id, int64_t *out, struct err *e);
/* The repositories that have changes which are new. */
int store_change_waiting(struct store *s, struct id_list *out, struct err *e);
int store_change_planned(struct store *s, int64_t id, int64_t mr_id, struct err *e);
int store_change_skipped(struct store *s, int64_t id, const char *why, struct err *e);

#endif
