/* SPDX-License-Identifier: MIT */
/* How programs in a sandbox start, are accounted, and above all how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "netns.h"
#include "proctree.h"
#include "range.h"
#include "step.h"

/* The promise is a tenth of a second; the machine that runs tests may be busy with others. */
#define END_NS_MAX CLOCK_NS_PER_S

static struct range range;

static int open_range(void **state)
{
    (void)state;
    range_open(&range);
    return 0;
}

static int close_range_of_tests(void **state)
{
    (void)state;
    range_close(&range);
    return 0;
}

static int64_t soon(void)
{
    return clock_now_ns() + 20 * CLOCK_NS_PER_S;
}

struct running {
    struct sandbox *sandbox;
    int out; /* read end of its output */
};

static struct running start(const char *const *argv, bool off)
{
    int ends[2];
    struct err e = {0};
    struct running r = {0};
    struct sandbox_spec spec = range_spec(&range);
    assert_int_equal(fdio_pipe(ends, &e), 0);
    spec.argv = argv;
    spec.off = off;
    spec.out = ends[1];
    if (sandbox_start(&range.host, &spec, &r.sandbox, &e) < 0)
        fail_msg("%s", e.text);
    close(ends[1]);
    r.out = ends[0];
    return r;
}

static void stop(struct running *r)
{
    sandbox_freep(&r->sandbox);
    fdio_closep(&r->out);
}

static void wait_for_output(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
}

#define BOMB ((const char *const[]){"/job/attacker", "fork_bomb", NULL})

/* Ends a bomb that has had time to spread and says how long that took. */
static int64_t end_bomb(struct running *r)
{
    struct err e = {0};
    pid_t pids[RANGE_TASKS];
    int64_t deadline = soon();
    wait_for_output(r->out);
    while (sandbox_pids(r->sandbox, pids, RANGE_TASKS) < 20 && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS);
    int64_t start_ns = clock_now_ns();
    if (sandbox_end(r->sandbox, NULL, &e) < 0)
        fail_msg("%s", e.text);
    return clock_now_ns() - start_ns;
}

static void status_of_the_program_comes_back(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);

    int status =
        range_run(&range, (const char *const[]){"/bin/sh", "-c", "exit 7", NULL}, &out);

    assert_int_equal(status, 7);
    (void)state;
}

static void command_that_looks_like_an_option_is_a_command(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);

    int status = range_run(&range, (const char *const[]){"--version", NULL}, &out);

    assert_int_equal(status, 1);
    assert_non_null(strstr(str_text(&out), "execvp --version"));
    (void)state;
}

static void work_area_that_is_a_link_is_refused(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    char path[400];
    snprintf(path, sizeof path, "%s/linked", range.dir);
    assert_int_equal(symlink(range.area, path), 0);
    struct sandbox_spec spec = range_spec(&range);
    spec.area = path;
    spec.argv = (const char *const[]){"/bin/true", NULL};

    int status = range_run_spec(&range, &spec, &out);

    assert_int_equal(status, -1);
    assert_non_null(strstr(str_text(&out), "work area"));
    (void)state;
}

/* A link that one step leaves must not lead the next step's set-up out of the sandbox. */
static void planted_link_does_not_lead_outside(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    const char *const plant[] = {"/bin/sh", "-c", "ln -sfn /oldroot/tmp /job/trap", NULL};
    struct sandbox_spec spec = range_spec(&range);
    assert_int_equal(range_run(&range, plant, &out), 0);
    spec.workdir = "trap";
    spec.argv = (const char *const[]){"/bin/sh", "-c", "pwd", NULL};

    int status = range_run_spec(&range, &spec, &out);

    assert_int_not_equal(status, 0);
    (void)state;
}

static void environment_is_what_was_given_and_no_more(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    const struct sandbox_var vars[] = {{"PORT", "8080"}};
    struct sandbox_spec spec = range_spec(&range);
    spec.env = vars;
    spec.env_len = 1;
    spec.argv = (const char *const[]){"/usr/bin/env", NULL};

    assert_int_equal(range_run_spec(&range, &spec, &out), 0);

    assert_non_null(strstr(str_text(&out), "PORT=8080\n"));
    assert_non_null(strstr(str_text(&out), "HOME=/job\n"));
    assert_null(strstr(str_text(&out), RANGE_SECRET));
    (void)state;
}

static void memory_above_the_limit_ends_the_job_and_not_us(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    const char *const argv[] = {"/job/attacker", "take_memory", "2048", NULL};

    int status = range_run(&range, argv, &out);

    /* Killed where there is an account for all of it, refused where there is none. */
    if (range.host.cgroup.backend == CGROUP_NONE)
        assert_int_equal(status, 0);
    else
        assert_int_equal(status, 128 + SIGKILL);
    (void)state;
}

static void cpu_time_of_children_that_ended_is_counted(void **state)
{
    struct sandbox_use use;
    int status;
    const char *const argv[] = {
        "/bin/sh", "-c", "(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done); exec sleep 30",
        NULL};
    struct running r = start(argv, false);
    int64_t deadline = soon();

    while (sandbox_cpu_ns(r.sandbox) < 50 * CLOCK_NS_PER_MS && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS);
    assert_false(sandbox_wait(r.sandbox, 0, &status));
    assert_int_equal(sandbox_end(r.sandbox, &use, NULL), 0);

    assert_true(use.cpu_ns >= 50 * CLOCK_NS_PER_MS);
    stop(&r);
    (void)state;
}

static void stop_signal_reaches_the_program(void **state)
{
    int status = -1;
    const char *const argv[] = {
        "/bin/sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.01; done", NULL};
    struct running r = start(argv, false);
    wait_for_output(r.out);

    sandbox_signal(r.sandbox, SIGTERM);

    assert_true(sandbox_wait(r.sandbox, soon(), &status));
    assert_int_equal(status, 42);
    stop(&r);
    (void)state;
}

static void stop_signal_reaches_a_program_without_sandbox(void **state)
{
    int status = -1;
    const char *const argv[] = {
        "/bin/sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.01; done", NULL};
    struct running r = start(argv, true);
    wait_for_output(r.out);

    sandbox_signal(r.sandbox, SIGTERM);

    assert_true(sandbox_wait(r.sandbox, soon(), &status));
    assert_int_equal(status, 42);
    stop(&r);
    (void)state;
}

static void daemon_left_behind_ends_with_its_program(void **state)
{
    int status = -1;
    struct running r =
        start((const char *const[]){"/job/attacker", "leave_daemon", NULL}, false);

    assert_true(sandbox_wait(r.sandbox, soon(), &status));
    assert_int_equal(sandbox_end(r.sandbox, NULL, NULL), 0);

    assert_true(range_pipe_closed(r.out));
    stop(&r);
    (void)state;
}

static void daemon_left_behind_without_sandbox_ends_too(void **state)
{
    int status = -1;
    char path[400];
    snprintf(path, sizeof path, "%s/attacker", range.area);
    struct running r = start((const char *const[]){path, "leave_daemon", NULL}, true);

    assert_true(sandbox_wait(r.sandbox, soon(), &status));

    assert_int_equal(status, 0);
    assert_true(range_pipe_closed(r.out));
    stop(&r);
    (void)state;
}

static void fork_bomb_ends_at_once(void **state)
{
    struct running r = start(BOMB, false);

    int64_t took_ns = end_bomb(&r);

    print_message("empty after %.1f ms\n", (double)took_ns / 1e6);
    assert_true(took_ns < END_NS_MAX);
    assert_true(range_pipe_closed(r.out));
    stop(&r);
    (void)state;
}

/* What the runner does, in a process that dies without a chance to clean up. */
static _Noreturn void be_a_runner(int out)
{
    struct sandbox_host host;
    struct sandbox *s = NULL;
    struct sandbox_spec spec = range_spec(&range);
    spec.argv = BOMB;
    spec.out = out;
    if (sandbox_host_open(&host, range.dir, NULL) < 0 ||
        sandbox_start(&host, &spec, &s, NULL) < 0)
        _exit(1);
    close(out);
    for (;;)
        pause();
}

static void fork_bomb_ends_when_the_runner_is_killed(void **state)
{
    int ends[2];
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    pid_t runner = fork();
    if (runner == 0)
        be_a_runner(ends[1]);
    close(ends[1]);
    wait_for_output(ends[0]);
    pid_t pids[RANGE_TASKS];
    int64_t deadline = soon();
    while (proctree_below(runner, pids, RANGE_TASKS) < 20 && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS);

    int64_t start_ns = clock_now_ns();
    assert_int_equal(kill(runner, SIGKILL), 0);
    bool gone = range_pipe_closed(ends[0]);
    int64_t took_ns = clock_now_ns() - start_ns;

    print_message("empty after %.1f ms\n", (double)took_ns / 1e6);
    assert_true(gone);
    assert_true(took_ns < END_NS_MAX);
    close(ends[0]);
    waitpid(runner, NULL, 0);
    (void)state;
}

static void endless_output_ends_with_the_sandbox(void **state)
{
    static char bytes[1 << 16];
    int64_t got = 0;
    struct running r =
        start((const char *const[]){"/job/attacker", "print_for_ever", NULL}, false);
    while (got < (64 << 20)) {
        ssize_t n = read(r.out, bytes, sizeof bytes);
        assert_true(n > 0);
        got += n;
    }

    assert_int_equal(sandbox_end(r.sandbox, NULL, NULL), 0);

    assert_true(range_pipe_closed(r.out));
    stop(&r);
    (void)state;
}

static int connect_to(int netns, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = -1;
    assert_int_equal(netns_socket(netns, &fd, NULL), 0);
    int error = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    socklen_t len = sizeof error;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (error == EINPROGRESS) {
        assert_int_equal(poll(&p, 1, 20000), 1);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    }
    close(fd);
    return error;
}

static void service_is_reached_through_its_network_and_not_from_the_host(void **state)
{
    struct running r =
        start((const char *const[]){"/job/attacker", "serve", "18231", NULL}, false);
    wait_for_output(r.out);

    int inside = connect_to(sandbox_netns(r.sandbox), 18231);
    int outside = connect_to(SANDBOX_NETNS_HOST, 18231);

    assert_int_equal(inside, 0);
    assert_int_equal(outside, ECONNREFUSED);
    stop(&r);
    (void)state;
}

static bool write_text(const char *path, const char *text)
{
    AUTO(fdio_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* In a user namespace that may not make another: what an administrator's switch does. */
static struct running start_beside(const char *const *argv, const char *share, int netns)
{
    int ends[2];
    struct err e = {0};
    struct running r = {0};
    struct sandbox_spec spec = range_spec(&range);
    assert_int_equal(fdio_pipe(ends, &e), 0);
    spec.argv = argv;
    spec.out = ends[1];
    spec.share = share;
    spec.join_netns = netns;
    if (sandbox_start(&range.host, &spec, &r.sandbox, &e) < 0)
        fail_msg("%s", e.text);
    close(ends[1]);
    r.out = ends[0];
    return r;
}

/* One listens on TCP and leaves a file in the shared folder; the other finds both. */
static void programs_that_belong_together_share_network_and_folder(void **state)
{
    static const char *const first[] = {
        "/usr/bin/python3", "-c",
        "import socket,time; s=socket.create_server(('127.0.0.1',7000));"
        "open('/services/here','w').close(); print('.',flush=True); time.sleep(30)",
        NULL};
    static const char *const second[] = {
        "/usr/bin/python3", "-c",
        "import os,socket; socket.create_connection(('127.0.0.1',7000));"
        "print(','.join(os.listdir('/services')))",
        NULL};
    AUTO(str_done) struct str said = STR_INIT(4096);
    char share[400];
    int status = -1;
    struct err e = {0};
    (void)state;
    (void)snprintf(share, sizeof share, "%s/share", range.dir);
    assert_int_equal(mkdir(share, 0755), 0);
    assert_int_equal(chown(share, range.host.owner, range.host.owner), 0);

    struct running a = start_beside(first, share, 0);
    wait_for_output(a.out);
    struct running b = start_beside(second, share, sandbox_netns(a.sandbox));
    bool ended = sandbox_wait(b.sandbox, soon(), &status);
    stop(&a);
    assert_int_equal(fdio_read_all(b.out, &said, &e), 0);
    stop(&b);

    assert_true(ended);
    assert_string_equal(str_text(&said), "here\n");
    assert_int_equal(status, 0);
    assert_int_equal(fdio_remove_tree(share, &e), 0);
}

static void where_there_are_no_namespaces_foreign_code_is_refused(void **state)
{
    int status = -1;
    char map[64];
    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    pid_t child = fork();
    if (child == 0) {
        struct sandbox_host host;
        char locks[300];
        snprintf(locks, sizeof locks, "%s/refused", range.dir);
        if (unshare(CLONE_NEWUSER) < 0 || !write_text("/proc/self/uid_map", map) ||
            !write_text("/proc/sys/user/max_user_namespaces", "0"))
            _exit(77);
        if (sandbox_host_open(&host, locks, NULL) < 0)
            _exit(1);
        _exit(host.safe || !host.why[0] ? 2 : 0);
    }
    waitpid(child, &status, 0);

    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
    (void)state;
}

#define TESTS                                                                     \
    cmocka_unit_test(status_of_the_program_comes_back),                           \
        cmocka_unit_test(where_there_are_no_namespaces_foreign_code_is_refused),  \
        cmocka_unit_test(command_that_looks_like_an_option_is_a_command),         \
        cmocka_unit_test(work_area_that_is_a_link_is_refused),                    \
        cmocka_unit_test(planted_link_does_not_lead_outside),                     \
        cmocka_unit_test(environment_is_what_was_given_and_no_more),              \
        cmocka_unit_test(memory_above_the_limit_ends_the_job_and_not_us),         \
        cmocka_unit_test(cpu_time_of_children_that_ended_is_counted),             \
        cmocka_unit_test(stop_signal_reaches_the_program),                        \
        cmocka_unit_test(stop_signal_reaches_a_program_without_sandbox),          \
        cmocka_unit_test(daemon_left_behind_ends_with_its_program),               \
        cmocka_unit_test(fork_bomb_ends_at_once),                                 \
        cmocka_unit_test(fork_bomb_ends_when_the_runner_is_killed),               \
        cmocka_unit_test(endless_output_ends_with_the_sandbox),                   \
        cmocka_unit_test(programs_that_belong_together_share_network_and_folder), \
        cmocka_unit_test(service_is_reached_through_its_network_and_not_from_the_host)

int main(int argc, char **argv)
{
    int status = keeper_main(argc, argv);
    if (status >= 0)
        return status;
    const struct CMUnitTest best[] = {
        TESTS, cmocka_unit_test(daemon_left_behind_without_sandbox_ends_too)};
    const struct CMUnitTest none[] = {
        TESTS, cmocka_unit_test(daemon_left_behind_without_sandbox_ends_too)};
    int failed = cmocka_run_group_tests(best, open_range, close_range_of_tests);
    setenv("PACEWATCH_CGROUP", "none", 1);
    return failed + cmocka_run_group_tests(none, open_range, close_range_of_tests);
}
