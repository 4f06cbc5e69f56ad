/* SPDX-License-Identifier: MIT */
/* mirror: see mirror.h. Reading happens in this process, fetching in mirror_child.c. */
#include "mirror.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "mirror_own.h"

enum { WORDS_MAX = MIRROR_PATTERNS_MAX + 16 };

#define LOOK_UP_NS (200 * CLOCK_NS_PER_MS)

/* Files are opened without asking who owns them: a mirror is ours, and a remote that is a path
 * was named by the operator. */
static void start_once(void)
{
    (void)git_libgit2_init();
    for (int level = GIT_CONFIG_LEVEL_PROGRAMDATA; level <= GIT_CONFIG_LEVEL_GLOBAL; level++)
        (void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    (void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

void mirror_library_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start_once);
}

int mirror_fail(struct err *e, int code, const char *fmt, ...)
{
    char what[ERR_TEXT_MAX / 2];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);

    const git_error *said = git_error_last();
    int class = said ? said->klass : GIT_ERROR_NONE;
    enum err_kind kind = ERR_SYSTEM;
    if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
        kind = ERR_NOT_FOUND;
    if (class == GIT_ERROR_NET || class == GIT_ERROR_SSH || class == GIT_ERROR_HTTP ||
        class == GIT_ERROR_SSL || code == GIT_EAUTH)
        kind = ERR_AWAY;
    return err_set(e, kind, "%s: %s", what, said ? said->message : "no reason given");
}

int mirror_parse_oid(const char *hex, git_oid *out, struct err *e)
{
    if (strlen(hex) != GIT_OID_HEXSZ || git_oid_fromstr(out, hex) < 0)
        return err_set(e, ERR_INPUT, "'%s' is not an object id of a SHA-1 repository", hex);
    return 0;
}

int mirror_object_size(struct mirror *m, const git_oid *id, int64_t *out, struct err *e)
{
    git_odb *odb = NULL;
    git_object_t type;
    size_t size = 0;
    int code = git_repository_odb(&odb, m->repo);
    if (code == 0)
        code = git_odb_read_header(&size, &type, odb, id);
    git_odb_free(odb);
    if (code < 0)
        return mirror_fail(e, code, "look at an object");
    *out = (int64_t)size;
    return 0;
}

int mirror_open(const char *path, struct mirror **out, struct err *e)
{
    mirror_library_start();
    git_repository *repo = NULL;
    int code = git_repository_open_bare(&repo, path);
    if (code == GIT_ENOTFOUND)
        code = git_repository_init(&repo, path, 1);
    if (code < 0)
        return mirror_fail(e, code, "open mirror '%s'", path);
    struct mirror *m = mem_zero(1, sizeof *m);
    m->path = mem_strdup(path);
    m->repo = repo;
    *out = m;
    return 0;
}

void mirror_closep(struct mirror **m)
{
    if (!*m)
        return;
    git_repository_free((*m)->repo);
    free((*m)->path);
    free(*m);
    *m = NULL;
}

/* --- fetch -------------------------------------------------------------------------------- */

struct words {
    char *at[WORDS_MAX + 1];
    size_t len;
};

static void words_done(struct words *w)
{
    for (size_t i = 0; i < w->len; i++)
        free(w->at[i]);
}

static void add_word(struct words *w, const char *name, const char *value)
{
    struct str word = STR_INIT(8192);
    if (!value || w->len == WORDS_MAX)
        return;
    str_addf(&word, "%s%s%s", name, name[0] ? "=" : "", value);
    w->at[w->len++] = str_steal(&word);
}

static void make_words(struct words *w, const struct mirror *m, const struct mirror_source *src)
{
    char bytes[24];
    (void)snprintf(bytes, sizeof bytes, "%" PRId64, src->bytes_max);
    add_word(w, "", "/proc/self/exe");
    add_word(w, "", MIRROR_WORD);
    add_word(w, "path", m->path);
    add_word(w, "url", src->url);
    add_word(w, "user", src->user);
    add_word(w, "token_file", src->token_file);
    add_word(w, "ssh_key", src->ssh_key);
    add_word(w, "ssh_host_key", src->ssh_host_key);
    add_word(w, "ca_file", src->ca_file);
    if (src->bytes_max > 0)
        add_word(w, "bytes_max", bytes);
    for (const char *const *p = src->patterns; *p; p++)
        add_word(w, "pattern", *p);
}

static int child_verdict(int status, const struct str *said, bool *out_moved, struct err *e)
{
    if (status == MIRROR_SAME || status == MIRROR_MOVED) {
        if (out_moved)
            *out_moved = status == MIRROR_MOVED;
        return 0;
    }
    if (status > MIRROR_FAILED && status <= MIRROR_FAILED + ERR_LIMIT)
        return err_set(e, (enum err_kind)(status - MIRROR_FAILED), "%s", str_text(said));
    return err_set(e, ERR_SYSTEM, "ended with status %d: %s", status, str_text(said));
}

/* Looks up now and then, so that a daemon that stops need not wait for a slow remote. */
static int wait_for(struct child *c, const struct mirror_source *source, int64_t deadline_ns,
                    int *status, struct err *e)
{
    for (;;) {
        int64_t next = clock_now_ns() + LOOK_UP_NS;
        if (child_wait(c, next < deadline_ns ? next : deadline_ns, status))
            return 0;
        if (source->stopping && atomic_load(source->stopping))
            return err_set(e, ERR_CONFLICT, "stopped");
        if (clock_now_ns() >= deadline_ns)
            return err_set(e, ERR_TIMEOUT, "not done in time");
    }
}

/* What the child says is shorter than a pipe is long, so it is read when it has ended. */
static int run_child(const struct words *w, const struct mirror_source *source,
                     int64_t deadline_ns, int *status, struct str *said, struct err *e)
{
    int ends[2];
    if (fdio_pipe(ends, e) < 0)
        return -1;
    AUTO(fdio_closep) int read_end = ends[0];
    AUTO(fdio_closep) int write_end = ends[1];
    AUTO(child_done) struct child c = CHILD_INIT;
    struct child_spec spec = {
        .argv = (const char *const *)w->at, .out = write_end, .err = STDERR_FILENO};
    if (child_start(&c, &spec, e) < 0)
        return -1;
    fdio_closep(&write_end);
    if (wait_for(&c, source, deadline_ns, status, e) < 0)
        return -1;
    return fdio_read_all(read_end, said, e);
}

/* The kept child takes what fits into a packet. Authorities are libgit2's for a whole process,
 * so a remote with its own gets a child of its own. */
static int run(const struct words *w, const struct mirror_source *source, int64_t deadline_ns,
               int *status, struct str *said, struct err *e)
{
    AUTO(str_done) struct str request = STR_INIT(MIRROR_REQUEST_MAX);
    for (size_t i = 2; i < w->len; i++)
        str_add(&request, (struct view){w->at[i], strlen(w->at[i]) + 1});
    if (!source->fetcher || source->ca_file || request.cut)
        return run_child(w, source, deadline_ns, status, said, e);
    return mirror_fetcher_ask(source->fetcher, str_view(&request), source, deadline_ns, status,
                              said, e);
}

int mirror_fetch(struct mirror *m, const struct mirror_source *source, int64_t deadline_ns,
                 bool *out_moved, struct err *e)
{
    AUTO(words_done) struct words w = {0};
    AUTO(str_done) struct str said = STR_INIT(ERR_TEXT_MAX);
    int status = 0;
    make_words(&w, m, source);
    if (run(&w, source, deadline_ns, &status, &said, e) < 0 ||
        child_verdict(status, &said, out_moved, e) < 0)
        return err_ctx(e, "fetch '%s'", source->url);
    return 0;
}

/* --- references --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mirror_ref *)a)->name, ((const struct mirror_ref *)b)->name);
}

/* References that do not lead to a commit are passed over. */
static void add_ref(git_repository *repo, const char *name, struct mirror_refs *out)
{
    git_reference *ref = NULL;
    git_object *commit = NULL;
    if (strlen(name) <= MIRROR_REF_MAX && git_reference_lookup(&ref, repo, name) == 0 &&
        git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) == 0) {
        struct mirror_ref *r = vec_push(&out->refs);
        (void)snprintf(r->name, sizeof r->name, "%s", name);
        (void)git_oid_tostr(r->sha, sizeof r->sha, git_object_id(commit));
    }
    git_object_free(commit);
    git_reference_free(ref);
}

static bool is_mark(const struct mirror_ref *r)
{
    return view_starts(view_z(r->name), MIRROR_OWN);
}

static int by_mark(const void *key, const void *ref)
{
    const struct mirror_ref *mark = key, *r = ref;
    int order = strncmp("refs/", r->name, strlen("refs/"));
    return order ? order : strcmp(mark->name + strlen(MIRROR_OWN), r->name + strlen("refs/"));
}

/* From references of ours to what they say of others. */
static void take_marks(struct mirror_refs *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->refs.len; i++) {
        const struct mirror_ref *mark = &out->refs.at[i];
        struct mirror_ref *r =
            is_mark(mark) ? bsearch(mark, out->refs.at, out->refs.len, sizeof *r, by_mark)
                          : NULL;
        if (r)
            r->is_own = strcmp(r->sha, mark->sha) == 0;
    }
    for (size_t i = 0; i < out->refs.len; i++)
        if (!is_mark(&out->refs.at[i]))
            out->refs.at[kept++] = out->refs.at[i];
    out->refs.len = kept;
}

int mirror_list_refs(struct mirror *m, struct mirror_refs *out, struct err *e)
{
    git_strarray names = {0};
    int code = git_reference_list(&names, m->repo);
    if (code < 0)
        return mirror_fail(e, code, "list references of '%s'", m->path);
    for (size_t i = 0; i < names.count; i++)
        add_ref(m->repo, names.strings[i], out);
    git_strarray_dispose(&names);
    if (out->refs.len)
        qsort(out->refs.at, out->refs.len, sizeof *out->refs.at, by_name);
    take_marks(out);
    return 0;
}

void mirror_refs_done(struct mirror_refs *r)
{
    vec_done(&r->refs);
}
