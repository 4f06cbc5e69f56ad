/* SPDX-License-Identifier: MIT */
/* capture: see capture.h. The tail is a ring; 'total' says where its next byte goes. */
#include "capture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bell.h"
#include "clock.h"
#include "fdio.h"
#include "mem.h"

/* A descendant that outlived the program may hold the pipe open for ever. */
#define CAPTURE_WAIT_NS (500 * CLOCK_NS_PER_MS)

enum { CAPTURE_READ_BYTES = 64 << 10 };

struct capture {
    int read_end, write_end;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    char *head, *tail;
    int64_t total;
    bool ended;
    struct bell stop, end;
};

static void keep(struct capture *c, const char *bytes, size_t n)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < n;) {
        size_t len;
        char *to;
        if (c->total < CAPTURE_HEAD_MAX) {
            to = c->head + c->total;
            len = (size_t)(CAPTURE_HEAD_MAX - c->total);
        } else {
            size_t at = (size_t)((c->total - CAPTURE_HEAD_MAX) % CAPTURE_TAIL_MAX);
            to = c->tail + at;
            len = CAPTURE_TAIL_MAX - at;
        }
        if (len > n - i)
            len = n - i;
        memcpy(to, bytes + i, len);
        c->total += (int64_t)len;
        i += len;
    }
    pthread_mutex_unlock(&c->lock);
}

static void *read_loop(void *arg)
{
    struct capture *c = arg;
    char *bytes = mem_alloc(CAPTURE_READ_BYTES);
    for (;;) {
        struct pollfd p[2] = {{.fd = c->read_end, .events = POLLIN},
                              {.fd = c->stop.fd, .events = POLLIN}};
        if (poll(p, 2, -1) < 0 && errno == EINTR)
            continue;
        if (!p[0].revents)
            break;
        ssize_t n = read(c->read_end, bytes, CAPTURE_READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        keep(c, bytes, (size_t)n);
    }
    free(bytes);
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    pthread_mutex_unlock(&c->lock);
    bell_ring(&c->end);
    return NULL;
}

int capture_new(struct capture **out, struct err *e)
{
    struct capture *c = mem_zero(1, sizeof *c);
    int ends[2];
    c->stop.fd = c->end.fd = c->read_end = c->write_end = -1;
    if (bell_open(&c->stop, e) < 0 || bell_open(&c->end, e) < 0 || fdio_pipe(ends, e) < 0) {
        bell_close(&c->stop);
        bell_close(&c->end);
        free(c);
        return -1;
    }
    c->read_end = ends[0];
    c->write_end = ends[1];
    c->head = mem_alloc(CAPTURE_HEAD_MAX);
    c->tail = mem_alloc(CAPTURE_TAIL_MAX);
    pthread_mutex_init(&c->lock, NULL);
    int rc = pthread_create(&c->thread, NULL, read_loop, c);
    if (rc != 0) {
        c->thread = 0;
        c->ended = true;
        errno = rc;
        err_errno(e, "start a thread");
        capture_freep(&c);
        return -1;
    }
    *out = c;
    return 0;
}

void capture_freep(struct capture **capture)
{
    struct capture *c = STEAL(*capture);
    if (!c)
        return;
    bell_ring(&c->stop);
    if (c->thread)
        pthread_join(c->thread, NULL);
    fdio_closep(&c->read_end);
    fdio_closep(&c->write_end);
    bell_close(&c->stop);
    bell_close(&c->end);
    pthread_mutex_destroy(&c->lock);
    free(c->head);
    free(c->tail);
    free(c);
}

int capture_pipe(const struct capture *c)
{
    return c->write_end;
}

void capture_started(struct capture *c)
{
    fdio_closep(&c->write_end);
}

int64_t capture_total(struct capture *c)
{
    pthread_mutex_lock(&c->lock);
    int64_t total = c->total;
    pthread_mutex_unlock(&c->lock);
    return total;
}

void capture_text(struct capture *c, struct str *out)
{
    (void)bell_wait(&c->end, clock_now_ns() + CAPTURE_WAIT_NS);
    bell_ring(&c->end); /* for the next who asks */
    pthread_mutex_lock(&c->lock);
    int64_t head = c->total < CAPTURE_HEAD_MAX ? c->total : CAPTURE_HEAD_MAX;
    int64_t behind = c->total - head;
    str_add(out, (struct view){c->head, (size_t)head});
    if (behind > CAPTURE_TAIL_MAX) {
        size_t at = (size_t)(behind % CAPTURE_TAIL_MAX);
        str_addf(out, "\n[%lld bytes left out]\n", (long long)(behind - CAPTURE_TAIL_MAX));
        str_add(out, (struct view){c->tail + at, CAPTURE_TAIL_MAX - at});
        str_add(out, (struct view){c->tail, at});
    } else {
        str_add(out, (struct view){c->tail, (size_t)behind});
    }
    pthread_mutex_unlock(&c->lock);
}

static bool line_is_blank(struct view line)
{
    return view_trim(line).len == 0;
}

void capture_last_lines(struct capture *c, int lines, struct str *out)
{
    AUTO(str_done) struct str text = STR_INIT(CAPTURE_TEXT_MAX);
    capture_text(c, &text);
    struct view all = view_trim(str_view(&text));
    size_t from = all.len;
    for (int found = 0; from > 0 && found < lines;) {
        size_t end = from;
        while (from > 0 && all.at[from - 1] != '\n')
            from--;
        found += !line_is_blank((struct view){all.at + from, end - from});
        if (found < lines && from > 0)
            from--;
    }
    struct view rest = view_skip(all, from);
    struct view line;
    const char *bar = "";
    while (view_line(&rest, &line)) {
        if (line_is_blank(line))
            continue;
        str_addz(out, bar);
        bar = " | ";
        line = view_trim(line);
        for (size_t i = 0; i < line.len; i++)
            str_addc(out,
                     (unsigned char)line.at[i] < 0x20 || line.at[i] == 0x7f ? '?' : line.at[i]);
    }
}
