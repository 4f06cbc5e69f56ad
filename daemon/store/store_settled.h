/* SPDX-License-Identifier: MIT */
/*
 * store_settled: is there anything left to do? For those who wait until the line has run dry.
 */
#ifndef STORE_SETTLED_H
#define STORE_SETTLED_H

#include "store.h"

struct settled {
    int64_t jobs;      /* ever, superseded ones left out */
    int64_t done;      /* of those, reported */
    bool nothing_left; /* every remote has been seen, every change planned, every job reported
                          and every report delivered or given up */
};

int store_settled(struct store *s, struct settled *out, struct err *e);

#endif
