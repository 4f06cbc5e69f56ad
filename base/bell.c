/* SPDX-License-Identifier: MIT */
/* bell: see bell.h. */
#include "bell.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

int bell_open(struct bell *b, struct err *e)
{
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return b->fd < 0 ? err_errno(e, "make a bell") : 0;
}

void bell_close(struct bell *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

void bell_ring(const struct bell *b)
{
    uint64_t one = 1;
    ssize_t n = write(b->fd, &one, sizeof one);
    (void)n; /* Full means that it has been rung. */
}

void bell_take(const struct bell *b)
{
    uint64_t count;
    ssize_t n = read(b->fd, &count, sizeof count);
    (void)n;
}

bool bell_wait(const struct bell *b, int64_t deadline_ns)
{
    struct pollfd p = {.fd = b->fd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, clock_poll_ms(deadline_ns));
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    bell_take(b);
    return true;
}
