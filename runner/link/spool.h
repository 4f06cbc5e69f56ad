/* SPDX-License-Identifier: MIT */
/*
 * spool: results that could not be delivered, kept until the daemon is back.
 *
 * One file for each result: where to, with which token, then the document. The directory and
 * its files are readable by their owner only, as they hold tokens. A result is tried again
 * whenever a runner starts on this host, and given up when nobody wants it any more or after a
 * week.
 */
#ifndef LINK_SPOOL_H
#define LINK_SPOOL_H

#include "link.h"

int spool_keep(const char *dir, int64_t job, int64_t attempt, const struct link_address *to,
               struct view result, struct err *e);

struct spool_count {
    int delivered, dropped, kept;
};

/* Tries each result once. Trouble with one does not stop the others. */
void spool_deliver(const char *dir, struct spool_count *out);

#endif
