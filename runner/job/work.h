/* SPDX-License-Identifier: MIT */
/*
 * work: the folders of a runner, and the trees in them.
 *
 *     DIR/locks/         slots of running jobs, without root
 *     DIR/spool/         results that could not be delivered
 *     DIR/cache/         finished builds: KEY.img or KEY.tree with KEY.meta
 *     DIR/run-SLOT/      this job's own files; emptied at start and end
 *
 * Trees are mounted in DIR/run-SLOT, or as root below /run/pacewatch: the sandbox's user must
 * be able to walk to its work area, and DIR usually lies in a folder that nobody else may
 * enter. Only the runner's own mount namespace sees what is there.
 *
 * A tree is one side's source and everything its build made. Where images are possible it is a
 * file system of fixed size in a file, which is also how it is cached: an image is renamed into
 * the cache when its build has succeeded, and it is only ever mounted read-only from then on,
 * so no later job can change what another one measures. Its name is the digest of all that went
 * into it. Without root a tree lives in memory and is not cached; without any mounts (sandbox
 * off) it is a plain directory.
 */
#ifndef JOB_WORK_H
#define JOB_WORK_H

#include <limits.h>

#include "artefact.h"
#include "job_doc.h"
#include "sandbox.h"

#define WORK_CACHE_BYTES (INT64_C(8) << 30) /* builds used longest ago go first */

enum { WORK_PATH_MAX = AREA_PATH_MAX - 64, WORK_NAME_MAX = 32 };

enum tree_kind { TREE_IMAGE, TREE_MEMORY, TREE_DIRECTORY };

struct work {
    char run[WORK_PATH_MAX], cache[WORK_PATH_MAX];
    char mounts[WORK_PATH_MAX]; /* where trees are mounted */
    enum tree_kind kind;
    const struct area_space *space;
    uid_t owner;      /* of files that foreign code may write */
    bool own_mounts;  /* 'mounts' is a mount itself */
    bool own_mounted; /* the folder of this very program */
};

struct tree {
    char name[WORK_NAME_MAX]; /* unique among the trees of a job: "base" */
    bool present, cached, mounted;
    char dir[WORK_PATH_MAX];
    char key[DIGEST_HEX + 1];
    struct artefact artefact;
    int64_t build_ns;
};

#define WORK_ROOT_MOUNTS "/run/pacewatch"

/* Makes the folders and removes what an earlier runner of this slot left. */
int work_open(struct work *w, const char *root, const struct sandbox_host *h, bool off,
              struct err *e);
void work_close(struct work *w);

/* A small file's path in DIR/run-SLOT. */
void work_path(const struct work *w, const char *name, struct str *out);

/* This very program, to be run in a sandbox or, with 'off', without one: 'dir' is its work area
 * and 'program' its path as it sees itself. */
int work_own_program(struct work *w, bool off, char dir[WORK_PATH_MAX], char program[PATH_MAX],
                     struct err *e);

/* A finished tree from the cache: tree->present says whether there was one. */
int work_tree_find(struct work *w, struct tree *tree, struct err *e);
/* An empty one of at most 'bytes' to unpack and build in. */
int work_tree_make(struct work *w, int64_t bytes, struct tree *tree, struct err *e);
/* The build has succeeded and nobody runs in it any more: read-only from here, and cached. */
int work_tree_keep(struct work *w, struct tree *tree, struct err *e);
void work_tree_done(struct tree *tree);

struct work_fresh {
    char dir[WORK_PATH_MAX], scratch[WORK_PATH_MAX];
    bool mounted, copied;
};

/* A writable directory that shows the tree as it was built, for one use; 'name' is unique among
 * those that exist at a time. Without mounts it is the tree itself, or, with 'strict', a copy
 * of it. */
int work_fresh_open(const struct work *w, const struct tree *tree, int64_t bytes,
                    const char *name, bool strict, struct work_fresh *out, struct err *e);
void work_fresh_close(struct work_fresh *f);
/* An empty directory of at most 'bytes' where there are mounts. */
int work_empty_open(const struct work *w, int64_t bytes, const char *name,
                    struct work_fresh *out, struct err *e);

#endif
