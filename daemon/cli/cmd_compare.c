/* SPDX-License-Identifier: MIT */
/*
 * pacewatch compare: measures two commits of the repository one stands in.
 *
 * The same application as the daemon, in one shot: a state directory of its own, a Unix socket
 * instead of a port, and no watching. The job is put into the database before the stages start;
 * from there on nothing knows that there is no daemon. The repository itself serves as mirror.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "child.h"
#include "cli.h"
#include "cli_parts.h"
#include "clock.h"
#include "fdio.h"
#include "lineage.h"
#include "log.h"
#include "mem.h"
#include "print_report.h"
#include "rng.h"
#include "spec.h"
#include "status_line.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_report.h"
#include "store_settled.h"

static const char usage[] =
    "usage: pacewatch compare [OPTION...] BASE [HEAD]\n"
    "Measures commit HEAD (by default 'HEAD') against BASE in the current repository.\n"
    "Exit status: 0 no regression, 1 regression, 2 could not measure, 3 bad usage or spec.\n\n";

static const char REPO_NAME[] = "compare";

struct compare {
    const char *state; /* NULL: a temporary one */
    const char *spec_path;
    int64_t rounds; /* 0: as the spec says */
    bool sandbox_off, build_network, help;
    struct print_options print;

    char *temporary; /* to be removed at the end */
    struct lineage_commit base, head;
    struct settings settings;
    struct settings_repo repo;
    int64_t job;
    bool interrupted;
};

static int parse_options(struct compare *c, int argc, char **argv, int *first, struct err *e)
{
    const struct opt table[] = {
        {"spec", 0, OPT_TEXT, "FILE", "use this spec instead of the one at BASE", &c->spec_path,
         0, 0, NULL},
        {"rounds", 0, OPT_INT, "N", "measure so many rounds", &c->rounds, SPEC_ROUNDS_LEAST,
         500, NULL},
        {"json", 0, OPT_FLAG, NULL, "print the report as JSON", &c->print.json, 0, 0, NULL},
        {"markdown", 0, OPT_FLAG, NULL, "print the report as Markdown", &c->print.markdown, 0,
         0, NULL},
        {"state", 0, OPT_TEXT, "DIRECTORY", "keep database and build cache there", &c->state, 0,
         0, NULL},
        {"no-sandbox", 0, OPT_FLAG, NULL, "run build and service directly; for your own code",
         &c->sandbox_off, 0, 0, NULL},
        {"build-network", 0, OPT_FLAG, NULL, "let the build use the network if the spec asks",
         &c->build_network, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &c->help, 0, 0, NULL},
    };
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, first, e) < 0)
        return -1;
    if (c->help)
        return cli_help(usage, table, ARRAY_LEN(table));
    if (c->print.json && c->print.markdown)
        return err_set(e, ERR_INPUT, "--json and --markdown exclude each other");
    int operands = argc - *first;
    return operands == 1 || operands == 2
               ? 0
               : err_set(e, ERR_INPUT, "needs BASE, and HEAD or not");
}

/* The folder with the objects, also in a linked worktree. */
static int find_repository(char **out, struct err *e)
{
    const char *argv[] = {"git", "rev-parse", "--path-format=absolute", "--git-common-dir",
                          NULL};
    AUTO(str_done) struct str text = STR_INIT(4096);
    int status;
    if (child_run(&(struct child_spec){.argv = argv}, &text,
                  clock_now_ns() + 10 * CLOCK_NS_PER_S, &status, e) < 0)
        return -1;
    struct view path = view_trim(str_view(&text));
    if (status != 0)
        return err_set(e, ERR_INPUT, "not in a git repository: %.*s", (int)path.len, path.at);
    *out = mem_strndup(path.at, path.len);
    return 0;
}

static int read_commits(struct compare *c, const char *git_dir, const char *base,
                        const char *head, struct err *e)
{
    AUTO(mirror_closep) struct mirror *m = NULL;
    if (mirror_open(git_dir, &m, e) < 0 || lineage_resolve(m, base, &c->base, e) < 0 ||
        lineage_resolve(m, head, &c->head, e) < 0)
        return -1;
    if (strcmp(c->base.sha, c->head.sha) == 0)
        return err_set(e, ERR_INPUT, "'%s' and '%s' are the same commit, %.7s", base, head,
                       c->base.sha);

    /* The spec is read now, too: a mistake in it should not wait for the job to tell. */
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    AUTO(spec_freep) struct spec *spec = NULL;
    bool found = true;
    if (c->spec_path ? fdio_read_file(c->spec_path, &text, e) < 0
                     : lineage_read_file(m, c->base.sha, SPEC_FILE, &text, &found, e) < 0)
        return -1;
    if (!found)
        return err_set(e, ERR_INPUT, "%.7s has no %s; give one with --spec FILE", c->base.sha,
                       SPEC_FILE);
    if (spec_parse(str_view(&text), c->spec_path ? c->spec_path : SPEC_FILE, &spec, e) < 0)
        return -1;
    if (c->rounds)
        spec->sensitivity.rounds_least = spec->sensitivity.rounds_most = c->rounds;
    if (c->spec_path || c->rounds) {
        struct str all = STR_INIT(2 * SPEC_BYTES_MAX);
        spec_explain(spec, &all);
        c->repo.spec_text = str_steal(&all);
    }
    return 0;
}

static int make_state(struct compare *c, const char *git_dir, struct err *e)
{
    AUTO(str_done) struct str mirrors = STR_INIT(4096);
    AUTO(str_done) struct str link = STR_INIT(4096);
    if (!c->state) {
        const char *tmp = getenv("TMPDIR");
        struct str template = STR_INIT(4096);
        str_addf(&template, "%s/pacewatch-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        c->temporary = str_steal(&template);
        if (!mkdtemp(c->temporary))
            return err_errno(e, "make '%s'", c->temporary);
        c->state = c->temporary;
    }
    str_addf(&mirrors, "%s/mirrors", c->state);
    str_addf(&link, "%s/%s.git", str_text(&mirrors), REPO_NAME);
    if (fdio_make_dirs(str_text(&mirrors), 0700, e) < 0)
        return -1;
    (void)unlink(
        str_text(&link)); /* of an earlier comparison; a folder there stops the next line */
    return symlink(git_dir, str_text(&link)) < 0 ? err_errno(e, "link '%s'", str_text(&link))
                                                 : 0;
}

static int put_commit(struct store *store, int64_t repo_id, const struct lineage_commit *from,
                      int64_t *out_id, struct err *e)
{
    struct commit row = {.repo_id = repo_id, .author_ms = from->author_ms};
    if (!sha_parse(view_z(from->sha), &row.sha) || !sha_parse(view_z(from->tree), &row.tree))
        return err_set(e, ERR_PROTOCOL, "'%s' is not an object id", from->sha);
    (void)sha_parse(view_z(from->first_parent), &row.first_parent);
    (void)snprintf(row.author, sizeof row.author, "%s", from->author);
    (void)snprintf(row.subject, sizeof row.subject, "%s", from->subject);
    if (store_commit_put(store, &row, e) < 0)
        return -1;
    *out_id = row.id;
    return 0;
}

/* Base and head become a branch of their own, so that every pair has its own short history. */
static int queue_job(struct compare *c, const char *git_dir, struct err *e)
{
    AUTO(store_closep) struct store *store = NULL;
    AUTO(str_done) struct str path = STR_INIT(4096);
    AUTO(str_done) struct str name = STR_INIT(RECORD_NAME_MAX - 1);
    int64_t repo_id, ids[2];
    struct branch branch;
    bool added;
    str_addf(&path, "%s/pacewatch.db", c->state);
    str_addf(&name, "%.12s..%.12s", c->base.sha, c->head.sha);
    if (store_open(str_text(&path), &store, e) < 0 ||
        store_repo_put(store, REPO_NAME, git_dir, str_text(&name), &repo_id, e) < 0 ||
        put_commit(store, repo_id, &c->base, &ids[0], e) < 0 ||
        put_commit(store, repo_id, &c->head, &ids[1], e) < 0 ||
        store_branch_put(store, repo_id, str_text(&name), &branch, e) < 0 ||
        store_branch_move(store, branch.id, 0, ids, 2, e) < 0 ||
        store_repo_fetched(store, repo_id, clock_wall_ms(), NULL, e) < 0)
        return -1;
    struct job want = {.repo_id = repo_id,
                       .branch_id = branch.id,
                       .kind = JOB_PUSH,
                       .base = ids[0],
                       .head = ids[1],
                       .seed = (int64_t)rng_seed()};
    return store_job_add(store, &want, &c->job, &added, e);
}

static void fill_settings(struct compare *c, char *git_dir)
{
    c->repo.name = (char *)REPO_NAME;
    c->repo.url = git_dir;
    c->settings = (struct settings){
        .listen = (char *)"none",
        .state_dir = (char *)c->state,
        .executor = (char *)"local",
        .sandbox = !c->sandbox_off,
        .build_network = c->build_network,
        .repos = &c->repo,
        .repos_len = 1,
        .watch = false,
    };
}

/* Waits until the job, and the one that confirms it, are reported, or a signal arrives. */
static int wait_for_report(struct compare *c, struct store *store, const sigset_t *signals,
                           struct err *e)
{
    const struct timespec step = {.tv_nsec = 200 * CLOCK_NS_PER_MS};
    struct status_line p = status_line_begin();
    for (;;) {
        struct settled now;
        if (store_settled(store, &now, e) < 0 ||
            status_line_draw(&p, store, "measuring", e) < 0)
            return -1;
        if (now.nothing_left)
            break;
        if (sigtimedwait(signals, NULL, &step) > 0) {
            c->interrupted = true;
            break;
        }
    }
    status_line_clear(&p);
    return 0;
}

static int measure(struct compare *c, struct report *out, struct err *e)
{
    AUTO(store_closep) struct store *store = NULL;
    struct app *app = NULL;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals,
                      NULL); /* before the first thread, so that all have it */
    (void)signal(SIGPIPE, SIG_IGN);

    if (app_start(&c->settings, &app, e) < 0)
        return -1;
    int rc = store_open(app_db_path(app), &store, e);
    if (rc == 0)
        rc = wait_for_report(c, store, &signals, e);
    if (rc == 0 && c->interrupted)
        rc = err_set(e, ERR_CONFLICT, "interrupted");
    if (rc == 0)
        rc = store_report_load(store, c->job, out, e);
    app_stop(app);
    return rc;
}

int cmd_compare(int argc, char **argv)
{
    struct compare c = {0};
    struct err e = {0};
    int first;
    AUTO(mem_freep) char *git_dir = NULL;
    AUTO(report_record_done) struct report r = {0};
    if (parse_options(&c, argc, argv, &first, &e) < 0)
        return cli_bad_usage("compare", &e);
    if (c.help)
        return 0;
    if (find_repository(&git_dir, &e) < 0 ||
        read_commits(&c, git_dir, argv[first], first + 1 < argc ? argv[first + 1] : "HEAD",
                     &e) < 0) {
        fprintf(stderr, "pacewatch compare: %s\n", e.text);
        return CLI_BAD_INPUT;
    }

    log_set_level(LOG_WARN);
    int rc = make_state(&c, git_dir, &e);
    if (rc == 0)
        rc = queue_job(&c, git_dir, &e);
    if (rc == 0) {
        fill_settings(&c, git_dir);
        rc = measure(&c, &r, &e);
    }
    int status = rc < 0 ? cli_failed("compare", &e) : report_exit_status(&r);
    if (rc == 0)
        print_report(&r, &c.print);
    if (c.temporary && fdio_remove_tree(c.temporary, &e) < 0)
        fprintf(stderr, "pacewatch compare: %s\n", e.text);
    free(c.temporary);
    free(c.repo.spec_text);
    return status;
}
