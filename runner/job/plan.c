/* SPDX-License-Identifier: MIT */
/* plan: see plan.h. */
#include "plan.h"

#include "rng.h"

static void fill_arms(struct plan_round *r, int variants, struct rng *rng)
{
    static const struct plan_arm arms[ROUND_KIND_COUNT][PLAN_COPIES_MAX] = {
        [ROUND_AB] = {{SIDE_BASE, 0, 0}, {SIDE_HEAD, 0, 0}},
        [ROUND_ABA] = {{SIDE_BASE, 0, 0}, {SIDE_BASE, 1, 0}, {SIDE_HEAD, 0, 0}},
        [ROUND_SINGLE] = {{SIDE_HEAD, 0, 0}},
    };
    static const int lengths[ROUND_KIND_COUNT] = {2, 3, 1};
    r->at_once = 1;
    for (int v = 0; v < variants; v++)
        for (int i = 0; i < lengths[r->kind]; i++) {
            struct plan_arm *arm = &r->arms[r->arms_len++];
            *arm = arms[r->kind][i];
            arm->variant = v;
        }
    rng_shuffle(rng, r->arms, (size_t)r->arms_len, sizeof r->arms[0]);
}

static void fill_pairs(struct plan_round *r, int variants, struct rng *rng)
{
    struct plan_arm pairs[PLAN_ARMS_MAX / 2][2];
    size_t n = 0;
    for (int v = 0; v < variants; v++) {
        const struct plan_arm change[2] = {{SIDE_BASE, 0, v}, {SIDE_HEAD, 0, v}};
        const struct plan_arm noise[2] = {{SIDE_BASE, 1, v}, {SIDE_BASE, 2, v}};
        memcpy(pairs[n++], change, sizeof change);
        if (r->kind == ROUND_ABA)
            memcpy(pairs[n++], noise, sizeof noise);
    }
    for (size_t i = 0; i < n; i++)
        rng_shuffle(rng, pairs[i], 2, sizeof pairs[i][0]);
    rng_shuffle(rng, pairs, n, sizeof pairs[0]);
    r->arms_len = (int)n * 2;
    r->at_once = 2;
    memcpy(r->arms, pairs, n * sizeof pairs[0]);
}

void plan_make(struct plan *out, const struct plan_wish *wish)
{
    struct rng rng;
    rng_init(&rng, wish->seed);
    *out = (struct plan){0};
    for (int64_t i = 0; i < wish->rounds; i++) {
        struct plan_round *r = vec_push(&out->rounds);
        r->kind = wish->has_base ? ROUND_AB : ROUND_SINGLE;
    }
    for (int64_t i = 0; wish->has_base && i < wish->aa_rounds; i++) {
        int64_t from = i * wish->rounds / wish->aa_rounds;
        int64_t to = (i + 1) * wish->rounds / wish->aa_rounds;
        int64_t at = from + (int64_t)rng_below(&rng, (uint64_t)(to - from));
        out->rounds.at[at].kind = ROUND_ABA;
    }
    for (size_t i = 0; i < out->rounds.len; i++) {
        struct plan_round *r = &out->rounds.at[i];
        if (wish->duet && wish->has_base)
            fill_pairs(r, wish->variants, &rng);
        else
            fill_arms(r, wish->variants, &rng);
        r->load_seed = rng_next(&rng) >> 1; /* fits the signed number of an option */
        out->arms_total += r->arms_len;
    }
}

void plan_done(struct plan *p)
{
    vec_done(&p->rounds);
}
