/* SPDX-License-Identifier: MIT */
/*
 * load_floor: the least that a load generator can cost, as a measuring stick.
 *
 * It sends known bytes and counts the bytes of an answer whose length it has learned once; it
 * parses nothing, records nothing and trusts everything. What pacewatch-load needs beyond this
 * is the price of measuring.
 *
 *     load_floor PORT CONNECTIONS SECONDS DEPTH          closed loop, DEPTH requests at a time
 *     load_floor PORT CONNECTIONS SECONDS connect        one connection per request
 *     load_floor PORT CONNECTIONS SECONDS rate RATE      open loop, woken by a timer per
 * request
 *
 * Prints requests, seconds and CPU microseconds per request.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { FDS_MAX = 1 << 17, EVENTS = 512, READ_MAX = 64 << 10, DEPTH_MAX = 64 };

struct floor {
    struct sockaddr_in to;
    int epoll, connections, depth;
    int64_t end_ns;
    uint64_t done;
    size_t request_len, answer_len;
    char requests[DEPTH_MAX * 128];
    char buffer[READ_MAX];
    uint32_t got[FDS_MAX];
    int idle[FDS_MAX];
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(struct floor *f)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= FDS_MAX || connect(fd, (struct sockaddr *)&f->to, sizeof f->to) < 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Learns the length of the one answer there is. */
static void learn(struct floor *f, bool close_each)
{
    char request[128];
    f->request_len =
        (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
                         close_each ? "Connection: close\r\n" : "");
    for (size_t i = 0; i < DEPTH_MAX; i++)
        memcpy(f->requests + i * f->request_len, request, f->request_len);
    int fd = dial(f);
    if (send(fd, request, f->request_len, 0) < 0)
        die("send");
    for (;;) {
        ssize_t n = recv(fd, f->buffer + f->answer_len, READ_MAX - 1 - f->answer_len, 0);
        if (n <= 0)
            die("the first answer");
        f->answer_len += (size_t)n;
        f->buffer[f->answer_len] = '\0';
        const char *end = strstr(f->buffer, "\r\n\r\n");
        const char *length = strcasestr(f->buffer, "content-length:");
        if (end && length &&
            (size_t)(end + 4 - f->buffer) + strtoul(length + 15, NULL, 10) <= f->answer_len)
            break;
    }
    close(fd);
}

static void open_all(struct floor *f)
{
    for (int i = 0; i < f->connections; i++) {
        int fd = dial(f);
        struct epoll_event e = {.events = EPOLLIN | (uint32_t)EPOLLET, .data.fd = fd};
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
            die("epoll");
        f->idle[i] = fd;
    }
}

static void send_all(struct floor *f, int fd)
{
    (void)send(fd, f->requests, f->request_len * (size_t)f->depth, MSG_NOSIGNAL);
}

/* Bytes have come; true when they complete the answers to a whole burst. */
static bool received(struct floor *f, int fd)
{
    ssize_t n = recv(fd, f->buffer, READ_MAX, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return false;
        die("the server closed a connection");
    }
    f->got[fd] += (uint32_t)n;
    if (f->got[fd] < f->answer_len * (size_t)f->depth)
        return false;
    f->got[fd] = 0;
    f->done += (uint64_t)f->depth;
    return true;
}

static void closed_loop(struct floor *f)
{
    struct epoll_event events[EVENTS];
    open_all(f);
    for (int i = 0; i < f->connections; i++)
        send_all(f, f->idle[i]);
    while (clock_now_ns() < f->end_ns) {
        int n = epoll_wait(f->epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++)
            if (received(f, events[i].data.fd))
                send_all(f, events[i].data.fd);
    }
}

static void start_connect(struct floor *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= FDS_MAX)
        die("socket");
    if (connect(fd, (struct sockaddr *)&f->to, sizeof f->to) < 0 && errno != EINPROGRESS)
        die("connect");
    struct epoll_event e = {.events = EPOLLOUT, .data.fd = fd};
    if (send(fd, f->requests, f->request_len, MSG_NOSIGNAL) == (ssize_t)f->request_len)
        e.events = EPOLLIN;
    f->got[fd] = 0;
    (void)epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e);
}

static void connect_each(struct floor *f)
{
    struct epoll_event events[EVENTS];
    int live = 0;
    while (clock_now_ns() < f->end_ns) {
        for (; live < f->connections; live++)
            start_connect(f);
        int n = epoll_wait(f->epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (events[i].events & EPOLLOUT) {
                struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
                send_all(f, fd);
                (void)epoll_ctl(f->epoll, EPOLL_CTL_MOD, fd, &e);
            } else if (received(f, fd)) {
                close(fd);
                live--;
            }
        }
    }
}

static void open_loop(struct floor *f, double rate, double seconds)
{
    struct epoll_event events[EVENTS];
    uint64_t total = (uint64_t)(rate * seconds);
    uint64_t sent = 0;
    int idle = f->connections;
    open_all(f);
    (void)prctl(PR_SET_TIMERSLACK, 1);
    int64_t zero = clock_now_ns();
    while (f->done < total) {
        int64_t now = clock_now_ns();
        int64_t due = CLOCK_NS_PER_S + now;
        while (sent < total && idle > 0) {
            due = zero + (int64_t)((double)sent * 1e9 / rate);
            if (due > now)
                break;
            send_all(f, f->idle[--idle]);
            sent++;
            now = clock_now_ns();
        }
        int64_t gap = due > now ? due - now : 0;
        struct timespec t = {gap / CLOCK_NS_PER_S, gap % CLOCK_NS_PER_S};
        int n = epoll_pwait2(f->epoll, events, EVENTS, &t, NULL);
        for (int i = 0; i < n; i++)
            if (received(f, events[i].data.fd))
                f->idle[idle++] = events[i].data.fd;
    }
}

int main(int argc, char **argv)
{
    static struct floor f;
    if (argc < 5) {
        fprintf(stderr,
                "usage: load_floor PORT CONNECTIONS SECONDS DEPTH|connect|rate [RATE]\n");
        return 2;
    }
    bool connects = strcmp(argv[4], "connect") == 0;
    bool paced = strcmp(argv[4], "rate") == 0;
    double seconds = strtod(argv[3], NULL);
    f.to = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(argv[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    f.connections = atoi(argv[2]);
    f.depth = connects || paced ? 1 : atoi(argv[4]);
    if (f.depth < 1 || f.depth > DEPTH_MAX || f.connections < 1 ||
        f.connections > FDS_MAX / 2 || (paced && argc < 6))
        return 2;
    (void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){FDS_MAX, FDS_MAX});
    f.epoll = epoll_create1(EPOLL_CLOEXEC);
    learn(&f, connects);
    int64_t start = clock_now_ns();
    f.end_ns = start + (int64_t)(seconds * 1e9);
    if (connects)
        connect_each(&f);
    else if (paced)
        open_loop(&f, strtod(argv[5], NULL), seconds);
    else
        closed_loop(&f);

    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double cpu_us = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
                    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
    printf("requests %" PRIu64 " seconds %.3f cpu_us %.3f\n", f.done,
           (double)(clock_now_ns() - start) / 1e9, cpu_us / (double)f.done);
    return 0;
}
