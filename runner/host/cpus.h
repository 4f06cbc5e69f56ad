/* SPDX-License-Identifier: MIT */
/*
 * cpus: who runs where during a measurement.
 *
 * The service under test, the load generator and the housekeeping (runner, daemon) get disjoint
 * sets of whole cores, so that none of them takes time or a shared cache level of a core from
 * another. Small machines share what must be shared, and the plan says so:
 *
 *     cores   service   load        housekeeping
 *     1       0         0           0              shared
 *     2       0         1           1
 *     3       0         1           2
 *     n       first half of n - 1, rest of n - 1, last
 */
#ifndef HOST_CPUS_H
#define HOST_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "errors.h"

enum { CPUS_LIST_MAX = 256 };

struct cpus_machine {
    cpu_set_t allowed;
    int core_of[CPU_SETSIZE]; /* any number that is equal for the threads of one core */
};

struct cpus {
    cpu_set_t all, service, load, house;
    int threads, cores;
    bool shared; /* service and generator are not apart */
    /* The same sets as the kernel writes them. */
    char all_list[CPUS_LIST_MAX], service_list[CPUS_LIST_MAX], load_list[CPUS_LIST_MAX];
};

void cpus_read(struct cpus_machine *out);     /* what this process may use now */
void cpus_read_cores(struct cpus_machine *m); /* fills in core_of for those in m->allowed */
void cpus_divide(const struct cpus_machine *m, struct cpus *out);

/* Two equal halves of the machine, for a service and a generator each: whole cores, the same
 * number in both, housekeeping beside the generators. 'shared' below four cores: then a half's
 * service and generator take turns on the same ones. False: there is one core only. */
bool cpus_halve(const struct cpus_machine *m, struct cpus out[2]);

/* Moves this process, and children that say nothing else, to the housekeeping set. */
int cpus_keep_house(const struct cpus *c, struct err *e);

/* The priority of what is measured and of what measures: less often interrupted by others'
 * work, CPU time per request varies half as much. Zero where we may not raise it. */
enum { CPUS_NICE_MEASURED = -10 };
int cpus_raise_priority(void); /* of this process and its children; what it is now */

/* The same against the rest of the host. With autogroups (sched(7)) the kernel shares time out
 * between sessions first, and a process's priority counts inside its session only: the service
 * in its sandbox leads one of its own, so that session's priority has to be raised. False where
 * there is nothing to raise; never our own session, in which others work, too. */
bool cpus_raise_session(pid_t pid, int nice);

#endif
