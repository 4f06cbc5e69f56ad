/* SPDX-License-Identifier: MIT */
/*
 * engine_epoll: the engine on epoll, edge-triggered.
 *
 * One receive per event: an edge means that there was something to read, and bytes that come
 * later are a new edge. Only a full buffer or a hang-up asks for another receive. Writability
 * is watched from the start; the kernel reports it again only after a send was cut short, so it
 * costs nothing.
 */
#include "engine.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "fdio.h"
#include "mem.h"
#include "tls.h"
#include "worker.h"

enum {
    EVENTS_WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | (int)EPOLLET,
    EVENTS_END = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    RECEIVES_MAX = 16, /* of one connection in a row, so that no stream starves the others */
};

struct engine {
    struct worker *worker;
    int fd;
    char *buffer;
    struct epoll_event events[ENGINE_EVENTS];
};

static void epoll_engine_close(struct engine *g)
{
    if (!g)
        return;
    fdio_closep(&g->fd);
    free(g->buffer);
    free(g);
}

static int epoll_engine_open(struct engine **out, struct worker *w, struct err *e)
{
    struct engine *g = mem_zero(1, sizeof *g);
    g->worker = w;
    g->fd = epoll_create1(EPOLL_CLOEXEC);
    if (g->fd < 0) {
        free(g);
        return err_errno(e, "epoll");
    }
    g->buffer = mem_alloc(ENGINE_RECV_MAX);
    *out = g;
    return 0;
}

static uint64_t tag(const struct conn *c)
{
    return (uint64_t)c->generation << 32 | c->index;
}

static int epoll_engine_watch(struct engine *g, struct conn *c)
{
    struct epoll_event event = {.events = (uint32_t)EVENTS_WATCHED, .data.u64 = tag(c)};
    return epoll_ctl(g->fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void epoll_engine_forget(struct engine *g, struct conn *c)
{
    (void)g; /* Closing the only descriptor of a socket takes it out of the set. */
    (void)c;
}

static ssize_t epoll_engine_send(struct engine *g, struct conn *c, const char *at, size_t len)
{
    (void)g;
    if (c->tls)
        return tls_write(c->tls, at, len);
    return send(c->fd, at, len, MSG_NOSIGNAL);
}

static bool maybe_more(const struct conn *c, ssize_t n, uint32_t events)
{
    if (events & EVENTS_END)
        return true;
    return c->tls ? !tls_drained(c->tls) : n == ENGINE_RECV_MAX;
}

static void receive(struct engine *g, struct conn *c, uint32_t events)
{
    struct worker *w = g->worker;
    uint32_t generation = c->generation;
    for (int turn = 0; turn < RECEIVES_MAX; turn++) {
        ssize_t n = c->tls ? tls_read(c->tls, g->buffer, ENGINE_RECV_MAX)
                           : recv(c->fd, g->buffer, ENGINE_RECV_MAX, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        w->now_ns = clock_now_ns();
        if (n <= 0) {
            conn_ended(w, c, n < 0 ? errno : 0);
            return;
        }
        conn_bytes(w, c, (struct view){g->buffer, (size_t)n});
        if (c->generation != generation || c->state == CONN_FREE)
            return;
        if (!maybe_more(c, n, events))
            return;
    }
    /* Reports at once what is ready: at least that it is writable, which is how what OpenSSL
     * still holds gets its turn. */
    struct epoll_event again = {.events = (uint32_t)EVENTS_WATCHED, .data.u64 = tag(c)};
    (void)epoll_ctl(g->fd, EPOLL_CTL_MOD, c->fd, &again);
}

static void connected(struct engine *g, struct conn *c)
{
    int number = 0;
    socklen_t len = sizeof number;
    g->worker->now_ns = clock_now_ns();
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0)
        number = errno;
    if (number)
        conn_ended(g->worker, c, number);
    else
        conn_writable(g->worker, c);
}

static void handle(struct engine *g, const struct epoll_event *event)
{
    struct conn *c = worker_conn(g->worker, (uint32_t)event->data.u64);
    uint32_t generation = (uint32_t)(event->data.u64 >> 32);
    uint32_t events = event->events;
    if (c->generation != generation || c->state == CONN_FREE)
        return;
    if (c->state == CONN_CONNECTING) {
        if (!(events & (EPOLLOUT | EVENTS_END)))
            return;
        connected(g, c);
    } else if (c->state == CONN_HANDSHAKE || ((events & EPOLLOUT) && c->out_len)) {
        g->worker->now_ns = clock_now_ns();
        conn_writable(g->worker, c);
    }
    if (c->generation == generation && c->state >= CONN_UPGRADE &&
        (c->tls || (events & (EPOLLIN | EVENTS_END))))
        receive(g, c, events);
}

static int wait_events(struct engine *g, int64_t timeout_ns)
{
    struct timespec t = {timeout_ns / CLOCK_NS_PER_S, timeout_ns % CLOCK_NS_PER_S};
    if (timeout_ns <= 0)
        return epoll_wait(g->fd, g->events, ENGINE_EVENTS, 0);
    int n = epoll_pwait2(g->fd, g->events, ENGINE_EVENTS, &t, NULL);
    if (n >= 0 || errno != ENOSYS)
        return n;
    /* Before Linux 5.11 only milliseconds are to be had; the lateness will tell. */
    return epoll_wait(g->fd, g->events, ENGINE_EVENTS,
                      (int)((timeout_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS));
}

static void epoll_engine_wait(struct engine *g, int64_t timeout_ns)
{
    int n = wait_events(g, timeout_ns);
    struct worker *w = g->worker;
    for (int i = 0; i < n; i++) {
        handle(g, &g->events[i]);
        /* In a large batch the schedule and the clock go on. */
        if (w->now_ns >= w->next_tick_ns)
            worker_tick(w);
        if (w->now_ns >= w->next_due_ns)
            worker_dispatch(w);
    }
}

const struct engine_ops engine_epoll = {
    .name = "epoll",
    .open = epoll_engine_open,
    .close = epoll_engine_close,
    .watch = epoll_engine_watch,
    .forget = epoll_engine_forget,
    .send = epoll_engine_send,
    .wait = epoll_engine_wait,
};
