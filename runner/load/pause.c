/* SPDX-License-Identifier: MIT */
/* pause: see pause.h. */
#include "pause.h"

#include "mem.h"

void pauses_init(struct pauses *p, uint32_t conns)
{
    *p = (struct pauses){.at = mem_zero(conns, sizeof *p->at)};
}

void pauses_done(struct pauses *p)
{
    mem_freep(&p->at);
}

void pauses_add(struct pauses *p, uint32_t conn, int64_t until_ns)
{
    uint32_t at = p->len++;
    for (; at > 0 && p->at[(at - 1) / 2].until_ns > until_ns; at = (at - 1) / 2)
        p->at[at] = p->at[(at - 1) / 2];
    p->at[at] = (struct pause){until_ns, conn};
}

uint32_t pauses_take(struct pauses *p)
{
    uint32_t taken = p->at[0].conn;
    struct pause last = p->at[--p->len];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < p->len && p->at[child + 1].until_ns < p->at[child].until_ns)
            child++;
        if (child >= p->len || p->at[child].until_ns >= last.until_ns)
            break;
        p->at[at] = p->at[child];
        at = child;
    }
    p->at[at] = last;
    return taken;
}
