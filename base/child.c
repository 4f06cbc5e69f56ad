/* SPDX-License-Identifier: MIT */
/*
 * child: see child.h.
 *
 * fork and exec by hand instead of posix_spawn, because the death signal and the descriptor
 * moves must happen in between. Between fork and exec only async-signal-safe calls are made, as
 * other threads may hold any lock. A pipe that closes on exec carries errno back when exec
 * fails.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"

enum { FD_ASIDE = 200 }; /* above every number that a spec asks for */

extern char **environ;

static void child_fail(int report)
{
    int number = errno;
    ssize_t n = write(report, &number, sizeof number);
    (void)n;
    _exit(127);
}

/* Moves every wanted descriptor out of the way first: a source may have a target's number. */
static int place_fds(const struct child_spec *s, int null, int *report)
{
    enum { MAX = 16 };
    int from[MAX], as[MAX];
    size_t n = 0;
    int std[3] = {s->in ? s->in : null, s->out ? s->out : null, s->err ? s->err : null};

    /* Somebody may have left a descriptor open across exec, a library or who started us. */
    (void)syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
    if (s->pass_len + 3 > MAX) {
        errno = E2BIG;
        return -1;
    }
    for (int i = 0; i < 3; i++, n++)
        from[n] = std[i], as[n] = i;
    for (size_t i = 0; i < s->pass_len; i++, n++)
        from[n] = s->pass[i].fd, as[n] = s->pass[i].as;
    *report = fcntl(*report, F_DUPFD_CLOEXEC, FD_ASIDE);
    for (size_t i = 0; i < n; i++)
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_ASIDE);
    for (size_t i = 0; i < n; i++)
        if (from[i] < 0 || dup2(from[i], as[i]) < 0)
            return -1;
    return 0;
}

static _Noreturn void child_main(const struct child_spec *s, pid_t parent, int null, int report)
{
    sigset_t none;
    sigemptyset(&none);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    for (int i = 1; i < NSIG; i++)
        (void)signal(i, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (place_fds(s, null, &report) < 0 || (s->cwd && chdir(s->cwd) < 0))
        child_fail(report);
    if (s->prepare && s->prepare(s->prepare_arg) < 0)
        child_fail(report);
    char *const *envp = s->envp ? (char *const *)s->envp : environ;
    execvpe(s->argv[0], (char *const *)s->argv, envp);
    child_fail(report);
    _exit(127);
}

int child_start(struct child *c, const struct child_spec *spec, struct err *e)
{
    AUTO(fdio_closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int report[2];
    if (null < 0)
        return err_errno(e, "open /dev/null");
    if (fdio_pipe(report, e) < 0)
        return -1;
    AUTO(fdio_closep) int read_end = report[0];
    AUTO(fdio_closep) int write_end = report[1];

    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, "fork for '%s'", spec->argv[0]);
    if (pid == 0)
        child_main(spec, parent, null, report[1]);
    (void)setpgid(pid, pid); /* both sides do it, so that neither has to wait for the other */
    fdio_closep(&write_end);

    int number;
    ssize_t n;
    do
        n = read(read_end, &number, sizeof number);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof number) {
        (void)waitpid(pid, NULL, 0);
        errno = number;
        return err_errno(e, "run '%s'", spec->argv[0]);
    }

    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        err_errno(e, "watch '%s'", spec->argv[0]);
        (void)kill(-pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return -1;
    }
    (void)fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    *c = (struct child){.pid = pid, .pidfd = pidfd};
    return 0;
}

static int reap(struct child *c)
{
    int status = 0;
    /* Whoever it left behind in its group goes with it; before it is reaped, as its number and
     * so the group's may be somebody else's afterwards. */
    (void)kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(c->pidfd);
    *c = (struct child)CHILD_INIT;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_wait(struct child *c, int64_t deadline_ns, int *status)
{
    struct pollfd p = {.fd = c->pidfd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, clock_poll_ms(deadline_ns));
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    *status = reap(c);
    return true;
}

void child_signal(const struct child *c, int signal)
{
    if (c->pid > 0)
        (void)kill(-c->pid, signal);
}

int child_stop(struct child *c, int64_t deadline_ns)
{
    int status = 0;
    if (c->pid <= 0)
        return 0;
    child_signal(c, SIGTERM);
    if (child_wait(c, deadline_ns, &status))
        return status;
    child_signal(c, SIGKILL);
    return reap(c);
}

void child_done(struct child *c)
{
    if (c->pid <= 0)
        return;
    child_signal(c, SIGKILL);
    (void)reap(c);
}

/* Reads output until its end, the child's end or the deadline. The child's end counts too,
 * since a grandchild may keep the pipe open for ever, or fill it for ever: once the child has
 * ended its group is killed, and what is read after that is at most what a pipe holds. */
static bool collect(int fd, const struct child *c, struct str *out, int64_t deadline_ns)
{
    enum { PIPE_HOLDS_MAX = 1 << 20 };
    char bytes[16 << 10];
    bool ended = false;
    for (size_t left = PIPE_HOLDS_MAX; left > 0;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = c->pidfd, .events = POLLIN}};
        int n = poll(p, 2, clock_poll_ms(deadline_ns));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || clock_now_ns() >= deadline_ns)
            return false;
        if (!ended && p[1].revents) {
            ended = true;
            child_signal(c, SIGKILL);
        }
        if (!p[0].revents)
            return true;
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        str_add(out, (struct view){bytes, (size_t)got});
        if (ended)
            left -= (size_t)got < left ? (size_t)got : left;
    }
    return true;
}

int child_run(const struct child_spec *spec, struct str *out, int64_t deadline_ns, int *status,
              struct err *e)
{
    int ends[2];
    if (fdio_pipe(ends, e) < 0)
        return -1;
    AUTO(fdio_closep) int read_end = ends[0];
    AUTO(fdio_closep) int write_end = ends[1];
    AUTO(child_done) struct child c = CHILD_INIT;
    struct child_spec with_pipe = *spec;
    with_pipe.out = with_pipe.err = write_end;
    if (child_start(&c, &with_pipe, e) < 0)
        return -1;
    fdio_closep(&write_end);
    if (!collect(read_end, &c, out, deadline_ns) || !child_wait(&c, deadline_ns, status))
        return err_set(e, ERR_TIMEOUT, "'%s' did not end in time", spec->argv[0]);
    return 0;
}

void child_find_program(const char *name, struct str *out)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    struct view folder = {self, n > 0 ? (size_t)n : 0};
    while (folder.len && folder.at[folder.len - 1] != '/')
        folder.len--;
    str_add(out, folder);
    str_addz(out, name);
    if (access(str_text(out), X_OK) != 0) {
        str_clear(out);
        str_addz(out, name);
    }
}
