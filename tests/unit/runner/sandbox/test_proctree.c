/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "proctree.h"

/* A child with a name that looks like the end of one, and a grandchild that spins. */
static pid_t start_family(int ready)
{
    pid_t child = fork();
    if (child > 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "a) S 1 1 (");
    if (fork() == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (write(ready, "x", 1) != 1)
            _exit(1);
        for (volatile unsigned long i = 0;; i++)
            continue;
    }
    for (;;)
        pause();
}

static void descendants_are_found_whatever_they_are_called(void **state)
{
    int ends[2];
    char byte;
    pid_t below[8];
    pid_t mine[64];
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    pid_t child = start_family(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);

    size_t n = proctree_below(child, below, 8);
    size_t all = proctree_below(getpid(), mine, 64);

    assert_int_equal(n, 1);
    assert_true(all >= 2);
    while (proctree_cpu_ns(below, n) < 10 * CLOCK_NS_PER_MS && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS);
    assert_true(proctree_cpu_ns(below, n) >= 10 * CLOCK_NS_PER_MS);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    (void)state;
}

static void no_more_than_there_is_room_for_is_written(void **state)
{
    pid_t one[1] = {0};

    assert_true(proctree_below(1, one, 1) <= 1);
    assert_int_equal(proctree_below(getpid(), one, 0), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descendants_are_found_whatever_they_are_called),
        cmocka_unit_test(no_more_than_there_is_room_for_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
