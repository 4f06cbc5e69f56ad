/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pause.h"
#include "rng.h"

static void the_shortest_wait_comes_first(void **state)
{
    enum { CONNS = 1000 };
    struct pauses p;
    struct rng rng;
    int64_t until[CONNS];
    int64_t last = 0;
    rng_init(&rng, 5);
    pauses_init(&p, CONNS);
    assert_int_equal(pauses_first_ns(&p), INT64_MAX);
    for (uint32_t i = 0; i < CONNS; i++) {
        until[i] = (int64_t)rng_below(&rng, 300); /* many are alike */
        pauses_add(&p, i, until[i]);
    }

    for (uint32_t i = 0; i < CONNS; i++) {
        int64_t first = pauses_first_ns(&p);
        uint32_t conn = pauses_take(&p);

        assert_int_equal(until[conn], first);
        assert_true(first >= last);
        until[conn] = -1; /* nobody comes twice */
        last = first;
    }

    assert_int_equal(p.len, 0);
    pauses_done(&p);
    (void)state;
}

static void who_comes_back_finds_its_place(void **state)
{
    struct pauses p;
    pauses_init(&p, 3);
    pauses_add(&p, 0, 30);
    pauses_add(&p, 1, 10);
    assert_int_equal(pauses_take(&p), 1);
    pauses_add(&p, 2, 20);
    pauses_add(&p, 1, 40);

    assert_int_equal(pauses_take(&p), 2);
    assert_int_equal(pauses_take(&p), 0);
    assert_int_equal(pauses_take(&p), 1);

    pauses_done(&p);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_wait_comes_first),
        cmocka_unit_test(who_comes_back_finds_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
