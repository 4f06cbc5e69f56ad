/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

#include "bell.h"
#include "clock.h"

static void many_rings_are_one(void **state)
{
    struct bell b;
    assert_int_equal(bell_open(&b, NULL), 0);

    for (int i = 0; i < 1000; i++)
        bell_ring(&b);

    assert_true(bell_wait(&b, clock_now_ns() + CLOCK_NS_PER_S));
    assert_false(bell_wait(&b, clock_now_ns()));
    bell_close(&b);
    (void)state;
}

static void waiting_ends_at_the_deadline(void **state)
{
    struct bell b;
    assert_int_equal(bell_open(&b, NULL), 0);
    int64_t due = clock_now_ns() + 5 * CLOCK_NS_PER_MS;

    assert_false(bell_wait(&b, due));

    assert_true(clock_now_ns() >= due);
    bell_close(&b);
    (void)state;
}

static void taking_leaves_nothing_and_does_not_wait(void **state)
{
    struct bell b;
    assert_int_equal(bell_open(&b, NULL), 0);
    bell_take(&b); /* nothing there */
    bell_ring(&b);
    struct pollfd p = {.fd = b.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 1);

    bell_take(&b);

    assert_int_equal(poll(&p, 1, 0), 0);
    bell_close(&b);
    (void)state;
}

static void *ring(void *bell)
{
    bell_ring(bell);
    return NULL;
}

static void another_thread_wakes_the_waiter(void **state)
{
    struct bell b;
    pthread_t thread;
    assert_int_equal(bell_open(&b, NULL), 0);

    assert_int_equal(pthread_create(&thread, NULL, ring, &b), 0);

    assert_true(bell_wait(&b, clock_now_ns() + 10 * CLOCK_NS_PER_S));
    pthread_join(thread, NULL);
    bell_close(&b);
    (void)state;
}

static void a_closed_bell_is_harmless(void **state)
{
    struct bell b;
    assert_int_equal(bell_open(&b, NULL), 0);

    bell_close(&b);
    bell_close(&b);
    bell_ring(&b);
    bell_take(&b);

    assert_int_equal(b.fd, -1);
    assert_false(bell_wait(&b, clock_now_ns()));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rings_are_one),
        cmocka_unit_test(waiting_ends_at_the_deadline),
        cmocka_unit_test(taking_leaves_nothing_and_does_not_wait),
        cmocka_unit_test(another_thread_wakes_the_waiter),
        cmocka_unit_test(a_closed_bell_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
