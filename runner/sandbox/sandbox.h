/* SPDX-License-Identifier: MIT */
/*
 * sandbox: runs one foreign program of a job, build step or service, and ends all of it.
 *
 * Inside a sandbox the program sees a read-only system, its own work area as /job, a /tmp of
 * fixed size, no network but its own loopback, no process but its own, and none of our
 * environment or descriptors. It is a real unprivileged user where we are root. cgroups bound
 * memory, tasks and CPUs. It ends with the runner, however the runner ends.
 *
 * Without sandbox ('off', the operator's word) the program runs directly as the runner's user,
 * still in its own cgroup and session under a keeper that ends everything it leaves behind.
 *
 *     struct sandbox_host host;                       // once per runner, before any thread
 *     if (sandbox_host_open(&host, lock_dir, e) < 0) ...
 *     if (!host.safe) ...                             // host.why says why: refuse foreign code
 *
 *     AUTO(sandbox_freep) struct sandbox *s = NULL;
 *     if (sandbox_start(&host, &spec, &s, e) < 0) ...
 *     if (!sandbox_wait(s, deadline, &status)) ...    // still running
 *     sandbox_end(s, &use, e);                        // returns when nothing of it is left
 *
 * sandbox_start must always be called by the same thread, which must live as long as the
 * sandbox: the death signal is tied to the thread.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "area.h"
#include "cgroup.h"
#include "errors.h"

enum {
    SANDBOX_UID_FIRST = 64000, /* of slot 0; each slot has its own, so uids are never shared */
    SANDBOX_SLOTS = 16,
    SANDBOX_PIDS_MAX = 1024,
    SANDBOX_NETNS_HOST = -1,
    SANDBOX_NETNS_GONE = -2, /* it ended before its network could be opened */
};

struct sandbox_host {
    struct area_space space;
    struct cgroup_host cgroup;
    bool safe;      /* foreign code may run in a sandbox here */
    char why[2048]; /* when it may not */
    uid_t uid;      /* as foreign code sees itself */
    uid_t owner;    /* whom its files belong to, as we see it */
    bool real_root; /* so that its uid is really another than ours */
    int slot, slot_fd;
    char locks[256]; /* the folder of the slots' locks: one per host as root, else the caller's
                      */
    int filter_fd;
};

/* Takes a slot (a file in 'lock_dir', as root in /run/lock/pacewatch, that is locked while we
 * live), finds the cgroup back end,
 * enters a mount namespace and tries one sandbox. What is missing is no error but 'safe' false.
 */
int sandbox_host_open(struct sandbox_host *out, const char *lock_dir, struct err *e);
void sandbox_host_close(struct sandbox_host *h);

/* Programs that belong together meet here, for Unix sockets. */
#define SANDBOX_SHARE "/services"

struct sandbox_var { /* of the environment */
    const char *name, *value;
};

struct sandbox_spec {
    const char *name; /* "build-base": names its cgroup */
    const char *const *argv;
    const struct sandbox_var *env; /* beside PATH, HOME and LANG */
    size_t env_len;
    const char *area;    /* the directory that becomes /job; must be no link */
    const char *workdir; /* below it; NULL: its top */
    const char *share;   /* a directory that becomes SANDBOX_SHARE, writable; NULL: none */
    int join_netns;      /* the private network of another one (a descriptor); 0: its own */
    bool off;
    bool network; /* the host's network instead of a private one */
    int64_t memory, tasks;
    int64_t tmp, file; /* bytes of /tmp and of /dev/shm; largest file */
    const char *cpus;  /* "0-1"; NULL: all */
    int nice;          /* priority; below zero only where we are root */
    int out;           /* gets standard output and error; a pipe, never a file */
};

struct sandbox_use {
    int64_t cpu_ns; /* -1: not known */
    int64_t memory_peak;
    int64_t oom_kills, tasks_refused;
};

struct sandbox;

int sandbox_start(const struct sandbox_host *h, const struct sandbox_spec *spec,
                  struct sandbox **out, struct err *e);
void sandbox_freep(struct sandbox **s); /* ends what still runs */

/* When the program was about to be executed, on the monotonic clock. */
int64_t sandbox_started_ns(const struct sandbox *s);
int sandbox_pidfd(const struct sandbox *s); /* readable when it has ended; -1 afterwards */
int sandbox_netns(const struct sandbox *s); /* a descriptor, or one of SANDBOX_NETNS_* */

/* True when the program ended before the deadline: exit code, or 128 + signal. May be asked
 * again. */
bool sandbox_wait(struct sandbox *s, int64_t deadline_ns, int *status);
void sandbox_signal(const struct sandbox *s, int signal); /* to the program and its group */

/* CPU time of everything in it so far, in ns; -1: not known. */
int64_t sandbox_cpu_ns(const struct sandbox *s);
/* Its processes as the host numbers them, at most 'max'; bubblewrap's own are left out. */
size_t sandbox_pids(const struct sandbox *s, pid_t *out, size_t max);

/* Kills everything and waits until nothing is left (ERR_TIMEOUT after two seconds). */
int sandbox_end(struct sandbox *s, struct sandbox_use *out, struct err *e);

#endif
