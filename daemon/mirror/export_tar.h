/* SPDX-License-Identifier: MIT */
/*
 * export_tar: writes the tree of a commit as an uncompressed tar file (GNU format: names are
 * bytes).
 *
 * The same commit gives the same bytes: owner 0, the commit's time, modes 0644, 0755 and links
 * only. Submodules are not followed: an empty folder stands in their place and the answer says
 * how many there were. Names that would leave the tree or reach into .git are refused, and
 * so are single files above 1 GiB.
 */
#ifndef MIRROR_EXPORT_TAR_H
#define MIRROR_EXPORT_TAR_H

#include "mirror.h"

struct export_limits {
    int64_t bytes_max; /* of all files together; 0: 4 GiB */
    int64_t files_max; /* 0: 500,000 */
};

struct export_note {
    int64_t files, bytes;
    int submodules; /* that were left out */
};

/* Replaces 'path' only when the whole tree was written. */
int export_tar(struct mirror *m, const char *sha, const char *path,
               const struct export_limits *limits, struct export_note *out, struct err *e);

#endif
