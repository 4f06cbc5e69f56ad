/* SPDX-License-Identifier: MIT */
/*
 * mirror_fetcher: a child that fetches again and again; see mirror.h.
 *
 * Starting the program anew costs several times what it costs to ask a remote for news, and
 * most looks bring none. Requests and answers are packets of a socket pair, so neither needs a
 * frame. After some hundred requests a child is replaced, because libgit2 leaks a little.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "mirror_own.h"

enum { SERVED_MAX = 500 };

#define LOOK_UP_NS (200 * CLOCK_NS_PER_MS)

struct mirror_fetcher *mirror_fetcher_new(void)
{
    struct mirror_fetcher *f = mem_zero(1, sizeof *f);
    f->child = (struct child)CHILD_INIT;
    f->fd = -1;
    return f;
}

static void stop(struct mirror_fetcher *f)
{
    fdio_closep(&f->fd);
    child_done(&f->child);
    f->child = (struct child)CHILD_INIT;
    f->served = 0;
}

void mirror_fetcher_freep(struct mirror_fetcher **f)
{
    if (!*f)
        return;
    stop(*f);
    free(*f);
    *f = NULL;
}

static int start(struct mirror_fetcher *f, struct err *e)
{
    static const char *const argv[] = {"/proc/self/exe", MIRROR_WORD, MIRROR_SERVE, NULL};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(e, "make a socket pair");
    f->fd = ends[0];
    AUTO(fdio_closep) int theirs = ends[1];
    struct child_spec spec = {.argv = argv, .in = theirs, .out = theirs, .err = STDERR_FILENO};
    if (child_start(&f->child, &spec, e) < 0) {
        stop(f);
        return -1;
    }
    return 0;
}

/* Looks up now and then, so that a daemon that stops need not wait for a slow remote. */
static int await(const struct mirror_fetcher *f, const struct mirror_source *source,
                 int64_t deadline_ns, struct err *e)
{
    for (;;) {
        int64_t next = clock_now_ns() + LOOK_UP_NS;
        struct pollfd p = {.fd = f->fd, .events = POLLIN};
        if (poll(&p, 1, clock_poll_ms(next < deadline_ns ? next : deadline_ns)) > 0)
            return 0;
        if (source->stopping && atomic_load(source->stopping))
            return err_set(e, ERR_CONFLICT, "stopped");
        if (clock_now_ns() >= deadline_ns)
            return err_set(e, ERR_TIMEOUT, "not done in time");
    }
}

static int exchange(struct mirror_fetcher *f, struct view request,
                    const struct mirror_source *source, int64_t deadline_ns, int *status,
                    struct str *said, struct err *e)
{
    char answer[1 + ERR_TEXT_MAX];
    if (f->fd < 0 && start(f, e) < 0)
        return -1;
    if (send(f->fd, request.at, request.len, MSG_NOSIGNAL) < 0)
        return err_errno(e, "ask the fetching child");
    if (await(f, source, deadline_ns, e) < 0)
        return -1;
    ssize_t n = recv(f->fd, answer, sizeof answer, 0);
    if (n < 1)
        return err_set(e, ERR_SYSTEM, "the fetching child has ended");
    *status = (unsigned char)answer[0];
    str_add(said, (struct view){answer + 1, (size_t)n - 1});
    return 0;
}

/* Whatever goes wrong on the way, the child may be stuck: it is gone afterwards. */
int mirror_fetcher_ask(struct mirror_fetcher *f, struct view request,
                       const struct mirror_source *source, int64_t deadline_ns, int *status,
                       struct str *said, struct err *e)
{
    int rc = exchange(f, request, source, deadline_ns, status, said, e);
    if (rc < 0 || ++f->served == SERVED_MAX)
        stop(f);
    return rc;
}
