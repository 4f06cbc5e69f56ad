/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "clock.h"
#include "stage.h"

struct counter {
    struct bell stepped;
    atomic_bool stopping;
    atomic_int steps, ends;
    int64_t pause_ns;
    pthread_t stepper, ender;
    bool signals_blocked;
};

static int64_t count_step(void *self)
{
    struct counter *c = self;
    sigset_t mask;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    c->signals_blocked = sigismember(&mask, SIGTERM) == 1;
    c->stepper = pthread_self();
    atomic_fetch_add(&c->steps, 1);
    bell_ring(&c->stepped);
    return clock_now_ns() + c->pause_ns;
}

static void count_end(void *self)
{
    struct counter *c = self;
    c->ender = pthread_self();
    atomic_fetch_add(&c->ends, 1);
}

static bool wait_for_step(struct counter *c)
{
    return bell_wait(&c->stepped, clock_now_ns() + 20 * CLOCK_NS_PER_S);
}

static void start(struct counter *c, struct stage *s, struct stage_bells *bells,
                  int64_t pause_ns)
{
    struct err e = {0};
    *c = (struct counter){.pause_ns = pause_ns};
    assert_int_equal(bell_open(&c->stepped, &e), 0);
    assert_int_equal(stage_bells_open(bells, &e), 0);
    *s = (struct stage){.name = "count",
                        .self = c,
                        .step = count_step,
                        .end = count_end,
                        .bell = &bells->watch,
                        .stopping = &c->stopping};
    assert_int_equal(stage_start(s, &e), 0);
    assert_true(wait_for_step(c)); /* The first look needs no bell. */
}

static void stop(struct counter *c, struct stage *s, struct stage_bells *bells)
{
    atomic_store(&c->stopping, true);
    bell_ring(&bells->watch);
    stage_join(s);
    stage_bells_close(bells);
    bell_close(&c->stepped);
}

static void stage_looks_again_when_its_bell_is_rung(void **state)
{
    (void)state;
    struct counter c;
    struct stage s;
    struct stage_bells bells;
    start(&c, &s, &bells, 1000 * CLOCK_NS_PER_S);

    bell_ring(&bells.watch);

    assert_true(wait_for_step(&c));
    assert_int_equal(atomic_load(&c.steps), 2);
    stop(&c, &s, &bells);
}

static void stage_looks_again_by_itself_at_the_time_it_gave(void **state)
{
    (void)state;
    struct counter c;
    struct stage s;
    struct stage_bells bells;
    start(&c, &s, &bells, CLOCK_NS_PER_MS);

    assert_true(wait_for_step(&c));

    assert_true(atomic_load(&c.steps) >= 2);
    stop(&c, &s, &bells);
}

static void stage_ends_in_its_own_thread_and_takes_no_signals(void **state)
{
    (void)state;
    struct counter c;
    struct stage s;
    struct stage_bells bells;
    start(&c, &s, &bells, 1000 * CLOCK_NS_PER_S);

    stop(&c, &s, &bells);

    assert_int_equal(atomic_load(&c.ends), 1);
    assert_true(pthread_equal(c.stepper, c.ender));
    assert_false(pthread_equal(c.stepper, pthread_self()));
    assert_true(c.signals_blocked);
    stage_join(&s); /* again: nothing happens */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_looks_again_when_its_bell_is_rung),
        cmocka_unit_test(stage_looks_again_by_itself_at_the_time_it_gave),
        cmocka_unit_test(stage_ends_in_its_own_thread_and_takes_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
