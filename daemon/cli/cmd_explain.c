/* SPDX-License-Identifier: MIT */
/*
 * pacewatch explain: why a verdict, an alert or a change point is what it is: one sentence
 * each, with the numbers it rests on, read from a daemon's database.
 */
#include <stdio.h>

#include "cli.h"
#include "cli_parts.h"
#include "json_write.h"
#include "store_explain.h"

static const char usage[] =
    "usage: pacewatch explain --state DIRECTORY JOB\n"
    "       pacewatch explain --state DIRECTORY --alert N\n"
    "       pacewatch explain --state DIRECTORY --series N\n"
    "Says in one sentence each why: of a job its verdict and rows; of an alert the change "
    "points\n"
    "behind it; of a series all its change points, those that were taken back too.\n\n";

static void print_text(const struct explained_list *list)
{
    for (size_t i = 0; i < list->at.len; i++) {
        const struct explained *x = &list->at.at[i];
        printf("%s%s: %s\n%s    %s\n", i ? "  " : "", x->what, x->state, i ? "  " : "", x->why);
    }
}

static void print_json(const struct explained_list *list)
{
    AUTO(str_done) struct str text = STR_INIT(64 << 20);
    struct jw w = jw_begin(&text);
    jw_array(&w, NULL);
    for (size_t i = 0; i < list->at.len; i++) {
        const struct explained *x = &list->at.at[i];
        jw_object(&w, NULL);
        jw_text(&w, "what", x->what);
        jw_text(&w, "state", x->state);
        jw_text(&w, "why", x->why);
        jw_end(&w);
    }
    jw_end(&w);
    puts(str_text(&text));
}

int cmd_explain(int argc, char **argv)
{
    const char *state = NULL;
    int64_t alert = 0, series = 0, job = 0;
    bool help = false, json = false;
    const struct opt table[] = {
        {"state", 0, OPT_TEXT, "DIRECTORY", "the daemon's state_dir", &state, 0, 0, NULL},
        {"alert", 0, OPT_INT, "N", "an alert", &alert, 1, 0, NULL},
        {"series", 0, OPT_INT, "N", "a series", &series, 1, 0, NULL},
        {"json", 0, OPT_FLAG, NULL, "as JSON", &json, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("explain", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    bool by_job = argc - first == 1;
    if (!state || argc - first > 1 || by_job + (alert > 0) + (series > 0) != 1) {
        err_set(&e, ERR_INPUT, "needs --state, and one of a job, --alert and --series");
        return cli_bad_usage("explain", &e);
    }
    if (by_job && opt_int(view_z(argv[first]), 1, INT64_MAX, &job, &e) < 0)
        return cli_bad_usage("explain", &e);

    AUTO(store_closep) struct store *store = NULL;
    AUTO(explained_list_done) struct explained_list list = {0};
    if (cli_open_state(state, &store, &e) < 0)
        return cli_failed("explain", &e);
    int rc = by_job  ? store_explain_job(store, job, &list, &e)
             : alert ? store_explain_alert(store, alert, &list, &e)
                     : store_explain_series(store, series, &list, &e);
    if (rc < 0)
        return cli_failed("explain", &e);
    if (json)
        print_json(&list);
    else
        print_text(&list);
    return 0;
}
