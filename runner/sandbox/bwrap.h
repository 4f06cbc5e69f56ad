/* SPDX-License-Identifier: MIT */
/*
 * bwrap: bubblewrap's arguments and the descriptors that they name, for one sandbox.
 */
#ifndef SANDBOX_BWRAP_H
#define SANDBOX_BWRAP_H

#include "child.h"
#include "sandbox.h"
#include "str.h"

#define BWRAP_PATH "/usr/bin/bwrap"

/* Numbers of the descriptors in the child; STEP_INFO_FD is among them. */
enum bwrap_fd {
    BWRAP_FD_ARGS = 3,
    BWRAP_FD_INFO = 4,
    BWRAP_FD_PASSWD,
    BWRAP_FD_GROUP,
    BWRAP_FD_HOSTS,
    BWRAP_FD_FILTER,
    BWRAP_FD_AREA,
    BWRAP_FD_SHARE,
    BWRAP_FD_END,
};

struct bwrap {
    struct child_pass pass[BWRAP_FD_END - BWRAP_FD_ARGS];
    size_t pass_len;
};

/* Opens everything but the pipe for BWRAP_FD_INFO, which the caller adds. */
int bwrap_open(struct bwrap *b, const struct sandbox_host *h, const struct sandbox_spec *spec,
               struct err *e);
void bwrap_close(struct bwrap *b);
void bwrap_pass(struct bwrap *b, int fd, enum bwrap_fd as); /* takes the descriptor */

/* A directory by path, never through a link. */
int bwrap_open_area(const char *path, int *out_fd, struct err *e);

#endif
