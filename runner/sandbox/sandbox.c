/* SPDX-License-Identifier: MIT */
/*
 * sandbox: see sandbox.h. A start is a chain of programs, each narrower than the one before:
 *
 *     child with the step's limits and uid --> bwrap (namespaces, filter) --> the program
 *                                          \-> keeper, without a sandbox  --> the program
 *
 * bwrap says on a descriptor which process is the first in the new pid namespace. A pidfd of
 * that process is readable only when the whole namespace is empty, so waiting for it is waiting
 * for everybody. The network namespace is opened through it as well and checked by its inode,
 * so that a reused pid cannot mislead.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bwrap.h"
#include "child.h"
#include "clock.h"
#include "cpulist.h"
#include "fdio.h"
#include "mem.h"
#include "opt.h"
#include "proctree.h"
#include "step.h"
#include "vec.h"

enum { SANDBOX_INFO_MAX = 4096 };

#define START_TIMEOUT_NS (20 * CLOCK_NS_PER_S)
#define END_TIMEOUT_NS   (2 * CLOCK_NS_PER_S)
#define KEEPER_GRACE_NS  CLOCK_NS_PER_S

struct sandbox {
    struct cgroup *cgroup;
    struct child child; /* bwrap, or the keeper */
    pid_t first;        /* bwrap's init inside, or the program itself under a keeper */
    int first_fd;       /* pidfd */
    int netns;
    bool off, ended;
    int status;
    int64_t started_ns;
    struct sandbox_use use;
};

/* --- what the child is made of ---------------------------------------------------------------
 */

struct words {
    VEC(char *) at;
};

static void add(struct words *w, const char *text)
{
    *vec_push(&w->at) = mem_strdup(text);
}

static void words_done(struct words *w)
{
    for (size_t i = 0; i < w->at.len; i++)
        free(w->at.at[i]);
    vec_done(&w->at);
}

static void write_command(struct words *w, const struct sandbox_spec *spec)
{
    char fd[16];
    (void)snprintf(fd, sizeof fd, "%d", BWRAP_FD_ARGS);
    if (spec->off) {
        add(w, "/proc/self/exe");
        add(w, STEP_KEEPER);
    } else {
        add(w, BWRAP_PATH);
        add(w, "--args");
        add(w, fd);
        add(w, "--"); /* a command is never an option of bubblewrap */
    }
    for (size_t i = 0; spec->argv[i]; i++)
        add(w, spec->argv[i]);
    (void)vec_push(&w->at);
}

/* Without a sandbox the environment is ours to give. With one, bubblewrap gives it and gets
 * none itself: its --clearenv does not clear what /proc/1/environ shows. */
static void write_env(struct words *w, const struct sandbox_spec *spec)
{
    if (spec->off) {
        AUTO(str_done) struct str one = STR_INIT(1 << 20);
        const char *path = getenv("PATH");
        str_addf(&one, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
        add(w, str_text(&one));
        str_clear(&one);
        str_addf(&one, "HOME=%s", spec->area);
        add(w, str_text(&one));
        add(w, "LANG=C.UTF-8");
        for (size_t i = 0; i < spec->env_len; i++) {
            str_clear(&one);
            str_addf(&one, "%s=%s", spec->env[i].name, spec->env[i].value);
            add(w, str_text(&one));
        }
    }
    (void)vec_push(&w->at);
}

static int write_step(struct step *step, const struct sandbox_host *h,
                      const struct sandbox_spec *spec, const struct cgroup *g, cpu_set_t *cpus,
                      struct err *e)
{
    bool bounded = h->cgroup.backend != CGROUP_NONE;
    *step = (struct step){
        .cgroup = g,
        .drop = h->real_root && !spec->off,
        .uid = h->uid,
        .file = spec->file,
        .nice = spec->nice,
        .netns = spec->off ? 0 : spec->join_netns,
        .fds = spec->off ? BWRAP_FD_INFO + 1 : BWRAP_FD_END,
        .runner = getpid(),
        .keeper = spec->off,
    };
    /* The limit counts all processes of a user. With a cgroup it is only a second fence. */
    if (!spec->off)
        step->tasks = bounded ? 4 * spec->tasks : spec->tasks;
    if (!spec->off && !bounded)
        step->data = spec->memory;
    if (!spec->cpus)
        return 0;
    step->cpus = cpus;
    return cpulist_parse(view_z(spec->cpus), cpus, e);
}

/* --- starting --------------------------------------------------------------------------------
 */

static int64_t info_number(const struct str *text, const char *key)
{
    int64_t value;
    const char *at = text->len ? strstr(text->at, key) : NULL;
    if (!at)
        return -1;
    at += strlen(key);
    at += strspn(at, "\": ");
    struct view number = {at, strspn(at, "0123456789")};
    return opt_int(number, 0, INT64_MAX, &value, NULL) == 0 ? value : -1;
}

static int read_info(int fd, struct str *out, struct err *e)
{
    int64_t deadline = clock_now_ns() + START_TIMEOUT_NS;
    while (!out->len || !strchr(out->at, '}')) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, clock_poll_ms(deadline));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, ERR_TIMEOUT, "the sandbox did not start in time");
        char bytes[512];
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0 || out->cut)
            return err_set(e, ERR_SYSTEM,
                           "the sandbox could not be set up; its output says why");
        str_add(out, (struct view){bytes, (size_t)got});
    }
    return 0;
}

/* A program that has ended already takes its network with it. That is no fault of ours, its
 * status tells; but nobody may take the host's network for it. */
static int open_netns(struct sandbox *s, int64_t inode, struct err *e)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)s->first);
    AUTO(fdio_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT && errno != ESRCH)
        return err_errno(e, "open the sandbox's network");
    s->netns = SANDBOX_NETNS_GONE;
    if (fd >= 0 && fstat(fd, &st) == 0 && (int64_t)st.st_ino == inode)
        s->netns = STEAL_FD(fd);
    return 0;
}

static int learn_first(struct sandbox *s, const struct sandbox_spec *spec, int info,
                       struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(SANDBOX_INFO_MAX);
    if (read_info(info, &text, e) < 0)
        return -1;
    s->started_ns = clock_now_ns();
    int64_t pid = info_number(&text, "child-pid");
    if (pid <= 0)
        return err_set(e, ERR_PROTOCOL, "bubblewrap did not name its first process");
    s->first = (pid_t)pid;
    s->first_fd = (int)syscall(SYS_pidfd_open, s->first, 0);
    /* A program that has ended already is no fault of ours: its status tells. */
    if (s->first_fd < 0 && errno != ESRCH)
        return err_errno(e, "watch the sandbox's first process");
    if (spec->off || spec->network)
        return 0;
    if (spec->join_netns > 0) {
        s->netns = fcntl(spec->join_netns, F_DUPFD_CLOEXEC, 0);
        return s->netns < 0 ? err_errno(e, "keep the network that was joined") : 0;
    }
    int64_t inode = info_number(&text, "net-namespace");
    return open_netns(s, inode, e);
}

static int spawn(struct sandbox *s, const struct sandbox_host *h,
                 const struct sandbox_spec *spec, struct bwrap *b, struct err *e)
{
    int ends[2];
    cpu_set_t cpus;
    struct step step;
    AUTO(words_done) struct words argv = {0};
    AUTO(words_done) struct words envp = {0};
    AUTO(str_done) struct str dir = STR_INIT(2 * AREA_PATH_MAX);
    if (write_step(&step, h, spec, s->cgroup, &cpus, e) < 0 || fdio_pipe(ends, e) < 0)
        return -1;
    AUTO(fdio_closep) int info = ends[0];
    bwrap_pass(b, ends[1], BWRAP_FD_INFO);
    write_command(&argv, spec);
    write_env(&envp, spec);
    str_addf(&dir, "%s/%s", spec->area, spec->workdir ? spec->workdir : "");
    struct child_spec child = {
        .argv = (const char *const *)argv.at.at,
        .envp = (const char *const *)envp.at.at,
        .cwd = spec->off ? str_text(&dir) : NULL,
        .out = spec->out,
        .err = spec->out,
        .pass = b->pass,
        .pass_len = b->pass_len,
        .prepare = step_prepare,
        .prepare_arg = &step,
    };
    if (child_start(&s->child, &child, e) < 0)
        return -1;
    bwrap_close(b);
    return learn_first(s, spec, info, e);
}

int sandbox_start(const struct sandbox_host *h, const struct sandbox_spec *spec,
                  struct sandbox **out, struct err *e)
{
    AUTO(sandbox_freep) struct sandbox *s = mem_zero(1, sizeof *s);
    AUTO(bwrap_close) struct bwrap b = {0};
    struct cgroup_limits limits = {
        .memory = spec->memory, .tasks = spec->tasks, .cpus = spec->cpus};
    char name[128];
    s->child = (struct child)CHILD_INIT;
    s->first_fd = s->netns = -1;
    s->off = spec->off;
    s->use = (struct sandbox_use){.cpu_ns = -1, .memory_peak = -1};

    (void)snprintf(name, sizeof name, "slot%d-%s", h->slot, spec->name);
    if (cgroup_make(&h->cgroup, name, &limits, &s->cgroup, e) < 0)
        return -1;
    if (!spec->off && bwrap_open(&b, h, spec, e) < 0)
        return -1;
    if (spawn(s, h, spec, &b, e) < 0)
        return err_ctx(e, "start '%s'", spec->argv[0]);
    *out = STEAL(s);
    return 0;
}

/* --- watching --------------------------------------------------------------------------------
 */

int64_t sandbox_started_ns(const struct sandbox *s)
{
    return s->started_ns;
}

int sandbox_pidfd(const struct sandbox *s)
{
    return s->ended ? -1 : s->child.pidfd;
}

int sandbox_netns(const struct sandbox *s)
{
    return s->netns;
}

bool sandbox_wait(struct sandbox *s, int64_t deadline_ns, int *status)
{
    if (!s->ended && !child_wait(&s->child, deadline_ns, &s->status))
        return false;
    s->ended = true;
    *status = s->status;
    return true;
}

void sandbox_signal(const struct sandbox *s, int signal)
{
    /* The program leads a session, or bubblewrap's init leads it for it and ignores the signal.
     */
    if (!s->ended && s->first > 0)
        (void)kill(-s->first, signal);
}

size_t sandbox_pids(const struct sandbox *s, pid_t *out, size_t max)
{
    size_t n = cgroup_pids(s->cgroup, out, max);
    if (n == 0 && s->child.pid > 0)
        n = proctree_below(s->child.pid, out, max);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (out[i] != s->child.pid && (s->off || out[i] != s->first))
            out[kept++] = out[i];
    return kept;
}

/* A cgroup's account misses what a thread that is running on another CPU has used since the
 * last tick: up to 4 ms. Reading the clocks of its processes makes the kernel book that time,
 * and the account is exact (measured: a lag of 0 to 4.0 ms without, none with). */
int64_t sandbox_cpu_ns(const struct sandbox *s)
{
    pid_t pids[SANDBOX_PIDS_MAX];
    size_t n = sandbox_pids(s, pids, SANDBOX_PIDS_MAX);
    int64_t by_clock = n ? proctree_cpu_ns(pids, n) : -1;
    int64_t by_account = cgroup_cpu_ns(s->cgroup);
    return by_account >= 0 ? by_account : by_clock;
}

/* --- ending ----------------------------------------------------------------------------------
 */

static bool wait_empty(const struct sandbox *s, int64_t deadline_ns)
{
    struct pollfd p = {.fd = s->first_fd, .events = POLLIN};
    while (s->first_fd >= 0) {
        int n = poll(&p, 1, clock_poll_ms(deadline_ns));
        if (n > 0)
            return true;
        if (n == 0)
            return false;
    }
    return true;
}

static void collect_use(struct sandbox *s)
{
    struct cgroup_use use;
    int64_t cpu_ns = cgroup_cpu_ns(s->cgroup);
    cgroup_read_use(s->cgroup, &use);
    if (cpu_ns >= 0)
        s->use.cpu_ns = cpu_ns;
    s->use.memory_peak = use.memory_peak;
    s->use.oom_kills = use.oom_kills;
    s->use.tasks_refused = use.tasks_refused;
}

int sandbox_end(struct sandbox *s, struct sandbox_use *out, struct err *e)
{
    int64_t deadline = clock_now_ns() + END_TIMEOUT_NS;
    int status;
    if (cgroup_cpu_ns(s->cgroup) < 0)
        s->use.cpu_ns = sandbox_cpu_ns(s);
    /* A keeper ends what it keeps; killed itself, it could not. */
    if (s->off && s->child.pid > 0) {
        child_signal(&s->child, SIGTERM);
        (void)sandbox_wait(s, clock_now_ns() + KEEPER_GRACE_NS, &status);
    }
    bool empty = cgroup_kill(s->cgroup, deadline);
    if (s->child.pid > 0)
        child_signal(&s->child, SIGKILL);
    empty = (s->child.pid <= 0 || sandbox_wait(s, deadline, &status)) && empty;
    empty = wait_empty(s, deadline) && empty;
    if (!s->off && s->first > 0)
        (void)waitpid(s->first, NULL, WNOHANG);
    collect_use(s);
    if (out)
        *out = s->use;
    return empty ? 0 : err_set(e, ERR_TIMEOUT, "processes of a sandbox do not end");
}

void sandbox_freep(struct sandbox **s)
{
    struct sandbox *old = STEAL(*s);
    if (!old)
        return;
    if (old->cgroup)
        (void)sandbox_end(old, NULL, NULL);
    child_done(&old->child);
    cgroup_freep(&old->cgroup);
    fdio_closep(&old->first_fd);
    if (old->netns >= 0)
        fdio_closep(&old->netns);
    free(old);
}
