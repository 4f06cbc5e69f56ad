/* SPDX-License-Identifier: MIT */
/* pacewatch report: the report of one job or of a merge request's newest one. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "cli_parts.h"
#include "print_report.h"
#include "store.h"
#include "store_report.h"
#include "store_view.h"

enum { JOBS_MAX = 1000 };

static const char usage[] =
    "usage: pacewatch report --state DIRECTORY JOB\n"
    "       pacewatch report --state DIRECTORY --repo NAME --merge-request N\n"
    "Prints a report from a daemon's database.\n\n";

/* The newest job of a merge request that is no repetition of another and was not given up. */
static int newest_of(struct store *store, const char *repo, int64_t number, int64_t *out,
                     struct err *e)
{
    struct view_read read = {0};
    struct view_jobs jobs = {0};
    struct view_job_filter all = {.limit = JOBS_MAX};
    if (store_view_begin(store, &read, e) < 0)
        return -1;
    int rc = store_view_jobs(&read, &all, &jobs, e);
    for (size_t i = 0; rc == 0 && i < jobs.at.len && !*out; i++) {
        const struct view_job *j = &jobs.at.at[i];
        if (j->mr == number && !j->confirms && strcmp(j->repo, repo) == 0 &&
            strcmp(j->brief.state, job_state_names[JOB_SUPERSEDED]) != 0)
            *out = j->brief.id;
    }
    vec_done(&jobs.at);
    store_view_done(&read);
    if (rc == 0 && !*out)
        return err_set(e, ERR_NOT_FOUND,
                       "'%s' has no merge request %" PRId64 " that was measured", repo, number);
    return rc;
}

int cmd_report(int argc, char **argv)
{
    const char *state = NULL, *repo = NULL;
    int64_t number = 0, job = 0;
    bool help = false;
    struct print_options print = {0};
    const struct opt table[] = {
        {"state", 0, OPT_TEXT, "DIRECTORY", "the daemon's state_dir", &state, 0, 0, NULL},
        {"repo", 0, OPT_TEXT, "NAME", "the repository", &repo, 0, 0, NULL},
        {"merge-request", 0, OPT_INT, "N", "its merge request", &number, 1, 0, NULL},
        {"json", 0, OPT_FLAG, NULL, "as JSON", &print.json, 0, 0, NULL},
        {"markdown", 0, OPT_FLAG, NULL, "as Markdown", &print.markdown, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("report", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    bool by_job = argc - first == 1 && !repo && !number;
    bool by_mr = argc == first && repo && number;
    if (!state || (!by_job && !by_mr)) {
        err_set(&e, ERR_INPUT, "needs --state, and a job or --repo with --merge-request");
        return cli_bad_usage("report", &e);
    }
    if (by_job && opt_int(view_z(argv[first]), 1, INT64_MAX, &job, &e) < 0)
        return cli_bad_usage("report", &e);

    AUTO(store_closep) struct store *store = NULL;
    AUTO(report_record_done) struct report r = {0};
    if (cli_open_state(state, &store, &e) < 0 ||
        (by_mr && newest_of(store, repo, number, &job, &e) < 0) ||
        store_report_load(store, job, &r, &e) < 0)
        return cli_failed("report", &e);
    print_report(&r, &print);
    return 0;
}
