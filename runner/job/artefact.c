/* SPDX-License-Identifier: MIT */
/* artefact: see artefact.h. */
#include "artefact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "mem.h"
#include "vec.h"

enum { COPY_BYTES = 128 << 10 };

struct walk {
    struct digest *digest;
    const struct spec_list *outputs;
    bool *found; /* per glob */
    struct artefact *out;
    int64_t entries;
};

struct names {
    VEC(char *) at;
};

static void names_done(struct names *n)
{
    for (size_t i = 0; i < n->at.len; i++)
        free(n->at.at[i]);
    vec_done(&n->at);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool artefact_matches(const char *glob, const char *path)
{
    int flags = strstr(glob, "**") ? 0 : FNM_PATHNAME;
    /* FNM_LEADING_DIR is a GNU extension: the pattern may end where a '/' follows. */
    return fnmatch(glob, path, flags | FNM_LEADING_DIR) == 0;
}

static bool is_output(struct walk *w, const char *path)
{
    bool any = w->outputs->len == 0;
    for (size_t i = 0; i < w->outputs->len; i++) {
        if (!artefact_matches(w->outputs->at[i], path))
            continue;
        w->found[i] = true;
        any = true;
    }
    return any;
}

static int add_content(struct walk *w, int dir, const char *name, struct err *e)
{
    AUTO(fdio_closep)
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "read '%s'", name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_SYSTEM, "'%s' changed while it was read", name);
    AUTO(mem_freep) char *bytes = mem_alloc(COPY_BYTES);
    int64_t total = 0;
    for (;;) {
        ssize_t n = read(fd, bytes, COPY_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read '%s'", name);
        if (n == 0)
            break;
        digest_add(w->digest, (struct view){bytes, (size_t)n});
        total += n;
    }
    /* The length behind the content keeps two files from looking like one. */
    digest_field(w->digest, (struct view){(const char *)&total, sizeof total});
    w->out->bytes += total;
    w->out->files++;
    return 0;
}

static int add_entry(struct walk *w, int dir, const char *name, const char *path,
                     const struct stat *st, struct err *e)
{
    char target[PATH_MAX];
    const char *kind = S_ISREG(st->st_mode)   ? st->st_mode & 0100 ? "program" : "file"
                       : S_ISLNK(st->st_mode) ? "link"
                                              : "other";
    digest_field(w->digest, view_z(path));
    digest_field(w->digest, view_z(kind));
    if (S_ISREG(st->st_mode))
        return add_content(w, dir, name, e);
    if (S_ISLNK(st->st_mode)) {
        ssize_t n = readlinkat(dir, name, target, sizeof target);
        if (n < 0)
            return err_errno(e, "read link '%s'", path);
        digest_field(w->digest, (struct view){target, (size_t)n});
    }
    return 0;
}

static int list(int dir, struct names *out, struct err *e)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (!d) {
        fdio_closep(&fd);
        return err_errno(e, "list a directory");
    }
    while ((entry = readdir(d)) && out->at.len < ARTEFACT_ENTRIES_MAX)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *vec_push(&out->at) = mem_strdup(entry->d_name);
    closedir(d);
    if (out->at.len)
        qsort(out->at.at, out->at.len, sizeof out->at.at[0], by_name);
    return 0;
}

static int walk_dir(struct walk *w, int dir, const char *path, int depth, struct err *e)
{
    AUTO(names_done) struct names names = {0};
    if (depth > ARTEFACT_DEPTH_MAX)
        return err_set(e, ERR_LIMIT, "directories are nested too deeply at '%.200s'", path);
    if (list(dir, &names, e) < 0)
        return -1;
    for (size_t i = 0; i < names.at.len; i++) {
        const char *name = names.at.at[i];
        struct stat st;
        AUTO(str_done) struct str full = STR_INIT(PATH_MAX);
        str_addf(&full, "%s%s%s", path, *path ? "/" : "", name);
        if (++w->entries > ARTEFACT_ENTRIES_MAX || full.cut)
            return err_set(e, ERR_LIMIT, "the tree has too many or too long names");
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return err_errno(e, "look at '%s'", str_text(&full));
        if (S_ISDIR(st.st_mode)) {
            AUTO(fdio_closep)
            int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below < 0)
                return err_errno(e, "enter '%s'", str_text(&full));
            if (walk_dir(w, below, str_text(&full), depth + 1, e) < 0)
                return -1;
        } else if (is_output(w, str_text(&full))) {
            if (add_entry(w, dir, name, str_text(&full), &st, e) < 0)
                return -1;
        }
    }
    return 0;
}

static void free_digest(struct walk *w)
{
    digest_freep(&w->digest);
    free(w->found);
}

int artefact_read(const char *dir, const struct spec_list *outputs, struct artefact *out,
                  struct err *e)
{
    struct artefact got = {0};
    AUTO(fdio_closep) int root = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return err_errno(e, "open '%s'", dir);
    AUTO(free_digest)
    struct walk w = {.digest = digest_new(),
                     .outputs = outputs,
                     .found = mem_zero(outputs->len + 1, sizeof(bool)),
                     .out = &got};
    if (walk_dir(&w, root, "", 0, e) < 0)
        return -1;
    for (size_t i = 0; i < outputs->len; i++)
        if (!w.found[i])
            return err_set(e, ERR_NOT_FOUND, "the build made nothing that matches output '%s'",
                           outputs->at[i]);
    digest_end(w.digest, got.digest);
    *out = got;
    return 0;
}
