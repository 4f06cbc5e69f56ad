/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "throttle.h"

static bool put(const char *dir, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *to = fopen(path, "w");
    bool ok = to && fputs(text, to) >= 0;
    return to && fclose(to) == 0 && ok;
}

/* A group that may run a tenth of the time; false where we may not make one. */
static bool make_group(char dir[128])
{
    snprintf(dir, 128, "/sys/fs/cgroup/cpu/pacewatch-test-%d", (int)getpid());
    if (fdio_exists("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"))
        return mkdir(dir, 0755) == 0 && put(dir, "cpu.cfs_quota_us", "10000");
    snprintf(dir, 128, "/sys/fs/cgroup/pacewatch-test-%d", (int)getpid());
    return mkdir(dir, 0755) == 0 && put(dir, "cpu.max", "10000 100000");
}

/* In the child: works until it has been held back; its status says whether that showed. */
static int be_throttled(const char *dir)
{
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    if (!put(dir, "cgroup.procs", "0"))
        return 2;
    int64_t before = throttle_ns();
    while (clock_now_ns() < deadline)
        if (throttle_ns() > before)
            return 0;
    return 1;
}

static void time_held_back_by_a_limit_shows(void **state)
{
    char dir[128];
    int status = -1;
    (void)state;
    if (!make_group(dir)) {
        (void)rmdir(dir);
        skip();
    }

    pid_t child = fork();
    if (child == 0)
        _exit(be_throttled(dir));

    assert_int_equal(waitpid(child, &status, 0), child);
    (void)rmdir(dir);
    assert_int_equal(status, 0);
}

static void a_process_without_a_limit_is_not_held_back(void **state)
{
    int64_t before = throttle_ns();

    assert_true(before >= 0);
    assert_true(throttle_ns() >= before);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_held_back_by_a_limit_shows),
        cmocka_unit_test(a_process_without_a_limit_is_not_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
