/* SPDX-License-Identifier: MIT */
/*
 * services: what stands beside the service under test: a database, or commands that stay.
 *
 *     services_prepare(j)                     // once: versions, the database's template
 *     struct services beside = {0};
 *     if (services_start(j, &beside) < 0)     // before the service under test, for each arm
 *         return -1;                          // job_fail has been called
 *     ...
 *     services_stop(j, &beside);              // everything they wrote is gone
 *
 * Each runs in a sandbox and an account of its own, so its CPU time is known apart. They and
 * the service under test meet in a folder for Unix sockets, whose path stands in
 * PACEWATCH_SERVICES, and, where one listens on TCP, in one private network. Both arms get the
 * same: PostgreSQL from one template, commands from base's tree.
 */
#ifndef JOB_SERVICES_H
#define JOB_SERVICES_H

#include "job.h"
#include "postgres.h"

struct services_one {
    const struct spec_service *spec;
    struct sandbox *sandbox;
    struct capture *output;
    struct work_fresh area;
};

struct services {
    struct services_one at[SPEC_SERVICES_MAX];
    size_t len;
    struct work_fresh share;
    int netns; /* to join; 0: nothing to join */
};

enum { SERVICES_VARS_MAX = 8, SERVICES_VAR_BYTES = WORK_PATH_MAX + 128 };

struct services_env { /* for programs that use the services */
    struct sandbox_var vars[SERVICES_VARS_MAX];
    size_t len;
    char share[SERVICES_VAR_BYTES], url[SERVICES_VAR_BYTES];
};

int services_prepare(struct job *j);
int services_start(struct job *j, struct services *out);
void services_stop(struct job *j, struct services *s); /* quiet when there are none */

/* Points into 'out' and into the spec. Nothing when the spec has no services. */
void services_env(const struct job *j, const struct services *s, struct services_env *out);

struct services_cpu {
    int64_t apart, counted; /* ns so far; 'counted' is to be added to the service's own */
};
void services_cpu(const struct services *s, struct services_cpu *out);

/* True when one of them has ended by itself, with words for people. */
bool services_ended(struct services *s, struct str *how);

#endif
