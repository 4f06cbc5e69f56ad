/* SPDX-License-Identifier: MIT */
/*
 * server: the life of listeners and connections; exchange.c has the life of a request.
 *
 * One event thread per listener, made by the library. A thread of our own, the reaper, walks
 * the list of connections once a second and shuts the socket of each whose deadline has passed;
 * the event thread then sees the end and cleans up. The list's lock is held over the shutdown,
 * and the library closes the socket only after it has told us, so the number cannot belong to
 * another connection by then.
 */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "log.h"
#include "mem.h"
#include "server_own.h"

enum {
    CONNECTION_BYTES = 64 << 10, /* for headers, and for one piece of a body */
    FILES_SPARE = 256,           /* descriptors for all else than connections */
};

/* --- connections ------------------------------------------------------------------------- */

static void conn_opened(struct server *s, struct MHD_Connection *c, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct conn *conn = mem_zero(1, sizeof *conn);
    conn->fd = info ? info->connect_fd : -1;
    atomic_store(&conn->deadline_ns, clock_now_ns() + s->o.head_deadline_ns);
    pthread_mutex_lock(&s->lock);
    conn->prev = s->conns.prev;
    conn->next = &s->conns;
    conn->prev->next = conn->next->prev = conn;
    pthread_mutex_unlock(&s->lock);
    *context = conn;
}

static void conn_closed(struct server *s, struct conn *conn)
{
    if (!conn)
        return;
    pthread_mutex_lock(&s->lock);
    conn->prev->next = conn->next;
    conn->next->prev = conn->prev;
    pthread_mutex_unlock(&s->lock);
    free(conn);
}

static void on_connection(void *self, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        conn_opened(self, c, context);
    else
        conn_closed(self, *context);
}

static void reap(struct server *s, int64_t now)
{
    for (struct conn *c = s->conns.next; c != &s->conns; c = c->next)
        if (c->fd >= 0 && atomic_load(&c->deadline_ns) <= now) {
            (void)shutdown(c->fd, SHUT_RDWR);
            atomic_store(&c->deadline_ns, CLOCK_NEVER);
        }
}

static void *reaper_main(void *arg)
{
    struct server *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        reap(s, clock_now_ns());
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        (void)pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &until);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- the library's callbacks ------------------------------------------------------------- */

static void *on_request_line(void *self, const char *target, struct MHD_Connection *c)
{
    return exchange_new(self, c, target);
}

static enum MHD_Result on_step(void *self, struct MHD_Connection *c, const char *path,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **exchange)
{
    (void)self, (void)c, (void)path;
    return exchange_step(*exchange, method, version, upload, upload_size);
}

static void on_completed(void *self, struct MHD_Connection *c, void **exchange,
                         enum MHD_RequestTerminationCode how)
{
    (void)self, (void)c, (void)how;
    if (*exchange)
        exchange_free(*exchange);
    *exchange = NULL;
}

/* The address is taken apart by url_parse alone. */
static size_t leave_escaped(void *self, struct MHD_Connection *c, char *text)
{
    (void)self, (void)c;
    return strlen(text);
}

static PRINTF(2, 0) void on_library_log(void *self, const char *fmt, va_list args)
{
    AUTO(str_done) struct str text = STR_INIT(512);
    (void)self;
    str_addv(&text, fmt, args);
    struct view line = view_trim(str_view(&text));
    log_debug("microhttpd", "said=%.*s", (int)line.len, line.at);
}

/* --- start and stop ---------------------------------------------------------------------- */

static void raise_file_limit(int connections)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)connections + FILES_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static struct MHD_Daemon *start_daemon(struct server *s, int fd)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    int64_t idle_s = s->o.idle_deadline_ns / CLOCK_NS_PER_S;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_step, s, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, s,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)s->o.connections_max, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(idle_s + 1),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, s, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
}

static void work(void *self, void *worker, void *item)
{
    (void)self;
    exchange_work(item, worker);
}

static int start_parts(struct server *s, struct err *e)
{
    struct pool_options pool = {.workers = s->o.workers,
                                .waiting_max = (size_t)s->o.waiting_max,
                                .self = s->o.app.self,
                                .open = s->o.app.worker_open,
                                .close = s->o.app.worker_close,
                                .run = work};
    raise_file_limit(2 * s->o.connections_max);
    if (pool_start(&pool, &s->pool, e) < 0)
        return -1;
    if (pthread_create(&s->reaper, NULL, reaper_main, s) != 0)
        return err_set(e, ERR_SYSTEM, "cannot start the http reaper thread");
    s->reaping = true;
    for (int i = 0; i < 2; i++) {
        if (s->o.listen_fds[i] < 0)
            continue;
        s->daemons[i] = start_daemon(s, s->o.listen_fds[i]);
        if (!s->daemons[i])
            return err_set(e, ERR_SYSTEM, "cannot start the http event thread");
        s->o.listen_fds[i] = -1; /* the library closes it */
    }
    return 0;
}

int server_start(const struct server_options *options, struct server **out, struct err *e)
{
    struct server *s = mem_zero(1, sizeof *s);
    s->o = *options;
    s->conns.next = s->conns.prev = &s->conns;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (start_parts(s, e) < 0) {
        server_stop(s, 0);
        return -1;
    }
    *out = s;
    return 0;
}

/* Waits until every answer under way has been sent. */
static void wait_for_answers(struct server *s, int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = deadline_ns / CLOCK_NS_PER_S,
                             .tv_nsec = deadline_ns % CLOCK_NS_PER_S};
    pthread_mutex_lock(&s->lock);
    while (s->active > 0 &&
           pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&s->lock);
}

static void stop_reaper(struct server *s)
{
    if (!s->reaping)
        return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->reaper, NULL);
}

void server_stop(struct server *s, int64_t deadline_ns)
{
    if (!s)
        return;
    atomic_store(&s->draining, true);
    for (int i = 0; i < 2; i++)
        if (s->daemons[i])
            fdio_closep(&(int){MHD_quiesce_daemon(s->daemons[i])});
    if (s->pool)
        pool_drain(s->pool);
    wait_for_answers(s, deadline_ns);
    for (int i = 0; i < 2; i++) {
        if (s->daemons[i])
            MHD_stop_daemon(s->daemons[i]);
        fdio_closep(&s->o.listen_fds[i]);
    }
    stop_reaper(s);
    pool_free(s->pool);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
