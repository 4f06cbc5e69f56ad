/* SPDX-License-Identifier: MIT */
/*
 * filter: the system-call filter of every sandbox, as a program that bubblewrap loads.
 *
 * A deny list: what a build or an HTTP service needs stays allowed; other processes' memory,
 * kernel keys and programs, mounts, namespaces, io_uring, the clock, and sockets of any family
 * but AF_UNIX, AF_INET and AF_INET6 do not. Calls of another architecture end the caller.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include "errors.h"

/* A memory file with the program, made once. The caller closes it. */
int filter_make(int *out_fd, struct err *e);

/* A descriptor of its own on the same program, at its start: bubblewrap reads to the end. */
int filter_open(int filter_fd, int *out_fd, struct err *e);

#endif
