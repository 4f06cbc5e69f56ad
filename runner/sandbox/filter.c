/* SPDX-License-Identifier: MIT */
/*
 * filter: see filter.h.
 *
 * Every comparison masks the argument to 32 bits. The kernel truncates socket()'s family and
 * ioctl()'s request to int, a plain 64-bit "equal" does not, and a caller that sets bit 32
 * walks around it (CVE-2019-10063 was this fault).
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "fdio.h"

#define LOW32 0xffffffffUL
#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

enum { FAMILIES_KNOWN = 64 };

static const int refused[] = {
    /* other processes' memory and state */
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    /* kernel keys, programs, counters */
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    /* mounts and namespaces */
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fspick),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(open_by_handle_at),
    /* a ring runs operations that this filter never sees */
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    /* the host itself */
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(reboot),
    SCMP_SYS(quotactl),
    SCMP_SYS(acct),
    SCMP_SYS(syslog),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    /* placing memory on NUMA nodes */
    SCMP_SYS(move_pages),
    SCMP_SYS(mbind),
};

static const unsigned long namespaces[] = {
    CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,    CLONE_NEWPID,
    CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP,
};

static const unsigned long terminal_requests[] = {TIOCSTI, TIOCLINUX};

static bool family_is_wanted(int family)
{
    return family == AF_UNIX || family == AF_INET || family == AF_INET6;
}

static int add_rules(scmp_filter_ctx ctx)
{
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(refused) && !rc; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    /* clone3 hides its flags behind a pointer: say "unknown", the C library falls back. */
    if (!rc)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; i < ARRAY_LEN(namespaces) && !rc; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
    for (size_t i = 0; i < ARRAY_LEN(terminal_requests) && !rc; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, LOW32, terminal_requests[i]));
    for (int family = 0; family < FAMILIES_KNOWN && !rc; family++)
        if (!family_is_wanted(family))
            rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, LOW32, (scmp_datum_t)family));
    return rc;
}

int filter_make(int *out_fd, struct err *e)
{
    AUTO(fdio_closep) int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "make the system-call filter");
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int rc = ctx ? add_rules(ctx) : -ENOMEM;
    if (!rc)
        rc = seccomp_export_bpf(ctx, fd);
    seccomp_release(ctx);
    if (rc)
        return err_set(e, ERR_SYSTEM, "make the system-call filter: %s", strerror(-rc));
    *out_fd = STEAL_FD(fd);
    return 0;
}

int filter_open(int filter_fd, int *out_fd, struct err *e)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", filter_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open the system-call filter");
    *out_fd = fd;
    return 0;
}
