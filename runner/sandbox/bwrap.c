/* SPDX-License-Identifier: MIT */
/*
 * bwrap: see bwrap.h.
 *
 * Arguments travel over a descriptor, so that the sandbox's first process shows no path of the
 * host in /proc/1/cmdline. The work area is named by a descriptor for the same reason, and
 * because the slot's user cannot walk to it. It is bound last and nothing is mounted below it:
 * a link that an earlier step of the job left there would lead bubblewrap out to the host.
 */
#include "bwrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fdio.h"
#include "filter.h"

enum { BWRAP_ARGS_MAX = 1 << 20 };

static const char *const fixed_args[] = {
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup",
    "--disable-userns",
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/sbin",
    "/sbin",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--dir",
    "/etc",
    "--ro-bind-try",
    "/etc/alternatives",
    "/etc/alternatives",
    "--ro-bind-try",
    "/etc/ld.so.cache",
    "/etc/ld.so.cache",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
};

/* What a build with a network needs to find and trust its servers. */
static const char *const network_args[] = {
    "--ro-bind-try",      "/etc/resolv.conf",   "/etc/resolv.conf",     "--ro-bind-try",
    "/etc/nsswitch.conf", "/etc/nsswitch.conf", "--ro-bind-try",        "/etc/ssl/certs",
    "/etc/ssl/certs",     "--ro-bind-try",      "/etc/ca-certificates", "/etc/ca-certificates",
};

static const char *const last_args[] = {
    "--remount-ro", "/dev", "--remount-ro",  "/",
    "--hostname",   "job",  "--new-session", "--die-with-parent",
    "--cap-drop",   "ALL",  "--clearenv",
};

static void arg(struct str *to, const char *text)
{
    str_add(to, (struct view){text, strlen(text) + 1});
}

static void arg_int(struct str *to, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    arg(to, text);
}

static void add_all(struct str *to, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        arg(to, list[i]);
}

static void add_file(struct str *to, enum bwrap_fd fd, const char *path)
{
    arg(to, "--perms");
    arg(to, "0644");
    arg(to, "--ro-bind-data");
    arg_int(to, fd);
    arg(to, path);
}

static void add_tmpfs(struct str *to, int64_t bytes, const char *path)
{
    arg(to, "--perms");
    arg(to, "1777");
    arg(to, "--size");
    arg_int(to, bytes);
    arg(to, "--tmpfs");
    arg(to, path);
}

static void add_var(struct str *to, const char *name, const char *value)
{
    arg(to, "--setenv");
    arg(to, name);
    arg(to, value);
}

static void write_args(const struct sandbox_host *h, const struct sandbox_spec *spec,
                       struct str *to)
{
    /* As root of our own user namespace only, the job must not look like root to itself. */
    if (!h->real_root) {
        arg(to, "--uid");
        arg_int(to, h->uid);
        arg(to, "--gid");
        arg_int(to, h->uid);
    }
    add_all(to, fixed_args, ARRAY_LEN(fixed_args));
    if (spec->network)
        add_all(to, network_args, ARRAY_LEN(network_args));
    else if (spec->join_netns <= 0)
        arg(to, "--unshare-net");
    add_file(to, BWRAP_FD_PASSWD, "/etc/passwd");
    add_file(to, BWRAP_FD_GROUP, "/etc/group");
    add_file(to, BWRAP_FD_HOSTS, "/etc/hosts");
    add_tmpfs(to, spec->tmp, "/tmp");
    add_tmpfs(to, spec->tmp, "/dev/shm");
    if (spec->share) {
        arg(to, "--bind-fd");
        arg_int(to, BWRAP_FD_SHARE);
        arg(to, SANDBOX_SHARE);
    }
    arg(to, "--bind-fd");
    arg_int(to, BWRAP_FD_AREA);
    arg(to, "/job");
    add_all(to, last_args, ARRAY_LEN(last_args));
    add_var(to, "PATH", "/usr/local/bin:/usr/bin:/bin");
    add_var(to, "HOME", "/job");
    add_var(to, "LANG", "C.UTF-8");
    for (size_t i = 0; i < spec->env_len; i++)
        add_var(to, spec->env[i].name, spec->env[i].value);
    AUTO(str_done) struct str dir = STR_INIT(AREA_PATH_MAX);
    str_addf(&dir, "/job%s%s", spec->workdir ? "/" : "", spec->workdir ? spec->workdir : "");
    arg(to, "--chdir");
    arg(to, str_text(&dir));
    arg(to, "--seccomp");
    arg_int(to, BWRAP_FD_FILTER);
    arg(to, "--info-fd");
    arg_int(to, BWRAP_FD_INFO);
}

void bwrap_pass(struct bwrap *b, int fd, enum bwrap_fd as)
{
    b->pass[b->pass_len++] = (struct child_pass){.fd = fd, .as = (int)as};
}

static int pass_bytes(struct bwrap *b, struct view bytes, enum bwrap_fd as, struct err *e)
{
    AUTO(fdio_closep) int fd = memfd_create("sandbox", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "make a memory file");
    if (fdio_write_all(fd, bytes, e) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(e, "rewind a memory file");
    bwrap_pass(b, STEAL_FD(fd), as);
    return 0;
}

int bwrap_open_area(const char *path, int *out_fd, struct err *e)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open the work area '%s'", path);
    *out_fd = fd;
    return 0;
}

static int open_all(struct bwrap *b, const struct sandbox_host *h,
                    const struct sandbox_spec *spec, struct err *e)
{
    AUTO(str_done) struct str args = STR_INIT(BWRAP_ARGS_MAX);
    AUTO(str_done) struct str users = STR_INIT(512);
    AUTO(str_done) struct str groups = STR_INIT(512);
    int fd;
    write_args(h, spec, &args);
    if (args.cut)
        return err_set(e, ERR_LIMIT, "environment of '%s' is too large", spec->name);
    str_addf(&users, "root:x:0:0::/:/usr/sbin/nologin\njob:x:%u:%u::/job:/bin/sh\n",
             (unsigned)h->uid, (unsigned)h->uid);
    str_addf(&groups, "root:x:0:\njob:x:%u:\n", (unsigned)h->uid);
    if (pass_bytes(b, str_view(&args), BWRAP_FD_ARGS, e) < 0 ||
        pass_bytes(b, str_view(&users), BWRAP_FD_PASSWD, e) < 0 ||
        pass_bytes(b, str_view(&groups), BWRAP_FD_GROUP, e) < 0 ||
        pass_bytes(b, VIEW("127.0.0.1 localhost\n::1 localhost\n"), BWRAP_FD_HOSTS, e) < 0)
        return -1;
    if (bwrap_open_area(spec->area, &fd, e) < 0)
        return -1;
    bwrap_pass(b, fd, BWRAP_FD_AREA);
    if (spec->share) {
        if (bwrap_open_area(spec->share, &fd, e) < 0)
            return -1;
        bwrap_pass(b, fd, BWRAP_FD_SHARE);
    }
    if (filter_open(h->filter_fd, &fd, e) < 0)
        return -1;
    bwrap_pass(b, fd, BWRAP_FD_FILTER);
    return 0;
}

int bwrap_open(struct bwrap *b, const struct sandbox_host *h, const struct sandbox_spec *spec,
               struct err *e)
{
    *b = (struct bwrap){0};
    if (open_all(b, h, spec, e) == 0)
        return 0;
    bwrap_close(b);
    return -1;
}

void bwrap_close(struct bwrap *b)
{
    for (size_t i = 0; i < b->pass_len; i++)
        fdio_closep(&b->pass[i].fd);
    b->pass_len = 0;
}
