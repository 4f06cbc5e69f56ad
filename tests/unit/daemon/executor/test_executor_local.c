/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>

#include "../scratch.h"
#include "executor.h"

struct bench {
    struct scratch dir;
    char program[128], work[128];
    struct executor *x;
};

static void write_program(struct bench *b, const char *script)
{
    scratch_run(
        &b->dir,
        "printf '%%s\\n' '#!/bin/sh' 'cd \"$(dirname \"$0\")\"' '%s' >runner.new; chmod "
        "+x runner.new; mv runner.new runner",
        script);
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->program, sizeof b->program, "%s/runner", b->dir.dir);
    snprintf(b->work, sizeof b->work, "%s/state/work", b->dir.dir);
    MUST(
        executor_local_open(&(struct executor_local_options){.program = b->program,
                                                             .socket = "/run/d.sock",
                                                             .work = b->work,
                                                             .grace_ns = 200 * CLOCK_NS_PER_MS},
                            &b->x, &e));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    executor_freep(&b->x);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static int submit(struct bench *b, int64_t limit_ns, struct err *e)
{
    char ref[EXECUTOR_REF_MAX + 1];
    struct executor_spec spec = {.key = "pw.41.1", .token = "0123abcd", .limit_ns = limit_ns};
    return executor_submit(b->x, &spec, ref, e);
}

/* Polls until the attempt has ended. */
static struct executor_info wait_for_end(struct bench *b)
{
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    while (clock_now_ns() < deadline) {
        struct executor_infos infos = {0};
        struct executor_info info = {0};
        MUST(executor_poll(b->x, &infos, &e));
        if (infos.at.len)
            info = infos.at.at[0];
        vec_done(&infos.at);
        if (info.state == EXECUTOR_ENDED)
            return info;
        clock_sleep_until(clock_now_ns() + 2 * CLOCK_NS_PER_MS);
    }
    fail_msg("the attempt does not end");
    return (struct executor_info){0};
}

static void wait_for_file(struct bench *b, const char *name)
{
    char path[160];
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    snprintf(path, sizeof path, "%s/%s", b->dir.dir, name);
    while (!fdio_exists(path) && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + 2 * CLOCK_NS_PER_MS);
    assert_true(fdio_exists(path));
}

static void runner_gets_arguments_and_token_and_no_secrets_of_ours(void **state)
{
    struct bench *b = *state;
    char line[256];
    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    write_program(b, "echo \"$*\" >args; cat <&3 >token; env >env; exit 3");

    MUST(submit(b, 0, &e));
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_EXIT);
    assert_int_equal(info.code, 3);
    assert_string_equal(info.key, "pw.41.1");
    scratch_ask(&b->dir, line, "cat args token; grep -c SECRET env || :");
    char want[256];
    snprintf(want, sizeof want, "--socket /run/d.sock --token-fd 3 --work %s --log info",
             b->work);
    assert_string_equal(line, want);
    scratch_ask(&b->dir, line, "cat token; grep SECRET env || :");
    assert_string_equal(line, "0123abcd");
}

static void one_attempt_at_a_time_and_its_end_is_told_once(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    struct executor_infos infos = {0};
    write_program(b, "kill -9 $$");
    assert_true(executor_has_room(b->x));
    MUST(submit(b, 0, &e));

    assert_false(executor_has_room(b->x));
    assert_int_equal(submit(b, 0, &why), -1);
    assert_int_equal(why.kind, ERR_AWAY);
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_SIGNAL);
    assert_int_equal(info.code, SIGKILL);
    assert_true(executor_has_room(b->x));
    MUST(executor_poll(b->x, &infos, &e));
    assert_int_equal(infos.at.len, 0);
}

static void cancelled_runner_may_tidy_up(void **state)
{
    struct bench *b = *state;
    char line[256];
    write_program(
        b, "trap \"echo tidy >tidied; exit 5\" TERM; touch ready; while :; do sleep .01; done");
    MUST(submit(b, 0, &e));
    wait_for_file(b, "ready");

    MUST(executor_cancel(b->x, "pw.41.1", &e));
    MUST(executor_cancel(b->x, "pw.99.1", &e)); /* unknown: no error */
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_CANCEL);
    assert_int_equal(info.code, 5);
    scratch_ask(&b->dir, line, "cat tidied");
    assert_string_equal(line, "tidy");
}

static void runner_that_does_not_listen_is_killed_after_its_grace(void **state)
{
    struct bench *b = *state;
    write_program(b, "trap \"\" TERM; touch ready; while :; do sleep .01; done");
    MUST(submit(b, 0, &e));
    wait_for_file(b, "ready");

    MUST(executor_cancel(b->x, "pw.41.1", &e));
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_CANCEL);
    assert_int_equal(info.code, SIGKILL);
}

static void runner_beyond_its_limit_is_ended(void **state)
{
    struct bench *b = *state;
    write_program(b, "exec sleep 1000");

    MUST(submit(b, 50 * CLOCK_NS_PER_MS, &e));
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_TIMEOUT);
    assert_string_equal(info.reason, "the runner took longer than its limit");
}

static void program_that_is_missing_is_an_error_at_once(void **state)
{
    struct bench *b = *state;
    struct err why = {0};

    assert_int_equal(submit(b, 0, &why), -1);

    assert_int_equal(why.kind, ERR_NOT_FOUND);
    assert_true(executor_has_room(b->x));
}

/* What the runner started goes with it. */
static void stop_leaves_nothing_behind(void **state)
{
    struct bench *b = *state;
    char line[256];
    write_program(b, "sleep 1000 & echo $! >child; mv child ready; wait");
    MUST(submit(b, 0, &e));
    wait_for_file(b, "ready");

    executor_stop(b->x, clock_now_ns() + 5 * CLOCK_NS_PER_S);

    scratch_ask(&b->dir, line,
                "p=$(cat ready); if [ -d /proc/$p ] && ! grep -q '^State:.Z' /proc/$p/status; "
                "then echo "
                "alive; else echo gone; fi");
    assert_string_equal(line, "gone");
    assert_true(executor_has_room(b->x));
}

static void *submit_in_a_thread(void *bench)
{
    MUST(submit(bench, 0, &e));
    wait_for_file(bench, "ready");
    return NULL;
}

static void runner_dies_with_the_thread_that_started_it(void **state)
{
    struct bench *b = *state;
    pthread_t thread;
    write_program(b, "trap \"\" TERM; touch ready; while :; do sleep .01; done");
    assert_int_equal(pthread_create(&thread, NULL, submit_in_a_thread, b), 0);

    assert_int_equal(pthread_join(thread, NULL), 0);
    struct executor_info info = wait_for_end(b);

    assert_int_equal(info.cause, EXECUTOR_SIGNAL);
    assert_int_equal(info.code, SIGKILL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(runner_gets_arguments_and_token_and_no_secrets_of_ours),
        CASE(one_attempt_at_a_time_and_its_end_is_told_once),
        CASE(cancelled_runner_may_tidy_up),
        CASE(runner_that_does_not_listen_is_killed_after_its_grace),
        CASE(runner_beyond_its_limit_is_ended),
        CASE(program_that_is_missing_is_an_error_at_once),
        CASE(stop_leaves_nothing_behind),
        CASE(runner_dies_with_the_thread_that_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
