/* SPDX-License-Identifier: MIT */
/*
 * fdio: files and descriptors. Every descriptor is close-on-exec from birth and -1 when empty.
 */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stdbool.h>
#include <sys/types.h>

#include "errors.h"
#include "str.h"

void fdio_closep(int *fd); /* for AUTO: closes and leaves -1; does nothing to -1 */

/* Appends the whole file; longer than the ceiling of 'out' is ERR_LIMIT. */
int fdio_read_file(const char *path, struct str *out, struct err *e);
/* The same for a file inside a directory that somebody else may have filled: no '..', link or
 * mount on the way leads out of it. */
int fdio_read_beneath(const char *dir, const char *path, struct str *out, struct err *e);
/* Appends what the descriptor gives until its end or the ceiling, same rule. */
int fdio_read_all(int fd, struct str *out, struct err *e);
int fdio_write_all(int fd, struct view bytes, struct err *e);

/* Replaces 'path' so that a reader or a crash sees the old or the new content, never a mixture;
 * the bytes are on disk when it returns. A device or a pipe is written to instead. */
int fdio_write_file(const char *path, struct view bytes, mode_t mode, struct err *e);

int fdio_make_dirs(const char *path, mode_t mode, struct err *e); /* like mkdir -p */

/* Removes a file or a whole tree without following links; nothing there is fine. */
int fdio_remove_tree(const char *path, struct err *e);

int fdio_pipe(int out[2], struct err *e); /* close-on-exec, blocking */
bool fdio_exists(const char *path);

#endif
