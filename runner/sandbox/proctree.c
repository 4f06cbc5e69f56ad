/* SPDX-License-Identifier: MIT */
/*
 * proctree: see proctree.h. A process's CPU clock is read instead of its stat file, as the
 * clock is exact to the nanosecond also for a thread that is running on another CPU right now.
 */
#include "proctree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "opt.h"
#include "vec.h"

enum { PROC_STAT_MAX = 2048, STAT_PPID = 1, STAT_CUTIME = 13, STAT_CSTIME = 14 };

struct pair {
    pid_t pid, parent;
    bool below;
};

/* Field 'n' of /proc/PID/stat, counted from the one behind the name, whose text may hold blanks
 * and brackets. */
static int64_t stat_field(pid_t pid, int n)
{
    char path[64];
    char text[PROC_STAT_MAX];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    AUTO(fdio_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);
    while (len > 0 && text[len - 1] != ')')
        len--;
    if (len <= 0)
        return -1;
    /* Read again behind the name: the state follows, then the parent. */
    ssize_t all = pread(fd, text, sizeof text, 0);
    if (all <= len + 1)
        return -1;
    struct view rest = {text + len + 1, (size_t)(all - len - 1)};
    struct view one;
    int64_t value;
    for (int i = 0; i <= n; i++)
        (void)view_cut(rest, ' ', &one, &rest);
    return opt_int(one, INT64_MIN, INT64_MAX, &value, NULL) == 0 ? value : -1;
}

size_t proctree_below(pid_t root, pid_t *out, size_t max)
{
    VEC(struct pair) all = {0};
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int64_t pid;
    while (proc && (entry = readdir(proc))) {
        if (opt_int(view_z(entry->d_name), 1, INT32_MAX, &pid, NULL) < 0)
            continue;
        int64_t parent = stat_field((pid_t)pid, STAT_PPID);
        if (parent > 0)
            *vec_push(&all) = (struct pair){.pid = (pid_t)pid, .parent = (pid_t)parent};
    }
    if (proc)
        closedir(proc);

    /* Each pass finds one more generation; children usually have larger numbers, so few do. */
    size_t n = 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < all.len; i++) {
            if (all.at[i].below)
                continue;
            bool is = all.at[i].parent == root;
            for (size_t k = 0; k < n && !is; k++)
                is = out[k] == all.at[i].parent;
            if (!is || n == max)
                continue;
            all.at[i].below = more = true;
            out[n++] = all.at[i].pid;
        }
    }
    vec_done(&all);
    return n;
}

int64_t proctree_cpu_ns(const pid_t *pids, size_t n)
{
    int64_t sum = 0;
    int64_t tick_ns = CLOCK_NS_PER_S / sysconf(_SC_CLK_TCK);
    for (size_t i = 0; i < n; i++) {
        clockid_t clock;
        struct timespec t;
        if (clock_getcpuclockid(pids[i], &clock) != 0 || clock_gettime(clock, &t) < 0)
            continue;
        sum += (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
        int64_t user = stat_field(pids[i], STAT_CUTIME);
        int64_t system = stat_field(pids[i], STAT_CSTIME);
        sum += (user > 0 ? user : 0) * tick_ns + (system > 0 ? system : 0) * tick_ns;
    }
    return sum;
}
