/* SPDX-License-Identifier: MIT */
/* work: folders, mounts and fresh copies; see work.h. cache.c has the finished builds. */
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "child.h"
#include "clock.h"
#include "fdio.h"

enum {
    MOUNTS_BYTES = 1 << 20,     /* of a tmpfs that holds mount points only */
    OWN_PROGRAM_MAX = 64 << 20, /* of the runner itself */
    OWN_SPARE_BYTES = 64 << 10,
};

#define COPY_WITHIN_NS (60 * CLOCK_NS_PER_S)

static int join(char out[WORK_PATH_MAX], const char *dir, const char *name, struct err *e)
{
    int n = snprintf(out, WORK_PATH_MAX, "%s/%s", dir, name);
    return n < 0 || n >= WORK_PATH_MAX ? err_set(e, ERR_LIMIT, "path '%s' is too long", dir)
                                       : 0;
}

static int make_folders(struct work *w, const char *root, int slot, struct err *e)
{
    char name[32];
    (void)snprintf(name, sizeof name, "run-%d", slot);
    if (join(w->run, root, name, e) < 0 || join(w->cache, root, "cache", e) < 0)
        return -1;
    /* Mounts of an earlier runner ended with its namespace: what is left are plain files. */
    if (fdio_remove_tree(w->run, e) < 0 || fdio_make_dirs(w->run, 0700, e) < 0)
        return -1;
    return fdio_make_dirs(w->cache, 0700, e);
}

static int make_mounts(struct work *w, const struct sandbox_host *h, struct err *e)
{
    (void)snprintf(w->mounts, sizeof w->mounts, "%s", w->run);
    if (h->real_root && h->space.mounts) {
        (void)snprintf(w->mounts, sizeof w->mounts, WORK_ROOT_MOUNTS);
        if (fdio_make_dirs(w->mounts, 0755, e) < 0 ||
            area_tmpfs_mount(w->mounts, MOUNTS_BYTES, 0, e) < 0)
            return -1;
        w->own_mounts = true;
    }
    return 0;
}

/* DIR of that name below the mounts, made when it is not there. */
static int make_place(const struct work *w, const char *name, char out[WORK_PATH_MAX],
                      struct err *e)
{
    return join(out, w->mounts, name, e) < 0 ? -1 : fdio_make_dirs(out, 0755, e);
}

int work_open(struct work *w, const char *root, const struct sandbox_host *h, bool off,
              struct err *e)
{
    *w = (struct work){.space = &h->space};
    w->kind = h->space.images ? TREE_IMAGE : h->space.mounts ? TREE_MEMORY : TREE_DIRECTORY;
    w->owner = off ? geteuid() : h->owner;
    if (make_folders(w, root, h->slot, e) < 0 || make_mounts(w, h, e) < 0)
        return err_ctx(e, "work folder '%s'", root);
    cache_sweep(w->cache);
    return 0;
}

void work_close(struct work *w)
{
    char path[WORK_PATH_MAX];
    if (!w->run[0])
        return;
    if (w->own_mounted && join(path, w->mounts, "own", NULL) == 0)
        area_unmount(path);
    if (w->own_mounts)
        area_unmount(w->mounts);
    /* A mount that would not go away must not be emptied: remove_tree stays on our side of it
     * only when nothing is mounted, so a failure here is left for the next start. */
    (void)fdio_remove_tree(w->run, NULL);
    w->run[0] = '\0';
}

void work_path(const struct work *w, const char *name, struct str *out)
{
    str_addf(out, "%s/%s", w->run, name);
}

/* The copy is read-only before anything runs beside it. */
static int copy_own_program(struct work *w, const char *dir, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    AUTO(str_done) struct str bytes = STR_INIT(OWN_PROGRAM_MAX);
    str_addf(&path, "%s/runner", dir);
    if (fdio_read_file("/proc/self/exe", &bytes, e) < 0 ||
        area_tmpfs_mount(dir, (int64_t)bytes.len + OWN_SPARE_BYTES, 0, e) < 0)
        return -1;
    w->own_mounted = true;
    if (fdio_write_file(str_text(&path), str_view(&bytes), 0755, e) < 0)
        return -1;
    return area_make_read_only(dir, e);
}

int work_own_program(struct work *w, bool off, char dir[WORK_PATH_MAX], char program[PATH_MAX],
                     struct err *e)
{
    if (off) {
        ssize_t n = readlink("/proc/self/exe", program, PATH_MAX - 1);
        if (n < 0)
            return err_errno(e, "find the runner's own file");
        program[n] = '\0';
        (void)snprintf(dir, WORK_PATH_MAX, "%s", w->run);
        return 0;
    }
    (void)snprintf(program, PATH_MAX, "/job/runner");
    return make_place(w, "own", dir, e) < 0 ? -1 : copy_own_program(w, dir, e);
}

/* --- trees -----------------------------------------------------------------------------------
 */

int work_tree_find(struct work *w, struct tree *tree, struct err *e)
{
    AUTO(str_done) struct str file = STR_INIT(WORK_PATH_MAX);
    if (w->kind == TREE_MEMORY || !cache_find(w->cache, tree))
        return 0;
    cache_path(w->cache, tree->key, w->kind == TREE_IMAGE ? CACHE_IMAGE : CACHE_TREE, &file);
    if (w->kind == TREE_DIRECTORY)
        return join(tree->dir, w->cache, file.at + strlen(w->cache) + 1, e);
    if (make_place(w, tree->name, tree->dir, e) < 0)
        return -1;
    struct err why = {0};
    if (area_image_mount(str_text(&file), tree->dir, true, &why) < 0) {
        /* A damaged or vanished image is no reason to fail: build again. */
        cache_forget(w->cache, tree->key);
        tree->present = tree->cached = false;
        return 0;
    }
    tree->mounted = true;
    return 0;
}

static void image_path(const struct work *w, const struct tree *tree, struct str *out)
{
    str_addf(out, "%s/%s.img", w->run, tree->name);
}

/* Foreign code is another user only where we are root. */
static int give_away(const struct work *w, const char *dir, struct err *e)
{
    return chown(dir, w->owner, w->owner) < 0 && errno != EPERM
               ? err_errno(e, "give '%s' to its user", dir)
               : 0;
}

int work_tree_make(struct work *w, int64_t bytes, struct tree *tree, struct err *e)
{
    AUTO(str_done) struct str image = STR_INIT(WORK_PATH_MAX);
    if (make_place(w, tree->name, tree->dir, e) < 0)
        return -1;
    tree->present = true;
    if (w->kind == TREE_DIRECTORY)
        return give_away(w, tree->dir, e);
    if (w->kind == TREE_MEMORY) {
        if (area_tmpfs_mount(tree->dir, bytes, w->owner, e) < 0)
            return -1;
    } else {
        image_path(w, tree, &image);
        if (area_image_make(str_text(&image), bytes, w->owner, e) < 0 ||
            area_image_mount(str_text(&image), tree->dir, false, e) < 0)
            return -1;
    }
    tree->mounted = true;
    return 0;
}

static int keep_image(struct work *w, struct tree *tree, struct err *e)
{
    AUTO(str_done) struct str image = STR_INIT(WORK_PATH_MAX);
    AUTO(str_done) struct str kept = STR_INIT(WORK_PATH_MAX);
    image_path(w, tree, &image);
    cache_path(w->cache, tree->key, CACHE_IMAGE, &kept);
    /* Unmounted and mounted again rather than remounted: a writer that is still open somewhere
     * would make a remount fail, and the new mount has a read-only device below it. */
    area_unmount(tree->dir);
    tree->mounted = false;
    if (cache_add(w->cache, tree, str_text(&image), CACHE_IMAGE, e) < 0 ||
        area_image_mount(str_text(&kept), tree->dir, true, e) < 0)
        return -1;
    tree->mounted = true;
    return 0;
}

int work_tree_keep(struct work *w, struct tree *tree, struct err *e)
{
    AUTO(str_done) struct str kept = STR_INIT(WORK_PATH_MAX);
    cache_make_room(w->cache, WORK_CACHE_BYTES);
    switch (w->kind) {
    case TREE_IMAGE:
        return keep_image(w, tree, e);
    case TREE_MEMORY:
        return area_make_read_only(tree->dir, e);
    case TREE_DIRECTORY:
        cache_path(w->cache, tree->key, CACHE_TREE, &kept);
        if (cache_add(w->cache, tree, tree->dir, CACHE_TREE, e) < 0)
            return -1;
        return join(tree->dir, w->cache, kept.at + strlen(w->cache) + 1, e);
    }
    return -1;
}

void work_tree_done(struct tree *tree)
{
    if (tree->mounted)
        area_unmount(tree->dir);
    tree->mounted = false;
}

/* --- fresh copies ----------------------------------------------------------------------------
 */

static int copy_tree(const char *from, const char *to, struct err *e)
{
    AUTO(child_done) struct child c = CHILD_INIT;
    AUTO(str_done) struct str inside = STR_INIT(WORK_PATH_MAX);
    str_addf(&inside, "%s/.", from);
    const char *argv[] = {"/bin/cp", "-a", "--reflink=auto", "--", str_text(&inside), to, NULL};
    struct child_spec spec = {.argv = argv, .in = -1, .out = -1, .err = -1};
    int status = -1;
    if (child_start(&c, &spec, e) < 0)
        return -1;
    if (!child_wait(&c, clock_now_ns() + COPY_WITHIN_NS, &status) || status != 0)
        return err_set(e, ERR_SYSTEM, "cannot copy '%s'", from);
    return 0;
}

int work_fresh_open(const struct work *w, const struct tree *tree, int64_t bytes,
                    const char *name, bool strict, struct work_fresh *out, struct err *e)
{
    char scratch[WORK_NAME_MAX + 16];
    *out = (struct work_fresh){0};
    if (w->kind == TREE_DIRECTORY && !strict) {
        (void)snprintf(out->dir, sizeof out->dir, "%s", tree->dir);
        return 0;
    }
    (void)snprintf(scratch, sizeof scratch, "scratch-%s", name);
    if (make_place(w, name, out->dir, e) < 0)
        return -1;
    if (w->kind == TREE_DIRECTORY) {
        out->copied = true;
        return copy_tree(tree->dir, out->dir, e);
    }
    if (make_place(w, scratch, out->scratch, e) < 0 ||
        area_overlay_mount(w->space, tree->dir, out->scratch, out->dir, bytes, w->owner, e) < 0)
        return -1;
    out->mounted = true;
    return 0;
}

int work_empty_open(const struct work *w, int64_t bytes, const char *name,
                    struct work_fresh *out, struct err *e)
{
    *out = (struct work_fresh){0};
    if (make_place(w, name, out->dir, e) < 0)
        return -1;
    if (w->kind == TREE_DIRECTORY) {
        out->copied = true;
        return give_away(w, out->dir, e);
    }
    if (area_tmpfs_mount(out->dir, bytes, w->owner, e) < 0)
        return -1;
    out->mounted = true;
    return 0;
}

void work_fresh_close(struct work_fresh *f)
{
    if (f->mounted)
        area_unmount(f->dir);
    if (f->mounted && f->scratch[0])
        area_unmount(f->scratch);
    if (f->copied)
        (void)fdio_remove_tree(f->dir, NULL);
    *f = (struct work_fresh){0};
}
