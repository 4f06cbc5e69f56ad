/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vec.h"

struct pair {
    int a;
    char b;
};

static void pushed_elements_stay_in_order_while_it_grows(void **state)
{
    VEC(struct pair) v = {0};

    for (int i = 0; i < 1000; i++)
        *vec_push(&v) = (struct pair){i, 'x'};

    assert_int_equal(v.len, 1000);
    assert_true(v.room >= v.len);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v.at[i].a, i);
    vec_done(&v);
    (void)state;
}

static void a_new_element_is_cleared_even_in_used_memory(void **state)
{
    VEC(struct pair) v = {0};
    for (int i = 0; i < 8; i++)
        *vec_push(&v) = (struct pair){-1, 'x'};
    v.len = 0; /* the caller starts again in the same memory */

    struct pair *p = vec_push(&v);

    assert_int_equal(p->a, 0);
    assert_int_equal(p->b, 0);
    vec_done(&v);
    (void)state;
}

static void done_leaves_an_empty_one_that_can_be_used_again(void **state)
{
    VEC(int) v = {0};
    vec_done(&v); /* of one that never held anything */
    *vec_push(&v) = 1;

    vec_done(&v);

    assert_null(v.at);
    assert_int_equal(v.len + v.room, 0);
    *vec_push(&v) = 7;
    assert_int_equal(v.at[0], 7);
    vec_done(&v);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushed_elements_stay_in_order_while_it_grows),
        cmocka_unit_test(a_new_element_is_cleared_even_in_used_memory),
        cmocka_unit_test(done_leaves_an_empty_one_that_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
