/* SPDX-License-Identifier: MIT */
/* peer: see peer.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdio.h"
#include "peer.h"

enum { REQUEST_MAX = 8 << 20, PATIENCE_MS = 20000 };

static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "content-length:");
    return at ? (size_t)atol(at + 15) : 0;
}

static void read_request(int fd, struct str *all)
{
    size_t from = all->len;
    for (;;) {
        size_t room = str_reserve(all, 64 << 10);
        ssize_t n = read(fd, all->at + all->len, room);
        if (n <= 0)
            return;
        all->len += (size_t)n;
        all->at[all->len] = '\0';
        const char *end = strstr(all->at + from, "\r\n\r\n");
        if (end && all->len >= (size_t)(end + 4 - all->at) + body_length(all->at + from))
            return;
    }
}

static void *serve(void *arg)
{
    struct peer *p = arg;
    for (int i = 0; i < p->answers_len; i++) {
        struct pollfd ready = {.fd = p->fd, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_MS) <= 0)
            break;
        int fd = accept(p->fd, NULL, NULL);
        read_request(fd, &p->requests);
        if (*p->answers[i])
            dprintf(fd, "HTTP/1.1 %s", p->answers[i]);
        close(fd);
    }
    close(p->fd);
    return NULL;
}

void peer_start(struct peer *p, const char *const *answers, int n)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *p = (struct peer){.requests.max = REQUEST_MAX, .answers_len = n};
    for (int i = 0; i < n; i++)
        p->answers[i] = answers[i];
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p->fd, 8), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&at, &len), 0);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

void peer_stop(struct peer *p)
{
    assert_int_equal(pthread_join(p->thread, NULL), 0);
}

void peer_done(struct peer *p)
{
    str_done(&p->requests);
}
