/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "fdio.h"

static struct cgroup_host host;

static bool has_none(void)
{
    cgroup_detect(&host);
    return host.backend == CGROUP_NONE;
}

static struct cgroup *make(const char *name)
{
    struct err e = {0};
    struct cgroup *g = NULL;
    struct cgroup_limits limits = {.memory = 64 << 20, .tasks = 32, .cpus = "0"};
    if (cgroup_make(&host, name, &limits, &g, &e) < 0)
        fail_msg("%s", e.text);
    return g;
}

/* A child that enters the group and spins. */
static pid_t spinner(const struct cgroup *g)
{
    int ends[2];
    char byte;
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; cgroup_join(g, i); i++) {
            int fd = open(cgroup_join(g, i), O_WRONLY);
            if (write(fd, "0", 1) != 1)
                _exit(1);
            close(fd);
        }
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        for (volatile unsigned long i = 0;; i++)
            continue;
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void members_are_seen_accounted_and_killed(void **state)
{
    pid_t pids[4];
    int status = 0;
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    if (has_none())
        skip();
    AUTO(cgroup_freep) struct cgroup *g = make("test-members");
    pid_t child = spinner(g);

    assert_int_equal(cgroup_pids(g, pids, 4), 1);
    assert_int_equal(pids[0], child);
    while (cgroup_cpu_ns(g) < 10 * CLOCK_NS_PER_MS && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS);
    assert_true(cgroup_cpu_ns(g) >= 10 * CLOCK_NS_PER_MS);

    assert_true(cgroup_kill(g, deadline));
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(cgroup_pids(g, pids, 4), 0);
    (void)state;
}

static void group_goes_when_it_is_freed(void **state)
{
    char path[CGROUP_PATH_MAX + 32];
    if (has_none())
        skip();
    struct cgroup *g = make("test-freed");
    (void)snprintf(path, sizeof path, "%s/test-freed", host.top[0]);
    assert_true(fdio_exists(path));

    cgroup_freep(&g);

    assert_false(fdio_exists(path));
    (void)state;
}

static void groups_of_a_dead_runner_are_swept(void **state)
{
    char path[CGROUP_PATH_MAX + 32];
    if (has_none())
        skip();
    pid_t runner = fork();
    if (runner == 0) {
        (void)spinner(make("test-sweep-1"));
        (void)kill(getpid(), SIGKILL);
    }
    waitpid(runner, NULL, 0);
    (void)snprintf(path, sizeof path, "%s/test-sweep-1", host.top[0]);
    assert_true(fdio_exists(path));

    cgroup_sweep(&host, "test-sweep-");

    assert_false(fdio_exists(path));
    (void)state;
}

static void cpus_that_do_not_exist_are_refused(void **state)
{
    struct err e = {0};
    struct cgroup *g = NULL;
    struct cgroup_limits limits = {.cpus = "1000"};
    if (has_none())
        skip();

    assert_int_equal(cgroup_make(&host, "test-cpus", &limits, &g, &e), -1);

    assert_non_null(strstr(e.text, "1000"));
    (void)state;
}

static void back_end_none_has_no_files_and_nothing_to_kill(void **state)
{
    struct cgroup_limits limits = {.memory = 1};
    struct cgroup_use use;
    setenv("PACEWATCH_CGROUP", "none", 1);
    cgroup_detect(&host);
    unsetenv("PACEWATCH_CGROUP");
    AUTO(cgroup_freep) struct cgroup *g = NULL;
    assert_int_equal(cgroup_make(&host, "test-none", &limits, &g, NULL), 0);

    cgroup_read_use(g, &use);

    assert_int_equal(host.backend, CGROUP_NONE);
    assert_null(cgroup_join(g, 0));
    assert_int_equal(cgroup_cpu_ns(g), -1);
    assert_int_equal(use.memory_peak, -1);
    assert_true(cgroup_kill(g, 0));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_seen_accounted_and_killed),
        cmocka_unit_test(group_goes_when_it_is_freed),
        cmocka_unit_test(groups_of_a_dead_runner_are_swept),
        cmocka_unit_test(cpus_that_do_not_exist_are_refused),
        cmocka_unit_test(back_end_none_has_no_files_and_nothing_to_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
