/* SPDX-License-Identifier: MIT */
/*
 * step: see step.h. The order of the calls in step_prepare is the protection; the comments say
 * what goes wrong when a line moves.
 */
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    STEP_FILES_OPEN = 4096,
    STEP_LOCKED_BYTES = 64 << 10,
    STEP_CAPABILITIES = 64,
};

static int join_cgroups(const struct cgroup *g)
{
    for (int i = 0; cgroup_join(g, i); i++) {
        int fd = open(cgroup_join(g, i), O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
            return -1;
        (void)close(fd);
    }
    return 0;
}

static int set_limit(__rlimit_resource_t what, int64_t value)
{
    struct rlimit now;
    if (getrlimit(what, &now) < 0)
        return -1;
    rlim_t v = (rlim_t)value;
    if (now.rlim_max != RLIM_INFINITY && v > now.rlim_max)
        v = now.rlim_max;
    return setrlimit(what, &(struct rlimit){.rlim_cur = v, .rlim_max = v});
}

/* Soft and hard alike: a hard limit cannot be raised again without a privilege. */
static int set_limits(const struct step *s)
{
    if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_NOFILE, STEP_FILES_OPEN) < 0 ||
        set_limit(RLIMIT_MEMLOCK, STEP_LOCKED_BYTES) < 0)
        return -1;
    if ((s->file && set_limit(RLIMIT_FSIZE, s->file) < 0) ||
        (s->tasks && set_limit(RLIMIT_NPROC, s->tasks) < 0) ||
        (s->data && set_limit(RLIMIT_DATA, s->data) < 0))
        return -1;
    return 0;
}

/* A user namespace's mapping is not a uid: started by root, the job would keep the kernel's uid
 * 0 and with it every file of root that it can name. So the real ids change first. The C
 * library's own functions would signal threads that this child does not have. */
static int drop_rights(const struct step *s)
{
    if (s->drop) {
        for (int cap = 0; cap < STEP_CAPABILITIES; cap++)
            if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
                (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
        if (syscall(SYS_setgroups, 0, NULL) < 0 ||
            syscall(SYS_setresgid, s->uid, s->uid, s->uid) < 0 ||
            syscall(SYS_setresuid, s->uid, s->uid, s->uid) < 0)
            return -1;
        if (syscall(SYS_setresuid, 0, 0, 0) == 0) { /* what was given up must not come back */
            errno = EPERM;
            return -1;
        }
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Changing the uid clears the death signal, so it is set again, and the runner may have died in
 * between: then nobody is left to send it. */
static int die_with_runner(const struct step *s)
{
    if (prctl(PR_SET_PDEATHSIG, s->keeper ? SIGTERM : SIGKILL) < 0)
        return -1;
    if (getppid() != s->runner) {
        errno = ESRCH;
        return -1;
    }
    return 0;
}

int step_prepare(const void *step)
{
    const struct step *s = step;
    if (join_cgroups(s->cgroup) < 0)
        return -1;
    /* The runner is pinned to its own CPUs and the mask is inherited, so it is set anew. */
    if (s->cpus && sched_setaffinity(0, sizeof *s->cpus, s->cpus) < 0)
        return -1;
    /* The runner's own priority may be raised. Below zero only root may go: try, or stay. */
    if (setpriority(PRIO_PROCESS, 0, s->nice) < 0)
        (void)setpriority(PRIO_PROCESS, 0, 0);
    /* Only who has rights over the namespace may enter it, so before they are given up. */
    if (s->netns > 0 && setns(s->netns, CLONE_NEWNET) < 0)
        return -1;
    if (set_limits(s) < 0 || drop_rights(s) < 0 || die_with_runner(s) < 0)
        return -1;
    (void)umask(022);
    return close_range(s->fds, ~0u, CLOSE_RANGE_CLOEXEC);
}
