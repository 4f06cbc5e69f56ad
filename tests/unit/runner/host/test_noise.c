/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "noise.h"

static void gauges_are_shares_of_the_time_between(void **state)
{
    cpu_set_t cpus;
    struct noise_gauges g;
    struct noise_snap from = {.at_ns = 0};
    struct noise_snap to = {.at_ns = 2 * CLOCK_NS_PER_S,
                            .pressure_us = {500000, 0, 100000},
                            .busy_s = 1.5,
                            .steal_s = 0.2,
                            .mhz = 3000,
                            .throttled_ns = 20 * CLOCK_NS_PER_MS,
                            .hot = 3,
                            .switches = 4000,
                            .run_delay_ns = 100 * CLOCK_NS_PER_MS,
                            .thread_cpu_ns = CLOCK_NS_PER_S,
                            .involuntary = 50};
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);

    noise_between(&from, &to, CLOCK_NS_PER_S, &cpus, &g);

    assert_true(fabs(g.psi_cpu - 0.25) < 1e-9);
    assert_true(fabs(g.psi_io - 0.05) < 1e-9);
    assert_true(fabs(g.steal - 0.1) < 1e-9);
    assert_true(fabs(g.throttled - 0.01) < 1e-9);
    assert_true(fabs(g.hot - 3) < 1e-9);
    assert_true(fabs(g.mhz - 1500) < 1e-9);
    assert_true(fabs(g.foreign_cpu - 0.25) < 1e-9);
    assert_true(fabs(g.run_delay - 0.1) < 1e-9);
    assert_true(fabs(g.switches_per_s - 2000) < 1e-9);
    assert_true(fabs(g.involuntary_per_s - 25) < 1e-9);
    (void)state;
}

static void counters_that_go_back_are_no_negative_noise(void **state)
{
    cpu_set_t cpus;
    struct noise_gauges g;
    struct noise_snap from = {.busy_s = 5, .switches = 10};
    struct noise_snap to = {.at_ns = CLOCK_NS_PER_S};
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);

    noise_between(&from, &to, 0, &cpus, &g);
    assert_true(g.foreign_cpu >= 0 && g.switches_per_s >= 0 && g.run_delay >= 0);
    noise_between(&to, &to, 0, &cpus, &g);
    assert_true(g.psi_cpu >= 0);
    (void)state;
}

static void work_of_a_process_shows_in_its_snapshot(void **state)
{
    cpu_set_t cpus;
    struct noise_snap snap = {0};
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile unsigned long i = 0;; i++)
            continue;
    }

    while (snap.thread_cpu_ns < 10 * CLOCK_NS_PER_MS && clock_now_ns() < deadline)
        noise_snap(&snap, &cpus, &child, 1);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(snap.thread_cpu_ns >= 10 * CLOCK_NS_PER_MS);
    assert_true(snap.resident_peak > 0);
    assert_true(snap.switches > 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauges_are_shares_of_the_time_between),
        cmocka_unit_test(counters_that_go_back_are_no_negative_noise),
        cmocka_unit_test(work_of_a_process_shows_in_its_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
