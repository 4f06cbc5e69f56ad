/* SPDX-License-Identifier: MIT */
/* target: see target.h. */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "opt.h"
#include "str.h"
#include "vec.h"

/* --- URL ---------------------------------------------------------------------------------- */

static bool clean_url(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.at[i] <= 0x20 || (unsigned char)v.at[i] >= 0x7f)
            return false;
    return v.len > 0 && v.len <= TARGET_URL_MAX;
}

/* Splits "host:port" or "[v6]:port". */
static int parse_authority(struct view v, struct target *t, struct err *e)
{
    struct view host = v;
    struct view port = {0};
    if (v.len && v.at[0] == '[') {
        const char *end = memchr(v.at, ']', v.len);
        if (!end)
            return err_set(e, ERR_INPUT, "URL '%s': missing ']'", t->url);
        host = (struct view){v.at + 1, (size_t)(end - v.at) - 1};
        struct view rest = view_skip(v, host.len + 2);
        if (rest.len && rest.at[0] != ':')
            return err_set(e, ERR_INPUT, "URL '%s': expected ':' behind ']'", t->url);
        port = view_skip(rest, 1);
    } else {
        (void)view_cut(v, ':', &host, &port);
    }
    int64_t number = t->tls ? 443 : 80;
    if (port.len && opt_int(port, 1, 65535, &number, e) < 0)
        return err_ctx(e, "URL '%s': port", t->url);
    if (!host.len || memchr(host.at, '@', host.len))
        return err_set(e, ERR_INPUT, "URL '%s': expected a host", t->url);
    t->host = mem_strndup(host.at, host.len);
    t->port = (uint16_t)number;
    t->authority = mem_strndup(v.at, v.len);
    return 0;
}

static int take_scheme(struct view *v, struct target *t)
{
    static const struct {
        const char *text;
        bool tls, websocket;
    } schemes[] = {{"http://", false, false},
                   {"https://", true, false},
                   {"ws://", false, true},
                   {"wss://", true, true}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (view_starts(*v, schemes[i].text)) {
            *v = view_skip(*v, strlen(schemes[i].text));
            t->tls = schemes[i].tls;
            t->websocket = schemes[i].websocket;
            return 0;
        }
    return -1;
}

static int parse_url(const char *url, struct target *t, struct err *e)
{
    struct view v = view_z(url);
    t->url = mem_strdup(url);
    if (!clean_url(v))
        return err_set(e, ERR_INPUT, "URL '%s': expected printable characters without blanks",
                       url);
    if (take_scheme(&v, t) < 0)
        return err_set(e, ERR_INPUT, "URL '%s': expected http://, https://, ws:// or wss://",
                       url);

    size_t n = 0;
    while (n < v.len && v.at[n] != '/' && v.at[n] != '?' && v.at[n] != '#')
        n++;
    struct view path;
    struct view fragment;
    (void)view_cut(view_skip(v, n), '#', &path, &fragment);
    AUTO(str_done) struct str full = STR_INIT(TARGET_URL_MAX);
    if (!path.len || path.at[0] != '/')
        str_addc(&full, '/');
    str_add(&full, path);
    t->path = str_steal(&full);
    return parse_authority((struct view){v.at, n}, t, e);
}

int target_parse(const char *url, struct target *out, struct err *e)
{
    struct target t = {0};
    if (parse_url(url, &t, e) < 0) {
        target_done(&t);
        return -1;
    }
    *out = t;
    return 0;
}

void target_done(struct target *t)
{
    mem_freep(&t->url);
    mem_freep(&t->host);
    mem_freep(&t->path);
    mem_freep(&t->authority);
    mem_freep(&t->unix_path);
}

/* --- address ------------------------------------------------------------------------------ */

static int resolve_unix(struct target *t, struct err *e)
{
    struct sockaddr_un *a = (struct sockaddr_un *)&t->address;
    size_t len = strlen(t->unix_path);
    if (len == 0 || len >= sizeof a->sun_path)
        return err_set(e, ERR_INPUT, "socket path '%s': from 1 to %zu bytes", t->unix_path,
                       sizeof a->sun_path - 1);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, t->unix_path, len + 1);
    t->address_len = sizeof *a;
    return 0;
}

/* True when a connection is accepted before the deadline. */
static bool answers(const struct addrinfo *a, int64_t deadline_ns)
{
    AUTO(fdio_closep)
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return true;
    struct pollfd p = {fd, POLLOUT, 0};
    int error = 0;
    socklen_t len = sizeof error;
    if (errno != EINPROGRESS || poll(&p, 1, clock_poll_ms(deadline_ns)) <= 0)
        return false;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

int target_resolve(struct target *t, int64_t deadline_ns, struct err *e)
{
    if (t->unix_path)
        return resolve_unix(t, e);

    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)t->port);
    int rc = getaddrinfo(t->host, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_AWAY, "resolve '%s': %s", t->host, gai_strerror(rc));
    const struct addrinfo *chosen = list;
    /* A single address is not tried: some services count every connection. */
    if (list->ai_next)
        for (const struct addrinfo *a = list; a; a = a->ai_next)
            if (answers(a, deadline_ns)) {
                chosen = a;
                break;
            }
    memcpy(&t->address, chosen->ai_addr, chosen->ai_addrlen);
    t->address_len = chosen->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

int target_parse_sources(const char *list, struct target_sources *out, struct err *e)
{
    struct view rest = view_z(list);
    do {
        struct view item;
        (void)view_cut(rest, ',', &item, &rest);
        AUTO(mem_freep) char *text = mem_strndup(item.at, item.len);
        struct addrinfo *found = NULL;
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
        if (getaddrinfo(text, NULL, &hints, &found) != 0)
            return err_set(e, ERR_INPUT, "source '%s' is not a numeric address", text);
        memcpy(vec_push(out), found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    } while (rest.len);
    return 0;
}

int target_bind_source(int fd, const struct sockaddr_storage *source)
{
    int one = 1;
    socklen_t len = source->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                  : sizeof(struct sockaddr_in);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(fd, (const struct sockaddr *)source, len);
}

/* --- network namespace -------------------------------------------------------------------- */

int target_enter_netns(const char *path, struct err *e)
{
    AUTO(fdio_closep) int net = open(path, O_RDONLY | O_CLOEXEC);
    if (net < 0)
        return err_errno(e, "network namespace '%s'", path);
    if (setns(net, CLONE_NEWNET) == 0)
        return 0;
    if (errno != EPERM)
        return err_errno(e, "enter network namespace '%s'", path);
    AUTO(fdio_closep) int user = ioctl(net, NS_GET_USERNS);
    if (user < 0)
        return err_errno(e, "owner of network namespace '%s'", path);
    if (setns(user, CLONE_NEWUSER) < 0)
        return err_errno(e, "enter the user namespace that owns '%s'", path);
    if (setns(net, CLONE_NEWNET) < 0)
        return err_errno(e, "enter network namespace '%s' from its user namespace", path);
    return 0;
}
