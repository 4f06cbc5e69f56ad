/* SPDX-License-Identifier: MIT */
/* fdio: see fdio.h. */
#include "fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"

enum { READ_STEP = 64 << 10, DEPTH_MAX = 32 /* directories open at once */ };

void fdio_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int fdio_read_all(int fd, struct str *out, struct err *e)
{
    for (;;) {
        size_t room = str_reserve(out, READ_STEP);
        char extra;
        ssize_t n = room ? read(fd, out->at + out->len, room) : read(fd, &extra, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read");
        if (n == 0)
            return 0;
        if (!room)
            return err_set(e, ERR_LIMIT, "more than %zu bytes", out->max);
        out->len += (size_t)n;
        out->at[out->len] = '\0';
    }
}

int fdio_read_file(const char *path, struct str *out, struct err *e)
{
    AUTO(fdio_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open '%s'", path);
    if (fdio_read_all(fd, out, e) < 0)
        return err_ctx(e, "'%s'", path);
    return 0;
}

int fdio_read_beneath(const char *dir, const char *path, struct str *out, struct err *e)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
    struct stat st;
    AUTO(fdio_closep) int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return err_errno(e, "open directory '%s'", dir);
    AUTO(fdio_closep) int fd = (int)syscall(SYS_openat2, top, path, &how, sizeof how);
    if (fd < 0)
        return err_errno(e, "open '%s' in '%s'", path, dir);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, ERR_INPUT, "'%s' is not a plain file", path);
    return fdio_read_all(fd, out, e) < 0 ? err_ctx(e, "'%s'", path) : 0;
}

int fdio_write_all(int fd, struct view bytes, struct err *e)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.at, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "write");
        bytes = view_skip(bytes, (size_t)n);
    }
    return 0;
}

/* A new name in a directory is only safe when the directory itself is on disk. */
static void sync_parent(const char *path)
{
    AUTO(mem_freep) char *copy = mem_strdup(path);
    AUTO(fdio_closep) int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0)
        (void)fsync(dir);
}

/* What is no file cannot be replaced: a new /dev/null in its place would end many programs. */
static bool is_device_or_pipe(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

static int write_through(const char *path, struct view bytes, struct err *e)
{
    AUTO(fdio_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open '%s'", path);
    return fdio_write_all(fd, bytes, e) < 0 ? err_ctx(e, "'%s'", path) : 0;
}

int fdio_write_file(const char *path, struct view bytes, mode_t mode, struct err *e)
{
    if (is_device_or_pipe(path))
        return write_through(path, bytes, e);
    AUTO(str_done) struct str temp = STR_INIT(4096);
    /* Of this thread alone, as two may replace the same file; what a crash left is not reused.
     */
    str_addf(&temp, "%s.tmp-%d", path, (int)gettid());
    (void)unlink(str_text(&temp));
    AUTO(fdio_closep)
    int fd = open(str_text(&temp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return err_errno(e, "create '%s'", str_text(&temp));

    int rc = fdio_write_all(fd, bytes, e);
    if (rc == 0 && fsync(fd) < 0)
        rc = err_errno(e, "sync");
    if (rc == 0 && rename(str_text(&temp), path) < 0)
        rc = err_errno(e, "rename to '%s'", path);
    if (rc < 0) {
        (void)unlink(str_text(&temp));
        return err_ctx(e, "'%s'", path);
    }
    sync_parent(path);
    return 0;
}

int fdio_make_dirs(const char *path, mode_t mode, struct err *e)
{
    struct stat st;
    AUTO(mem_freep) char *copy = mem_strdup(path);
    for (char *p = copy; *p; p++) {
        if (*p != '/' || p == copy)
            continue;
        *p = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return err_errno(e, "make directory '%s'", copy);
        *p = '/';
    }
    if (mkdir(copy, mode) < 0 && errno != EEXIST)
        return err_errno(e, "make directory '%s'", copy);
    errno = ENOTDIR;
    if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_errno(e, "make directory '%s'", copy);
    return 0;
}

/* --- removing a tree -------------------------------------------------------------------------
 *
 * A build may leave whatever it likes: directories without permissions, and trees deeper than a
 * path can name. So everything goes by descriptors, each directory is opened to us first, and
 * one that lies too deep is moved up to the top and emptied from there.
 */

struct removal {
    int top;        /* the tree's own directory */
    unsigned moved; /* gives moved directories their names */
    const char *path;
    struct err *err;
};

static int remove_inside(struct removal *r, DIR *dir, int depth);

/* Opens a directory with all rights of the owner, which may have been taken away. */
static DIR *open_to_empty(int at, const char *name)
{
    enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    int fd = openat(at, name, FLAGS);
    if (fd < 0 && errno == EACCES && fchmodat(at, name, S_IRWXU, 0) == 0)
        fd = openat(at, name, FLAGS);
    if (fd < 0)
        return NULL;
    (void)fchmod(fd, S_IRWXU);
    DIR *dir = fdopendir(fd);
    if (!dir)
        close(fd);
    return dir;
}

static void closedirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
    *dir = NULL;
}

static int remove_dir(struct removal *r, int at, const char *name, int depth)
{
    AUTO(closedirp) DIR *dir = open_to_empty(at, name);
    if (!dir)
        return errno == ENOENT ? 0 : err_errno(r->err, "open '%s' in '%s'", name, r->path);
    if (depth > DEPTH_MAX) {
        char away[32];
        snprintf(away, sizeof away, ".removed-%u", r->moved++);
        if (renameat(at, name, r->top, away) == 0)
            return 0;
    }
    if (remove_inside(r, dir, depth) < 0)
        return -1;
    if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return err_errno(r->err, "remove '%s' in '%s'", name, r->path);
    return 0;
}

static int remove_inside(struct removal *r, DIR *dir, int depth)
{
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            unlinkat(dirfd(dir), name, 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM)
            return err_errno(r->err, "remove '%s' in '%s'", name, r->path);
        if (remove_dir(r, dirfd(dir), name, depth + 1) < 0)
            return -1;
    }
    return 0;
}

int fdio_remove_tree(const char *path, struct err *e)
{
    if ((unlink(path) == 0) || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(e, "remove '%s'", path);

    AUTO(closedirp) DIR *dir = open_to_empty(AT_FDCWD, path);
    if (!dir)
        return err_errno(e, "open '%s'", path);
    struct removal r = {.top = dirfd(dir), .path = path, .err = e};
    unsigned before;
    do {
        before = r.moved;
        rewinddir(dir);
        if (remove_inside(&r, dir, 0) < 0)
            return -1;
    } while (r.moved != before); /* what was moved to the top may have come behind our back */
    return rmdir(path) < 0 && errno != ENOENT ? err_errno(e, "remove '%s'", path) : 0;
}

int fdio_pipe(int out[2], struct err *e)
{
    return pipe2(out, O_CLOEXEC) < 0 ? err_errno(e, "make a pipe") : 0;
}

bool fdio_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
