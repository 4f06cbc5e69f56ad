/* SPDX-License-Identifier: MIT */
/*
 * cgroup: limits, accounts and ends everything that one part of a job started.
 *
 * Three back ends, chosen once by cgroup_detect: v2 (a directory that was delegated to us), v1
 * (the memory, pids and cpuset hierarchies, with a leaf in a unified tree beside them where
 * there is one, for cgroup.kill), and none. With none, limits hold for each process alone,
 * accounting falls back to /proc, and the end of the pid namespace is what ends a job.
 *
 *     struct cgroup_host host;
 *     cgroup_detect(&host);
 *     AUTO(cgroup_freep) struct cgroup *g = NULL;
 *     if (cgroup_make(&host, "slot0-build", &limits, &g, e) < 0) ...
 *     ... a process writes "0" to each cgroup_join(g, i) before it execs foreign code ...
 *     cgroup_kill(g, deadline_ns);      // true when the group is empty
 *
 * A group is removed when it is freed. Groups of a runner that was killed stay behind:
 * cgroup_sweep ends and removes those whose name starts with a prefix.
 */
#ifndef SANDBOX_CGROUP_H
#define SANDBOX_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"

enum cgroup_backend { CGROUP_NONE, CGROUP_V1, CGROUP_V2, CGROUP_BACKEND_COUNT };
extern const char *const cgroup_backend_names[CGROUP_BACKEND_COUNT]; /* "none", "v1", "v2" */

enum { CGROUP_TREES_MAX = 6, CGROUP_PATH_MAX = 256, CGROUP_FILE_MAX = 1 << 20 };

struct cgroup_host {
    enum cgroup_backend backend;
    /* Where our groups lie: one directory with v2, one for each hierarchy with v1. */
    char top[CGROUP_TREES_MAX][CGROUP_PATH_MAX];
    int tops;
    char why[CGROUP_PATH_MAX]; /* what was found, for people */
};

struct cgroup_limits {
    int64_t memory;   /* bytes, 0: none */
    int64_t tasks;    /* processes and threads, 0: none */
    const char *cpus; /* "0-1,3"; NULL: all */
};

struct cgroup_use {
    int64_t memory_peak; /* bytes, page cache and kernel memory included; -1: not known */
    int64_t oom_kills, tasks_refused; /* 0 where not known */
};

struct cgroup; /* one group */

/* PACEWATCH_CGROUP in the environment names the delegated directory of back end v2; the word
 * "none" chooses that back end. */
void cgroup_detect(struct cgroup_host *out);

int cgroup_make(const struct cgroup_host *host, const char *name,
                const struct cgroup_limits *limits, struct cgroup **out, struct err *e);
void cgroup_freep(struct cgroup **g); /* kills what is left and removes the group */

/* The i-th file that a process writes "0" to; NULL after the last. With none there is no file.
 */
const char *cgroup_join(const struct cgroup *g, int i);

/* CPU time of all processes, living and dead, in ns; -1 where there is no account. */
int64_t cgroup_cpu_ns(const struct cgroup *g);
void cgroup_read_use(const struct cgroup *g, struct cgroup_use *out);

/* Processes in the group, at most 'max'; how many. */
size_t cgroup_pids(const struct cgroup *g, pid_t *out, size_t max);

/* Kills until nobody is left. False at the deadline, true at once with back end none. */
bool cgroup_kill(const struct cgroup *g, int64_t deadline_ns);

/* Ends and removes groups that an earlier runner left; the caller makes sure it is dead. */
void cgroup_sweep(const struct cgroup_host *host, const char *prefix);

#endif
