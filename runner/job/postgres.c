/* SPDX-License-Identifier: MIT */
/*
 * postgres: see postgres.h.
 *
 * The template is cached like a build. Its key is all that goes into it: the server's version,
 * the 'services' of the spec, and the tree that the seed comes from.
 */
#include "postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "foreign.h"

enum { SEED_BYTES_MAX = 256 << 20, VERSION_BYTES_MAX = 200, HELLO_BYTES_MAX = 256 };

#define VERSION_WITHIN_NS (10 * CLOCK_NS_PER_S)
#define SETUP_TMP_BYTES   (INT64_C(64) << 20)
#define SEED_FILE         "seed.sql"

/* Not pg_ctl for the arms: there the server itself is the child that is watched. */
static const char setup_script[] =
    "cd \"$AREA\"\n"
    "\"$BIN/initdb\" -D data -U " POSTGRES_USER " --auth=trust --no-sync --no-instructions"
    " -E UTF8 --locale=C >/dev/null\n"
    "\"$BIN/pg_ctl\" -D data -w -s -l /dev/null -o \"-c listen_addresses='' -k $AREA"
    " -c fsync=off -c full_page_writes=off\" start\n"
    "\"$BIN/createdb\" -h \"$AREA\" -U " POSTGRES_USER " \"$DATABASE\"\n"
    "[ ! -e " SEED_FILE " ] || \"$BIN/psql\" -h \"$AREA\" -U " POSTGRES_USER
    " -X -q -v ON_ERROR_STOP=1 -f " SEED_FILE " \"$DATABASE\" >/dev/null\n"
    "\"$BIN/vacuumdb\" -h \"$AREA\" -U " POSTGRES_USER " -q -z \"$DATABASE\"\n"
    "\"$BIN/pg_ctl\" -D data -w -s -m fast stop\n"
    "rm -f " SEED_FILE "\n";

static void bin_path(const struct spec_service *s, const char *program, struct str *out)
{
    str_addf(out, "/usr/lib/postgresql/%lld/bin%s%s", (long long)s->version, program ? "/" : "",
             program ? program : "");
}

static int read_version(struct job *j, const struct spec_service *s, struct str *out)
{
    struct err e = {0};
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    int status = -1;
    bin_path(s, "postgres", &path);
    if (!fdio_exists(str_text(&path)))
        return job_fail(j, FAILURE_INFRA, -1,
                        "service '%s': '%s' is not on this host; install Debian's "
                        "postgresql-%lld, or ask for a version that is there",
                        s->name, str_text(&path), (long long)s->version);
    const char *argv[] = {str_text(&path), "--version", NULL};
    if (child_run(&(struct child_spec){.argv = argv}, out, clock_now_ns() + VERSION_WITHIN_NS,
                  &status, &e) < 0 ||
        status != 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': '%s --version' fails: %s", s->name,
                        str_text(&path), e.text);
    struct view line = view_trim(str_view(out));
    out->len = line.len;
    out->at[out->len] = '\0';
    return 0;
}

static enum side seed_side(const struct job *j)
{
    return j->doc->side[SIDE_BASE].present ? SIDE_BASE : SIDE_HEAD;
}

static void make_key(struct job *j, const char *version)
{
    unsigned char services[DIGEST_BYTES];
    unsigned char digest[DIGEST_BYTES];
    AUTO(str_done) struct str how = STR_INIT(256);
    struct digest *d = digest_new();
    spec_services_digest(j->doc->spec, services);
    str_addf(&how, "postgres 1 owner=%u sandbox=%d", (unsigned)j->work.owner, j->doc->sandbox);
    digest_field(d, str_view(&how));
    digest_field(d, view_z(version));
    digest_field(d, (struct view){(const char *)services, sizeof services});
    digest_field(d, view_z(j->doc->side[seed_side(j)].tree));
    digest_end(d, digest);
    digest_freep(&d);
    digest_hex(digest, j->template.key);
}

/* The tree was written by foreign code: the seed is opened below it and through no link. */
static int copy_seed(struct job *j, const struct spec_service *s)
{
    struct err e = {0};
    const struct tree *from = &j->tree[seed_side(j)];
    AUTO(str_done) struct str text = STR_INIT(SEED_BYTES_MAX);
    AUTO(str_done) struct str to = STR_INIT(WORK_PATH_MAX);
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    if (!s->seed)
        return 0;
    AUTO(fdio_closep) int dir = open(from->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO(fdio_closep) int fd = (int)syscall(SYS_openat2, dir, s->seed, &how, sizeof how);
    if (fd < 0)
        return job_fail(j, FAILURE_CONFIG, -1, "service '%s': seed '%s' of %s: %s", s->name,
                        s->seed, side_names[seed_side(j)], strerror(errno));
    str_addf(&to, "%s/" SEED_FILE, j->template.dir);
    if (fdio_read_all(fd, &text, &e) < 0)
        return job_fail(j, FAILURE_CONFIG, -1, "service '%s': seed '%s': %s", s->name, s->seed,
                        e.text);
    if (fdio_write_file(str_text(&to), str_view(&text), 0644, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    return 0;
}

static int run_setup(struct job *j, const struct spec_service *s)
{
    struct err e = {0};
    AUTO(foreign_done) struct foreign f = FOREIGN_INIT;
    AUTO(str_done) struct str bin = STR_INIT(WORK_PATH_MAX);
    bin_path(s, NULL, &bin);
    const char *argv[] = {"/bin/sh", "-ec", setup_script, NULL};
    struct sandbox_var env[] = {
        {"BIN", str_text(&bin)},
        {"AREA", j->doc->sandbox ? "/job" : j->template.dir},
        {"DATABASE", s->database},
        {"LC_ALL", "C"},
    };
    struct sandbox_spec how = {
        .name = "template",
        .argv = argv,
        .env = env,
        .env_len = ARRAY_LEN(env),
        .area = j->template.dir,
        .off = !j->doc->sandbox,
        .memory = s->memory,
        .tasks = j->doc->spec->limits.tasks,
        .tmp = SETUP_TMP_BYTES,
        .file = j->doc->spec->limits.disk,
        .cpus = j->cpus.all_list,
    };
    int rc = foreign_run(j, &how, j->doc->spec->build.timeout_ns, &f, &e);
    job_post_log(j, "services-setup", str_view(&f.text));
    if (job_check_cancel(j) < 0)
        return -1;
    if (rc < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    if (foreign_ok(&f))
        return 0;
    return job_fail(j, FAILURE_CONFIG, -1, "service '%s': set-up%s%s %s", s->name,
                    s->seed ? " with seed " : "", s->seed ? s->seed : "", str_text(&f.how));
}

static int make_template(struct job *j, const struct spec_service *s)
{
    struct err e = {0};
    int64_t start = clock_now_ns();
    if (work_tree_make(&j->work, j->doc->spec->limits.disk, &j->template, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    if (copy_seed(j, s) < 0 || run_setup(j, s) < 0)
        return -1;
    j->template.build_ns = clock_now_ns() - start;
    if (work_tree_keep(&j->work, &j->template, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    return 0;
}

int postgres_prepare(struct job *j, const struct spec_service *s)
{
    struct err e = {0};
    AUTO(str_done) struct str version = STR_INIT(VERSION_BYTES_MAX);
    if (!j->doc->sandbox && geteuid() == 0)
        return job_fail(j, FAILURE_CONFIG, -1,
                        "service '%s': PostgreSQL does not run as root; leave the sandbox on, "
                        "or start the runner as another user",
                        s->name);
    if (read_version(j, s, &version) < 0)
        return -1;
    job_note_state(j, s->name, str_text(&version));
    (void)snprintf(j->template.name, sizeof j->template.name, "template");
    make_key(j, str_text(&version));
    if (work_tree_find(&j->work, &j->template, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    bool cached = j->template.present;
    if (!cached && make_template(j, s) < 0)
        return -1;
    job_note(j, "service %s: %s, database '%s' %s", s->name, str_text(&version), s->database,
             cached ? "taken from the cache" : "set up");
    return 0;
}

/* --- running ---------------------------------------------------------------------------------
 */

static void add(struct words *out, const char *fmt, ...) PRINTF(2, 3);
static void add(struct words *out, const char *fmt, ...)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    va_list args;
    va_start(args, fmt);
    str_addv(&text, fmt, args);
    va_end(args);
    *vec_push(&out->at) = str_steal(&text);
}

void postgres_argv(const struct spec_service *s, const char *area, const char *share,
                   struct words *out)
{
    static const char *const settings[] = {
        "listen_addresses=",      ("port=" POSTGRES_PORT), "fsync=off",
        "synchronous_commit=off", "full_page_writes=off",  "autovacuum=off",
        "checkpoint_timeout=1h",  "max_wal_size=256MB",
    };
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    bin_path(s, "postgres", &path);
    add(out, "%s", str_text(&path));
    add(out, "-D");
    add(out, "%s/data", area);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        add(out, "-c");
        add(out, "%s", settings[i]);
    }
    for (size_t i = 0; i < s->settings.len; i++) {
        add(out, "-c");
        add(out, "%s=%s", s->settings.at[i].name, s->settings.at[i].value);
    }
    add(out, "-c");
    add(out, "unix_socket_directories=%s", share);
    (void)vec_push(&out->at);
}

void words_done(struct words *w)
{
    for (size_t i = 0; i < w->at.len; i++)
        free(w->at.at[i]);
    vec_done(&w->at);
}

/* StartupMessage of protocol 3.0: length, version, pairs of texts, an empty one. The answer
 * begins with 'R' (go on to authenticate) or 'E' (an error: still starting). Source:
 * PostgreSQL manual, "Message Formats". */
bool postgres_answers(int fd, const struct spec_service *s, int64_t deadline_ns)
{
    static const char head[] = "user\0" POSTGRES_USER "\0database";
    unsigned char hello[HELLO_BYTES_MAX] = {[5] = 3};
    size_t len = 8;
    memcpy(hello + len, head, sizeof head);
    len += sizeof head;
    memcpy(hello + len, s->database, strlen(s->database) + 1);
    len += strlen(s->database) + 2;
    hello[3] = (unsigned char)len;
    if (send(fd, hello, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char first = 0;
    return poll(&p, 1, clock_poll_ms(deadline_ns)) > 0 && recv(fd, &first, 1, 0) == 1 &&
           first == 'R';
}
