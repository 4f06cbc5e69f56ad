/* SPDX-License-Identifier: MIT */
/*
 * ask: see ask.h. The whole answer is gathered and parsed from its start whenever more of
 * it has come: simple, and no state survives between two reads.
 */
#include "ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "opt.h"

enum { READ_BYTES = 64 << 10, REQUEST_MAX = 32 << 20 };

void ask_answer_done(struct ask_answer *a)
{
    str_done(&a->body);
}

static bool wait_for(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, clock_poll_ms(deadline_ns));
        if (n < 0 && errno == EINTR)
            continue;
        return n > 0;
    }
}

int ask_connect(int fd, int port, int64_t deadline_ns, struct err *e)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int number = 0;
    socklen_t len = sizeof number;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return 0;
    if (errno != EINPROGRESS) {
        return err_set(e, ERR_AWAY, "nobody listens on port %d", port);
    }
    if (!wait_for(fd, POLLOUT, deadline_ns))
        return err_set(e, ERR_TIMEOUT, "port %d does not answer", port);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0 || number != 0)
        return err_set(e, ERR_AWAY, "nobody listens on port %d", port);
    return 0;
}

/* --- the answer ------------------------------------------------------------------------------
 */

struct head {
    int status;
    bool chunked;
    int64_t length; /* -1: until the end of the connection */
    struct view type;
    size_t size; /* where the body begins */
};

static bool header_is(struct view name, const char *want)
{
    return name.len == strlen(want) && strncasecmp(name.at, want, name.len) == 0;
}

static int parse_header(struct head *h, struct view line, struct err *e)
{
    struct view name;
    struct view value;
    if (!view_cut(line, ':', &name, &value))
        return err_set(e, ERR_PROTOCOL, "a header without a colon");
    value = view_trim(value);
    if (header_is(name, "transfer-encoding")) {
        h->chunked = value.len >= 7 && strncasecmp(value.at + value.len - 7, "chunked", 7) == 0;
    } else if (header_is(name, "content-type")) {
        h->type = value;
    } else if (header_is(name, "content-length")) {
        if (opt_int(value, 0, INT64_MAX, &h->length, e) < 0)
            return err_ctx(e, "content-length");
    }
    return 0;
}

/* 1 when the head is complete. An interim answer (1xx) is skipped. */
static int parse_head(struct view bytes, struct head *h, struct err *e)
{
    struct view rest = bytes;
    struct view line;
    for (bool first = true;; first = false) {
        const char *end = rest.len ? memchr(rest.at, '\n', rest.len) : NULL;
        if (!end)
            return bytes.len > ASK_HEAD_MAX
                       ? err_set(e, ERR_LIMIT, "the answer's head is too large")
                       : 0;
        (void)view_line(&rest, &line);
        if (first) {
            int64_t status;
            if (!view_starts(line, "HTTP/1.") || line.len < 12 ||
                opt_int((struct view){line.at + 9, 3}, 100, 999, &status, NULL) < 0)
                return err_set(e, ERR_PROTOCOL, "the answer is not HTTP");
            *h = (struct head){.status = (int)status, .length = -1};
        } else if (line.len == 0) {
            h->size = bytes.len - rest.len;
            return 1;
        } else if (parse_header(h, line, e) < 0) {
            return -1;
        }
    }
}

static int parse_chunks(struct view rest, struct str *body, struct err *e)
{
    for (;;) {
        int64_t size = 0;
        size_t digits = 0;
        const char *end = rest.len ? memchr(rest.at, '\n', rest.len) : NULL;
        if (!end)
            return rest.len > 1024 ? err_set(e, ERR_PROTOCOL, "bad chunk") : 0;
        while (digits < rest.len && digits < 8) {
            char c = rest.at[digits];
            int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
            if (digit < 0)
                break;
            size = size * 16 + digit;
            digits++;
        }
        if (digits == 0)
            return err_set(e, ERR_PROTOCOL, "bad chunk");
        rest = view_skip(rest, (size_t)(end - rest.at) + 1);
        if (size == 0)
            return 1; /* trailers are of no interest */
        if (size > ASK_BODY_MAX)
            return err_set(e, ERR_LIMIT, "the answer's body is too large");
        if (rest.len < (size_t)size + 2)
            return 0;
        str_add(body, (struct view){rest.at, (size_t)size});
        rest = view_skip(rest, (size_t)size);
        rest = view_skip(rest, rest.at[0] == '\r' ? 2 : 1);
        if (body->cut)
            return err_set(e, ERR_LIMIT, "the answer's body is too large");
    }
}

/* It goes into messages, so what cannot be shown is replaced. */
static void copy_type(char out[ASK_TYPE_MAX], struct view type)
{
    size_t n = type.len < ASK_TYPE_MAX - 1 ? type.len : ASK_TYPE_MAX - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = type.at[i] < ' ' || type.at[i] > '~' ? '?' : type.at[i];
    out[n] = '\0';
}

int ask_parse(struct view bytes, bool at_end, bool is_head, struct ask_answer *out,
              struct err *e)
{
    struct head h;
    for (;;) {
        int rc = parse_head(bytes, &h, e);
        if (rc <= 0)
            return rc < 0 || !at_end ? rc : err_set(e, ERR_PROTOCOL, "the answer ends early");
        bytes = view_skip(bytes, h.size);
        if (h.status >= 200 || h.status == 101)
            break;
    }
    out->status = h.status;
    out->framing = h.chunked ? ASK_CHUNKED : h.length >= 0 ? ASK_LENGTH : ASK_CLOSE;
    copy_type(out->type, h.type);
    str_clear(&out->body);
    out->body.max = ASK_BODY_MAX;
    out->body.cut = false;
    if (is_head || h.status == 204 || h.status == 304)
        return 1;
    if (h.chunked) {
        int rc = parse_chunks(bytes, &out->body, e);
        return rc == 0 && at_end ? err_set(e, ERR_PROTOCOL, "the answer ends early") : rc;
    }
    if (h.length > ASK_BODY_MAX || bytes.len > ASK_BODY_MAX)
        return err_set(e, ERR_LIMIT, "the answer's body is too large");
    bool complete = h.length >= 0 ? bytes.len >= (size_t)h.length : at_end;
    if (!complete)
        return at_end ? err_set(e, ERR_PROTOCOL, "the answer ends early") : 0;
    str_add(&out->body, (struct view){bytes.at, h.length >= 0 ? (size_t)h.length : bytes.len});
    return 1;
}

/* --- the exchange ----------------------------------------------------------------------------
 */

static void write_request(const struct ask_request *r, struct str *out)
{
    bool host = false;
    str_addf(out, "%s %s HTTP/1.1\r\n", r->method, r->path);
    for (size_t i = 0; r->headers && i < r->headers->len; i++) {
        const struct spec_pair *h = &r->headers->at[i];
        host = host || header_is(view_z(h->name), "host");
        str_addf(out, "%s: %s\r\n", h->name, h->value);
    }
    if (!host)
        str_addz(out, "Host: localhost\r\n");
    if (r->body.at)
        str_addf(out, "Content-Length: %zu\r\n", r->body.len);
    str_addz(out, "Connection: close\r\n\r\n");
    if (r->body.at)
        str_add(out, r->body);
}

static int send_all(int fd, struct view bytes, int64_t deadline_ns, struct err *e)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = view_skip(bytes, (size_t)n);
        } else if (errno == EAGAIN) {
            if (!wait_for(fd, POLLOUT, deadline_ns))
                return err_set(e, ERR_TIMEOUT, "the request was not taken in time");
        } else if (errno != EINTR) {
            return err_errno(e, "send the request");
        }
    }
    return 0;
}

static int receive(int fd, bool is_head, int64_t deadline_ns, struct ask_answer *out,
                   struct err *e)
{
    AUTO(str_done) struct str bytes = STR_INIT(ASK_BODY_MAX + ASK_HEAD_MAX + READ_BYTES);
    for (;;) {
        if (!wait_for(fd, POLLIN, deadline_ns))
            return err_set(e, ERR_TIMEOUT, "no answer in time");
        size_t room = str_reserve(&bytes, READ_BYTES);
        if (room == 0)
            return err_set(e, ERR_LIMIT, "the answer is too large");
        ssize_t n = recv(fd, bytes.at + bytes.len, room, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_errno(e, "receive the answer");
        bytes.len += (size_t)n;
        int rc = ask_parse(str_view(&bytes), n == 0, is_head, out, e);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
}

int ask_http(int fd, const struct ask_request *request, int64_t deadline_ns,
             struct ask_answer *out, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(REQUEST_MAX);
    write_request(request, &text);
    if (text.cut)
        return err_set(e, ERR_LIMIT, "the request is too large");
    if (send_all(fd, str_view(&text), deadline_ns, e) < 0)
        return -1;
    return receive(fd, strcmp(request->method, "HEAD") == 0, deadline_ns, out, e);
}
