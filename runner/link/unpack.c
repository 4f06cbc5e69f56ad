/* SPDX-License-Identifier: MIT */
/*
 * unpack: see unpack.h. libarchive reads the format; what is made, and where, is decided here.
 * Every step down is an openat with O_NOFOLLOW from a directory that we made ourselves.
 */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "str.h"

enum { BLOCK_BYTES = 128 << 10 };

struct unpack {
    struct archive *tar;
    const struct unpack_rules *rules;
    int root;
    int64_t bytes;
};

static bool is_own(uid_t owner)
{
    return owner == (uid_t)-1;
}

static int give_away(struct unpack *u, int dir, const char *name, struct err *e)
{
    if (is_own(u->rules->owner))
        return 0;
    if (fchownat(dir, name, u->rules->owner, u->rules->owner, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "give '%s' to its user", name);
    return 0;
}

static int enter(struct unpack *u, int dir, const char *name, bool make, int *out,
                 struct err *e)
{
    if (make && mkdirat(dir, name, 0755) == 0) {
        if (give_away(u, dir, name, e) < 0)
            return -1;
    } else if (make && errno != EEXIST) {
        return err_errno(e, "make directory '%s'", name);
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "enter '%s'", name);
    *out = fd;
    return 0;
}

/* The path's parts, all but the last made and entered. 'name' is the last, empty for the root.
 */
static int walk(struct unpack *u, const char *path, int *out_dir, char name[NAME_MAX + 1],
                struct err *e)
{
    struct view rest = view_z(path);
    AUTO(fdio_closep) int dir = openat(u->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(e, "open the target");
    if (rest.len == 0 || rest.len > UNPACK_PATH_MAX || rest.at[0] == '/')
        return err_set(e, ERR_PROTOCOL, "not a relative path");
    name[0] = '\0';
    while (rest.len) {
        struct view part;
        (void)view_cut(rest, '/', &part, &rest);
        if (part.len == 0 || view_eqz(part, "."))
            continue;
        if (view_eqz(part, "..") || part.len > NAME_MAX)
            return err_set(e, ERR_PROTOCOL, "leaves the tree or has a name that is too long");
        if (name[0]) {
            int below = -1;
            if (enter(u, dir, name, true, &below, e) < 0)
                return -1;
            fdio_closep(&dir);
            dir = below;
        }
        memcpy(name, part.at, part.len);
        name[part.len] = '\0';
    }
    *out_dir = STEAL_FD(dir);
    return 0;
}

static int copy_data(struct unpack *u, int fd, struct err *e)
{
    const void *block;
    size_t len;
    la_int64_t offset;
    for (;;) {
        int rc = archive_read_data_block(u->tar, &block, &len, &offset);
        if (rc == ARCHIVE_EOF)
            return 0;
        if (rc != ARCHIVE_OK)
            return err_set(e, ERR_PROTOCOL, "%s", archive_error_string(u->tar));
        /* A hole counts as what it may become. */
        if (offset < 0 || offset + (int64_t)len + u->bytes > u->rules->bytes_max)
            return err_set(e, ERR_LIMIT, "the tree is larger than %lld bytes",
                           (long long)u->rules->bytes_max);
        if (lseek(fd, offset, SEEK_SET) < 0)
            return err_errno(e, "seek");
        if (fdio_write_all(fd, (struct view){block, len}, e) < 0)
            return -1;
    }
}

static int make_file(struct unpack *u, int dir, const char *name, mode_t mode, struct err *e)
{
    mode_t want = mode & S_IXUSR ? 0755 : 0644;
    AUTO(fdio_closep)
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "make");
    if (copy_data(u, fd, e) < 0)
        return -1;
    off_t end = lseek(fd, 0, SEEK_END);
    u->bytes += end > 0 ? end : 0;
    if (fchmod(fd, want) < 0)
        return err_errno(e, "set the mode");
    return give_away(u, dir, name, e);
}

static int make_link(struct unpack *u, int dir, const char *name, const char *target,
                     struct err *e)
{
    if (!target || !*target || symlinkat(target, dir, name) < 0)
        return err_errno(e, "make a link");
    return give_away(u, dir, name, e);
}

static int make_entry(struct unpack *u, struct archive_entry *entry, struct err *e)
{
    char name[NAME_MAX + 1];
    AUTO(fdio_closep) int dir = -1;
    if (walk(u, archive_entry_pathname(entry), &dir, name, e) < 0)
        return -1;
    if (archive_entry_hardlink(entry))
        return err_set(e, ERR_PROTOCOL, "a hard link");
    AUTO(fdio_closep) int below = -1;
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        return name[0] ? enter(u, dir, name, true, &below, e) : 0;
    case AE_IFREG:
        return make_file(u, dir, name, archive_entry_mode(entry), e);
    case AE_IFLNK:
        return make_link(u, dir, name, archive_entry_symlink(entry), e);
    default:
        return err_set(e, ERR_PROTOCOL, "neither a file, a directory nor a link");
    }
}

static int read_all(struct unpack *u, struct err *e)
{
    for (int64_t n = 0;; n++) {
        struct archive_entry *entry;
        int rc = archive_read_next_header(u->tar, &entry);
        if (rc == ARCHIVE_EOF)
            return 0;
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return err_set(e, ERR_PROTOCOL, "source archive: %s", archive_error_string(u->tar));
        if (n >= UNPACK_ENTRIES_MAX)
            return err_set(e, ERR_LIMIT, "source archive: more than %d entries",
                           UNPACK_ENTRIES_MAX);
        const char *path = archive_entry_pathname(entry);
        if (!path)
            return err_set(e, ERR_PROTOCOL, "source archive: an entry without a name");
        if (make_entry(u, entry, e) < 0)
            return err_ctx(e, "source archive: '%.200s'", path);
    }
}

int unpack_tar(int tar_fd, const char *dir, const struct unpack_rules *rules, struct err *e)
{
    AUTO(fdio_closep) int root = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return err_errno(e, "open '%s'", dir);
    if (lseek(tar_fd, 0, SEEK_SET) < 0)
        return err_errno(e, "rewind the source archive");
    struct unpack u = {.tar = archive_read_new(), .rules = rules, .root = root};
    if (!u.tar)
        return err_set(e, ERR_SYSTEM, "cannot set up the reader of archives");
    int rc = archive_read_support_format_tar(u.tar);
    if (rc == ARCHIVE_OK)
        rc = archive_read_open_fd(u.tar, tar_fd, BLOCK_BYTES);
    rc = rc == ARCHIVE_OK
             ? read_all(&u, e)
             : err_set(e, ERR_PROTOCOL, "source archive: %s", archive_error_string(u.tar));
    archive_read_free(u.tar);
    return rc;
}
