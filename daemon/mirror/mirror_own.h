/* SPDX-License-Identifier: MIT */
/* mirror_own: what the files of this folder share. */
#ifndef MIRROR_OWN_H
#define MIRROR_OWN_H

#include <git2.h>

#include "child.h"
#include "mirror.h"
#include "str.h"

struct mirror {
    char *path;
    git_repository *repo;
};

/* Starts libgit2 for this process without the user's and the system's git configuration: a
 * url.insteadOf there would lead tokens elsewhere. */
void mirror_library_start(void);

/* err_set with what libgit2 says about its last failure; 'code' chooses the kind. */
int mirror_fail(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* The size of an object without reading it: what comes from a repository may be huge. */
int mirror_object_size(struct mirror *m, const git_oid *id, int64_t *out, struct err *e);

int mirror_parse_oid(const char *hex, git_oid *out, struct err *e);

/* How a request ends: the exit status of a child of its own, the first byte of an answer. */
enum mirror_status {
    MIRROR_SAME,       /* nothing had moved */
    MIRROR_MOVED,      /* something had, and is here now */
    MIRROR_FAILED = 10 /* plus the kind of the error; its text follows */
};

/* Marks a head that is a branch's tip: a reference of ours, named like it behind "refs/". */
#define MIRROR_OWN "refs/pacewatch/own/"

#define MIRROR_SERVE                                                        \
    "serve" /* the word that makes a child answer one request after another \
             */

enum { MIRROR_REQUEST_MAX = 64 << 10 }; /* of one packet */

struct mirror_fetcher {
    struct child child;
    int fd;     /* -1: none runs */
    int served; /* by this child */
};

/* 'request' is the words of one fetch, each with a NUL behind it. */
int mirror_fetcher_ask(struct mirror_fetcher *f, struct view request,
                       const struct mirror_source *source, int64_t deadline_ns, int *status,
                       struct str *said, struct err *e);

/* A reference that the remote has and we want. */
struct wanted {
    char name[MIRROR_REF_MAX + 1];
    git_oid id;
    int rank; /* of the pattern it matches */
};

struct wanted_list {
    VEC(struct wanted) refs;
};

/* Keeps those that match a pattern, at most 'max', earlier patterns and higher numbers first.
 */
void mirror_select(const git_remote_head *const *heads, size_t n, char *const *patterns,
                   size_t patterns_len, size_t max, struct wanted_list *out);

/* What the child needs for talking to the remote. */
struct remote_access {
    const char *url, *user, *token_file, *ssh_key, *ssh_host_key;
    int64_t bytes_max;
    int asked;     /* how often credentials were asked for */
    struct err *e; /* the first own complaint; libgit2's message would hide it */
};

int remote_check_url(const struct remote_access *a, struct err *e);
void remote_callbacks(struct remote_access *a, git_remote_callbacks *cb);

#endif
