/* SPDX-License-Identifier: MIT */
/*
 * mirror_child: the fetch itself, in a process that may be killed at any moment.
 *
 * Arguments are name=value words, so the program needs no second reader; secrets are named by
 * their files and never stand there. The answer is the exit status and one line of text on
 * standard output. A child that is kept gets such words in packets and answers in packets.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fdio.h"
#include "mirror_own.h"
#include "opt.h"

enum { DEPTH_MAX = 16 };

#define BYTES_MAX_DEFAULT (INT64_C(2) << 30)
#define DISK_FREE_LEAST   (INT64_C(64) << 20)

struct request {
    const char *path, *ca_file;
    struct remote_access access;
    char *patterns[MIRROR_PATTERNS_MAX];
    size_t patterns_len;
    bool moved; /* anything of ours */
};

static int read_word(struct request *rq, char *word, struct err *e)
{
    char *value = strchr(word, '=');
    if (!value)
        return err_set(e, ERR_INPUT, "'%s' is not a name=value word", word);
    struct view name = {word, (size_t)(value++ - word)};
    if (view_eqz(name, "bytes_max"))
        return opt_int(view_z(value), 1, INT64_MAX, &rq->access.bytes_max, e);
    if (view_eqz(name, "pattern")) {
        if (rq->patterns_len == MIRROR_PATTERNS_MAX)
            return err_set(e, ERR_LIMIT, "more than %d patterns", MIRROR_PATTERNS_MAX);
        rq->patterns[rq->patterns_len++] = value;
        return 0;
    }
    struct {
        const char *name;
        const char **out;
    } texts[] = {
        {"path", &rq->path},
        {"url", &rq->access.url},
        {"user", &rq->access.user},
        {"token_file", &rq->access.token_file},
        {"ssh_key", &rq->access.ssh_key},
        {"ssh_host_key", &rq->access.ssh_host_key},
        {"ca_file", &rq->ca_file},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (view_eqz(name, texts[i].name)) {
            *texts[i].out = value;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "unknown word '%s'", word);
}

static int read_request(struct request *rq, char **words, int n, struct err *e)
{
    rq->access.bytes_max = BYTES_MAX_DEFAULT;
    for (int i = 0; i < n; i++)
        if (read_word(rq, words[i], e) < 0)
            return -1;
    if (!rq->path || !rq->access.url)
        return err_set(e, ERR_INPUT, "path and url are needed");
    return remote_check_url(&rq->access, e);
}

/* --- what a killed fetch leaves behind ---------------------------------------------------- */

static bool is_leftover(const char *name)
{
    return view_starts(view_z(name), "pack_git2_") || view_starts(view_z(name), "tmp_") ||
           view_ends(view_z(name), ".lock");
}

/* Half-written packs and the locks of references, which would stop every later fetch. */
static void remove_leftovers(const char *path, int depth)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *d; (d = readdir(dir));) {
        AUTO(str_done) struct str full = STR_INIT(4096);
        if (d->d_name[0] == '.')
            continue;
        str_addf(&full, "%s/%s", path, d->d_name);
        if (d->d_type == DT_DIR && depth > 0)
            remove_leftovers(str_text(&full), depth - 1);
        else if (d->d_type == DT_REG && is_leftover(d->d_name))
            (void)unlink(str_text(&full));
    }
    closedir(dir);
}

static int clean_up(const char *path, struct err *e)
{
    static const struct {
        const char *folder;
        int depth;
    } places[] = {{"", 0}, {"/refs", DEPTH_MAX}, {"/objects/pack", 0}};
    struct statvfs disk;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        AUTO(str_done) struct str full = STR_INIT(4096);
        str_addf(&full, "%s%s", path, places[i].folder);
        remove_leftovers(str_text(&full), places[i].depth);
    }
    if (statvfs(path, &disk) < 0)
        return err_errno(e, "%s", path);
    if ((int64_t)disk.f_bavail * (int64_t)disk.f_frsize < DISK_FREE_LEAST)
        return err_set(e, ERR_LIMIT, "less than 64 MiB free at '%s'", path);
    return 0;
}

/* --- fetching ----------------------------------------------------------------------------- */

/* An own complaint says more than what libgit2 makes of it. */
static int explain(const struct request *rq, int code, const char *doing, struct err *e)
{
    if (rq->access.e->kind == ERR_NONE)
        return mirror_fail(e, code, "%s", doing);
    if (e != rq->access.e)
        *e = *rq->access.e;
    return -1;
}

static bool is_there(git_repository *repo, const struct wanted *w)
{
    git_oid have;
    return git_reference_name_to_id(&have, repo, w->name) == 0 && git_oid_equal(&have, &w->id);
}

/* The sort by importance also decides the order of the refspecs. Always with '+': without it a
 * rewritten branch stays where it is and nobody is told. */
static int fetch_moved(git_repository *repo, git_remote *remote, const struct wanted_list *want,
                       struct request *rq, struct err *e)
{
    VEC(char *) specs = {0};
    git_fetch_options options;
    (void)git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    for (size_t i = 0; i < want->refs.len; i++) {
        const struct wanted *w = &want->refs.at[i];
        if (is_there(repo, w))
            continue;
        struct str spec = STR_INIT(2 * MIRROR_REF_MAX + 8);
        str_addf(&spec, "+%s:%s", w->name, w->name);
        *vec_push(&specs) = str_steal(&spec);
    }
    remote_callbacks(&rq->access, &options.callbacks);
    options.prune = GIT_FETCH_NO_PRUNE;
    options.update_fetchhead = 0;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    rq->access.asked = 0;

    int code = 0;
    rq->moved |= specs.len > 0;
    if (specs.len)
        code = git_remote_fetch(remote, &(git_strarray){specs.at, specs.len}, &options, NULL);
    for (size_t i = 0; i < specs.len; i++)
        free(specs.at[i]);
    vec_done(&specs);
    return code < 0 ? explain(rq, code, "fetch", e) : 0;
}

/* A reference that vanished or moved between listing and fetching: the next look gets it. */
static int check_arrived(git_repository *repo, const struct wanted_list *want, struct err *e)
{
    for (size_t i = 0; i < want->refs.len; i++)
        if (!is_there(repo, &want->refs.at[i]))
            return err_set(e, ERR_AWAY, "'%s' moved while it was fetched",
                           want->refs.at[i].name);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct wanted *)a)->name, ((const struct wanted *)b)->name);
}

static int to_name(const void *name, const void *w)
{
    return strcmp(name, ((const struct wanted *)w)->name);
}

/* Both what the remote has no more and marks of heads that are nobody's tip any more. */
static int remove_gone(git_repository *repo, struct wanted_list *want, struct request *rq,
                       struct err *e)
{
    git_strarray names = {0};
    int code = git_reference_list(&names, repo);
    if (code < 0)
        return mirror_fail(e, code, "list references");
    if (want->refs.len)
        qsort(want->refs.at, want->refs.len, sizeof *want->refs.at, by_name);
    for (size_t i = 0; i < names.count && code == 0; i++) {
        if (want->refs.len && bsearch(names.strings[i], want->refs.at, want->refs.len,
                                      sizeof *want->refs.at, to_name))
            continue;
        rq->moved = true;
        code = git_reference_remove(repo, names.strings[i]);
    }
    git_strarray_dispose(&names);
    return code < 0 ? mirror_fail(e, code, "remove a reference") : 0;
}

/* --- whose code a merge request brings ---------------------------------------------------- */

struct tips {
    VEC(git_oid) ids; /* of the remote's branches, all of them */
};

static int by_oid(const void *a, const void *b)
{
    return git_oid_cmp(a, b);
}

static void list_tips(const git_remote_head *const *heads, size_t n, struct tips *out)
{
    for (size_t i = 0; i < n; i++)
        if (view_starts(view_z(heads[i]->name), "refs/heads/"))
            *vec_push(&out->ids) = heads[i]->oid;
    if (out->ids.len)
        qsort(out->ids.at, out->ids.len, sizeof *out->ids.at, by_oid);
}

static bool is_tip(const struct tips *tips, const git_oid *id)
{
    return tips->ids.len &&
           bsearch(id, tips->ids.at, tips->ids.len, sizeof *tips->ids.at, by_oid);
}

/* The marks join what is wanted, so that those of yesterday go with what is gone. */
static int mark_own(git_repository *repo, struct wanted_list *want, const struct tips *tips,
                    struct request *rq, struct err *e)
{
    size_t n = want->refs.len;
    for (size_t i = 0; i < n; i++) {
        struct wanted mark = want->refs.at[i];
        AUTO(str_done) struct str name = STR_INIT(MIRROR_REF_MAX);
        if (view_starts(view_z(mark.name), "refs/heads/") || !is_tip(tips, &mark.id))
            continue;
        str_addf(&name, MIRROR_OWN "%s", mark.name + strlen("refs/"));
        if (name.cut)
            continue;
        memcpy(mark.name, name.at, name.len + 1);
        *vec_push(&want->refs) = mark;
        if (is_there(repo, &mark))
            continue;
        git_reference *made = NULL;
        int code = git_reference_create(&made, repo, mark.name, &mark.id, true, NULL);
        git_reference_free(made);
        if (code < 0)
            return mirror_fail(e, code, "mark '%s'", mark.name);
        rq->moved = true;
    }
    return 0;
}

static int list_and_fetch(git_repository *repo, git_remote *remote, struct request *rq,
                          struct err *e)
{
    git_remote_connect_options options;
    (void)git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    const git_remote_head **heads = NULL;
    size_t n = 0;
    struct wanted_list want = {0};
    struct tips tips = {0};
    remote_callbacks(&rq->access, &options.callbacks);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int code = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options);
    if (code < 0)
        return explain(rq, code, "connect", e);
    code = git_remote_ls(&heads, &n, remote);
    if (code < 0)
        return explain(rq, code, "list the remote's references", e);
    mirror_select(heads, n, rq->patterns, rq->patterns_len, MIRROR_REFS_MAX, &want);
    list_tips(heads, n, &tips);
    int rc = fetch_moved(repo, remote, &want, rq, e);
    if (rc == 0)
        rc = check_arrived(repo, &want, e);
    if (rc == 0)
        rc = mark_own(repo, &want, &tips, rq, e);
    if (rc == 0)
        rc = remove_gone(repo, &want, rq, e);
    vec_done(&want.refs);
    vec_done(&tips.ids);
    return rc;
}

static int fetch(struct request *rq, struct err *e)
{
    git_repository *repo = NULL;
    git_remote *remote = NULL;
    struct err own = {0};
    rq->access.e = &own;
    if (rq->ca_file)
        (void)git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, rq->ca_file, NULL);
    int code = git_repository_open_bare(&repo, rq->path);
    if (code < 0)
        return mirror_fail(e, code, "open '%s'", rq->path);
    code = git_remote_create_anonymous(&remote, repo, rq->access.url);
    int rc = code < 0 ? mirror_fail(e, code, "remote") : list_and_fetch(repo, remote, rq, e);
    git_remote_free(remote);
    git_repository_free(repo);
    rq->access.e = NULL;
    return rc;
}

static int answer(char **words, int n, struct err *e)
{
    struct request rq = {0};
    if (read_request(&rq, words, n, e) == 0 && clean_up(rq.path, e) == 0 && fetch(&rq, e) == 0)
        return rq.moved ? MIRROR_MOVED : MIRROR_SAME;
    return MIRROR_FAILED + (int)e->kind;
}

/* --- the program -------------------------------------------------------------------------- */

/* The words of a packet, each with a NUL behind it. */
static int split(char *packet, size_t len, char **words, int max)
{
    int n = 0;
    for (char *at = packet; at < packet + len && n < max; at += strlen(at) + 1)
        words[n++] = at;
    return n;
}

/* Until nobody asks any more. */
static void serve(void)
{
    static char packet[MIRROR_REQUEST_MAX + 1];
    for (;;) {
        ssize_t len = recv(STDIN_FILENO, packet, sizeof packet - 1, 0);
        char *words[MIRROR_PATTERNS_MAX + 16], said[1 + ERR_TEXT_MAX];
        struct err e = {0};
        if (len <= 0)
            return;
        packet[len] = '\0';
        said[0] = (char)answer(words, split(packet, (size_t)len, words, ARRAY_LEN(words)), &e);
        size_t n = strlen(e.text);
        memcpy(said + 1, e.text, n);
        if (send(STDOUT_FILENO, said, 1 + n, MSG_NOSIGNAL) < 0)
            return;
    }
}

/* Leaves by _exit: there is nothing to tidy, and libgit2 1.5 leaks a little by itself, which
 * leak checkers would turn into another exit status. */
int mirror_child_main(int argc, char **argv)
{
    struct err e = {0};
    mirror_library_start();
    if (argc == 3 && strcmp(argv[2], MIRROR_SERVE) == 0) {
        serve();
        _exit(0);
    }
    int status = answer(argv + 2, argc - 2, &e);
    (void)fdio_write_all(STDOUT_FILENO, view_z(e.text), NULL);
    _exit(status);
}
