/* SPDX-License-Identifier: MIT */
/*
 * canary: see canary.h.
 *
 * Only the load generator talks to it, with GET requests that have no body, so a request ends
 * at the first empty line. How much of that end a connection has sent so far is all that is
 * kept between two reads.
 */
#include "canary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"
#include "str.h"

enum {
    CANARY_WORDS = 1 << 16,
    CANARY_CONNECTIONS = 1024, /* descriptors from this number on are refused */
    CANARY_BACKLOG = 128,
    CANARY_EVENTS = 64,
    CANARY_READ_BYTES = 16 << 10,
    CANARY_FAILED = 1,
};

static const char request_end[] = "\r\n\r\n";

struct canary {
    int listener, epoll;
    uint32_t *table;
    uint64_t x; /* the work's state; the next request goes on from it */
    struct str answer;
    unsigned char matched[CANARY_CONNECTIONS]; /* bytes of request_end seen */
};

static void work(struct canary *c)
{
    uint64_t x = c->x;
    for (int i = 0; i < CANARY_STEPS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x += c->table[x % CANARY_WORDS]; /* the next step waits for this load */
    }
    c->x = x;
}

static int count_requests(struct canary *c, int fd, const char *bytes, ssize_t n)
{
    int requests = 0;
    unsigned char matched = c->matched[fd];
    for (ssize_t i = 0; i < n; i++) {
        matched = bytes[i] == request_end[matched] ? (unsigned char)(matched + 1)
                  : bytes[i] == request_end[0]     ? 1
                                                   : 0;
        if (matched == sizeof request_end - 1) {
            matched = 0;
            requests++;
        }
    }
    c->matched[fd] = matched;
    return requests;
}

static void serve(struct canary *c, int fd)
{
    char bytes[CANARY_READ_BYTES];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int requests = n > 0 ? count_requests(c, fd, bytes, n) : 0;
    for (int i = 0; i < requests && n > 0; i++) {
        work(c);
        /* A short answer to a client that waits for it always fits the socket. */
        n = send(fd, c->answer.at, c->answer.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (n <= 0)
        (void)close(fd);
}

static void take_connection(struct canary *c)
{
    int one = 1;
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0)
        return;
    if (fd >= CANARY_CONNECTIONS || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->matched[fd] = 0;
}

static int listen_on_loopback(struct canary *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = c->listener};
    if (c->listener < 0 || c->epoll < 0 ||
        bind(c->listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(c->listener, CANARY_BACKLOG) < 0 ||
        getsockname(c->listener, (struct sockaddr *)&at, &len) < 0 ||
        epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &event) < 0)
        return -1;
    return dprintf(STDOUT_FILENO, "%d\n", ntohs(at.sin_port)) > 0 ? 0 : -1;
}

static void prepare(struct canary *c)
{
    c->x = UINT64_C(0x9e3779b97f4a7c15);
    c->table = mem_alloc(CANARY_WORDS * sizeof *c->table);
    for (uint32_t i = 0; i < CANARY_WORDS; i++)
        c->table[i] = i * UINT32_C(2654435761);
    c->answer = (struct str)STR_INIT(CANARY_BODY_BYTES + 256);
    str_addf(&c->answer,
             "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
             CANARY_BODY_BYTES);
    for (int i = 0; i < CANARY_BODY_BYTES; i++)
        str_addc(&c->answer, (char)('a' + i % 26));
}

static int run(struct canary *c)
{
    struct epoll_event events[CANARY_EVENTS];
    prepare(c);
    if (listen_on_loopback(c) < 0)
        return CANARY_FAILED;
    for (;;) {
        int n = epoll_wait(c->epoll, events, CANARY_EVENTS, -1);
        if (n < 0 && errno != EINTR)
            return CANARY_FAILED;
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == c->listener)
                take_connection(c);
            else
                serve(c, events[i].data.fd);
        }
    }
}

int canary_main(int argc, char **argv)
{
    static struct canary canary;
    if (argc < 2 || strcmp(argv[1], CANARY_WORD) != 0)
        return -1;
    return run(&canary);
}
