/* SPDX-License-Identifier: MIT */
/*
 * pacewatch status: what a daemon has measured and what it is doing, read from its database.
 *
 * With --wait it follows the daemon until nothing is left to do; a line appears for each commit
 * when its verdict is settled, which for a regression is after its confirm job.
 */
#include <stdio.h>

#include "cli.h"
#include "cli_parts.h"
#include "clock.h"
#include "fdio.h"
#include "report.h"
#include "status_line.h"
#include "store_report.h"
#include "store_settled.h"
#include "store_view.h"

enum { JOBS_MAX = 1000, LOOK_EVERY_MS = 300 };

static const char usage[] = "usage: pacewatch status --state DIRECTORY [OPTION...]\n"
                            "Lists what the daemon with that state directory has measured.\n\n";

struct follow {
    struct store *store;
    VEC(int64_t) shown; /* jobs that have been printed */
};

static bool is_shown(const struct follow *f, int64_t job)
{
    for (size_t i = 0; i < f->shown.len; i++)
        if (f->shown.at[i] == job)
            return true;
    return false;
}

static bool is_over(const struct view_job *j)
{
    return strcmp(j->brief.state, job_state_names[JOB_REPORTED]) == 0 ||
           strcmp(j->brief.state, job_state_names[JOB_FAILED]) == 0;
}

/* Measures again what another job has measured; its answer is in that one's verdict. */
static bool is_repetition(const struct view_job *j)
{
    return strcmp(j->brief.kind, job_kind_names[JOB_CONFIRM]) == 0 ||
           strcmp(j->brief.kind, job_kind_names[JOB_BISECT]) == 0 ||
           strcmp(j->brief.kind, job_kind_names[JOB_ANCHOR]) == 0;
}

static bool is_being_confirmed(const struct view_jobs *jobs, int64_t job)
{
    for (size_t i = 0; i < jobs->at.len; i++)
        if (jobs->at.at[i].confirms == job && !is_over(&jobs->at.at[i]))
            return true;
    return false;
}

static int print_job(struct follow *f, const struct view_job *j, struct err *e)
{
    AUTO(report_record_done) struct report r = {0};
    AUTO(str_done) struct str verdict = STR_INIT(512);
    char sha[JOB_SHA_MAX + 1];
    if (store_report_load(f->store, j->brief.id, &r, e) < 0)
        return -1;
    report_headline(&r, &verdict);
    sha_hex(&j->head, sha);
    if (j->mr)
        printf("!%-6d  %-42.42s  %s\n", (int)j->mr, j->subject ? j->subject : "",
               str_text(&verdict));
    else
        printf("%.7s  %-42.42s  %s\n", sha, j->subject ? j->subject : "", str_text(&verdict));
    fflush(stdout);
    *vec_push(&f->shown) = j->brief.id;
    return 0;
}

/* Prints what has become final since the last look, oldest first. */
static int print_new(struct follow *f, struct status_line *p, struct err *e)
{
    struct view_read read = {0};
    struct view_jobs jobs = {0};
    struct view_job_filter all = {.limit = JOBS_MAX};
    if (store_view_begin(f->store, &read, e) < 0)
        return -1;
    int rc = store_view_jobs(&read, &all, &jobs, e);
    for (size_t i = jobs.at.len; rc == 0 && i-- > 0;) {
        const struct view_job *j = &jobs.at.at[i];
        if (is_over(j) && !is_repetition(j) && !is_being_confirmed(&jobs, j->brief.id) &&
            !is_shown(f, j->brief.id)) {
            status_line_clear(p);
            rc = print_job(f, j, e);
        }
    }
    vec_done(&jobs.at);
    store_view_done(&read);
    return rc;
}

static int follow_daemon(struct follow *f, int64_t deadline_ns, struct err *e)
{
    struct status_line p = status_line_begin();
    for (;;) {
        struct settled now;
        AUTO(str_done) struct str what = STR_INIT(64);
        if (store_settled(f->store, &now, e) < 0 || print_new(f, &p, e) < 0)
            return -1;
        if (now.nothing_left && now.jobs > 0) {
            status_line_clear(&p);
            return 0;
        }
        if (clock_now_ns() > deadline_ns) {
            status_line_clear(&p);
            return err_set(e, ERR_TIMEOUT, "%d of %d jobs were done in time", (int)now.done,
                           (int)now.jobs);
        }
        str_addf(&what, "%d of %d jobs done", (int)now.done, (int)now.jobs);
        if (status_line_draw(&p, f->store, str_text(&what), e) < 0)
            return -1;
        clock_sleep_until(clock_now_ns() + LOOK_EVERY_MS * CLOCK_NS_PER_MS);
    }
}

/* A daemon that has just been started makes its database in a moment. */
static int open_database(const char *state, int64_t deadline_ns, struct store **out,
                         struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, "%s/pacewatch.db", state);
    while (!fdio_exists(str_text(&path))) {
        if (clock_now_ns() >= deadline_ns)
            return err_set(e, ERR_NOT_FOUND, "no database in '%s': is it a state directory?",
                           state);
        clock_sleep_until(clock_now_ns() + LOOK_EVERY_MS * CLOCK_NS_PER_MS);
    }
    return store_open(str_text(&path), out, e);
}

int cmd_status(int argc, char **argv)
{
    const char *state = NULL;
    bool wait = false, help = false;
    int64_t timeout_ns = 3600 * CLOCK_NS_PER_S;
    const struct opt table[] = {
        {"state", 0, OPT_TEXT, "DIRECTORY", "the daemon's state_dir", &state, 0, 0, NULL},
        {"wait", 0, OPT_FLAG, NULL, "follow until nothing is left to do", &wait, 0, 0, NULL},
        {"timeout", 0, OPT_DURATION, "TIME", "give up waiting after (1h)", &timeout_ns, 0, 0,
         NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("status", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    if (!state || first < argc) {
        err_set(&e, ERR_INPUT, state ? "takes no operand" : "--state is missing");
        return cli_bad_usage("status", &e);
    }

    AUTO(store_closep) struct store *store = NULL;
    int64_t deadline_ns = clock_now_ns() + (wait ? timeout_ns : 0);
    if (open_database(state, deadline_ns, &store, &e) < 0)
        return cli_failed("status", &e);
    struct follow f = {.store = store};
    struct status_line none = {0};
    int rc = wait ? follow_daemon(&f, deadline_ns, &e) : print_new(&f, &none, &e);
    vec_done(&f.shown);
    return rc < 0 ? cli_failed("status", &e) : 0;
}
