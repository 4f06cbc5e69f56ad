/* SPDX-License-Identifier: MIT */
/* cgroup_own: what cgroup.c and cgroup_use.c share; nobody else includes it. */
#ifndef SANDBOX_CGROUP_OWN_H
#define SANDBOX_CGROUP_OWN_H

#include "cgroup.h"
#include "str.h"

struct cgroup {
    enum cgroup_backend backend;
    char dir[CGROUP_TREES_MAX][CGROUP_PATH_MAX];
    char *join[CGROUP_TREES_MAX];
    int dirs;
    int kill_dir; /* index of the directory with cgroup.kill, -1: none */
    int cpu_fd;   /* stays open: it is read at the edges of the measured part */
};

/* One file of a cgroup directory. 0, or -1 with errno. */
int cgroup_put(const char *dir, const char *file, const char *value);
int cgroup_get(const char *dir, const char *file, struct str *out);

#endif
