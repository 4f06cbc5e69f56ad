/* SPDX-License-Identifier: MIT */
/*
 * child: starts other programs, waits for them with a deadline, and makes sure they are gone.
 *
 * A child is its own process group and dies with the thread that started it. Nothing is
 * inherited but what the spec names: descriptors 0 to 2 and the 'pass' list.
 *
 *     const char *argv[] = {"sbatch", "--version", NULL};
 *     AUTO(str_done) struct str out = STR_INIT(4096);
 *     int status;
 *     if (child_run(&(struct child_spec){.argv = argv}, &out, deadline, &status, e) < 0)
 *         return -1;
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"
#include "str.h"

struct child_pass {
    int fd; /* ours */
    int as; /* its number in the child, 3 or above */
};

struct child_spec {
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
    const char *const *envp; /* NULL: our own environment */
    const char *cwd;         /* NULL: ours */
    int in, out, err;        /* become 0, 1, 2; 0 in this struct means /dev/null */
    const struct child_pass *pass;
    size_t pass_len;
    /* Called in the child, behind all of the above and before exec; makes system calls only, as
     * other threads may hold any lock. -1 with errno is an error of child_start. */
    int (*prepare)(const void *arg);
    const void *prepare_arg;
};

struct child {
    pid_t pid; /* 0 when there is none */
    int pidfd; /* readable when it has ended; can stand in a poll set */
};

#define CHILD_INIT            \
    {                         \
        .pid = 0, .pidfd = -1 \
    }

/* A program that cannot be executed is an error here, not a status later. */
int child_start(struct child *c, const struct child_spec *spec, struct err *e);

/* True when it ended before the deadline. Status: exit code, or 128 + signal. It is reaped. */
bool child_wait(struct child *c, int64_t deadline_ns, int *status);

void child_signal(const struct child *c, int signal); /* the whole group */

/* SIGTERM, until the deadline for a clean end, then SIGKILL; reaps. Returns the status. */
int child_stop(struct child *c, int64_t deadline_ns);
void child_done(struct child *c); /* for AUTO: SIGKILL and reap what still runs */

/* Runs to the end with standard output and error appended to 'out'; more than its ceiling is
 * read and thrown away ('cut' is set). Past the deadline: killed, ERR_TIMEOUT. */
int child_run(const struct child_spec *spec, struct str *out, int64_t deadline_ns, int *status,
              struct err *e);

/* Where a program of ours is: beside the running one, as in a build folder and in an
 * installation, else the bare name, which PATH explains. */
void child_find_program(const char *name, struct str *out);

#endif
