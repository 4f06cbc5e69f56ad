/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "peer.h"
#include "pulse.h"

#define CLOSE "Connection: close\r\n\r\n"

static int signal_fd = -1;

static int block_signals(void **state)
{
    (void)state;
    return pulse_block_signals(&signal_fd, NULL);
}

static int64_t soon(void)
{
    return clock_now_ns() + 20 * CLOCK_NS_PER_S;
}

static struct pulse *start(const char *url, int64_t every_ns)
{
    struct pulse *p = NULL;
    struct link_address to = {.url = url, .token = "sesame"};
    assert_int_equal(pulse_start(&to, every_ns, signal_fd, &p, NULL), 0);
    return p;
}

static void cancel_in_an_answer_ends_every_wait(void **state)
{
    static const char *const answers[] = {"200 OK\r\n" CLOSE "{\"cancel\":false}",
                                          "200 OK\r\n" CLOSE "{\"cancel\":true}"};
    struct peer peer;
    peer_start(&peer, answers, 2);
    AUTO(pulse_freep) struct pulse *p = start(peer.url, CLOCK_NS_PER_MS);

    assert_int_equal(pulse_wait(p, -1, soon()), PULSE_CANCELLED);
    assert_int_equal(pulse_wait(p, -1, soon()), PULSE_CANCELLED);

    assert_string_equal(pulse_why(p), "the daemon cancelled the job");
    peer_stop(&peer);
    peer_done(&peer);
    (void)state;
}

static void attempt_that_is_over_is_cancelled(void **state)
{
    static const char *const answers[] = {"410 Gone\r\n" CLOSE};
    struct peer peer;
    peer_start(&peer, answers, 1);
    AUTO(pulse_freep) struct pulse *p = start(peer.url, CLOCK_NS_PER_S);

    assert_int_equal(pulse_wait(p, -1, soon()), PULSE_CANCELLED);

    assert_string_equal(pulse_why(p), "the attempt is over");
    peer_stop(&peer);
    peer_done(&peer);
    (void)state;
}

static void daemon_that_is_away_does_not_stop_the_work(void **state)
{
    AUTO(pulse_freep) struct pulse *p = start("http://127.0.0.1:1", CLOCK_NS_PER_MS);

    assert_int_equal(pulse_wait(p, -1, clock_now_ns() + 50 * CLOCK_NS_PER_MS), PULSE_TIMEOUT);

    assert_false(pulse_cancelled(p));
    (void)state;
}

static void readable_descriptor_ends_a_wait(void **state)
{
    int ends[2];
    AUTO(pulse_freep) struct pulse *p = start("http://127.0.0.1:1", CLOCK_NS_PER_S);
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);

    assert_int_equal(pulse_wait(p, ends[0], soon()), PULSE_READY);

    close(ends[0]);
    close(ends[1]);
    (void)state;
}

static void stage_rounds_and_eta_are_told(void **state)
{
    static const char *const answers[] = {"200 OK\r\n" CLOSE "{\"cancel\":false}",
                                          "200 OK\r\n" CLOSE "{\"cancel\":false}",
                                          "200 OK\r\n" CLOSE "{\"cancel\":true}"};
    struct peer peer;
    peer_start(&peer, answers, 3);
    AUTO(pulse_freep) struct pulse *p = start(peer.url, 20 * CLOCK_NS_PER_MS);
    pulse_stage(p, "round %d", 4);
    pulse_rounds(p, 3, 10, 123);

    assert_int_equal(pulse_wait(p, -1, soon()), PULSE_CANCELLED);

    peer_stop(&peer);
    assert_non_null(strstr(str_text(&peer.requests), "{\"stage\":\"round 4\",\"rounds_done\":3,"
                                                     "\"rounds_planned\":10,\"eta_ms\":123}"));
    peer_done(&peer);
    (void)state;
}

static void signal_cancels_although_the_daemon_is_away(void **state)
{
    AUTO(pulse_freep) struct pulse *p = start("http://127.0.0.1:1", CLOCK_NS_PER_S);

    assert_int_equal(kill(getpid(), SIGTERM), 0);

    assert_int_equal(pulse_wait(p, -1, soon()), PULSE_CANCELLED);
    assert_string_equal(pulse_why(p), "told to end by a signal");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_in_an_answer_ends_every_wait),
        cmocka_unit_test(attempt_that_is_over_is_cancelled),
        cmocka_unit_test(daemon_that_is_away_does_not_stop_the_work),
        cmocka_unit_test(readable_descriptor_ends_a_wait),
        cmocka_unit_test(stage_rounds_and_eta_are_told),
        cmocka_unit_test(signal_cancels_although_the_daemon_is_away), /* the signal stays */
    };
    return cmocka_run_group_tests(tests, block_signals, NULL);
}
