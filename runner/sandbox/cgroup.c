/* SPDX-License-Identifier: MIT */
/*
 * cgroup: see cgroup.h. This file finds the back end and makes groups; cgroup_use.c reads and
 * ends them.
 *
 * The traps of a hybrid system decide the order in cgroup_detect: a unified tree may be mounted
 * with no useful controller, so v2 is recognised by 'memory' in cgroup.controllers and never by
 * the mount alone.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_own.h"
#include "fdio.h"
#include "mem.h"
#include "str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

const char *const cgroup_backend_names[CGROUP_BACKEND_COUNT] = {"none", "v1", "v2"};

/* Order matters: a process enters the cpuset only after its lists are filled. */
static const char *const v1_trees[] = {"memory", "pids", "cpuset", "cpuacct", "unified"};
static const char *const v2_controllers[] = {"+memory", "+pids", "+cpuset", "+cpu"};

int cgroup_put(const char *dir, const char *file, const char *value)
{
    char path[CGROUP_PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    AUTO(fdio_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = strlen(value);
    return write(fd, value, len) == (ssize_t)len ? 0 : -1;
}

int cgroup_get(const char *dir, const char *file, struct str *out)
{
    char path[CGROUP_PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    str_clear(out);
    return fdio_read_file(path, out, NULL);
}

/* --- finding the back end --------------------------------------------------------------------
 */

static bool has_word(const struct str *text, const char *word)
{
    struct view rest = view_trim(str_view(text));
    struct view one;
    while (rest.len) {
        (void)view_cut(rest, ' ', &one, &rest);
        if (view_eqz(one, word))
            return true;
    }
    return false;
}

/* A directory whose controllers we may hand down: enables them there and below in 'top'. */
static bool try_v2(struct cgroup_host *h, const char *parent, const char *top)
{
    AUTO(str_done) struct str text = STR_INIT(CGROUP_FILE_MAX);
    if (cgroup_get(parent, "cgroup.controllers", &text) < 0 || !has_word(&text, "memory") ||
        access(parent, W_OK) < 0)
        return false;
    if (mkdir(top, 0755) < 0 && errno != EEXIST)
        return false;
    /* One at a time: a controller that is missing must not take the others with it. */
    for (size_t i = 0; i < ARRAY_LEN(v2_controllers); i++) {
        (void)cgroup_put(parent, "cgroup.subtree_control", v2_controllers[i]);
        if (strcmp(parent, top) != 0)
            (void)cgroup_put(top, "cgroup.subtree_control", v2_controllers[i]);
    }
    if (cgroup_get(top, "cgroup.subtree_control", &text) < 0 || !has_word(&text, "memory") ||
        !has_word(&text, "pids"))
        return false;
    h->backend = CGROUP_V2;
    h->tops = 1;
    (void)snprintf(h->top[0], sizeof h->top[0], "%s", top);
    (void)snprintf(h->why, sizeof h->why, "v2 below %.200s", top);
    return true;
}

/* The unit's directory when its processes live in a leaf beside ours, as delegation wants it.
 */
static bool own_unit(char out[CGROUP_PATH_MAX])
{
    AUTO(str_done) struct str text = STR_INIT(64 << 10);
    if (fdio_read_file("/proc/self/cgroup", &text, NULL) < 0)
        return false;
    struct view rest = str_view(&text);
    struct view line;
    while (view_line(&rest, &line)) {
        if (!view_starts(line, "0::"))
            continue;
        struct view path = view_skip(line, 3);
        if (!view_ends(path, "/main"))
            return false;
        (void)snprintf(out, CGROUP_PATH_MAX, "%s%.*s", CGROUP_ROOT, (int)path.len - 5, path.at);
        return true;
    }
    return false;
}

static bool detect_v2(struct cgroup_host *h, const char *wish)
{
    char unit[CGROUP_PATH_MAX];
    if (wish)
        return try_v2(h, wish, wish);
    if (own_unit(unit) && try_v2(h, unit, unit))
        return true;
    return try_v2(h, CGROUP_ROOT, CGROUP_ROOT "/pacewatch");
}

static bool detect_v1(struct cgroup_host *h)
{
    int needed = 0;
    for (size_t i = 0; i < ARRAY_LEN(v1_trees); i++) {
        char tree[CGROUP_PATH_MAX / 2];
        (void)snprintf(tree, sizeof tree, "%s/%s", CGROUP_ROOT, v1_trees[i]);
        if (access(tree, W_OK) < 0)
            continue;
        char *top = h->top[h->tops];
        (void)snprintf(top, CGROUP_PATH_MAX, "%s/pacewatch", tree);
        if (mkdir(top, 0755) < 0 && errno != EEXIST)
            continue;
        h->tops++;
        needed += i < 3;
    }
    if (needed < 3) {
        h->tops = 0;
        return false;
    }
    h->backend = CGROUP_V1;
    (void)snprintf(h->why, sizeof h->why, "v1 below %s/*/pacewatch", CGROUP_ROOT);
    return true;
}

void cgroup_detect(struct cgroup_host *out)
{
    *out = (struct cgroup_host){.backend = CGROUP_NONE};
    const char *wish = getenv("PACEWATCH_CGROUP");
    if (wish && strcmp(wish, "none") == 0) {
        (void)snprintf(out->why, sizeof out->why, "PACEWATCH_CGROUP says none");
        return;
    }
    if (detect_v2(out, wish && *wish ? wish : NULL) || detect_v1(out))
        return;
    (void)snprintf(out->why, sizeof out->why,
                   "neither a delegated v2 directory nor writable v1 hierarchies");
}

/* --- making a group --------------------------------------------------------------------------
 */

static const char *tree_dir(const struct cgroup *g, const char *tree)
{
    for (int i = 0; i < g->dirs; i++)
        if (g->backend == CGROUP_V2 || strstr(g->dir[i], tree))
            return g->dir[i];
    return NULL;
}

static int limit(const struct cgroup *g, const char *tree, const char *file, int64_t value,
                 bool must, struct err *e)
{
    char text[32];
    const char *dir = tree_dir(g, tree);
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    if (dir && cgroup_put(dir, file, text) == 0)
        return 0;
    return must ? err_errno(e, "write %s to '%s/%s'", text, dir ? dir : tree, file) : 0;
}

/* A new v1 cpuset is empty and takes no process until both lists are filled, from the top. */
static int fill_cpuset(const char *top, const char *dir, const char *cpus, struct err *e)
{
    static const char *const lists[] = {"cpuset.cpus", "cpuset.mems"};
    const char *const nodes[] = {top, dir};
    AUTO(str_done) struct str all = STR_INIT(4096);
    AUTO(str_done) struct str now = STR_INIT(4096);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (cgroup_get(CGROUP_ROOT "/cpuset", lists[i], &all) < 0)
            return err_set(e, ERR_SYSTEM, "cannot read the host's %s", lists[i]);
        for (size_t k = 0; k < ARRAY_LEN(nodes); k++)
            if (cgroup_get(nodes[k], lists[i], &now) == 0 && !view_trim(str_view(&now)).len)
                (void)cgroup_put(nodes[k], lists[i], str_text(&all));
    }
    if (cpus && cgroup_put(dir, "cpuset.cpus", cpus) < 0)
        return err_errno(e, "give CPUs '%s' to '%s'", cpus, dir);
    return 0;
}

static int set_v2(const struct cgroup *g, const struct cgroup_limits *l, struct err *e)
{
    if (l->memory && limit(g, "", "memory.max", l->memory, true, e) < 0)
        return -1;
    (void)limit(g, "", "memory.swap.max", 0, false, e);
    (void)limit(g, "", "memory.oom.group", 1, false, e); /* the whole job ends, not a part */
    if (l->tasks && limit(g, "", "pids.max", l->tasks, true, e) < 0)
        return -1;
    if (l->cpus && cgroup_put(g->dir[0], "cpuset.cpus", l->cpus) < 0)
        return err_errno(e, "give CPUs '%s' to '%s'", l->cpus, g->dir[0]);
    return 0;
}

static int set_v1(const struct cgroup_host *h, const struct cgroup *g,
                  const struct cgroup_limits *l, struct err *e)
{
    if (l->memory && limit(g, "/memory/", "memory.limit_in_bytes", l->memory, true, e) < 0)
        return -1;
    if (l->memory)
        (void)limit(g, "/memory/", "memory.memsw.limit_in_bytes", l->memory, false, e);
    if (l->tasks && limit(g, "/pids/", "pids.max", l->tasks, true, e) < 0)
        return -1;
    const char *dir = tree_dir(g, "/cpuset/");
    for (int i = 0; i < h->tops; i++)
        if (dir && strstr(h->top[i], "/cpuset/"))
            return fill_cpuset(h->top[i], dir, l->cpus, e);
    return 0;
}

static void find_files(struct cgroup *g)
{
    char path[CGROUP_PATH_MAX + 64];
    const char *dir = tree_dir(g, "/cpuacct/");
    if (dir) {
        (void)snprintf(path, sizeof path, "%s/%s", dir,
                       g->backend == CGROUP_V2 ? "cpu.stat" : "cpuacct.usage");
        g->cpu_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    for (int i = 0; i < g->dirs; i++) {
        (void)snprintf(path, sizeof path, "%s/cgroup.procs", g->dir[i]);
        g->join[i] = mem_strdup(path);
        (void)snprintf(path, sizeof path, "%s/cgroup.kill", g->dir[i]);
        if (fdio_exists(path))
            g->kill_dir = i;
    }
}

int cgroup_make(const struct cgroup_host *host, const char *name,
                const struct cgroup_limits *limits, struct cgroup **out, struct err *e)
{
    AUTO(cgroup_freep) struct cgroup *g = mem_zero(1, sizeof *g);
    g->backend = host->backend;
    g->cpu_fd = g->kill_dir = -1;
    for (int i = 0; i < host->tops; i++) {
        int n = snprintf(g->dir[i], CGROUP_PATH_MAX, "%s/%s", host->top[i], name);
        if (n < 0 || n >= CGROUP_PATH_MAX)
            return err_set(e, ERR_LIMIT, "cgroup path of '%s' is too long", name);
        if (mkdir(g->dir[i], 0755) < 0 && errno != EEXIST)
            return err_errno(e, "make cgroup '%s'", g->dir[i]);
        g->dirs++;
    }
    if (host->backend == CGROUP_V2 && set_v2(g, limits, e) < 0)
        return -1;
    if (host->backend == CGROUP_V1 && set_v1(host, g, limits, e) < 0)
        return -1;
    find_files(g);
    *out = STEAL(g);
    return 0;
}
