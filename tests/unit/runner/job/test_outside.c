/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "clock.h"
#include "fdio.h"
#include "outside.h"

static int listen_on(int *port, int backlog)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    if (backlog > 0)
        assert_int_equal(listen(fd, backlog), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void the_kernel_tells_the_backlog_of_a_listener(void **state)
{
    static const int backlogs[] = {1, 5, 128};

    for (size_t i = 0; i < ARRAY_LEN(backlogs); i++) {
        struct err e = {0};
        int64_t backlog = 0;
        int port;
        AUTO(fdio_closep) int fd = listen_on(&port, backlogs[i]);

        if (outside_backlog(-1, port, clock_now_ns() + 5 * CLOCK_NS_PER_S, &backlog, &e) < 0)
            fail_msg("%s", e.text);

        assert_int_equal(backlog, backlogs[i]);
    }
    (void)state;
}

static void a_port_without_a_listener_is_told(void **state)
{
    struct err e = {0};
    int64_t backlog = 77;
    int port;
    AUTO(fdio_closep) int fd = listen_on(&port, 0);

    assert_int_equal(
        outside_backlog(-1, port, clock_now_ns() + 5 * CLOCK_NS_PER_S, &backlog, &e), -1);

    assert_int_equal(e.kind, ERR_NOT_FOUND);
    assert_int_equal(backlog, 77);
    (void)state;
}

static void broken_datagrams_are_refused(void **state)
{
    struct nlmsghdr heads[2] = {{.nlmsg_len = sizeof heads[0], .nlmsg_type = 20}};
    struct view both = {(const char *)heads, sizeof heads};
    int64_t smallest = 9;

    assert_int_equal(outside_read(both, 80, &smallest), -1); /* the second has no length */
    heads[1] = (struct nlmsghdr){.nlmsg_len = 17, .nlmsg_type = 20};
    assert_int_equal(outside_read(both, 80, &smallest), -1); /* longer than there is */
    heads[1] = (struct nlmsghdr){.nlmsg_len = 16, .nlmsg_type = NLMSG_ERROR};
    assert_int_equal(outside_read(both, 80, &smallest), -1);
    heads[1].nlmsg_type = NLMSG_DONE;
    assert_int_equal(outside_read(both, 80, &smallest), 1);
    assert_int_equal(outside_read((struct view){both.at, 20}, 80, &smallest), 0);
    assert_int_equal(smallest, 9);
    (void)state;
}

static void of_several_listeners_the_smallest_counts(void **state)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_msg one;
    } told[3] = {0};
    int64_t smallest = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        told[i].head = (struct nlmsghdr){.nlmsg_len = sizeof told[i], .nlmsg_type = 20};
        told[i].one.idiag_state = TCP_LISTEN;
        told[i].one.id.idiag_sport = htons(i == 2 ? 81 : 80);
        told[i].one.idiag_wqueue = (uint32_t)(30 - i * 10);
    }

    assert_int_equal(
        outside_read((struct view){(const char *)told, sizeof told}, 80, &smallest), 0);

    assert_int_equal(smallest, 20);
    (void)state;
}

static void a_difference_is_told_in_words(void **state)
{
    static const struct {
        struct outside_seen base, head;
        const char *how;
    } cases[] = {
        {{128, 0, 500}, {128, 0.0005, 505}, ""},
        {{-1, -1, -1}, {128, 1, 500}, ""},
        {{128, 0, 500}, {5, 0, 500}, "base listens with backlog 128, head with 5"},
        {{5, 0, 500},
         {5, 1, 500},
         "base keeps connections open, head closes the connection after each answer"},
        {{5, 0.01, 500},
         {5, 0, 500},
         "base closes a connection after about 100 answers, head keeps connections open"},
        {{5, 0.010, 500}, {5, 0.009, 500}, ""},
        {{5, 0, 500}, {5, 0, 700}, "an answer of base has 500 bytes under load, of head 700"},
        {{5, 0, 500},
         {6, 0, 700},
         "base listens with backlog 5, head with 6; an answer of base has 500 bytes under "
         "load, "
         "of head 700"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str how = STR_INIT(1000);
        outside_compare(&cases[i].base, &cases[i].head, &how);
        assert_string_equal(str_text(&how), cases[i].how);
    }
    (void)state;
}

static void rounds_that_do_not_count_are_not_looked_at(void **state)
{
    char void_reason[] = "disturbed";
    char backlog[] = "listen_backlog";
    struct result_fact facts[2] = {{.name = backlog, .number = 1},
                                   {.name = backlog, .number = 2}};
    struct result_arm arms[2] = {{.side = SIDE_HEAD, .variant = 1},
                                 {.side = SIDE_HEAD, .variant = 1}};
    struct result_round rounds[2] = {{.void_reason = void_reason}, {0}};
    struct result_doc r = {0};
    struct outside_seen seen;
    for (int i = 0; i < 2; i++) {
        arms[i].gauges.at = &facts[i];
        arms[i].gauges.len = 1;
        rounds[i].arms.at = &arms[i];
        rounds[i].arms.len = 1;
    }
    r.rounds.at = rounds;
    r.rounds.len = 2;

    outside_seen(&r, SIDE_HEAD, 1, &seen);
    assert_true(seen.backlog == 2 && seen.answer_bytes < 0);
    outside_seen(&r, SIDE_HEAD, 0, &seen);
    assert_true(seen.backlog < 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_tells_the_backlog_of_a_listener),
        cmocka_unit_test(a_port_without_a_listener_is_told),
        cmocka_unit_test(broken_datagrams_are_refused),
        cmocka_unit_test(of_several_listeners_the_smallest_counts),
        cmocka_unit_test(a_difference_is_told_in_words),
        cmocka_unit_test(rounds_that_do_not_count_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
