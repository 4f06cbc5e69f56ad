/* SPDX-License-Identifier: MIT */
/*
 * cache: finished builds by the digest of what went into them.
 *
 * An entry is KEY.img (an image) or KEY.tree (a directory) and KEY.meta, which is written last:
 * an entry without it does not exist. Space is bounded; entries used longest ago go first. An
 * image that another runner has mounted may be removed: the kernel keeps it until it is
 * unmounted.
 */
#ifndef JOB_CACHE_H
#define JOB_CACHE_H

#include "errors.h"
#include "str.h"

struct tree;

#define CACHE_IMAGE "img"
#define CACHE_TREE  "tree"
#define CACHE_META  "meta"

void cache_path(const char *dir, const char *key, const char *kind, struct str *out);

/* Fills artefact and build time of the tree with that key; false when there is no such entry.
 */
bool cache_find(const char *dir, struct tree *tree);
/* Moves 'from' into the cache. */
int cache_add(const char *dir, const struct tree *tree, const char *from, const char *kind,
              struct err *e);
void cache_forget(const char *dir, const char *key);

/* Removes entries, oldest use first, until at most 'bytes' are used. */
void cache_make_room(const char *dir, int64_t bytes);
void cache_sweep(const char *dir); /* removes what has no meta file and is older than an hour */

#endif
