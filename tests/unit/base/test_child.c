/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fdio.h"

#define SH(script) ((const char *const[]){"sh", "-c", (script), NULL})

static int64_t soon(void)
{
    return clock_now_ns() + 20 * CLOCK_NS_PER_S;
}

/* True when nobody holds the other end of the pipe any more. */
static bool all_gone(int read_end)
{
    struct pollfd p = {.fd = read_end, .events = POLLIN};
    char byte;
    return poll(&p, 1, 20000) == 1 && read(read_end, &byte, 1) == 0;
}

static void output_of_both_kinds_and_the_status_come_back(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1;

    assert_int_equal(
        child_run(&(struct child_spec){.argv = SH("echo out; echo err >&2; exit 3")}, &out,
                  soon(), &status, &e),
        0);

    assert_int_equal(status, 3);
    assert_string_equal(str_text(&out), "out\nerr\n");
    (void)state;
}

static void death_by_signal_is_128_and_the_signal(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1;

    assert_int_equal(child_run(&(struct child_spec){.argv = SH("kill -SEGV $$")}, &out, soon(),
                               &status, NULL),
                     0);

    assert_int_equal(status, 128 + SIGSEGV);
    (void)state;
}

static void a_program_that_is_not_there_is_an_error_at_once(void **state)
{
    static const char *const argv[] = {"pacewatch-no-such-program", NULL};
    struct err e = {0};
    AUTO(child_done) struct child c = CHILD_INIT;

    assert_int_equal(child_start(&c, &(struct child_spec){.argv = argv}, &e), -1);

    assert_int_equal(e.kind, ERR_NOT_FOUND);
    assert_string_equal(e.text, "run 'pacewatch-no-such-program': No such file or directory");
    assert_int_equal(c.pid, 0);
    assert_int_equal(c.pidfd, -1);
    (void)state;
}

static void a_file_that_is_no_program_is_an_error_at_once(void **state)
{
    static const char *const argv[] = {"/etc/passwd", NULL};
    struct err e = {0};
    AUTO(child_done) struct child c = CHILD_INIT;

    assert_int_equal(child_start(&c, &(struct child_spec){.argv = argv}, &e), -1);

    assert_string_equal(e.text, "run '/etc/passwd': Permission denied");
    (void)state;
}

static void a_missing_folder_is_an_error_at_once(void **state)
{
    struct err e = {0};
    AUTO(child_done) struct child c = CHILD_INIT;

    assert_int_equal(
        child_start(&c, &(struct child_spec){.argv = SH("true"), .cwd = "/no/such"}, &e), -1);

    assert_int_equal(e.kind, ERR_NOT_FOUND);
    (void)state;
}

static void folder_and_environment_are_what_the_spec_says(void **state)
{
    static const char *const env[] = {"COLOUR=blue", "PATH=/usr/bin:/bin", NULL};
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1;

    assert_int_equal(child_run(&(struct child_spec){.argv = SH("pwd; echo $COLOUR $HOME"),
                                                    .cwd = "/usr/share",
                                                    .envp = env},
                               &out, soon(), &status, NULL),
                     0);

    assert_string_equal(str_text(&out), "/usr/share\nblue\n");
    (void)state;
}

static void standard_input_is_empty_unless_given(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1, ends[2];
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(fdio_write_all(ends[1], VIEW("given"), NULL), 0);
    fdio_closep(&ends[1]);

    assert_int_equal(child_run(&(struct child_spec){.argv = SH("cat; echo end")}, &out, soon(),
                               &status, NULL),
                     0);
    assert_int_equal(child_run(&(struct child_spec){.argv = SH("cat"), .in = ends[0]}, &out,
                               soon(), &status, NULL),
                     0);

    assert_string_equal(str_text(&out), "end\ngiven");
    fdio_closep(&ends[0]);
    (void)state;
}

static void output_beyond_the_ceiling_is_read_and_dropped(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(10);
    int status = -1;

    assert_int_equal(
        child_run(
            &(struct child_spec){.argv = SH("head -c 3000000 /dev/zero | tr '\\0' x; exit 5")},
            &out, soon(), &status, NULL),
        0);

    assert_int_equal(status, 5);
    assert_string_equal(str_text(&out), "xxxxxxxxxx");
    assert_true(out.cut);
    (void)state;
}

static void silence_past_the_deadline_is_a_timeout(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str out = STR_INIT(10);
    int status = -1;
    int64_t start = clock_now_ns();

    assert_int_equal(child_run(&(struct child_spec){.argv = SH("exec sleep 60")}, &out,
                               start + 50 * CLOCK_NS_PER_MS, &status, &e),
                     -1);

    assert_int_equal(e.kind, ERR_TIMEOUT);
    assert_string_equal(e.text, "'sh' did not end in time");
    assert_true(clock_now_ns() - start < 20 * CLOCK_NS_PER_S);
    (void)state;
}

static void endless_output_does_not_outlive_the_deadline(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str out = STR_INIT(10);
    int status = -1;
    alarm(30); /* ends the program should it never return */

    assert_int_equal(child_run(&(struct child_spec){.argv = SH("exec yes")}, &out,
                               clock_now_ns() + 100 * CLOCK_NS_PER_MS, &status, &e),
                     -1);

    assert_int_equal(e.kind, ERR_TIMEOUT);
    alarm(0);
    (void)state;
}

static void a_grandchild_that_holds_the_pipe_does_not_hold_us(void **state)
{
    static const char *const scripts[] = {"sleep 60 & echo done", "yes & echo done"};
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct err e = {0};
        AUTO(str_done) struct str out = STR_INIT(1 << 22);
        int status = -1;

        assert_int_equal(
            child_run(&(struct child_spec){.argv = SH(scripts[i])}, &out, soon(), &status, &e),
            0);

        assert_int_equal(status, 0);
        assert_non_null(strstr(str_text(&out), "done\n"));
    }
    (void)state;
}

static void stopping_first_asks_and_then_kills_the_whole_group(void **state)
{
    static const struct {
        const char *script;
        int wait_ms, status;
    } cases[] = {
        {"trap 'exit 9' TERM; echo; while :; do sleep 0.01; done", 20000, 9},
        {"trap '' TERM; sleep 60 & echo; while :; do sleep 0.01; done", 50, 128 + SIGKILL},
        {"sleep 60 & echo; exec sleep 60", 20000, 128 + SIGTERM},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(child_done) struct child c = CHILD_INIT;
        int ends[2];
        char byte;
        assert_int_equal(fdio_pipe(ends, NULL), 0);
        assert_int_equal(
            child_start(&c, &(struct child_spec){.argv = SH(cases[i].script), .out = ends[1]},
                        NULL),
            0);
        fdio_closep(&ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1); /* the trap is set */

        int status = child_stop(&c, clock_now_ns() + cases[i].wait_ms * CLOCK_NS_PER_MS);

        assert_int_equal(status, cases[i].status);
        assert_int_equal(c.pid, 0);
        assert_true(all_gone(ends[0]));
        fdio_closep(&ends[0]);
    }
    (void)state;
}

static void a_clean_end_takes_the_rest_of_the_group_along(void **state)
{
    AUTO(child_done) struct child c = CHILD_INIT;
    int ends[2], status = -1;
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(
        child_start(&c, &(struct child_spec){.argv = SH("sleep 60 & exit 0"), .out = ends[1]},
                    NULL),
        0);
    fdio_closep(&ends[1]);

    assert_true(child_wait(&c, soon(), &status));

    assert_int_equal(status, 0);
    assert_true(all_gone(ends[0]));
    fdio_closep(&ends[0]);
    (void)state;
}

static void waiting_ends_at_the_deadline_and_can_go_on(void **state)
{
    AUTO(child_done) struct child c = CHILD_INIT;
    int ends[2], status = -1;
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(
        child_start(&c, &(struct child_spec){.argv = SH("read x; exit 4"), .in = ends[0]},
                    NULL),
        0);

    assert_false(child_wait(&c, clock_now_ns() + 5 * CLOCK_NS_PER_MS, &status));
    assert_int_equal(status, -1);
    fdio_closep(&ends[1]);

    assert_true(child_wait(&c, soon(), &status));
    assert_int_equal(status, 4);
    fdio_closep(&ends[0]);
    (void)state;
}

static void an_empty_child_is_harmless(void **state)
{
    struct child c = CHILD_INIT;

    child_signal(&c, SIGKILL);
    assert_int_equal(child_stop(&c, 0), 0);
    child_done(&c);

    assert_int_equal(c.pid, 0);
    (void)state;
}

/* The two passed descriptors swap their numbers, which a plain row of dup2 calls would lose. */
static void passed_descriptors_get_their_numbers(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    int a[2], b[2], status = -1;
    assert_int_equal(fdio_pipe(a, NULL), 0);
    assert_int_equal(fdio_pipe(b, NULL), 0);
    assert_int_equal(fdio_write_all(a[1], VIEW("a"), NULL), 0);
    assert_int_equal(fdio_write_all(b[1], VIEW("b"), NULL), 0);
    fdio_closep(&a[1]);
    fdio_closep(&b[1]);
    struct child_pass pass[] = {{a[0], b[0]}, {b[0], a[0]}};
    AUTO(str_done) struct str script = STR_INIT(100);
    str_addf(&script, "cat <&%d; cat <&%d", a[0], b[0]);

    assert_int_equal(child_run(&(struct child_spec){.argv = SH(str_text(&script)),
                                                    .pass = pass,
                                                    .pass_len = ARRAY_LEN(pass)},
                               &out, soon(), &status, NULL),
                     0);

    assert_string_equal(str_text(&out), "ba");
    fdio_closep(&a[0]);
    fdio_closep(&b[0]);
    (void)state;
}

static void nothing_else_is_inherited(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1;
    int left_open = open("/dev/null", O_RDONLY); /* as a careless library would: not on exec */
    assert_true(left_open >= 3);
    assert_int_equal(fcntl(left_open, F_GETFD), 0);

    assert_int_equal(
        child_run(
            &(struct child_spec){.argv = SH("for f in /proc/$$/fd/*; do echo ${f##*/}; done")},
            &out, soon(), &status, NULL),
        0);

    /* The shell itself may hold the directory it lists. */
    assert_memory_equal(str_text(&out), "0\n1\n2\n", 6);
    assert_true(out.len <= 8);
    close(left_open);
    (void)state;
}

static void too_many_descriptors_are_refused(void **state)
{
    struct err e = {0};
    struct child_pass pass[20];
    AUTO(child_done) struct child c = CHILD_INIT;
    for (int i = 0; i < 20; i++)
        pass[i] = (struct child_pass){2, 10 + i};

    assert_int_equal(
        child_start(&c, &(struct child_spec){.argv = SH("true"), .pass = pass, .pass_len = 20},
                    &e),
        -1);

    assert_string_equal(e.text, "run 'sh': Argument list too long");
    (void)state;
}

static void signals_start_out_as_by_default(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    sigset_t blocked, before;
    int status = -1;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);

    assert_int_equal(
        child_run(&(struct child_spec){.argv = SH("kill -PIPE $$; kill -TERM $$; exit 1")},
                  &out, soon(), &status, NULL),
        0);

    assert_int_equal(status, 128 + SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    (void)state;
}

static void *start_and_end(void *pipe_end)
{
    struct child c = CHILD_INIT;
    (void)child_start(
        &c, &(struct child_spec){.argv = SH("exec sleep 60"), .out = *(int *)pipe_end}, NULL);
    close(c.pidfd);
    return NULL;
}

static void a_child_dies_with_the_thread_that_started_it(void **state)
{
    pthread_t thread;
    int ends[2];
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, start_and_end, &ends[1]), 0);

    pthread_join(thread, NULL);
    fdio_closep(&ends[1]);

    assert_true(all_gone(ends[0]));
    fdio_closep(&ends[0]);
    (void)state;
}

static int refuse(const void *arg)
{
    errno = *(const int *)arg;
    return -1;
}

static int close_output(const void *arg)
{
    (void)arg;
    return close(STDOUT_FILENO);
}

static void preparation_happens_in_the_child(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    int status = -1;
    struct child_spec spec = {.argv = SH("echo lost; echo kept >&2"), .prepare = close_output};

    assert_int_equal(child_run(&spec, &out, soon(), &status, NULL), 0);

    assert_null(strstr(str_text(&out), "lost"));
    assert_non_null(strstr(str_text(&out), "kept"));
    (void)state;
}

static void preparation_that_fails_is_an_error_of_the_start(void **state)
{
    struct err e = {0};
    int number = EDQUOT;
    AUTO(child_done) struct child c = CHILD_INIT;
    struct child_spec spec = {.argv = SH("true"), .prepare = refuse, .prepare_arg = &number};

    assert_int_equal(child_start(&c, &spec, &e), -1);

    assert_non_null(strstr(e.text, "quota"));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_of_both_kinds_and_the_status_come_back),
        cmocka_unit_test(death_by_signal_is_128_and_the_signal),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_at_once),
        cmocka_unit_test(a_file_that_is_no_program_is_an_error_at_once),
        cmocka_unit_test(a_missing_folder_is_an_error_at_once),
        cmocka_unit_test(folder_and_environment_are_what_the_spec_says),
        cmocka_unit_test(standard_input_is_empty_unless_given),
        cmocka_unit_test(output_beyond_the_ceiling_is_read_and_dropped),
        cmocka_unit_test(silence_past_the_deadline_is_a_timeout),
        cmocka_unit_test(endless_output_does_not_outlive_the_deadline),
        cmocka_unit_test(a_grandchild_that_holds_the_pipe_does_not_hold_us),
        cmocka_unit_test(stopping_first_asks_and_then_kills_the_whole_group),
        cmocka_unit_test(a_clean_end_takes_the_rest_of_the_group_along),
        cmocka_unit_test(waiting_ends_at_the_deadline_and_can_go_on),
        cmocka_unit_test(an_empty_child_is_harmless),
        cmocka_unit_test(passed_descriptors_get_their_numbers),
        cmocka_unit_test(nothing_else_is_inherited),
        cmocka_unit_test(too_many_descriptors_are_refused),
        cmocka_unit_test(signals_start_out_as_by_default),
        cmocka_unit_test(a_child_dies_with_the_thread_that_started_it),
        cmocka_unit_test(preparation_happens_in_the_child),
        cmocka_unit_test(preparation_that_fails_is_an_error_of_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
