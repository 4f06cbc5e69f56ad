/* SPDX-License-Identifier: MIT */
/*
 * pause: connections that wait before their next request, the one that waits shortest first.
 *
 * A binary heap; every connection stands in it at most once, so its memory is taken beforehand.
 */
#ifndef LOAD_PAUSE_H
#define LOAD_PAUSE_H

#include <stdint.h>

struct pause {
    int64_t until_ns;
    uint32_t conn;
};

struct pauses {
    struct pause *at;
    uint32_t len;
};

void pauses_init(struct pauses *p, uint32_t conns);
void pauses_done(struct pauses *p);
void pauses_add(struct pauses *p, uint32_t conn, int64_t until_ns);
uint32_t pauses_take(struct pauses *p); /* there is one */

static inline int64_t pauses_first_ns(const struct pauses *p)
{
    return p->len ? p->at[0].until_ns : INT64_MAX;
}

#endif
