/* SPDX-License-Identifier: MIT */
/*
 * forge_budget: how much we may ask of one forge, over all repositories on it.
 *
 * Two token buckets: one for the minute, one for the hour (GitHub, for all content: 80 and 500;
 * see its "secondary rate limits"). What the forge itself says, goes first: a wait it asks for
 * and a budget it calls spent hold everything back until then. Pure: the time is an argument.
 */
#ifndef FORGE_FORGE_BUDGET_H
#define FORGE_FORGE_BUDGET_H

#include "forge.h"

struct forge_budget { /* zeroed but for 'kind' it is full */
    enum forge_kind kind;
    double spent[2];  /* in the minute, in the hour; they flow back at a steady rate */
    int64_t at_ms;    /* when that was so */
    int64_t until_ms; /* the forge wants to be left alone until then */
};

/* 0: go ahead; otherwise how long to wait before asking again. */
int64_t forge_budget_wait_ms(struct forge_budget *b, int64_t now_ms);
/* One request that writes has been sent, and this came of it. */
void forge_budget_note(struct forge_budget *b, const struct forge_answer *a, int64_t now_ms);

#endif
