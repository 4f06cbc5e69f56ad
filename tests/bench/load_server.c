/* SPDX-License-Identifier: MIT */
/*
 * load_server: a service that costs next to nothing and misbehaves on schedule.
 *
 * One thread, edge-triggered epoll, one fixed answer for every request it sees the end of. What
 * is measured against it is the load generator. It can stall, as theory then says what
 * latencies an honest generator must see: with a stall of S every P, a share S/P of the due
 * times falls into a stall and waits uniformly between 0 and S.
 *
 *     load_server --port 8080 --close-port 8081 --stall 2s --stall-for 200ms
 *
 * Port 0 takes a free one. The line "listening PORT CLOSE_PORT" says that it is ready. On
 * SIGTERM it prints what it has done: requests, connections, CPU seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "errors.h"
#include "mem.h"
#include "opt.h"
#include "str.h"

enum { CONNS_MAX = 1 << 17, EVENTS = 512, READ_MAX = 64 << 10, BATCH_MAX = 64 };

enum kind {
    KIND_NONE,
    KIND_LISTEN,
    KIND_LISTEN_CLOSE,
    KIND_TIMER,
    KIND_SIGNAL,
    KIND_KEEP,
    KIND_CLOSE
};

struct server {
    int epoll;
    int64_t stall_ns, stall_for_ns, zero_ns;
    int64_t work_ns; /* of each request; limits what can be served to its reciprocal */
    struct str answer, closing, batch; /* batch: the answer BATCH_MAX times */
    uint64_t requests, connections;
    unsigned char kind[CONNS_MAX];    /* by descriptor */
    unsigned char matched[CONNS_MAX]; /* of CR LF CR LF, at the end of what was read so far */
    char buffer[READ_MAX];
};

static void watch(struct server *s, int fd, enum kind kind, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    s->kind[fd] = (unsigned char)kind;
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        close(fd);
}

static int listen_on(struct server *s, int64_t port, enum kind kind)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* Accept only with a request, so that it is answered in the same turn. */
    if (kind == KIND_LISTEN_CLOSE)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 65535) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        perror("load_server: listen");
        exit(1);
    }
    watch(s, fd, kind, EPOLLIN);
    return ntohs(a.sin_port);
}

static void listen_unix(struct server *s, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    (void)unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0) {
        perror("load_server: listen");
        exit(1);
    }
    watch(s, fd, KIND_LISTEN, EPOLLIN);
}

/* How many requests end in these bytes. */
static unsigned count_requests(struct server *s, int fd, size_t n)
{
    const char *p = s->buffer;
    const char *end = p + n;
    unsigned matched = s->matched[fd];
    unsigned count = 0;
    while (p < end) {
        if (matched == 0) {
            p = memchr(p, '\r', (size_t)(end - p));
            if (!p)
                break;
        }
        char expected = matched % 2 ? '\n' : '\r';
        matched = *p == expected ? matched + 1 : *p == '\r' ? 1 : 0;
        p++;
        if (matched == 4) {
            count++;
            matched = 0;
        }
    }
    s->matched[fd] = (unsigned char)matched;
    return count;
}

static void answer(struct server *s, int fd, unsigned count)
{
    s->requests += count;
    if (s->work_ns && count)
        clock_sleep_until(clock_now_ns() + s->work_ns * count);
    while (count > 0) {
        unsigned n = count < BATCH_MAX ? count : BATCH_MAX;
        if (send(fd, s->batch.at, n * s->answer.len, MSG_NOSIGNAL) < 0)
            return;
        count -= n;
    }
}

static void handle_conn(struct server *s, int fd, uint32_t events)
{
    ssize_t n;
    do {
        n = recv(fd, s->buffer, READ_MAX, 0);
        if (n <= 0) {
            if (n == 0 || errno != EAGAIN)
                close(fd);
            return;
        }
        unsigned count = count_requests(s, fd, (size_t)n);
        if (count && s->kind[fd] == KIND_CLOSE) {
            s->requests++;
            (void)send(fd, s->closing.at, s->closing.len, MSG_NOSIGNAL);
            close(fd);
            return;
        }
        answer(s, fd, count);
    } while (n == READ_MAX);
    if (events & EPOLLRDHUP)
        close(fd);
}

static void accept_all(struct server *s, int fd, enum kind kind)
{
    int one = 1;
    int c;
    while ((c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (c >= CONNS_MAX) {
            close(c);
            continue;
        }
        s->connections++;
        s->matched[c] = 0;
        if (kind == KIND_LISTEN_CLOSE) {
            s->kind[c] = KIND_CLOSE;
            ssize_t n = recv(c, s->buffer, READ_MAX, 0);
            if (n > 0 && count_requests(s, c, (size_t)n)) {
                s->requests++;
                (void)send(c, s->closing.at, s->closing.len, MSG_NOSIGNAL);
                close(c);
                continue;
            }
        } else {
            (void)setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        }
        watch(s, c, kind == KIND_LISTEN_CLOSE ? KIND_CLOSE : KIND_KEEP,
              EPOLLIN | EPOLLRDHUP | (uint32_t)EPOLLET);
    }
}

/* Stalls end on a grid of the monotonic clock, however late the timer was noticed. */
static void stall(struct server *s, int fd)
{
    uint64_t expired;
    if (read(fd, &expired, sizeof expired) != sizeof expired)
        return;
    int64_t periods = (clock_now_ns() - s->zero_ns) / s->stall_ns;
    clock_sleep_until(s->zero_ns + periods * s->stall_ns + s->stall_for_ns);
}

static void start_stalls(struct server *s)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    s->zero_ns = clock_now_ns();
    int64_t first = s->zero_ns + s->stall_ns;
    struct itimerspec t = {
        .it_value = {first / CLOCK_NS_PER_S, first % CLOCK_NS_PER_S},
        .it_interval = {s->stall_ns / CLOCK_NS_PER_S, s->stall_ns % CLOCK_NS_PER_S},
    };
    (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
    watch(s, fd, KIND_TIMER, EPOLLIN);
}

static void finish(const struct server *s)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    printf("requests %" PRIu64 " connections %" PRIu64 " cpu_s %.3f\n", s->requests,
           s->connections,
           (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
               (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
    exit(0);
}

static void make_answers(struct server *s, int64_t body_bytes)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nServer: own\r\nContent-Type: text/plain\r\n";
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    str_addz(&body, "Hello, World!");
    while ((int64_t)body.len < body_bytes)
        str_addc(&body, 'x');
    s->answer = s->closing = (struct str)STR_INIT(2 << 20);
    s->batch = (struct str)STR_INIT(128 << 20);
    str_addf(&s->answer, "%sContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n%s", head,
             body.len, str_text(&body));
    str_addf(&s->closing, "%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", head,
             body.len, str_text(&body));
    for (int i = 0; i < BATCH_MAX; i++)
        str_add(&s->batch, str_view(&s->answer));
}

static void serve(struct server *s)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(s->epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            switch ((enum kind)s->kind[fd]) {
            case KIND_LISTEN:
            case KIND_LISTEN_CLOSE:
                accept_all(s, fd, (enum kind)s->kind[fd]);
                break;
            case KIND_TIMER:
                stall(s, fd);
                break;
            case KIND_SIGNAL:
                finish(s);
                break;
            default:
                handle_conn(s, fd, events[i].events);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static struct server s;
    int64_t port = 0, close_port = 0, body = 0;
    const char *path = NULL;
    struct opt table[] = {
        {"port", 'p', OPT_INT, "N", "keeps connections; 0 takes a free port", &port, 0, 65535,
         NULL},
        {"close-port", 0, OPT_INT, "N", "one request per connection", &close_port, 0, 65535,
         NULL},
        {"unix", 0, OPT_TEXT, "PATH", "also listen on a Unix socket", &path, 0, 0, NULL},
        {"body", 0, OPT_SIZE, "SIZE", "of the answer", &body, 0, 0, NULL},
        {"work", 0, OPT_DURATION, "TIME", "sleep so long for each request", &s.work_ns, 0, 0,
         NULL},
        {"stall", 0, OPT_DURATION, "TIME", "stall once in so long", &s.stall_ns, 0, 0, NULL},
        {"stall-for", 0, OPT_DURATION, "TIME", "for so long", &s.stall_for_ns, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0) {
        fprintf(stderr, "load_server: %s\n", e.text);
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){CONNS_MAX, CONNS_MAX});
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    make_answers(&s, body);
    watch(&s, signalfd(-1, &signals, SFD_CLOEXEC), KIND_SIGNAL, EPOLLIN);
    if (path)
        listen_unix(&s, path);
    int keep = listen_on(&s, port, KIND_LISTEN);
    int closing = listen_on(&s, close_port, KIND_LISTEN_CLOSE);
    printf("listening %d %d\n", keep, closing);
    fflush(stdout);
    if (s.stall_ns)
        start_stalls(&s);
    serve(&s);
}
