/* SPDX-License-Identifier: MIT */
/* export_tar: see export_tar.h. */
#include "export_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "fdio.h"
#include "mirror_own.h"

#define BYTES_MAX_DEFAULT (INT64_C(4) << 30)
#define FILE_BYTES_MAX    (INT64_C(1) << 30)
enum { FILES_MAX_DEFAULT = 500000, PATH_BYTES_MAX = 4096, LINK_BYTES_MAX = 4096 };

struct exporting {
    struct mirror *m;
    struct archive *tar;
    struct archive_entry *entry;
    struct export_limits limits;
    struct export_note note;
    int64_t time_s;
    struct err *e;
};

static bool is_safe_name(const char *name)
{
    return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strcasecmp(name, ".git") != 0;
}

static int tar_fail(struct exporting *x, const char *path)
{
    const char *said = archive_error_string(x->tar);
    return err_set(x->e, ERR_SYSTEM, "write '%s' to the archive: %s", path, said ? said : "?");
}

static void begin_entry(struct exporting *x, const char *path, unsigned type, unsigned mode)
{
    archive_entry_clear(x->entry);
    archive_entry_set_pathname(x->entry, path);
    archive_entry_set_filetype(x->entry, type);
    archive_entry_set_perm(x->entry, mode);
    archive_entry_set_mtime(x->entry, x->time_s, 0);
    archive_entry_set_uid(x->entry, 0);
    archive_entry_set_gid(x->entry, 0);
}

static int write_folder(struct exporting *x, const char *path)
{
    begin_entry(x, path, AE_IFDIR, 0755);
    return archive_write_header(x->tar, x->entry) < ARCHIVE_WARN ? tar_fail(x, path) : 0;
}

static int write_link(struct exporting *x, const char *path, git_blob *blob)
{
    AUTO(str_done) struct str target = STR_INIT(LINK_BYTES_MAX);
    struct view bytes = {git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)};
    str_add(&target, bytes);
    if (target.cut || memchr(bytes.at, '\0', bytes.len))
        return err_set(x->e, ERR_INPUT, "the link '%s' has no valid target", path);
    begin_entry(x, path, AE_IFLNK, 0777);
    archive_entry_set_symlink(x->entry, str_text(&target));
    return archive_write_header(x->tar, x->entry) < ARCHIVE_WARN ? tar_fail(x, path) : 0;
}

static int write_content(struct exporting *x, const char *path, git_blob *blob, unsigned mode)
{
    const char *at = git_blob_rawcontent(blob);
    size_t left = (size_t)git_blob_rawsize(blob);
    begin_entry(x, path, AE_IFREG, mode);
    archive_entry_set_size(x->entry, (int64_t)left);
    if (archive_write_header(x->tar, x->entry) < ARCHIVE_WARN)
        return tar_fail(x, path);
    while (left > 0) {
        la_ssize_t n = archive_write_data(x->tar, at, left);
        if (n <= 0)
            return tar_fail(x, path);
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

/* Both ceilings hold before the file is read: it lies in memory as a whole. */
static int check_size(struct exporting *x, const char *path, const git_tree_entry *entry)
{
    int64_t size;
    if (mirror_object_size(x->m, git_tree_entry_id(entry), &size, x->e) < 0)
        return -1;
    if (size > FILE_BYTES_MAX)
        return err_set(x->e, ERR_LIMIT, "'%s' is larger than %" PRId64 " bytes", path,
                       FILE_BYTES_MAX);
    x->note.bytes += size;
    if (x->note.bytes > x->limits.bytes_max)
        return err_set(x->e, ERR_LIMIT, "the tree is larger than %" PRId64 " bytes",
                       x->limits.bytes_max);
    return 0;
}

static int write_blob(struct exporting *x, const char *path, const git_tree_entry *entry)
{
    git_blob *blob = NULL;
    if (check_size(x, path, entry) < 0)
        return -1;
    int code = git_blob_lookup(&blob, x->m->repo, git_tree_entry_id(entry));
    if (code < 0)
        return mirror_fail(x->e, code, "read '%s'", path);
    git_filemode_t mode = git_tree_entry_filemode(entry);
    int rc =
        mode == GIT_FILEMODE_LINK
            ? write_link(x, path, blob)
            : write_content(x, path, blob, mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644);
    git_blob_free(blob);
    return rc;
}

static int on_entry(const char *root, const git_tree_entry *entry, void *ctx)
{
    struct exporting *x = ctx;
    AUTO(str_done) struct str path = STR_INIT(PATH_BYTES_MAX);
    str_addf(&path, "%s%s", root, git_tree_entry_name(entry));
    if (!is_safe_name(git_tree_entry_name(entry)) || path.cut)
        return err_set(x->e, ERR_INPUT, "the tree has a name that is refused: '%s'",
                       str_text(&path));
    if (++x->note.files > x->limits.files_max)
        return err_set(x->e, ERR_LIMIT, "the tree has more than %" PRId64 " entries",
                       x->limits.files_max);
    switch (git_tree_entry_type(entry)) {
    case GIT_OBJECT_TREE:
        return write_folder(x, str_text(&path));
    case GIT_OBJECT_BLOB:
        return write_blob(x, str_text(&path), entry);
    default: /* a submodule */
        x->note.submodules++;
        return write_folder(x, str_text(&path));
    }
}

static int write_tree(struct exporting *x, const char *sha)
{
    git_oid id;
    git_commit *commit = NULL;
    git_tree *tree = NULL;
    if (mirror_parse_oid(sha, &id, x->e) < 0)
        return -1;
    int code = git_commit_lookup(&commit, x->m->repo, &id);
    if (code == 0)
        code = git_commit_tree(&tree, commit);
    if (code == 0) {
        x->time_s = git_commit_time(commit);
        code = git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, x);
    }
    git_tree_free(tree);
    git_commit_free(commit);
    if (code < 0 && x->e->kind == ERR_NONE)
        return mirror_fail(x->e, code, "export %s", sha);
    return code < 0 ? -1 : 0;
}

static int write_archive(struct exporting *x, const char *sha, int fd)
{
    x->tar = archive_write_new();
    x->entry = archive_entry_new();
    int rc = 0;
    if (archive_write_set_format_gnutar(x->tar) != ARCHIVE_OK ||
        archive_write_open_fd(x->tar, fd) != ARCHIVE_OK)
        rc = tar_fail(x, sha);
    if (rc == 0)
        rc = write_tree(x, sha);
    if (rc == 0 && archive_write_close(x->tar) != ARCHIVE_OK)
        rc = tar_fail(x, sha);
    archive_entry_free(x->entry);
    (void)archive_write_free(x->tar);
    return rc;
}

int export_tar(struct mirror *m, const char *sha, const char *path,
               const struct export_limits *limits, struct export_note *out, struct err *e)
{
    struct err own = {0};
    struct exporting x = {.m = m, .limits = *limits, .e = &own};
    AUTO(str_done) struct str partial = STR_INIT(PATH_BYTES_MAX);
    str_addf(&partial, "%s.partial", path);
    AUTO(fdio_closep)
    int fd = open(str_text(&partial), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "%s", str_text(&partial));
    if (!x.limits.bytes_max)
        x.limits.bytes_max = BYTES_MAX_DEFAULT;
    if (!x.limits.files_max)
        x.limits.files_max = FILES_MAX_DEFAULT;
    int rc = write_archive(&x, sha, fd);
    if (rc == 0 && rename(str_text(&partial), path) < 0)
        rc = err_errno(&own, "%s", path);
    if (rc < 0) {
        (void)unlink(str_text(&partial));
        return err_set(e, own.kind, "%s", own.text);
    }
    *out = x.note;
    return 0;
}
