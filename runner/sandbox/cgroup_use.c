/* SPDX-License-Identifier: MIT */
/* cgroup_use: reads, ends and removes groups; see cgroup.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_own.h"
#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "opt.h"

enum { CGROUP_PIDS_AT_ONCE = 4096 };

const char *cgroup_join(const struct cgroup *g, int i)
{
    return i < g->dirs ? g->join[i] : NULL;
}

static const char *dir_with(const struct cgroup *g, const char *tree)
{
    for (int i = 0; i < g->dirs; i++)
        if (g->backend == CGROUP_V2 || strstr(g->dir[i], tree))
            return g->dir[i];
    return NULL;
}

/* The number after 'key' at the start of a line, or the whole file's number when key is "". */
static int64_t number_in(struct view text, const char *key)
{
    struct view line;
    int64_t value;
    while (view_line(&text, &line)) {
        struct view name;
        struct view number = line;
        if (*key && (!view_cut(line, ' ', &name, &number) || !view_eqz(name, key)))
            continue;
        if (opt_int(view_trim(number), 0, INT64_MAX, &value, NULL) == 0)
            return value;
    }
    return -1;
}

static int64_t read_number(const char *dir, const char *file, const char *key)
{
    AUTO(str_done) struct str text = STR_INIT(CGROUP_FILE_MAX);
    if (!dir || cgroup_get(dir, file, &text) < 0)
        return -1;
    return number_in(str_view(&text), key);
}

int64_t cgroup_cpu_ns(const struct cgroup *g)
{
    char text[1024];
    if (g->cpu_fd < 0)
        return -1;
    ssize_t n = pread(g->cpu_fd, text, sizeof text, 0);
    if (n <= 0)
        return -1;
    struct view v = {text, (size_t)n};
    if (g->backend == CGROUP_V1)
        return number_in(v, "");
    int64_t us = number_in(v, "usage_usec");
    return us < 0 ? -1 : us * CLOCK_NS_PER_US;
}

void cgroup_read_use(const struct cgroup *g, struct cgroup_use *out)
{
    *out = (struct cgroup_use){.memory_peak = -1};
    if (g->backend == CGROUP_NONE)
        return;
    const char *memory = dir_with(g, "/memory/");
    const char *pids = dir_with(g, "/pids/");
    bool v2 = g->backend == CGROUP_V2;
    out->memory_peak =
        read_number(memory, v2 ? "memory.peak" : "memory.max_usage_in_bytes", "");
    int64_t oom = read_number(memory, v2 ? "memory.events" : "memory.oom_control", "oom_kill");
    int64_t refused = read_number(pids, "pids.events", "max");
    out->oom_kills = oom > 0 ? oom : 0;
    out->tasks_refused = refused > 0 ? refused : 0;
}

static size_t pids_in(const char *dir, pid_t *out, size_t max)
{
    AUTO(str_done) struct str text = STR_INIT(CGROUP_FILE_MAX);
    if (cgroup_get(dir, "cgroup.procs", &text) < 0)
        return 0;
    struct view rest = str_view(&text);
    struct view line;
    int64_t pid;
    size_t n = 0;
    while (n < max && view_line(&rest, &line))
        if (opt_int(line, 1, INT32_MAX, &pid, NULL) == 0)
            out[n++] = (pid_t)pid;
    return n;
}

size_t cgroup_pids(const struct cgroup *g, pid_t *out, size_t max)
{
    return g->dirs ? pids_in(g->dir[0], out, max) : 0;
}

static bool is_populated(const char *dir)
{
    pid_t one;
    return pids_in(dir, &one, 1) > 0;
}

static void kill_members(const char *dir)
{
    pid_t *pids = mem_alloc(CGROUP_PIDS_AT_ONCE * sizeof *pids);
    size_t n = pids_in(dir, pids, CGROUP_PIDS_AT_ONCE);
    for (size_t i = 0; i < n; i++)
        (void)kill(pids[i], SIGKILL);
    free(pids);
}

/* With cgroup.kill the kernel kills without a race against fork; without it, a loop does: each
 * pass kills all members, and the limit on tasks keeps a fork bomb from outrunning it. A
 * process in v1 is a member of every hierarchy, so one of them is enough to look at, but a
 * zombie may leave them at different times; all must be empty. */
bool cgroup_kill(const struct cgroup *g, int64_t deadline_ns)
{
    for (;;) {
        bool left = false;
        if (g->kill_dir >= 0)
            (void)cgroup_put(g->dir[g->kill_dir], "cgroup.kill", "1");
        for (int i = 0; i < g->dirs; i++) {
            if (!is_populated(g->dir[i]))
                continue;
            left = true;
            if (i != g->kill_dir)
                kill_members(g->dir[i]);
        }
        if (!left)
            return true;
        if (clock_now_ns() >= deadline_ns)
            return false;
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS / 2);
    }
}

void cgroup_freep(struct cgroup **g)
{
    struct cgroup *old = STEAL(*g);
    if (!old)
        return;
    (void)cgroup_kill(old, clock_now_ns() + CLOCK_NS_PER_S);
    for (int i = 0; i < old->dirs; i++) {
        (void)rmdir(old->dir[i]);
        free(old->join[i]);
    }
    fdio_closep(&old->cpu_fd);
    free(old);
}

void cgroup_sweep(const struct cgroup_host *host, const char *prefix)
{
    for (int i = 0; i < host->tops; i++) {
        DIR *top = opendir(host->top[i]);
        struct dirent *entry;
        while (top && (entry = readdir(top))) {
            if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
                continue;
            struct cgroup left = {.backend = host->backend, .dirs = 1, .kill_dir = -1};
            int n =
                snprintf(left.dir[0], CGROUP_PATH_MAX, "%s/%s", host->top[i], entry->d_name);
            if (n < 0 || n >= CGROUP_PATH_MAX)
                continue;
            (void)cgroup_kill(&left, clock_now_ns() + CLOCK_NS_PER_S);
            (void)rmdir(left.dir[0]);
        }
        if (top)
            closedir(top);
    }
}
