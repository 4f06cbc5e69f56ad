/* SPDX-License-Identifier: MIT */
/*
 * mirror: one full bare copy per watched repository.
 *
 * libgit2 1.5 has no network timeout, so everything that talks to a remote runs in a child
 * process with a deadline: the program starts itself with the hidden word "__mirror", and its
 * main gives such calls to mirror_child_main before anything else:
 *
 *     if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
 *         return mirror_child_main(argc, argv);
 *
 * References keep their names. A fetch asks the remote what it has, takes those that match the
 * wanted patterns and have moved (rewritten ones too), looks afterwards that each is where the
 * remote said, and removes ours that are gone there. Objects are never thrown away, so commits
 * that a force-push replaced can still be read.
 *
 * Whose code a merge request brings can be told from references alone: when its head is the
 * tip of a branch of the repository itself, somebody who may push there has put it there. A
 * fetch looks at all branches for that, not only at those that are wanted.
 *
 * Object ids are lower-case hexadecimal texts here.
 */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "vec.h"

#define MIRROR_WORD "__mirror"

enum {
    MIRROR_HEX_MAX = 64,
    MIRROR_REF_MAX = 255,
    MIRROR_REFS_MAX = 2000, /* kept of those that match; merge requests: the newest ones */
    MIRROR_PATTERNS_MAX = 96,
};

struct mirror;

/* Opens the bare repository at 'path', or makes it when there is nothing. */
int mirror_open(const char *path, struct mirror **out, struct err *e);
void mirror_closep(struct mirror **m);

struct mirror_source {
    const char
        *url; /* path, file:, git:, http:, https:, ssh: or user@host:path; no password in it */
    const char *const *patterns; /* NULL-terminated globs over full names, such as
                                    "refs/heads/release-*"; an earlier one is more important */
    const char *user;            /* https: with the token; NULL: "x-access-token" */
    const char *token_file;      /* https: one line; NULL: none */
    const char *ssh_key;         /* private key; NULL: the agent's */
    const char
        *ssh_host_key; /* SHA-256 of the host's key as ssh-keygen -l prints it; ssh needs it */
    const char *ca_file;            /* instead of the system's certificates */
    int64_t bytes_max;              /* of one fetch; 0: 2 GiB */
    const atomic_bool *stopping;    /* set: give up with ERR_CONFLICT; may be NULL */
    struct mirror_fetcher *fetcher; /* NULL: a child for this fetch alone */
};

/* A child that is kept for the next fetch, of whatever mirror, by one thread. It is started
 * when it is needed, and killed at a deadline like any other. */
struct mirror_fetcher *mirror_fetcher_new(void);
void mirror_fetcher_freep(struct mirror_fetcher **f);

/* Kinds: ERR_AWAY the remote is not reachable or refused us, ERR_TIMEOUT, ERR_LIMIT, ERR_INPUT
 * the source is described wrongly. What was complete before stays. *out_moved, unless NULL: is
 * anything here another than before? */
int mirror_fetch(struct mirror *m, const struct mirror_source *source, int64_t deadline_ns,
                 bool *out_moved, struct err *e);

int mirror_child_main(int argc, char **argv); /* does not return */

/* Joins packs when there are very many. Needs the program git; nothing depends on it. */
int mirror_tidy(struct mirror *m, int64_t deadline_ns, struct err *e);

struct mirror_ref {
    char name[MIRROR_REF_MAX + 1];
    char sha[MIRROR_HEX_MAX + 1]; /* of the commit */
    bool is_own; /* a branch of the repository itself had this tip at the last fetch */
};

struct mirror_refs {
    VEC(struct mirror_ref) refs; /* by name */
};

int mirror_list_refs(struct mirror *m, struct mirror_refs *out, struct err *e);
void mirror_refs_done(struct mirror_refs *r);

#endif
