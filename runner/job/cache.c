/* SPDX-License-Identifier: MIT */
/*
 * cache: see cache.h. KEY.meta is one line: version, digest, bytes, files, build time. Its time
 * of change is the entry's last use.
 */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fdio.h"
#include "mem.h"
#include "opt.h"
#include "vec.h"
#include "work.h"

enum { META_MAX = 512, CACHE_ENTRIES_MAX = 10000, CACHE_STRAY_S = 3600 };

void cache_path(const char *dir, const char *key, const char *kind, struct str *out)
{
    str_addf(out, "%s/%s.%s", dir, key, kind);
}

static bool take_int(struct view *rest, int64_t *out)
{
    struct view one;
    (void)view_cut(*rest, ' ', &one, rest);
    return opt_int(view_trim(one), 0, INT64_MAX, out, NULL) == 0;
}

static bool read_meta(const char *dir, struct tree *tree)
{
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    AUTO(str_done) struct str meta = STR_INIT(META_MAX);
    int64_t version;
    struct view hex;
    struct artefact a = {0};
    cache_path(dir, tree->key, CACHE_META, &path);
    if (fdio_read_file(str_text(&path), &meta, NULL) < 0)
        return false;
    struct view rest = str_view(&meta);
    if (!take_int(&rest, &version) || version != 1)
        return false;
    (void)view_cut(rest, ' ', &hex, &rest);
    if (!view_hex(hex, a.digest, DIGEST_BYTES) || hex.len != DIGEST_HEX ||
        !take_int(&rest, &a.bytes) || !take_int(&rest, &a.files) ||
        !take_int(&rest, &tree->build_ns))
        return false;
    tree->artefact = a;
    return true;
}

bool cache_find(const char *dir, struct tree *tree)
{
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    if (!read_meta(dir, tree))
        return false;
    cache_path(dir, tree->key, CACHE_META, &path);
    (void)utimensat(AT_FDCWD, str_text(&path), NULL, 0);
    tree->present = tree->cached = true;
    return true;
}

static int sync_file(const char *path, struct err *e)
{
    AUTO(fdio_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fsync(fd) < 0)
        return err_errno(e, "write '%s' to disk", path);
    return 0;
}

int cache_add(const char *dir, const struct tree *tree, const char *from, const char *kind,
              struct err *e)
{
    AUTO(str_done) struct str to = STR_INIT(WORK_PATH_MAX);
    AUTO(str_done) struct str meta = STR_INIT(META_MAX);
    AUTO(str_done) struct str text = STR_INIT(META_MAX);
    cache_path(dir, tree->key, kind, &to);
    cache_path(dir, tree->key, CACHE_META, &meta);
    cache_forget(dir, tree->key);
    /* The content reaches the disk before its name does, so a power cut leaves no half build.
     */
    if (sync_file(from, e) < 0)
        return -1;
    if (rename(from, str_text(&to)) < 0)
        return err_errno(e, "move '%s' into the cache", from);
    str_addz(&text, "1 ");
    str_add_hex(&text, tree->artefact.digest, DIGEST_BYTES);
    str_addf(&text, " %lld %lld %lld\n", (long long)tree->artefact.bytes,
             (long long)tree->artefact.files, (long long)tree->build_ns);
    return fdio_write_file(str_text(&meta), str_view(&text), 0600, e);
}

void cache_forget(const char *dir, const char *key)
{
    static const char *const kinds[] = {CACHE_META, CACHE_IMAGE, CACHE_TREE};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
        cache_path(dir, key, kinds[i], &path);
        (void)fdio_remove_tree(str_text(&path), NULL);
    }
}

/* --- space -----------------------------------------------------------------------------------
 */

struct entry {
    char *key;
    int64_t bytes;
    time_t used;
    bool whole; /* has its meta file */
};

struct entries {
    VEC(struct entry) at;
};

static void entries_done(struct entries *list)
{
    for (size_t i = 0; i < list->at.len; i++)
        free(list->at.at[i].key);
    vec_done(&list->at);
}

static struct entry *entry_of(struct entries *list, struct view key)
{
    for (size_t i = 0; i < list->at.len; i++)
        if (view_eqz(key, list->at.at[i].key))
            return &list->at.at[i];
    struct entry *e = vec_push(&list->at);
    e->key = mem_strndup(key.at, key.len);
    return e;
}

/* What a directory holds is not counted file by file: its meta file says how large it is. */
static void read_entries(const char *dir, struct entries *out)
{
    DIR *d = opendir(dir);
    struct dirent *name;
    while (d && (name = readdir(d)) && out->at.len < CACHE_ENTRIES_MAX) {
        struct view key;
        struct view kind;
        struct stat st;
        if (!view_cut(view_z(name->d_name), '.', &key, &kind) || key.len != DIGEST_HEX ||
            fstatat(dirfd(d), name->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        struct entry *e = entry_of(out, key);
        bool is_meta = view_eqz(kind, CACHE_META);
        e->whole = e->whole || is_meta;
        e->bytes += (int64_t)st.st_blocks * 512;
        if (is_meta || !e->used)
            e->used = st.st_mtime;
        if (view_eqz(kind, CACHE_TREE)) {
            struct tree tree = {0};
            memcpy(tree.key, key.at, DIGEST_HEX);
            e->bytes += read_meta(dir, &tree) ? tree.artefact.bytes : 0;
        }
    }
    if (d)
        closedir(d);
}

static int by_use(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return (x->used > y->used) - (x->used < y->used);
}

void cache_make_room(const char *dir, int64_t bytes)
{
    AUTO(entries_done) struct entries list = {0};
    int64_t used = 0;
    read_entries(dir, &list);
    for (size_t i = 0; i < list.at.len; i++)
        used += list.at.at[i].bytes;
    if (used > bytes)
        qsort(list.at.at, list.at.len, sizeof list.at.at[0], by_use);
    for (size_t i = 0; i < list.at.len && used > bytes; i++) {
        cache_forget(dir, list.at.at[i].key);
        used -= list.at.at[i].bytes;
    }
}

void cache_sweep(const char *dir)
{
    AUTO(entries_done) struct entries list = {0};
    read_entries(dir, &list);
    for (size_t i = 0; i < list.at.len; i++)
        if (!list.at.at[i].whole && time(NULL) - list.at.at[i].used > CACHE_STRAY_S)
            cache_forget(dir, list.at.at[i].key);
}
