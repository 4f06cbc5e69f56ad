/* SPDX-License-Identifier: MIT */
/*
 * pacewatch-runner: one attempt at one job, from the daemon's document to the daemon's result.
 *
 * The phases stand in run_phases, in the order in which they happen. A phase that fails ends
 * the job, and the failure travels to the daemon as a result like any other.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "canary.h"
#include "check_host.h"
#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "fingerprint.h"
#include "job.h"
#include "log.h"
#include "mem.h"
#include "opt.h"
#include "quiet.h"
#include "reference.h"
#include "services.h"
#include "spool.h"
#include "step.h"

enum exit_status {
    EXIT_DELIVERED = 0,
    EXIT_NO_JOB = 1, /* the daemon gave us none, or the attempt is over */
    EXIT_USAGE = 2,
    EXIT_CANCELLED = 3,
    EXIT_SPOOLED = 4, /* the daemon is away; the result waits in DIR/spool */
    EXIT_LOST = 5,    /* the result was refused, or could not even be kept */
};

#define DELIVER_WITHIN_NS (60 * CLOCK_NS_PER_S)

struct arguments {
    const char *url, *socket, *work, *quiet_lock;
    int64_t token_fd;
    char token[LINK_TOKEN_MAX];
    const char *log_level;
    bool help, version, check;
    struct check_request request;
};

/* --- command line ----------------------------------------------------------------------------
 */

static void usage(FILE *to, const struct opt *table, size_t n)
{
    fputs("usage: pacewatch-runner --url URL --token-fd FD --work DIR\n"
          "       pacewatch-runner --socket PATH --token-fd FD --work DIR\n"
          "       pacewatch-runner --check [--json] [--tune | --restore]\n"
          "\n"
          "Measures one job that a pacewatchd gives out. Started by the daemon.\n"
          "\n",
          to);
    opt_help(to, table, n);
}

static int read_token(struct arguments *a, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(LINK_TOKEN_MAX - 1);
    int fd = (int)a->token_fd;
    if (fdio_read_all(fd, &text, e) < 0)
        return err_ctx(e, "token");
    (void)close(fd);
    struct view token = view_trim(str_view(&text));
    if (!token.len)
        return err_set(e, ERR_INPUT, "the token is empty");
    for (size_t i = 0; i < token.len; i++)
        if (token.at[i] <= ' ' || token.at[i] > '~')
            return err_set(e, ERR_INPUT, "the token holds a character that is not allowed");
    memcpy(a->token, token.at, token.len);
    a->token[token.len] = '\0';
    return 0;
}

static int read_arguments(int argc, char **argv, struct arguments *a, struct err *e)
{
    int first;
    const struct opt table[] = {
        {"url", 0, OPT_TEXT, "URL", "the daemon, http://host:port", .out = &a->url},
        {"socket", 0, OPT_TEXT, "PATH", "its Unix socket, instead of host and port",
         .out = &a->socket},
        {"token-fd", 0, OPT_INT, "FD", "descriptor with the attempt's token",
         .out = &a->token_fd, .max = 1 << 20},
        {"work", 0, OPT_TEXT, "DIR", "folder for builds, cache and spool", .out = &a->work},
        {"quiet-lock", 0, OPT_TEXT, "FILE", "lock of the measuring job", .out = &a->quiet_lock},
        {"log", 0, OPT_TEXT, "LEVEL", "error, warn, info (default) or debug",
         .out = &a->log_level},
        {"check", 0, OPT_FLAG, NULL, "say what this host can do, and exit", .out = &a->check},
        {"json", 0, OPT_FLAG, NULL, "with --check: as JSON", .out = &a->request.json},
        {"tune", 0, OPT_FLAG, NULL, "with --check: first make settings of the host steadier",
         .out = &a->request.tune},
        {"restore", 0, OPT_FLAG, NULL, "with --check: first undo --tune",
         .out = &a->request.restore},
        {"help", 'h', OPT_FLAG, NULL, "show this", .out = &a->help},
        {"version", 0, OPT_FLAG, NULL, "show the version", .out = &a->version},
    };
    a->token_fd = -1;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, e) < 0)
        return -1;
    if (a->help)
        usage(stdout, table, ARRAY_LEN(table));
    if (a->request.tune && a->request.restore)
        return err_set(e, ERR_INPUT, "--tune and --restore exclude each other");
    if (a->help || a->version || a->check)
        return 0;
    if (first < argc)
        return err_set(e, ERR_INPUT, "unexpected argument '%s'; see --help", argv[first]);
    if ((!a->url && !a->socket) || !a->work || a->token_fd < 0)
        return err_set(e, ERR_INPUT,
                       "--url or --socket, --token-fd and --work are needed; see --help");
    if (!a->url)
        a->url = "http://localhost";
    return read_token(a, e);
}

/* --- setting up ------------------------------------------------------------------------------
 */

/* The host's mount namespace is left here, which only a process with one thread can do. */
static int enter_host(struct job *j, const struct arguments *a)
{
    struct err e = {0};
    AUTO(str_done) struct str locks = STR_INIT(PATH_MAX);
    str_addf(&locks, "%s/locks", a->work);
    if (sandbox_host_open(&j->host, str_text(&locks), &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "%s", e.text);
    /* Nobody of the same user looks into a process that holds a token. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    return 0;
}

static int open_host(struct job *j, const struct arguments *a)
{
    struct err e = {0};
    struct cpus_machine machine;
    AUTO(str_done) struct str text = STR_INIT(PATH_MAX);
    bool off = !j->doc->sandbox;
    cpus_read(&machine);
    cpus_divide(&machine, &j->cpus);
    (void)cpus_keep_house(&j->cpus, NULL);
    str_addf(&text, "%s, cgroup %s", off ? "off" : "bubblewrap",
             cgroup_backend_names[j->host.cgroup.backend]);
    fingerprint_read(j->result, str_text(&text));
    job_note(j, "sandbox %s; %s; service on CPUs %s, generator on CPUs %s%s", str_text(&text),
             j->host.cgroup.why, j->cpus.service_list, j->cpus.load_list,
             j->cpus.shared ? " (shared: numbers will be noisy)" : "");
    if (!off && !j->host.safe)
        return job_fail(
            j, FAILURE_INFRA, -1,
            "foreign code is refused on this host: %s. The operator may allow it to "
            "run without a sandbox",
            j->host.why);
    if (work_open(&j->work, a->work, &j->host, off, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "%s", e.text);
    /* As root the host's, so that two daemons never measure at once. */
    if (a->quiet_lock ? quiet_open(a->quiet_lock, &j->quiet_fd, &e) < 0
                      : quiet_open_in(j->host.locks, &j->quiet_fd, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "%s", e.text);
    return 0;
}

/* --- the phases ------------------------------------------------------------------------------
 */

static int run_phases(struct job *j, const struct arguments *a)
{
    if (open_host(j, a) < 0)
        return -1;
    if (job_build(j) < 0)
        return -1;
    if (job_is_identical(j)) {
        j->result->outcome = RESULT_IDENTICAL;
        job_note(j, "base and head are identical after the build: nothing to measure");
        return 0;
    }
    if (services_prepare(j) < 0 || job_verify(j) < 0)
        return -1;
    if (job_measure(j) < 0)
        return -1;
    j->result->outcome = RESULT_MEASURED;
    return 0;
}

/* --- handing back ----------------------------------------------------------------------------
 */

static void post_logs(struct job *j)
{
    static const char *const stages[SIDE_COUNT] = {"service-base", "service-head"};
    for (int side = 0; side < SIDE_COUNT; side++)
        if (j->service_said[side].len)
            job_post_log(j, stages[side], str_view(&j->service_said[side]));
    if (j->services_said.len)
        job_post_log(j, "services", str_view(&j->services_said));
    job_post_log(j, "runner", str_view(&j->journal));
}

static enum exit_status deliver(struct job *j, const struct arguments *a,
                                const struct link_address *to)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(RESULT_DOC_BYTES_MAX);
    j->result->ended_ms = clock_wall_ms();
    result_doc_write(j->result, &text);
    if (text.cut) {
        log_error("result is too large", "job=%lld", (long long)j->doc->job);
        return EXIT_LOST;
    }
    post_logs(j);
    if (link_result(j->link, str_view(&text), clock_now_ns() + DELIVER_WITHIN_NS, &e) == 0) {
        log_info("result delivered", "job=%lld outcome=%s rounds=%zu", (long long)j->doc->job,
                 j->failed ? failure_names[j->result->failure] : "ok", j->result->rounds.len);
        return EXIT_DELIVERED;
    }
    if (e.kind != ERR_AWAY) {
        log_error("result refused", "job=%lld error='%s'", (long long)j->doc->job, e.text);
        return e.kind == ERR_CONFLICT ? EXIT_CANCELLED : EXIT_LOST;
    }
    AUTO(str_done) struct str spool = STR_INIT(PATH_MAX);
    str_addf(&spool, "%s/spool", a->work);
    log_warn("daemon is away, result kept", "job=%lld error='%s'", (long long)j->doc->job,
             e.text);
    if (spool_keep(str_text(&spool), j->doc->job, j->doc->attempt, to, str_view(&text), &e) ==
        0)
        return EXIT_SPOOLED;
    log_error("result lost", "job=%lld error='%s'", (long long)j->doc->job, e.text);
    return EXIT_LOST;
}

static void deliver_old(const struct arguments *a)
{
    struct spool_count n;
    AUTO(str_done) struct str spool = STR_INIT(PATH_MAX);
    str_addf(&spool, "%s/spool", a->work);
    spool_deliver(str_text(&spool), &n);
    if (n.delivered || n.dropped || n.kept)
        log_info("older results", "delivered=%d dropped=%d kept=%d", n.delivered, n.dropped,
                 n.kept);
}

/* --- one job ---------------------------------------------------------------------------------
 */

static void job_done(struct job *j)
{
    reference_freep(&j->reference);
    for (int side = 0; side < SIDE_COUNT; side++)
        work_tree_done(&j->tree[side]);
    work_tree_done(&j->template);
    work_close(&j->work);
    sandbox_host_close(&j->host);
    fdio_closep(&j->quiet_fd);
    for (int side = 0; side < SIDE_COUNT; side++)
        str_done(&j->service_said[side]);
    str_done(&j->services_said);
    str_done(&j->journal);
    pulse_freep(&j->pulse);
    result_doc_freep(&j->result);
    job_doc_freep(&j->doc);
    link_freep(&j->link);
}

static void job_init(struct job *j)
{
    *j = (struct job){.quiet_fd = -1, .journal = STR_INIT(JOB_JOURNAL_MAX)};
    j->host.slot_fd = j->host.filter_fd = -1;
    for (int side = 0; side < SIDE_COUNT; side++)
        j->service_said[side].max = CAPTURE_TEXT_MAX;
    j->services_said.max = CAPTURE_TEXT_MAX;
    j->result = result_doc_new();
    j->result->started_ms = clock_wall_ms();
    AUTO(str_done) struct str program = STR_INIT(sizeof j->load_program - 1);
    child_find_program("pacewatch-load", &program);
    memcpy(j->load_program, program.at, program.len + 1);
}

static enum exit_status no_job(const struct err *e)
{
    log_error("no job", "error='%s'", e->text);
    return EXIT_NO_JOB;
}

static enum exit_status run_job(const struct arguments *a, int signal_fd)
{
    struct err e = {0};
    struct link_address to = {.url = a->url, .socket = a->socket, .token = a->token};
    AUTO(job_done) struct job j;
    job_init(&j);
    if (fdio_make_dirs(a->work, 0700, &e) < 0 || link_open(&to, &j.link, &e) < 0 ||
        link_job(j.link, &j.doc, &e) < 0)
        return no_job(&e);
    j.result->job = j.doc->job;
    j.result->attempt = j.doc->attempt;
    j.deadline_ns = clock_now_ns() + j.doc->spec->limits.wall_ns;
    log_info("job started", "job=%lld attempt=%lld kind=%s", (long long)j.doc->job,
             (long long)j.doc->attempt, j.doc->kind);
    deliver_old(a);
    int rc = enter_host(&j, a);
    if (pulse_start(&to, j.doc->beat_every_ns, signal_fd, &j.pulse, &e) < 0)
        return no_job(&e);
    if (rc == 0)
        (void)run_phases(&j, a);
    if (pulse_cancelled(j.pulse)) {
        log_info("job cancelled", "job=%lld why='%s'", (long long)j.doc->job,
                 pulse_why(j.pulse));
        return EXIT_CANCELLED;
    }
    pulse_stage(j.pulse, "delivering");
    return deliver(&j, a, &to);
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct arguments a = {0};
    int signal_fd = -1;
    int status = keeper_main(argc, argv);
    if (status < 0)
        status = canary_main(argc, argv);
    if (status >= 0)
        return status;
    if (read_arguments(argc, argv, &a, &e) < 0 || pulse_block_signals(&signal_fd, &e) < 0) {
        fprintf(stderr, "pacewatch-runner: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (a.help || a.version) {
        if (a.version)
            puts("pacewatch-runner " PACEWATCH_VERSION);
        return 0;
    }
    if (a.check)
        return check_host(&a.request);
    enum log_level level = LOG_INFO;
    if (a.log_level && log_level_parse(a.log_level, &level) < 0) {
        fprintf(stderr, "pacewatch-runner: no log level is called '%s'\n", a.log_level);
        return EXIT_USAGE;
    }
    log_set_level(level);
    status = (int)run_job(&a, signal_fd);
    fdio_closep(&signal_fd);
    return status;
}
