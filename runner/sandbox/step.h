/* SPDX-License-Identifier: MIT */
/*
 * step: what happens between the runner and foreign code.
 *
 * In the child, before it becomes another program, the step enters the job's cgroups, sets hard
 * limits, becomes the slot's real user, gives up every privilege and lets no descriptor
 * through. Then the child executes bubblewrap, or, without a sandbox, the keeper: this program
 * again with the hidden word STEP_KEEPER, which stays as the parent of the command, adopts
 * whatever it leaves behind, and ends all of it when the command ends, when it is told to
 * (SIGTERM) or when the runner dies.
 *
 * Every main program that starts sandboxes (the runner, tests) calls keeper_main first.
 */
#ifndef SANDBOX_STEP_H
#define SANDBOX_STEP_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"

#define STEP_KEEPER "__keeper"

/* The descriptor on which the one who started it learns the first process's pid. */
enum { STEP_INFO_FD = 4 };

struct step {
    const struct cgroup *cgroup;
    bool drop; /* become 'uid', which only root can */
    uid_t uid;
    int64_t tasks, file, data; /* 0: no limit of ours */
    int nice;
    const cpu_set_t *cpus; /* NULL: as we are */
    int netns;             /* a network namespace to enter first; 0: none */
    unsigned fds;          /* from this number on nothing survives exec */
    pid_t runner;
    bool keeper;
};

/* For child_spec: system calls only. -1 with errno. */
int step_prepare(const void *step);

/* Returns -1 at once when argv[1] is not the hidden word; otherwise the command's status. */
int keeper_main(int argc, char **argv);

#endif
