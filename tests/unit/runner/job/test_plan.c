/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan.h"

static void make(struct plan *out, int64_t rounds, int64_t aa_rounds, bool has_base,
                 uint64_t seed)
{
    plan_make(out, &(struct plan_wish){.rounds = rounds,
                                       .aa_rounds = aa_rounds,
                                       .has_base = has_base,
                                       .variants = 1,
                                       .seed = seed});
}

static void every_combination_is_in_every_round(void **state)
{
    struct plan p;
    int first[4] = {0};
    (void)state;

    plan_make(&p,
              &(struct plan_wish){
                  .rounds = 200, .aa_rounds = 50, .has_base = true, .variants = 4, .seed = 3});

    for (size_t i = 0; i < p.rounds.len; i++) {
        const struct plan_round *r = &p.rounds.at[i];
        int seen[4][SIDE_COUNT][2] = {0};
        assert_int_equal(r->arms_len, r->kind == ROUND_ABA ? 12 : 8);
        for (int k = 0; k < r->arms_len; k++)
            seen[r->arms[k].variant][r->arms[k].side][r->arms[k].copy]++;
        for (int v = 0; v < 4; v++) {
            assert_int_equal(seen[v][SIDE_BASE][0], 1);
            assert_int_equal(seen[v][SIDE_HEAD][0], 1);
            assert_int_equal(seen[v][SIDE_BASE][1], r->kind == ROUND_ABA);
        }
        first[r->arms[0].variant]++;
    }
    /* In random order: each combination is first about as often; six standard deviations. */
    for (int v = 0; v < 4; v++)
        assert_in_range(first[v], 50 - 37, 50 + 37);
    plan_done(&p);
}

static void every_round_has_its_arms_once(void **state)
{
    struct plan p;

    make(&p, 30, 10, true, 7);

    int aba = 0;
    for (size_t i = 0; i < p.rounds.len; i++) {
        const struct plan_round *r = &p.rounds.at[i];
        int seen[SIDE_COUNT][2] = {{0}};
        for (int k = 0; k < r->arms_len; k++)
            seen[r->arms[k].side][r->arms[k].copy]++;
        assert_int_equal(seen[SIDE_BASE][0], 1);
        assert_int_equal(seen[SIDE_HEAD][0], 1);
        assert_int_equal(seen[SIDE_BASE][1], r->kind == ROUND_ABA);
        assert_int_equal(seen[SIDE_HEAD][1], 0);
        aba += r->kind == ROUND_ABA;
    }
    assert_int_equal(p.rounds.len, 30);
    assert_int_equal(aba, 10);
    assert_int_equal(p.arms_total, 70);
    plan_done(&p);
    (void)state;
}

/* Base stands beside head in every round, and beside base where its noise is measured. */
static void arms_of_a_duet_go_in_pairs(void **state)
{
    struct plan p;
    int base_first = 0;

    plan_make(&p, &(struct plan_wish){.rounds = 300,
                                      .aa_rounds = 100,
                                      .has_base = true,
                                      .duet = true,
                                      .variants = 1,
                                      .seed = 5});

    for (size_t i = 0; i < p.rounds.len; i++) {
        const struct plan_round *r = &p.rounds.at[i];
        int copies[3] = {0};
        int heads = 0;
        assert_int_equal(r->at_once, 2);
        assert_int_equal(r->arms_len, r->kind == ROUND_ABA ? 4 : 2);
        for (int k = 0; k < r->arms_len; k += 2) {
            const struct plan_arm *a = &r->arms[k];
            const struct plan_arm *b = &r->arms[k + 1];
            bool mixed = a->side != b->side;
            assert_true(mixed ? a->copy == 0 && b->copy == 0 : a->copy + b->copy == 3);
            base_first += mixed && a->side == SIDE_BASE;
            for (int m = k; m < k + 2; m++) {
                heads += r->arms[m].side == SIDE_HEAD;
                copies[r->arms[m].copy] += r->arms[m].side == SIDE_BASE;
            }
        }
        assert_int_equal(heads, 1);
        assert_int_equal(copies[0], 1);
        assert_int_equal(copies[1], r->kind == ROUND_ABA);
        assert_int_equal(copies[2], r->kind == ROUND_ABA);
    }
    assert_in_range(base_first, 107, 193); /* five standard deviations */
    plan_done(&p);
    (void)state;
}

static void same_seed_same_plan(void **state)
{
    struct plan a;
    struct plan b;
    struct plan c;

    make(&a, 12, 4, true, 99);
    make(&b, 12, 4, true, 99);
    make(&c, 12, 4, true, 100);

    bool differs = false;
    for (size_t i = 0; i < a.rounds.len; i++) {
        const struct plan_round *x = &a.rounds.at[i];
        const struct plan_round *y = &b.rounds.at[i];
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->load_seed, y->load_seed);
        for (int k = 0; k < x->arms_len; k++) {
            assert_int_equal(x->arms[k].side, y->arms[k].side);
            assert_int_equal(x->arms[k].copy, y->arms[k].copy);
        }
        differs = differs || x->load_seed != c.rounds.at[i].load_seed;
    }
    assert_true(differs);
    plan_done(&a);
    plan_done(&b);
    plan_done(&c);
    (void)state;
}

/* Over many seeds base goes first half of the time: 10,000 rounds, five standard deviations. */
static void neither_side_is_favoured(void **state)
{
    int base_first = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct plan p;
        make(&p, 10, 0, true, seed);
        for (size_t i = 0; i < p.rounds.len; i++)
            base_first += p.rounds.at[i].arms[0].side == SIDE_BASE;
        plan_done(&p);
    }

    assert_in_range(base_first, 4750, 5250);
    (void)state;
}

/* Each third of a job has one round with three arms, anywhere in it. */
static void aba_rounds_are_spread(void **state)
{
    int at_place[9] = {0};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct plan p;
        int in_third[3] = {0};
        make(&p, 9, 3, true, seed);
        for (size_t i = 0; i < 9; i++) {
            at_place[i] += p.rounds.at[i].kind == ROUND_ABA;
            in_third[i / 3] += p.rounds.at[i].kind == ROUND_ABA;
        }
        for (int third = 0; third < 3; third++)
            assert_int_equal(in_third[third], 1);
        plan_done(&p);
    }

    for (size_t i = 0; i < 9; i++) /* 2,000 / 3, five standard deviations */
        assert_in_range(at_place[i], 560, 773);
    (void)state;
}

static void without_a_base_only_head_is_measured(void **state)
{
    struct plan p;

    make(&p, 5, 2, false, 1);

    assert_int_equal(p.rounds.len, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(p.rounds.at[i].kind, ROUND_SINGLE);
        assert_int_equal(p.rounds.at[i].arms_len, 1);
        assert_int_equal(p.rounds.at[i].arms[0].side, SIDE_HEAD);
    }
    plan_done(&p);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_is_in_every_round),
        cmocka_unit_test(every_round_has_its_arms_once),
        cmocka_unit_test(arms_of_a_duet_go_in_pairs),
        cmocka_unit_test(same_seed_same_plan),
        cmocka_unit_test(neither_side_is_favoured),
        cmocka_unit_test(aba_rounds_are_spread),
        cmocka_unit_test(without_a_base_only_head_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
