/* SPDX-License-Identifier: MIT */
/*
 * plan: which arms are measured in which round and in which order. Pure: a seed in, a plan out.
 *
 *     ab       base, head                     in random order
 *     aba      base, base again, head         in random order: also says how noisy base is
 *     single   head                           when there is no base
 *
 * With variants each of these is measured once in every combination, all of them in one random
 * order: so base and head of a combination are neighbours in time, and so are the combinations.
 *
 * In a duet the arms of a round go in pairs, both of a pair at once: base beside head, and in
 * an aba round base beside base as well (copies 1 and 2), so that this noise is a duet's noise.
 * The order inside a pair says which half of the machine an arm gets.
 *
 * The aba rounds stand one in each equal stretch of the job, at a random place in it: their
 * noise is the job's noise, and an early look has its share of them.
 */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include "result_doc.h"

enum { PLAN_COPIES_MAX = 4, PLAN_ARMS_MAX = PLAN_COPIES_MAX * SPEC_VARIANTS_MAX };

struct plan_arm {
    enum side side;
    int copy;    /* 1: base the second time; 2: what stands beside that in a duet */
    int variant; /* index into the spec's combinations */
};

struct plan_round {
    enum round_kind kind;
    struct plan_arm arms[PLAN_ARMS_MAX]; /* in the order in which they are measured */
    int arms_len;
    int at_once;        /* 2 in a duet */
    uint64_t load_seed; /* all arms of a round get the same sequence of requests */
};

struct plan {
    VEC(struct plan_round) rounds;
    int arms_total;
};

struct plan_wish {
    int64_t rounds, aa_rounds;
    bool has_base;
    bool duet;    /* of two sides: without a base there is none */
    int variants; /* combinations, at least one */
    uint64_t seed;
};

void plan_make(struct plan *out, const struct plan_wish *wish);
void plan_done(struct plan *p);

#endif
