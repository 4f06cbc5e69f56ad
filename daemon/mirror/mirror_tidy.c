/* SPDX-License-Identifier: MIT */
/*
 * mirror_tidy: keeps the number of packs small; see mirror.h.
 *
 * Every fetch with news leaves a pack, and each of them is looked into for every object.
 * libgit2 can only pack everything anew, so git does it, which must not throw unreachable
 * objects away: commits that a force-push replaced are still bases and points. A geometric
 * repack joins small packs as they are.
 */
#include <dirent.h>

#include "child.h"
#include "mirror_own.h"

enum { PACKS_MAX = 30, SAID_BYTES_MAX = 512 };

static int count_packs(const char *path)
{
    AUTO(str_done) struct str folder = STR_INIT(4096);
    int n = 0;
    str_addf(&folder, "%s/objects/pack", path);
    DIR *dir = opendir(str_text(&folder));
    if (!dir)
        return 0;
    for (struct dirent *d; (d = readdir(dir));)
        n += view_ends(view_z(d->d_name), ".pack");
    closedir(dir);
    return n;
}

int mirror_tidy(struct mirror *m, int64_t deadline_ns, struct err *e)
{
    static const char *const envp[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C",
                                       "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                                       NULL};
    const char *const argv[] = {"git",       "--git-dir",     m->path, "-c",
                                "gc.auto=0", "repack",        "-d",    "-q",
                                "-n",        "--geometric=2", NULL};
    AUTO(str_done) struct str said = STR_INIT(SAID_BYTES_MAX);
    int status = 0;
    if (count_packs(m->path) <= PACKS_MAX)
        return 0;
    if (child_run(&(struct child_spec){.argv = argv, .envp = envp}, &said, deadline_ns, &status,
                  e) < 0)
        return err_ctx(e, "tidy '%s'", m->path);
    if (status != 0)
        return err_set(e, ERR_SYSTEM, "tidy '%s': git repack: status %d: %s", m->path, status,
                       str_text(&said));
    return 0;
}
