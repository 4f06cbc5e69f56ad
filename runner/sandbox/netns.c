/* SPDX-License-Identifier: MIT */
/*
 * netns: see netns.h. The child makes system calls only, as other threads of the runner may
 * hold any lock while it is forked.
 */
#include "netns.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "sandbox.h"

enum { NETNS_WAIT_MS = 5000, NETNS_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK };

struct kind { /* of a socket */
    int domain, type, protocol;
};

static int open_kind(const struct kind *k)
{
    return socket(k->domain, k->type | NETNS_FLAGS, k->protocol);
}

union control { /* aligned room for one descriptor */
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Sends errno, and the descriptor when it is 0. */
static void hand_over(int to, int number, int fd)
{
    union control control = {0};
    struct iovec io = {.iov_base = &number, .iov_len = sizeof number};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
    if (number == 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    (void)sendmsg(to, &message, MSG_NOSIGNAL);
}

/* Without root the namespace is entered through the user namespace that owns it, which is not
 * the one its processes are in: bubblewrap makes a second one below. */
static _Noreturn void child_main(int netns_fd, const struct kind *kind, int to)
{
    int fd = -1;
    bool entered = setns(netns_fd, CLONE_NEWNET) == 0;
    if (!entered && errno == EPERM) {
        int owner = ioctl(netns_fd, NS_GET_USERNS);
        entered = owner >= 0 && setns(owner, CLONE_NEWUSER) == 0 &&
                  setns(netns_fd, CLONE_NEWNET) == 0;
    }
    if (entered)
        fd = open_kind(kind);
    hand_over(to, fd < 0 ? errno : 0, fd);
    _exit(0);
}

static int take_over(int from, int *out_fd, struct err *e)
{
    int number = 0;
    union control control = {0};
    struct iovec io = {.iov_base = &number, .iov_len = sizeof number};
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct pollfd p = {.fd = from, .events = POLLIN};
    if (poll(&p, 1, NETNS_WAIT_MS) <= 0)
        return err_set(e, ERR_TIMEOUT, "no socket from the sandbox's network");
    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof number)
        return err_set(e, ERR_SYSTEM, "no answer from the sandbox's network");
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (number != 0 || !c || c->cmsg_type != SCM_RIGHTS) {
        errno = number;
        return err_errno(e, "enter the sandbox's network");
    }
    memcpy(out_fd, CMSG_DATA(c), sizeof *out_fd);
    return 0;
}

static int make(int netns_fd, const struct kind *kind, int *out_fd, struct err *e)
{
    int pair[2];
    if (netns_fd == SANDBOX_NETNS_GONE)
        return err_set(e, ERR_CONFLICT, "the program has ended, and its network with it");
    if (netns_fd == SANDBOX_NETNS_HOST) {
        int fd = open_kind(kind);
        if (fd < 0)
            return err_errno(e, "make a socket");
        *out_fd = fd;
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(e, "make a pair of sockets");
    AUTO(fdio_closep) int ours = pair[0];
    AUTO(fdio_closep) int theirs = pair[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, "fork to enter the sandbox's network");
    if (pid == 0)
        child_main(netns_fd, kind, theirs);
    fdio_closep(&theirs);
    int rc = take_over(ours, out_fd, e);
    if (rc < 0)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return rc;
}

int netns_socket(int netns_fd, int *out_fd, struct err *e)
{
    return make(netns_fd, &(struct kind){AF_INET, SOCK_STREAM, 0}, out_fd, e);
}

int netns_diag(int netns_fd, int *out_fd, struct err *e)
{
    return make(netns_fd, &(struct kind){AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG}, out_fd, e);
}
