/* SPDX-License-Identifier: MIT */
/*
 * http2_server: HTTP/2 without TLS, well-behaved or not by the path of the request.
 *
 *     /ok           200 and a body            /missing    404
 *     /length       200 and the length of the request's body as text
 *     /reset        the stream is reset       /refuse     every second stream is refused
 *     /goaway       every fifth request of a connection is its last (GOAWAY)
 *     /hang         no answer                 /garbage    bytes that are not HTTP/2
 *
 * One thread, poll, at most CONNS connections. The first line of output is the port.
 */
#include <errno.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS = 64, READ_MAX = 64 << 10 };

struct request {
    char path[64];
    size_t received;
    char body[32];
    size_t body_len;
};

struct peer {
    int fd;
    unsigned requests;
    bool spoilt; /* garbage was sent: read to the end, so that no reset overtakes it */
    nghttp2_session *session;
};

static unsigned refusals;

static int on_begin(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
    (void)user;
    struct request *r = calloc(1, sizeof *r);
    return nghttp2_session_set_stream_user_data(s, frame->hd.stream_id, r);
}

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct request *r = nghttp2_session_get_stream_user_data(s, frame->hd.stream_id);
    (void)flags;
    (void)user;
    if (r && name_len == 5 && memcmp(name, ":path", 5) == 0 && value_len < sizeof r->path)
        memcpy(r->path, value, value_len);
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct request *r = nghttp2_session_get_stream_user_data(s, id);
    (void)flags;
    (void)data;
    (void)user;
    if (r)
        r->received += len;
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t error, void *user)
{
    (void)error;
    (void)user;
    free(nghttp2_session_get_stream_user_data(s, id));
    return 0;
}

static ssize_t give_body(nghttp2_session *s, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    const struct request *r = source->ptr;
    (void)s;
    (void)id;
    (void)user;
    size_t n = r->body_len < len ? r->body_len : len;
    memcpy(to, r->body, n);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void answer(nghttp2_session *s, int32_t id, struct request *r, const char *status)
{
    nghttp2_nv field = {(uint8_t *)":status", (uint8_t *)status, 7, 3, NGHTTP2_NV_FLAG_NONE};
    nghttp2_data_provider body = {.source.ptr = r, .read_callback = give_body};
    r->body_len = strcmp(r->path, "/length") == 0
                      ? (size_t)snprintf(r->body, sizeof r->body, "%zu", r->received)
                      : (size_t)snprintf(r->body, sizeof r->body, "Hello, World!");
    (void)nghttp2_submit_response(s, id, &field, 1, &body);
}

static void act(nghttp2_session *s, int32_t id, struct request *r, struct peer *p)
{
    static const char garbage[] = "this is not HTTP/2 at all, and long enough to be a frame";
    p->requests++;
    if (strcmp(r->path, "/reset") == 0) {
        (void)nghttp2_submit_rst_stream(s, 0, id, NGHTTP2_INTERNAL_ERROR);
    } else if (strcmp(r->path, "/refuse") == 0 && refusals++ % 2 == 0) {
        (void)nghttp2_submit_rst_stream(s, 0, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(r->path, "/garbage") == 0) {
        (void)send(p->fd, garbage, sizeof garbage, MSG_NOSIGNAL);
        (void)shutdown(p->fd, SHUT_WR);
        p->spoilt = true;
    } else if (strcmp(r->path, "/hang") != 0) {
        answer(s, id, r, strcmp(r->path, "/missing") == 0 ? "404" : "200");
        if (strcmp(r->path, "/goaway") == 0 && p->requests == 5)
            (void)nghttp2_submit_goaway(s, 0, id, NGHTTP2_NO_ERROR, NULL, 0);
    }
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
    struct request *r = nghttp2_session_get_stream_user_data(s, frame->hd.stream_id);
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (r && is_end && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
        act(s, frame->hd.stream_id, r, user);
    return 0;
}

static void begin(struct peer *p, int fd)
{
    nghttp2_session_callbacks *c;
    const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 8};
    *p = (struct peer){.fd = fd};
    (void)nghttp2_session_callbacks_new(&c);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
    (void)nghttp2_session_server_new(&p->session, c, p);
    nghttp2_session_callbacks_del(c);
    (void)nghttp2_submit_settings(p->session, 0, &settings, 1);
}

static void end(struct peer *p)
{
    nghttp2_session_del(p->session);
    close(p->fd);
    p->fd = -1;
}

/* Reads, answers, and says whether the connection goes on. */
static bool turn(struct peer *p)
{
    static uint8_t buffer[READ_MAX];
    const uint8_t *out;
    ssize_t n = recv(p->fd, buffer, sizeof buffer, 0);
    if (n <= 0)
        return false;
    if (!p->spoilt && nghttp2_session_mem_recv(p->session, buffer, (size_t)n) < 0)
        return false;
    if (p->spoilt)
        return true;
    while ((n = nghttp2_session_mem_send(p->session, &out)) > 0)
        if (send(p->fd, out, (size_t)n, MSG_NOSIGNAL) != n)
            return false;
    return nghttp2_session_want_read(p->session) || nghttp2_session_want_write(p->session);
}

static int listen_on_any(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, CONNS) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        perror("http2_server");
        exit(1);
    }
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

int main(void)
{
    static struct peer peers[CONNS];
    struct pollfd set[CONNS + 1];
    int listener = listen_on_any();
    for (size_t i = 0; i < CONNS; i++)
        peers[i].fd = -1;
    for (;;) {
        set[CONNS] = (struct pollfd){listener, POLLIN, 0};
        for (size_t i = 0; i < CONNS; i++)
            set[i] = (struct pollfd){peers[i].fd, POLLIN, 0};
        (void)poll(set, CONNS + 1, -1);
        for (size_t i = 0; i < CONNS; i++)
            if (peers[i].fd >= 0 && set[i].revents && !turn(&peers[i]))
                end(&peers[i]);
        int fd = set[CONNS].revents ? accept(listener, NULL, NULL) : -1;
        for (size_t i = 0; i < CONNS && fd >= 0; i++)
            if (peers[i].fd < 0) {
                begin(&peers[i], fd);
                fd = -1;
            }
        if (fd >= 0)
            close(fd);
    }
}
