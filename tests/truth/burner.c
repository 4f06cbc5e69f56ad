/* SPDX-License-Identifier: MIT */
/*
 * burner: a service whose cost is known, for real.py.
 *
 * It answers every request after a loop of BURN + EXTRA steps; every SLOW_EVERY-th request, on
 * average and at random, makes SLOW_TIMES as many. One thread, no memory, nothing that varies
 * by itself. The numbers come from knobs.h, so each commit of a trial is a file of five lines.
 *
 *     burner                  serves on $PORT
 *     burner --disturb SHARE  burns that share of a CPU for ever: others' load
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "knobs.h"

enum { EVENTS_MAX = 64, CLIENTS_MAX = 1024, REQUEST_MAX = 4096 };

struct client {
    size_t len;
    char request[REQUEST_MAX];
};

/* Another artefact of the same cost: nothing reads it, but it is in the file. */
__attribute__((used)) static const char variant[] = VARIANT;

static struct client clients[CLIENTS_MAX]; /* by descriptor */
static volatile uint64_t sink;
static uint64_t chance = 88172645463325252;

static void burn(uint64_t steps)
{
    uint64_t x = sink | 1;
    for (uint64_t i = 0; i < steps; i++)
        x = x * 6364136223846793005 + 1442695040888963407; /* Knuth's generator, one a step */
    sink = x;
}

static uint64_t steps_of_a_request(void)
{
    uint64_t steps = BURN + EXTRA;
    chance ^= chance << 13; /* xorshift64: Marsaglia 2003 */
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance % SLOW_EVERY == 0 ? steps * SLOW_TIMES : steps;
}

static void answer(int fd, const char *request)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 3\r\n\r\nok\n";
    if (strncmp(request, "GET /health", 11) != 0)
        burn(steps_of_a_request());
    if (write(fd, text, sizeof text - 1) < 0)
        perror("write");
}

/* Requests have no bodies here: each ends at its empty line. False at the end. */
static int serve(int fd)
{
    struct client *c = &clients[fd];
    ssize_t n = read(fd, c->request + c->len, REQUEST_MAX - 1 - c->len);
    if (n <= 0)
        return 0;
    c->len += (size_t)n;
    c->request[c->len] = '\0';
    char *end;
    while ((end = strstr(c->request, "\r\n\r\n")) != NULL) {
        size_t used = (size_t)(end + 4 - c->request);
        answer(fd, c->request);
        memmove(c->request, c->request + used, c->len - used + 1);
        c->len -= used;
    }
    return c->len < REQUEST_MAX - 1;
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 128) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        perror("epoll_ctl");
}

static void take_client(int epoll, int listener)
{
    int one = 1;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || fd >= CLIENTS_MAX) {
        if (fd >= 0)
            close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    clients[fd].len = 0;
    watch(epoll, fd);
}

static _Noreturn void disturb(double share)
{
    const double period_ns = 10e6;
    for (;;) {
        struct timespec from;
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        double spent_ns = 0;
        while (spent_ns < share * period_ns) {
            burn(10000);
            (void)clock_gettime(CLOCK_MONOTONIC, &now);
            spent_ns =
                (double)(now.tv_sec - from.tv_sec) * 1e9 + (double)(now.tv_nsec - from.tv_nsec);
        }
        struct timespec rest = {.tv_nsec = (long)((1 - share) * period_ns)};
        if (share < 1)
            (void)nanosleep(&rest, NULL);
    }
}

int main(int argc, char **argv)
{
    const char *port = getenv("PORT");
    struct epoll_event events[EVENTS_MAX];
    if (argc == 3 && strcmp(argv[1], "--disturb") == 0)
        disturb(strtod(argv[2], NULL));
    int listener = listen_on(port ? atoi(port) : 8080);
    int epoll = epoll_create1(0);
    watch(epoll, listener);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                take_client(epoll, listener);
            else if (!serve(fd))
                close(fd);
        }
    }
}
