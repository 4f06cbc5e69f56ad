/* SPDX-License-Identifier: MIT */
/*
 * postgres: a throwaway PostgreSQL of Debian's packages, for services.c.
 *
 * Its cluster is made and seeded once per job into a tree of its own, the template. Each arm
 * starts from a fresh view of that, so that what one arm writes is never there for the next. It
 * listens on a Unix socket in the shared folder and nowhere else, without passwords. Durability
 * is off (fsync, synchronous_commit, full_page_writes) and so is autovacuum: what is compared
 * is the service's work, not the disk's mood.
 */
#ifndef JOB_POSTGRES_H
#define JOB_POSTGRES_H

#include "job.h"
#include "vec.h"

#define POSTGRES_USER "pacewatch"
#define POSTGRES_PORT "5432"

/* Finds the server, notes its version, makes and seeds j->template. -1 after job_fail. */
int postgres_prepare(struct job *j, const struct spec_service *s);

/* The command line of the server; 'area' and 'share' as it sees them. Texts are owned. */
struct words {
    VEC(char *) at; /* ends with NULL */
};
void postgres_argv(const struct spec_service *s, const char *area, const char *share,
                   struct words *out);
void words_done(struct words *w);

/* Whether it takes sessions on that socket: says hello as a client would and looks at the first
 * byte of the answer. */
bool postgres_answers(int fd, const struct spec_service *s, int64_t deadline_ns);

#endif
