/* SPDX-License-Identifier: MIT */
/* wire: see wire.h. */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

static int64_t deadline(void)
{
    return clock_now_ns() + WIRE_DEADLINE_S * CLOCK_NS_PER_S;
}

int wire_tcp(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

int wire_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

bool wire_send(int fd, struct view bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = view_skip(bytes, (size_t)n);
    }
    return true;
}

/* Appends what arrives; false at the end of the connection. */
static bool more(int fd, struct str *to, int64_t due_ns)
{
    char piece[65536];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, clock_poll_ms(due_ns)), 1);
    ssize_t n = recv(fd, piece, sizeof piece, 0);
    if (n <= 0)
        return false;
    str_add(to, (struct view){piece, (size_t)n});
    return true;
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[1024];
    struct view rest = str_view(&a->head), line, key, text;
    while (view_line(&rest, &line)) {
        if (!view_cut(line, ':', &key, &text) || key.len != strlen(name) ||
            strncasecmp(key.at, name, key.len) != 0)
            continue;
        text = view_trim(text);
        size_t len = text.len < sizeof value - 1 ? text.len : sizeof value - 1;
        memcpy(value, text.at, len);
        value[len] = '\0';
        return value;
    }
    return "";
}

void wire_read(int fd, bool bodyless, struct answer *out)
{
    int64_t due = deadline();
    *out = (struct answer){.head = STR_INIT(WIRE_BYTES_MAX), .body = STR_INIT(WIRE_BYTES_MAX)};
    const char *end = NULL;
    while (!end) {
        if (!more(fd, &out->head, due)) {
            out->closed = true;
            return;
        }
        end = strstr(str_text(&out->head), "\r\n\r\n");
    }
    size_t head = (size_t)(end + 4 - out->head.at);
    str_add(&out->body, view_skip(str_view(&out->head), head));
    out->head.len = head;
    out->head.at[head] = '\0';
    assert_true(out->head.len > 12);
    out->status = atoi(out->head.at + 9);
    bodyless |= out->status == 204 || out->status == 304;
    size_t want = bodyless ? 0 : (size_t)atoll(answer_header(out, "Content-Length"));
    while (out->body.len < want && !out->closed)
        out->closed = !more(fd, &out->body, due);
    if (!out->closed)
        assert_int_equal(out->body.len, want);
}

int wire_status(int fd)
{
    AUTO(str_done) struct str head = STR_INIT(WIRE_BYTES_MAX);
    int64_t due = deadline();
    while (head.len < 12)
        if (!more(fd, &head, due))
            return 0;
    return atoi(head.at + 9);
}

bool wire_ended(int fd)
{
    AUTO(str_done) struct str rest = STR_INIT(WIRE_BYTES_MAX);
    return !more(fd, &rest, deadline());
}

void answer_done(struct answer *a)
{
    str_done(&a->head);
    str_done(&a->body);
}

void wire_ask(int fd, const char *method, const char *target, const char *extra,
              struct view body, struct answer *out)
{
    AUTO(str_done) struct str head = STR_INIT(65536);
    str_addf(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target,
             extra ? extra : "");
    if (body.len)
        str_addf(&head, "Content-Length: %zu\r\n", body.len);
    str_addz(&head, "\r\n");
    (void)wire_send(fd, str_view(&head));
    (void)wire_send(fd, body);
    wire_read(fd, strcmp(method, "HEAD") == 0, out);
}

void wire_get(int port, const char *target, const char *extra, struct answer *out)
{
    int fd = wire_tcp(port);
    wire_ask(fd, "GET", target, extra, VIEW(""), out);
    close(fd);
}
