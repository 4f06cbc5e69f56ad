/* SPDX-License-Identifier: MIT */
/* services: see services.h; postgres.c knows PostgreSQL. */
#include "services.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "fdio.h"
#include "foreign.h"
#include "netns.h"

enum { SHARE_BYTES = 1 << 20 };

#define SERVICES_TMP_BYTES  (INT64_C(256) << 20)
#define SERVICES_PAUSE_NS   (2 * CLOCK_NS_PER_MS)
#define SERVICES_HELLO_NS   CLOCK_NS_PER_S
#define SERVICES_VERSION_NS (30 * CLOCK_NS_PER_S)

/* --- once per job ----------------------------------------------------------------------------
 */

static const struct tree *base_tree(const struct job *j)
{
    return &j->tree[j->doc->side[SIDE_BASE].present ? SIDE_BASE : SIDE_HEAD];
}

/* The first line of what the command says. */
static int note_version(struct job *j, const struct spec_service *s)
{
    struct err e = {0};
    AUTO(foreign_done) struct foreign f = FOREIGN_INIT;
    AUTO(work_fresh_close) struct work_fresh area = {0};
    struct sandbox_spec how = {
        .name = "version",
        .argv = (const char *const *)s->version_command.argv,
        .off = !j->doc->sandbox,
        .memory = s->memory,
        .tasks = j->doc->spec->limits.tasks,
        .tmp = SERVICES_TMP_BYTES,
        .cpus = j->cpus.all_list,
    };
    if (!s->version_command.argc)
        return 0;
    if (work_fresh_open(&j->work, base_tree(j), j->doc->spec->limits.disk, "version", false,
                        &area, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    how.area = area.dir;
    if (foreign_run(j, &how, SERVICES_VERSION_NS, &f, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "service '%s': %s", s->name, e.text);
    if (!foreign_ok(&f))
        return job_fail(j, FAILURE_CONFIG, -1, "service '%s': its version command %s", s->name,
                        str_text(&f.how));
    struct view rest = view_trim(str_view(&f.text));
    struct view line = {0};
    (void)view_line(&rest, &line);
    AUTO(str_done) struct str version = STR_INIT(JOB_WORDS_MAX);
    for (size_t i = 0; i < line.len && i < JOB_WORDS_MAX; i++)
        str_addc(&version, line.at[i] >= 0x20 && line.at[i] < 0x7f ? line.at[i] : '?');
    job_note_state(j, s->name, str_text(&version));
    return 0;
}

int services_prepare(struct job *j)
{
    const struct spec *spec = j->doc->spec;
    for (size_t i = 0; i < spec->services_len; i++) {
        const struct spec_service *s = &spec->services[i];
        pulse_stage(j->pulse, "service %s", s->name);
        if (job_check_cancel(j) < 0 ||
            (s->postgres ? postgres_prepare(j, s) : note_version(j, s)) < 0)
            return -1;
    }
    return 0;
}

/* --- environment -----------------------------------------------------------------------------
 */

static void add_var(struct services_env *out, const char *name, const char *value)
{
    out->vars[out->len++] = (struct sandbox_var){name, value};
}

void services_env(const struct job *j, const struct services *s, struct services_env *out)
{
    out->len = 0;
    if (!j->doc->spec->services_len)
        return;
    (void)snprintf(out->share, sizeof out->share, "%s",
                   j->doc->sandbox ? SANDBOX_SHARE : s->share.dir);
    add_var(out, "PACEWATCH_SERVICES", out->share);
    for (size_t i = 0; i < j->doc->spec->services_len; i++) {
        const struct spec_service *one = &j->doc->spec->services[i];
        if (!one->postgres)
            continue;
        (void)snprintf(out->url, sizeof out->url,
                       "postgresql://" POSTGRES_USER "@/%s?host=%.*s", one->database,
                       (int)(sizeof out->url / 2 + WORK_PATH_MAX / 2 - 64), out->share);
        add_var(out, "PGHOST", out->share);
        add_var(out, "PGPORT", POSTGRES_PORT);
        add_var(out, "PGUSER", POSTGRES_USER);
        add_var(out, "PGDATABASE", one->database);
        add_var(out, "DATABASE_URL", out->url);
    }
}

/* --- readiness -------------------------------------------------------------------------------
 */

/* Whoever made the socket may have made a link instead: only a socket itself is connected to.
 */
static int connect_unix(const char *dir, const char *name)
{
    char path[64];
    struct stat st;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    AUTO(fdio_closep) int folder = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(fdio_closep) int file = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || fstat(file, &st) < 0 || !S_ISSOCK(st.st_mode))
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    memcpy(at.sun_path, path, strlen(path) + 1);
    AUTO(fdio_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    return STEAL_FD(fd);
}

static bool is_ready(const struct services *all, const struct services_one *s)
{
    struct err e = {0};
    int64_t deadline = clock_now_ns() + SERVICES_HELLO_NS;
    AUTO(fdio_closep) int fd = -1;
    if (s->spec->tcp_port)
        return netns_socket(sandbox_netns(s->sandbox), &fd, &e) == 0 &&
               ask_connect(fd, (int)s->spec->tcp_port, deadline, &e) == 0;
    fd = connect_unix(all->share.dir,
                      s->spec->postgres ? ".s.PGSQL." POSTGRES_PORT : s->spec->socket);
    return fd >= 0 && (!s->spec->postgres || postgres_answers(fd, s->spec, deadline));
}

/* -1: it will not be; 'why' says so. */
static int wait_ready(struct job *j, const struct services *all, struct services_one *s,
                      const char **why)
{
    int64_t deadline = job_deadline(j, s->spec->timeout_ns);
    while (!is_ready(all, s)) {
        int64_t look = clock_now_ns() + SERVICES_PAUSE_NS;
        *why = "is not ready in time";
        if (look >= deadline)
            return -1;
        switch (pulse_wait(j->pulse, sandbox_pidfd(s->sandbox), look)) {
        case PULSE_CANCELLED:
            return -1;
        case PULSE_READY:
            *why = "ended before it was ready";
            return -1;
        case PULSE_TIMEOUT:
            break;
        }
    }
    return 0;
}

/* --- life ------------------------------------------------------------------------------------
 */

static int fail(struct job *j, struct services_one *s, enum failure_class class,
                const char *why)
{
    AUTO(str_done) struct str last = STR_INIT(JOB_WORDS_MAX);
    if (job_check_cancel(j) < 0)
        return -1;
    if (s->output)
        capture_last_lines(s->output, JOB_LAST_LINES, &last);
    return job_fail(j, class, -1, "service '%s' %s%s%s", s->spec->name, why,
                    last.len ? ": " : "", str_text(&last));
}

static bool uses_tcp(const struct spec *spec)
{
    for (size_t i = 0; i < spec->services_len; i++)
        if (spec->services[i].tcp_port)
            return true;
    return false;
}

static void add_env(const struct spec_pairs *from, const struct services_env *env,
                    struct sandbox_var *out, size_t *len)
{
    for (size_t i = 0; i < env->len; i++)
        out[(*len)++] = env->vars[i];
    for (size_t i = 0; i < from->len; i++)
        out[(*len)++] = (struct sandbox_var){from->at[i].name, from->at[i].value};
}

static int launch(struct job *j, struct services *all, struct services_one *s, struct err *e)
{
    const struct spec_service *spec = s->spec;
    const struct tree *from = spec->postgres ? &j->template : base_tree(j);
    AUTO(words_done) struct words argv = {0};
    AUTO(mem_freep)
    struct sandbox_var *vars = mem_zero(spec->env.len + SERVICES_VARS_MAX, sizeof *vars);
    struct services_env env;
    char name[64];
    services_env(j, all, &env);
    (void)snprintf(name, sizeof name, "beside-%s", spec->name);
    if (work_fresh_open(&j->work, from, j->doc->spec->limits.disk, name, spec->postgres,
                        &s->area, e) < 0 ||
        capture_new(&s->output, e) < 0)
        return -1;
    if (spec->postgres)
        postgres_argv(spec, j->doc->sandbox ? "/job" : s->area.dir, env.share, &argv);
    struct sandbox_spec how = {
        .name = name,
        .argv = (const char *const *)(spec->postgres ? argv.at.at : spec->command.argv),
        .env = vars,
        .area = s->area.dir,
        .share = all->share.dir,
        .join_netns = all->netns,
        .off = !j->doc->sandbox,
        .memory = spec->memory,
        .tasks = j->doc->spec->limits.tasks,
        .tmp = SERVICES_TMP_BYTES,
        .file = j->doc->spec->limits.disk,
        .cpus = j->cpus.service_list,
        .nice = j->nice,
        .out = capture_pipe(s->output),
    };
    add_env(&spec->env, &env, vars, &how.env_len);
    int rc = sandbox_start(&j->host, &how, &s->sandbox, e);
    capture_started(s->output);
    if (rc == 0 && uses_tcp(j->doc->spec) && sandbox_netns(s->sandbox) > 0)
        all->netns = sandbox_netns(s->sandbox);
    return rc;
}

int services_start(struct job *j, struct services *out)
{
    const struct spec *spec = j->doc->spec;
    struct err e = {0};
    *out = (struct services){0};
    if (spec->services_len &&
        work_empty_open(&j->work, SHARE_BYTES, "services", &out->share, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "services: %s", e.text);
    for (size_t i = 0; i < spec->services_len; i++) {
        struct services_one *s = &out->at[out->len++];
        const char *why = NULL;
        s->spec = &spec->services[i];
        /* A command that does not start is the repository's; our own database is ours. */
        if (launch(j, out, s, &e) < 0)
            (void)fail(j, s, FAILURE_INFRA, e.text);
        else if (wait_ready(j, out, s, &why) < 0)
            (void)fail(j, s, s->spec->postgres ? FAILURE_INFRA : FAILURE_START, why);
        else
            continue;
        services_stop(j, out);
        return -1;
    }
    return 0;
}

void services_stop(struct job *j, struct services *s)
{
    str_clear(&j->services_said);
    /* What they hold is thrown away, so none of them is asked to end. */
    for (size_t i = s->len; i-- > 0;) {
        struct services_one *one = &s->at[i];
        struct err e = {0};
        if (one->sandbox && sandbox_end(one->sandbox, NULL, &e) < 0)
            job_note(j, "service '%s': %s", one->spec->name, e.text);
        str_addf(&j->services_said, "--- %s\n", one->spec->name);
        if (one->output)
            capture_text(one->output, &j->services_said);
        sandbox_freep(&one->sandbox);
        capture_freep(&one->output);
        work_fresh_close(&one->area);
    }
    work_fresh_close(&s->share);
    *s = (struct services){0};
}

void services_cpu(const struct services *s, struct services_cpu *out)
{
    *out = (struct services_cpu){0};
    for (size_t i = 0; i < s->len; i++) {
        int64_t ns = s->at[i].sandbox ? sandbox_cpu_ns(s->at[i].sandbox) : 0;
        *(s->at[i].spec->count_cpu ? &out->counted : &out->apart) += ns > 0 ? ns : 0;
    }
}

bool services_ended(struct services *s, struct str *how)
{
    for (size_t i = 0; i < s->len; i++) {
        struct services_one *one = &s->at[i];
        AUTO(str_done) struct str last = STR_INIT(JOB_WORDS_MAX);
        int status;
        if (!one->sandbox || !sandbox_wait(one->sandbox, 0, &status))
            continue;
        capture_last_lines(one->output, JOB_LAST_LINES, &last);
        str_addf(how, ": beside it, '%s' ended with status %d%s%s", one->spec->name, status,
                 last.len ? ": " : "", str_text(&last));
        return true;
    }
    return false;
}
