/* SPDX-License-Identifier: MIT */
/*
 * artefact: names what a build made, so that two builds with the same outcome are recognised.
 *
 * The digest covers, in sorted order, the path, kind, executable bit and content of every
 * output: those that match one of the globs, or the whole tree when there are none. "bin/app"
 * also names everything below a directory of that name; '*' does not cross a '/'; '**' does.
 *
 * The tree was written by foreign code. It is walked through descriptors, links are read and
 * never followed, and whatever is neither file, directory nor link counts by its kind only.
 */
#ifndef JOB_ARTEFACT_H
#define JOB_ARTEFACT_H

#include "digest.h"
#include "errors.h"
#include "spec.h"

enum { ARTEFACT_ENTRIES_MAX = 500000, ARTEFACT_DEPTH_MAX = 128 };

struct artefact {
    unsigned char digest[DIGEST_BYTES];
    int64_t bytes, files;
};

/* ERR_NOT_FOUND when a glob matches nothing. */
int artefact_read(const char *dir, const struct spec_list *outputs, struct artefact *out,
                  struct err *e);

bool artefact_matches(const char *glob, const char *path);

#endif
