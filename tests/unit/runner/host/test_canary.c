/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canary.h"
#include "child.h"
#include "clock.h"
#include "fdio.h"

struct bench {
    struct child child;
    int output, fd;
};

static int start(void **state)
{
    int ends[2];
    char port[16] = "";
    struct bench *b = calloc(1, sizeof *b);
    const char *const argv[] = {"/proc/self/exe", CANARY_WORD, NULL};
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    struct child_spec spec = {.argv = argv, .out = ends[1]};
    assert_int_equal(child_start(&b->child, &spec, NULL), 0);
    close(ends[1]);
    b->output = ends[0];
    assert_true(read(b->output, port, sizeof port - 1) > 1);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(b->fd, (struct sockaddr *)&to, sizeof to), 0);
    *state = b;
    return 0;
}

static int stop(void **state)
{
    struct bench *b = *state;
    close(b->fd);
    close(b->output);
    child_done(&b->child);
    free(b);
    return 0;
}

/* Reads so many whole answers; fails when they do not come. */
static void take_answers(int fd, int answers)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n";
    char bytes[8192];
    size_t len = 0;
    size_t one = 0;
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    while (one == 0 || len < one * (size_t)answers) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_true(poll(&p, 1, clock_poll_ms(deadline)) > 0);
        ssize_t n = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        bytes[len] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n");
        one = end ? (size_t)(end - bytes) + 4 + CANARY_BODY_BYTES : 0;
    }
    assert_int_equal(len, one * (size_t)answers);
    for (int i = 0; i < answers; i++)
        assert_memory_equal(bytes + (size_t)i * one, head, sizeof head - 1);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void each_request_gets_the_same_answer(void **state)
{
    struct bench *b = *state;

    send_text(b->fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    take_answers(b->fd, 1);
    send_text(b->fd, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    take_answers(b->fd, 2);
}

static void a_request_may_come_in_pieces(void **state)
{
    struct bench *b = *state;

    send_text(b->fd, "GET / HTTP/1.1\r\nHost: a\r\n\r");
    send_text(b->fd, "\nGET / HTTP/1.1\r");
    take_answers(b->fd, 1);
    send_text(b->fd, "\n\r\r\n\r\n");
    take_answers(b->fd, 1);
}

int main(int argc, char **argv)
{
    int status = canary_main(argc, argv);
    if (status >= 0)
        return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_request_gets_the_same_answer, start, stop),
        cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
