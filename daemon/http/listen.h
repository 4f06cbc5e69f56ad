/* SPDX-License-Identifier: MIT */
/* listen: sockets that are bound and listening, for the server to accept on. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "errors.h"

/* "HOST:PORT", "[V6]:PORT" or ":PORT" for every address of this host. */
int listen_tcp(const char *address, int *out_fd, int *out_port, struct err *e);

/* Only the daemon's own user may connect. A socket left by a dead daemon is replaced; one that
 * somebody serves is an error. */
int listen_unix(const char *path, int *out_fd, struct err *e);

#endif
