/* SPDX-License-Identifier: MIT */
/* listen: see listen.h. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdio.h"
#include "opt.h"

enum { LISTEN_BACKLOG = 1024, LISTEN_HOST_MAX = 255 };

static int split_address(const char *address, char host[LISTEN_HOST_MAX + 1], char port[8],
                         struct err *e)
{
    const char *colon = strrchr(address, ':');
    struct view h = {address, colon ? (size_t)(colon - address) : 0};
    int64_t n;
    if (!colon || opt_int(view_z(colon + 1), 0, 65535, &n, NULL) < 0)
        return err_set(e, ERR_INPUT, "listen: '%s' is not HOST:PORT", address);
    if (h.len > 1 && h.at[0] == '[' && h.at[h.len - 1] == ']')
        h = (struct view){h.at + 1, h.len - 2};
    else if (memchr(h.at, ':', h.len))
        return err_set(e, ERR_INPUT, "listen: '%s': write an IPv6 address as [::1]:PORT",
                       address);
    if (h.len > LISTEN_HOST_MAX)
        return err_set(e, ERR_INPUT, "listen: the host name is too long");
    memcpy(host, h.at, h.len);
    host[h.len] = '\0';
    snprintf(port, 8, "%d", (int)n);
    return 0;
}

static int bound_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

static int try_bind(const struct addrinfo *a, bool any, struct err *e)
{
    AUTO(fdio_closep)
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1, no = 0;
    if (fd < 0)
        return err_errno(e, "listen: socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (a->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? &no : &yes, sizeof no);
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        return err_errno(e, "listen: bind");
    return STEAL_FD(fd);
}

int listen_tcp(const char *address, int *out_fd, int *out_port, struct err *e)
{
    char host[LISTEN_HOST_MAX + 1], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    if (split_address(address, host, port, e) < 0)
        return -1;
    int failed = getaddrinfo(host[0] ? host : NULL, port, &hints, &all);
    if (failed)
        return err_set(e, ERR_INPUT, "listen: '%s': %s", address, gai_strerror(failed));
    int fd = -1;
    /* For every address: one IPv6 socket takes IPv4 too, so it is tried first. */
    for (int pass = 0; pass < 2 && fd < 0; pass++)
        for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next)
            if (host[0] ? pass == 0 : (a->ai_family == AF_INET6) == (pass == 0))
                fd = try_bind(a, !host[0], e);
    freeaddrinfo(all);
    if (fd < 0)
        return err_ctx(e, "'%s'", address);
    *out_fd = fd;
    *out_port = bound_port(fd);
    return 0;
}

/* Takes away a socket file nobody listens on. */
static int remove_stale(const struct sockaddr_un *at, struct err *e)
{
    struct stat st;
    if (lstat(at->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : err_errno(e, "look at '%s'", at->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, ERR_INPUT, "'%s' exists and is no socket", at->sun_path);
    AUTO(fdio_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "socket");
    /* EAGAIN: the backlog of a living server is full. */
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno == EAGAIN)
        return err_set(e, ERR_CONFLICT, "'%s' is served by another process", at->sun_path);
    if (unlink(at->sun_path) < 0 && errno != ENOENT)
        return err_errno(e, "remove stale socket '%s'", at->sun_path);
    return 0;
}

int listen_unix(const char *path, int *out_fd, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return err_set(e, ERR_INPUT, "socket path '%s' is longer than %zu bytes", path,
                       sizeof at.sun_path - 1);
    strcpy(at.sun_path, path);
    if (remove_stale(&at, e) < 0)
        return -1;
    AUTO(fdio_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "socket");
    /* The mode of the descriptor becomes the file's, so nobody gets in between bind and chmod.
     */
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(fd, LISTEN_BACKLOG) < 0)
        return err_errno(e, "listen on '%s'", path);
    *out_fd = STEAL_FD(fd);
    return 0;
}
