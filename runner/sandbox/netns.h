/* SPDX-License-Identifier: MIT */
/*
 * netns: reaches into a sandbox's private network.
 *
 * A socket belongs for ever to the network namespace it was made in, whoever uses it. So a
 * short child enters the namespace, makes sockets there and hands them over; the runner itself
 * never moves and its threads stay where they are.
 */
#ifndef SANDBOX_NETNS_H
#define SANDBOX_NETNS_H

#include "errors.h"

/* A TCP socket over IPv4, close-on-exec and non-blocking, in the namespace of 'netns_fd'; -1:
 * in our own. */
int netns_socket(int netns_fd, int *out_fd, struct err *e);
/* The same for a socket that asks the kernel about the sockets there, see sock_diag(7). */
int netns_diag(int netns_fd, int *out_fd, struct err *e);

#endif
