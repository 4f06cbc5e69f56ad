/* SPDX-License-Identifier: MIT */
/*
 * store_approval: which heads of merge requests may run, and on whose word.
 *
 * An approval is for one head: what is pushed afterwards needs another one.
 */
#ifndef STORE_APPROVAL_H
#define STORE_APPROVAL_H

#include "record.h"
#include "store.h"

enum approval_how {
    APPROVAL_BRANCH,  /* it is the tip of a branch of the repository itself */
    APPROVAL_FORGE,   /* the forge says that it comes from there */
    APPROVAL_COMMENT, /* a member said so */
    APPROVAL_LABEL,
    APPROVAL_HOW_COUNT,
};

enum { APPROVAL_ROLE_MAX = 16 };

struct approval {
    int64_t repo_id, mr; /* its number */
    struct sha sha;
    enum approval_how how;
    char who[RECORD_NAME_MAX]; /* "": nobody had to */
    char role[APPROVAL_ROLE_MAX];
};

/* The first one for a head counts. */
int store_approval_add(struct store *s, const struct approval *a, struct err *e);
int store_approval_has(struct store *s, int64_t repo_id, int64_t mr, const struct sha *sha,
                       bool *out, struct err *e);

#endif
