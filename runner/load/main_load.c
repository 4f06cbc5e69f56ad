/* SPDX-License-Identifier: MIT */
/*
 * main_load: the program pacewatch-load.
 *
 * Reads the options, enters the network namespace while there is one thread only, resolves the
 * target, runs, reports. pacewatch-load(1) describes it.
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "load.h"
#include "load_report.h"
#include "options.h"
#include "probe.h"

enum { LINE_BYTES_MAX = 16 << 10 };

enum exit_status {
    EXIT_MEASURED,
    EXIT_NOT_RUN,
    EXIT_USAGE,
    EXIT_LIMITED,
    EXIT_UNANSWERED,
    EXIT_FAILURES,
};

static volatile atomic_bool stop_asked;

/* The first signal ends the run early with a result, the second one ends the program. */
static void on_signal(int number)
{
    atomic_store(&stop_asked, true);
    (void)signal(number, SIG_DFL);
}

static void show_progress(const struct load_plan *plan, int64_t elapsed_ns, uint64_t answered,
                          uint64_t failed)
{
    (void)plan;
    fprintf(stderr, "\r%6.1f s  %" PRIu64 " answered  %" PRIu64 " failed ",
            (double)elapsed_ns / 1e9, answered, failed);
}

static int write_out(const char *path, const struct str *text, struct err *e)
{
    if (strcmp(path, "-") == 0)
        return fdio_write_all(STDOUT_FILENO, str_view(text), e);
    return fdio_write_file(path, str_view(text), 0644, e);
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int report(const struct options *o, const struct load_result *r, struct err *e)
{
    enum { FILES = 4 };
    struct str file[FILES];
    const char *const path[FILES] = {o->json, o->csv, o->hdr, o->svg};
    AUTO(str_done) struct str text = STR_INIT(LOAD_REPORT_BYTES_MAX);
    bool piped = false;
    int rc = 0;
    for (int i = 0; i < FILES; i++)
        file[i] = (struct str)STR_INIT(LOAD_REPORT_BYTES_MAX);
    if (o->json)
        load_report_json(&o->plan, r, &file[0]);
    if (o->csv)
        load_report_csv(r, &file[1]);
    if (o->hdr)
        load_report_hdr(r, &file[2]);
    if (o->svg)
        load_report_svg(&o->plan, r, &file[3]);
    for (int i = 0; i < FILES; i++) {
        piped |= is_stdout(path[i]);
        if (path[i] && rc == 0)
            rc = write_out(path[i], &file[i], e);
        str_done(&file[i]);
    }
    if (rc < 0 || o->quiet || piped)
        return rc;
    load_report_text(&o->plan, r, &text);
    return write_out("-", &text, e);
}

static enum exit_status judge(const struct options *o, const struct load_result *r)
{
    double all = (double)r->requests;
    if (!r->answered)
        return EXIT_UNANSWERED;
    if (r->health.verdict == VERDICT_GENERATOR_LIMITED && !o->allow_limited)
        return EXIT_LIMITED;
    if ((double)r->failed > o->errors_max * all)
        return EXIT_FAILURES;
    return EXIT_MEASURED;
}

/* --- sweep and search --------------------------------------------------------------------- */

static void show_row(const struct probe *p, const struct probe_row *row)
{
    AUTO(str_done) struct str line = STR_INIT(LINE_BYTES_MAX);
    (void)p;
    load_report_row(row, &line);
    (void)fdio_write_all(STDOUT_FILENO, str_view(&line), NULL);
}

static int report_probe(const struct options *o, const struct probe *p, bool table,
                        struct err *e)
{
    AUTO(str_done) struct str json = STR_INIT(LOAD_REPORT_BYTES_MAX);
    AUTO(str_done) struct str text = STR_INIT(LINE_BYTES_MAX);
    if (o->json) {
        load_report_probe_json(p, o->search, &json);
        if (write_out(o->json, &json, e) < 0)
            return err_ctx(e, "--json");
    }
    if (table && o->search)
        load_report_found(p, &text);
    return write_out("-", &text, e);
}

static enum exit_status judge_probe(const struct options *o, const struct probe *p)
{
    bool limited = false;
    for (size_t i = 0; i < p->rows.len; i++)
        limited |= p->rows.at[i].limited;
    if (o->search && (p->answer_rps == 0 || !p->confirmed))
        return p->generator_limited && !o->allow_limited ? EXIT_LIMITED : EXIT_UNANSWERED;
    return o->sweep && limited && !o->allow_limited ? EXIT_LIMITED : EXIT_MEASURED;
}

static enum exit_status run_probe(const struct options *o, struct err *e)
{
    AUTO(probe_done) struct probe p = {.plan = &o->plan, .server = o->server, .goal = o->goal};
    AUTO(str_done) struct str head = STR_INIT(LINE_BYTES_MAX);
    bool table = !o->quiet && !is_stdout(o->json);
    if (table) {
        p.shown = show_row;
        load_report_rows_head(&head);
        if (write_out("-", &head, e) < 0)
            return EXIT_NOT_RUN;
    }
    int rc = o->sweep
                 ? probe_sweep(&p, o->sweep_from_rps, o->sweep_to_rps, o->sweep_step_rps, e)
                 : probe_search(&p, o->plan.load.rate_rps, e);
    if (rc < 0 || report_probe(o, &p, table, e) < 0)
        return EXIT_NOT_RUN;
    return judge_probe(o, &p);
}

static enum exit_status run(struct options *o, struct err *e)
{
    AUTO(load_result_freep) struct load_result *r = NULL;
    if (o->netns && target_enter_netns(o->netns, e) < 0)
        return EXIT_NOT_RUN;
    if (target_resolve(&o->target, clock_now_ns() + o->plan.load.timeout_ns, e) < 0)
        return EXIT_NOT_RUN;
    /* This thread as well: it must not disturb the service when it writes marks. */
    if (o->plan.pin && sched_setaffinity(0, sizeof o->plan.cpus, &o->plan.cpus) < 0) {
        (void)err_errno(e, "--cpus");
        return EXIT_NOT_RUN;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    o->plan.stop = &stop_asked;
    if (o->sweep || o->search)
        return run_probe(o, e);
    bool live = !o->quiet && isatty(STDERR_FILENO);
    o->plan.progress = live ? show_progress : NULL;
    int rc = load_run(&o->plan, &r, e);
    if (live)
        fprintf(stderr, "\r%*s\r", 60, "");
    if (rc < 0 || report(o, r, e) < 0)
        return EXIT_NOT_RUN;
    return judge(o, r);
}

int main(int argc, char **argv)
{
    AUTO(options_done) struct options o = {0};
    struct err e = {0};
    if (options_parse(&o, argc, argv, &e) < 0) {
        fprintf(stderr, "pacewatch-load: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return 0;
    }
    if (o.version) {
        puts("pacewatch-load " PACEWATCH_VERSION);
        return 0;
    }
    enum exit_status status = run(&o, &e);
    if (status == EXIT_NOT_RUN)
        fprintf(stderr, "pacewatch-load: %s\n", e.text);
    return (int)status;
}
