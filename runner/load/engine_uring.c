/* SPDX-License-Identifier: MIT */
/*
 * engine_uring: the engine on io_uring.
 *
 * One system call per turn of the loop submits all sends and waits for what arrives. Every
 * connection has one receive that stays armed (multishot) and takes its memory from a ring of
 * buffers that all share. When that ring is empty the kernel ends the receive with ENOBUFS, and
 * it is armed again after the buffers have come back. There are few of them at first, as what
 * is in circulation should fit into the cache, and their first lines fall into different sets
 * of it: 2048 buffers one page apart cost a tenth of the whole time of a request.
 *
 * A send is handed over together with its bytes, which must stay in place until it is done: so
 * only request bytes that live as long as the run go through the ring; others are sent
 * directly. What is noted as the time of sending is the time of queueing, so never more than
 * SENDS_MAX sends are queued (about 3 us each), and on a schedule none. All answers between two
 * submissions had arrived before the first of them was looked at, hence share one reading of
 * the clock.
 *
 * The kernel keeps a socket open while a receive is armed on it, so closing cancels it as well.
 */
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "engine.h"
#include "mem.h"
#include "worker.h"

enum {
    QUEUE = 4096, /* submissions; filled up they are handed over early */
    COMPLETIONS = 16384,
    BUFFERS_MAX = 2048, /* a power of two */
    BUFFERS_FIRST = 32, /* what is handed out at first; doubled whenever that was too little */
    BUFFER_BYTES = 511 * 64, /* untouched pages of small answers cost nothing */
    GROUP = 1,
    SENDS_MAX = 16, /* requests that wait for one system call */
    LONG_ANSWER = 1024,
    INDEX_BITS = 24, /* of a tag: generation, operation, connection */
};

enum operation { OPERATION_POLL, OPERATION_RECEIVE, OPERATION_SEND, OPERATION_CANCEL };

struct engine {
    struct worker *worker;
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    char *memory;
    unsigned handed_out; /* buffers in circulation */
    int returned;        /* buffers given back that the kernel has not been told of */
    unsigned sends;      /* queued since the last submission */
    bool stale;          /* time has passed since the worker's clock was read */
    bool starved;        /* there were too few buffers in this turn */
    bool slots;          /* connections have registered descriptors: their index */
    bool *armed;         /* by connection: a receive is under way */
    uint32_t turn;       /* counts submissions */
    uint32_t *queued;    /* by connection: the turn in which something was queued for it last */
};

static uint64_t tag(enum operation operation, const struct conn *c)
{
    return (uint64_t)c->generation << 32 | (uint64_t)operation << INDEX_BITS | c->index;
}

static void uring_close(struct engine *g)
{
    if (!g)
        return;
    io_uring_queue_exit(&g->ring);
    free(g->buffers);
    free(g->memory);
    free(g->queued);
    free(g->armed);
    free(g);
}

static void give_back(struct engine *g, unsigned buffer)
{
    io_uring_buf_ring_add(g->buffers, g->memory + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS_MAX),
                          g->returned++);
}

static void announce_buffers(struct engine *g)
{
    io_uring_buf_ring_advance(g->buffers, g->returned);
    g->returned = 0;
}

/* The kernel takes the buffers in turn, so those in circulation are what the cache has to hold.
 * Too few end a receive with ENOBUFS, and then there will be more. */
static void hand_out(struct engine *g, unsigned count)
{
    while (g->handed_out < count && g->handed_out < BUFFERS_MAX)
        give_back(g, g->handed_out++);
}

static int register_buffers(struct engine *g)
{
    enum { PAGE = 4096 };
    g->buffers = aligned_alloc(PAGE, BUFFERS_MAX * sizeof(struct io_uring_buf));
    if (!g->buffers)
        abort();
    memset(g->buffers, 0, BUFFERS_MAX * sizeof(struct io_uring_buf));
    struct io_uring_buf_reg r = {
        .ring_addr = (uintptr_t)g->buffers, .ring_entries = BUFFERS_MAX, .bgid = GROUP};
    int rc = io_uring_register_buf_ring(&g->ring, &r, 0);
    io_uring_buf_ring_init(g->buffers);
    return rc;
}

static int init_ring(struct io_uring *ring, unsigned queue, unsigned completions)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                         IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                .cq_entries = completions};
    return io_uring_queue_init_params(queue, ring, &p);
}

static int uring_open(struct engine **out, struct worker *w, struct err *e)
{
    struct engine *g = mem_zero(1, sizeof *g);
    g->worker = w;
    int rc = init_ring(&g->ring, QUEUE, COMPLETIONS);
    if (rc < 0) {
        free(g);
        errno = -rc;
        return err_errno(e, "io_uring (try --engine epoll)");
    }
    (void)io_uring_register_ring_fd(&g->ring);
    rc = register_buffers(g);
    if (rc < 0) {
        uring_close(g);
        errno = -rc;
        return err_errno(e, "io_uring: buffer ring (try --engine epoll)");
    }
    g->memory = mem_alloc((size_t)BUFFERS_MAX * BUFFER_BYTES);
    g->armed = mem_zero(w->size, sizeof *g->armed);
    g->queued = mem_zero(w->size, sizeof *g->queued);
    g->turn = 1;
    /* Registering costs two calls per connection and saves some of each request's time. */
    g->slots = !w->close_each && io_uring_register_files_sparse(&g->ring, w->size) == 0;
    hand_out(g, BUFFERS_FIRST);
    announce_buffers(g);
    *out = g;
    return 0;
}

static void submit(struct engine *g)
{
    (void)io_uring_submit(&g->ring);
    g->turn++;
    g->sends = 0;
    g->stale = true;
}

static struct io_uring_sqe *submission(struct engine *g, const struct conn *c)
{
    struct io_uring_sqe *s;
    while (!(s = io_uring_get_sqe(&g->ring)))
        submit(g);
    g->queued[c->index] = g->turn;
    return s;
}

/* Names the connection's descriptor, which was prepared as 'c->fd'. */
static void use_slot(const struct engine *g, const struct conn *c, struct io_uring_sqe *s)
{
    if (!g->slots)
        return;
    s->fd = (int)c->index;
    s->flags |= IOSQE_FIXED_FILE;
}

static void arm_receive(struct engine *g, struct conn *c)
{
    struct io_uring_sqe *s = submission(g, c);
    io_uring_prep_recv_multishot(s, c->fd, NULL, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = GROUP;
    use_slot(g, c, s);
    s->user_data = tag(OPERATION_RECEIVE, c);
    g->armed[c->index] = true;
}

/* On a non-blocking descriptor the kernel would answer EAGAIN instead of waiting. */
static void begin_receiving(struct engine *g, struct conn *c)
{
    int off = 0;
    (void)ioctl(c->fd, FIONBIO, &off);
    arm_receive(g, c);
}

static void poll_writable(struct engine *g, struct conn *c)
{
    struct io_uring_sqe *s = submission(g, c);
    io_uring_prep_poll_add(s, c->fd, POLLOUT);
    use_slot(g, c, s);
    s->user_data = tag(OPERATION_POLL, c);
}

static int uring_watch(struct engine *g, struct conn *c)
{
    if (g->slots) {
        int rc = io_uring_register_files_update(&g->ring, c->index, &c->fd, 1);
        if (rc < 0) {
            errno = -rc;
            return -1;
        }
    }
    if (c->state == CONN_OPEN)
        begin_receiving(g, c);
    if (c->state != CONN_OPEN || c->out_len)
        poll_writable(g, c);
    return 0;
}

static void uring_forget(struct engine *g, struct conn *c)
{
    bool armed = g->armed[c->index];
    g->armed[c->index] = false;
    /* What is queued for this descriptor must not meet its successor of the same number. */
    if (g->queued[c->index] == g->turn)
        submit(g);
    struct io_uring_sqe *s = submission(g, c);
    io_uring_prep_cancel64(s, tag(armed ? OPERATION_RECEIVE : OPERATION_POLL, c), 0);
    s->user_data = tag(OPERATION_CANCEL, c);
    int none = -1;
    if (g->slots)
        (void)io_uring_register_files_update(&g->ring, c->index, &none, 1);
}

/* The bytes of requests that are always the same live as long as the run. */
static bool stays_in_place(const struct worker *w, struct conn *c, const char *at)
{
    if (!c->in_flight)
        return false;
    const struct request *r =
        &w->requests->at[worker_flight(w, c, c->in_flight - 1u)->endpoint];
    return at == r->bytes.at || at == r->burst.at;
}

static ssize_t send_directly(struct engine *g, struct conn *c, const char *at, size_t len)
{
    ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    g->stale = true;
    if (c->state == CONN_OPEN && n < (ssize_t)len && (n >= 0 || errno == EAGAIN)) {
        int number = errno;
        poll_writable(g, c);
        errno = number;
    }
    return n;
}

static ssize_t uring_send(struct engine *g, struct conn *c, const char *at, size_t len)
{
    /* Before the connection is established only a direct attempt can tell whether it is. On a
     * schedule each request leaves by itself, at the time that is noted for it. */
    if (c->state != CONN_OPEN || g->worker->open_loop || !stays_in_place(g->worker, c, at))
        return send_directly(g, c, at, len);
    struct io_uring_sqe *s = submission(g, c);
    io_uring_prep_send(s, c->fd, at, len, MSG_NOSIGNAL | MSG_WAITALL);
    s->flags |= IOSQE_CQE_SKIP_SUCCESS;
    use_slot(g, c, s);
    s->user_data = tag(OPERATION_SEND, c);
    if (++g->sends == SENDS_MAX)
        submit(g);
    return (ssize_t)len;
}

static void polled(struct engine *g, struct conn *c)
{
    struct worker *w = g->worker;
    uint32_t generation = c->generation;
    int number = 0;
    socklen_t len = sizeof number;
    if (c->state == CONN_CONNECTING) {
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0)
            number = errno;
        if (number)
            conn_ended(w, c, number);
        else
            conn_writable(w, c);
    } else if (c->out_len) {
        conn_writable(w, c);
    }
    if (c->generation != generation || c->state == CONN_FREE)
        return;
    if (!g->armed[c->index])
        begin_receiving(g, c);
}

static void received(struct engine *g, struct conn *c, const struct io_uring_cqe *done)
{
    struct worker *w = g->worker;
    uint32_t generation = c->generation;
    if (!(done->flags & IORING_CQE_F_MORE))
        g->armed[c->index] = false;
    if (done->res > 0) {
        unsigned buffer = done->flags >> IORING_CQE_BUFFER_SHIFT;
        const char *at = g->memory + (size_t)buffer * BUFFER_BYTES;
        conn_bytes(w, c, (struct view){at, (size_t)done->res});
    } else if (done->res == -ENOBUFS) {
        g->starved = true;
    } else {
        conn_ended(w, c, -done->res);
    }
    if (c->generation == generation && c->state == CONN_OPEN && !g->armed[c->index])
        arm_receive(g, c);
}

static void handle(struct engine *g, const struct io_uring_cqe *done)
{
    struct worker *w = g->worker;
    uint32_t index = (uint32_t)done->user_data & ((1u << INDEX_BITS) - 1);
    enum operation operation = (enum operation)(done->user_data >> INDEX_BITS & 0xff);
    struct conn *c = worker_conn(w, index);
    bool current = c->generation == (uint32_t)(done->user_data >> 32) && c->state != CONN_FREE;
    if (current && operation != OPERATION_CANCEL && done->res != -ECANCELED) {
        if (g->stale)
            w->now_ns = clock_now_ns();
        g->stale = done->res >= LONG_ANSWER;
        if (operation == OPERATION_RECEIVE)
            received(g, c, done);
        else if (operation == OPERATION_POLL)
            polled(g, c);
        else if (done->res < 0)
            conn_ended(w, c, -done->res);
    }
    if (done->flags & IORING_CQE_F_BUFFER)
        give_back(g, done->flags >> IORING_CQE_BUFFER_SHIFT);
}

static void uring_wait(struct engine *g, int64_t timeout_ns)
{
    struct worker *w = g->worker;
    struct io_uring_cqe *done;
    struct __kernel_timespec t = {timeout_ns / CLOCK_NS_PER_S, timeout_ns % CLOCK_NS_PER_S};
    unsigned head;
    unsigned count = 0;
    if (timeout_ns > 0)
        (void)io_uring_submit_and_wait_timeout(&g->ring, &done, 1, &t, NULL);
    else
        (void)io_uring_submit_and_get_events(&g->ring);
    g->turn++;
    g->sends = 0;
    g->stale = true;
    io_uring_for_each_cqe(&g->ring, head, done)
    {
        handle(g, done);
        count++;
        if (w->now_ns >= w->next_tick_ns)
            worker_tick(w);
        if (w->now_ns >= w->next_due_ns)
            worker_dispatch(w);
    }
    if (g->starved)
        hand_out(g, 2 * g->handed_out);
    g->starved = false;
    announce_buffers(g);
    io_uring_cq_advance(&g->ring, count);
}

/* --- trying it out ------------------------------------------------------------------------ */

/* Both ways over a pair of sockets: a send without completion, and a receive that says where
 * the bytes are and stays armed. */
static bool echoes(struct engine *g, const int ends[2])
{
    static const char byte[1] = "x";
    struct __kernel_timespec within = {1, 0};
    struct io_uring_cqe *done = NULL;
    struct io_uring_sqe *s = io_uring_get_sqe(&g->ring);
    io_uring_prep_recv_multishot(s, ends[0], NULL, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = GROUP;
    s = io_uring_get_sqe(&g->ring);
    io_uring_prep_send(s, ends[1], byte, sizeof byte, MSG_NOSIGNAL);
    s->flags |= IOSQE_CQE_SKIP_SUCCESS;
    if (io_uring_submit_and_wait_timeout(&g->ring, &done, 1, &within, NULL) < 0 || !done)
        return false;
    return done->res == sizeof byte && (done->flags & IORING_CQE_F_BUFFER) &&
           (done->flags & IORING_CQE_F_MORE);
}

bool engine_uring_works(void)
{
    struct engine g = {0};
    int ends[2];
    bool works = false;
    if (init_ring(&g.ring, 4, 8) < 0)
        return false;
    g.memory = mem_alloc(BUFFER_BYTES);
    if (register_buffers(&g) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
        hand_out(&g, 1);
        announce_buffers(&g);
        works = echoes(&g, ends);
        close(ends[0]);
        close(ends[1]);
    }
    io_uring_queue_exit(&g.ring);
    free(g.buffers);
    free(g.memory);
    return works;
}

const struct engine_ops engine_uring = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .watch = uring_watch,
    .forget = uring_forget,
    .send = uring_send,
    .wait = uring_wait,
};
