/* SPDX-License-Identifier: MIT */
/* spool: see spool.h. A file is "url LF socket LF token LF result"; an empty socket is none. */
#include "spool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "result_doc.h"

enum { SPOOL_HEAD_MAX = 4096, SPOOL_AGE_MAX_S = 7 * 86400, SPOOL_FILES_MAX = 256 };

#define SPOOL_SUFFIX     ".result"
#define SPOOL_TIMEOUT_NS (30 * CLOCK_NS_PER_S)

int spool_keep(const char *dir, int64_t job, int64_t attempt, const struct link_address *to,
               struct view result, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(RESULT_DOC_BYTES_MAX + SPOOL_HEAD_MAX);
    AUTO(str_done) struct str path = STR_INIT(4096);
    if (fdio_make_dirs(dir, 0700, e) < 0)
        return -1;
    str_addf(&text, "%s\n%s\n%s\n", to->url, to->socket ? to->socket : "", to->token);
    str_add(&text, result);
    str_addf(&path, "%s/%lld-%lld" SPOOL_SUFFIX, dir, (long long)job, (long long)attempt);
    if (text.cut || path.cut)
        return err_set(e, ERR_LIMIT, "the result is too large to keep");
    return fdio_write_file(str_text(&path), str_view(&text), 0600, e);
}

enum fate { FATE_DELIVERED, FATE_DROPPED, FATE_KEPT };

static enum fate deliver_text(struct view text)
{
    struct view line[3];
    char *part[3] = {0};
    enum fate fate = FATE_DROPPED;
    for (size_t i = 0; i < ARRAY_LEN(line); i++)
        if (!view_cut(text, '\n', &line[i], &text))
            return FATE_DROPPED;
    for (size_t i = 0; i < ARRAY_LEN(line); i++)
        part[i] = mem_strndup(line[i].at, line[i].len);
    struct link_address to = {
        .url = part[0], .socket = *part[1] ? part[1] : NULL, .token = part[2]};
    struct link *l = NULL;
    struct err e = {0};
    if (link_open(&to, &l, &e) < 0)
        fate = FATE_KEPT;
    else if (link_result(l, text, clock_now_ns() + CLOCK_NS_PER_MS, &e) == 0)
        fate = FATE_DELIVERED;
    else if (e.kind == ERR_AWAY)
        fate = FATE_KEPT;
    link_freep(&l);
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        free(part[i]);
    return fate;
}

static enum fate deliver_file(const char *path)
{
    struct stat st;
    AUTO(str_done) struct str text = STR_INIT(RESULT_DOC_BYTES_MAX + SPOOL_HEAD_MAX);
    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
        time(NULL) - st.st_mtime > SPOOL_AGE_MAX_S)
        return FATE_DROPPED;
    if (fdio_read_file(path, &text, NULL) < 0)
        return FATE_KEPT;
    return deliver_text(str_view(&text));
}

void spool_deliver(const char *dir, struct spool_count *out)
{
    int64_t deadline = clock_now_ns() + SPOOL_TIMEOUT_NS;
    *out = (struct spool_count){0};
    DIR *d = opendir(dir);
    struct dirent *entry;
    for (int i = 0; d && i < SPOOL_FILES_MAX && (entry = readdir(d)); i++) {
        if (!view_ends(view_z(entry->d_name), SPOOL_SUFFIX) || clock_now_ns() > deadline)
            continue;
        AUTO(str_done) struct str path = STR_INIT(4096);
        str_addf(&path, "%s/%s", dir, entry->d_name);
        enum fate fate = deliver_file(str_text(&path));
        out->delivered += fate == FATE_DELIVERED;
        out->dropped += fate == FATE_DROPPED;
        out->kept += fate == FATE_KEPT;
        if (fate != FATE_KEPT)
            (void)unlink(str_text(&path));
    }
    if (d)
        closedir(d);
}
