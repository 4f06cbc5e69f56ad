/* SPDX-License-Identifier: MIT */
/*
 * unpack: a source tree from a tar into a directory, without ever leaving it.
 *
 * Plain files, directories and symbolic links, nothing else: a device, a pipe or a hard link is
 * refused, and so is a path that is absolute, holds "..", or goes through a link. Links are
 * made but never followed. Modes are 0644 or 0755, so no setuid bit survives.
 */
#ifndef LINK_UNPACK_H
#define LINK_UNPACK_H

#include <stdint.h>
#include <sys/types.h>

#include "errors.h"

enum { UNPACK_ENTRIES_MAX = 500000, UNPACK_PATH_MAX = 4096 };

struct unpack_rules {
    int64_t bytes_max; /* of all files */
    uid_t owner;       /* of everything; (uid_t)-1: whoever we are */
};

/* 'tar_fd' is read from its start; 'dir' must exist and be empty. */
int unpack_tar(int tar_fd, const char *dir, const struct unpack_rules *rules, struct err *e);

#endif
