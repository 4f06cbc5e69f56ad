/* SPDX-License-Identifier: MIT */
/* watch_bench: see watch_bench.h. */
#include "watch_bench.h"

#define SPEC                                               \
    "{\\\"start\\\": {\\\"command\\\": [\\\"./shop\\\"]}," \
    " \\\"scenarios\\\": [{\\\"endpoints\\\": [{\\\"path\\\": \\\"/\\\"}]}]"

void bench_commit(const struct bench *b, const char *subject)
{
    scratch_run(&b->dir, "cd work; echo '%s' >>file; git add -A; git commit -q -m '%s'",
                subject, subject);
}

void bench_write_spec(const struct bench *b, const char *more)
{
    scratch_run(&b->dir, "printf \"%%s\" \"" SPEC "%s}\" >work/.pacewatch.json", more);
}

void bench_push(const struct bench *b)
{
    scratch_run(&b->dir, "cd work; git push -q -f ../shop.git HEAD:main");
}

void bench_open_watch(struct bench *b)
{
    struct repo row = {0};
    bool found;
    MUST(store_open(b->db, &b->store, &e));
    MUST(watch_open(&(struct watch_options){.store = b->store,
                                            .state_dir = b->state,
                                            .repos = &b->repo,
                                            .repos_len = 1,
                                            .bells = &b->bells,
                                            .asked_pause_ns = b->asked_pause_ns},
                    &b->watch, &e));
    MUST(store_repo_by_name(b->store, "shop", &row, &found, &e));
    b->repo_id = row.id;
    repo_done(&row);
}

void bench_close_watch(struct bench *b)
{
    watch_closep(&b->watch);
    store_closep(&b->store);
}

/* A look now, whatever the time of the next one is. */
void bench_look(struct bench *b)
{
    bench_close_watch(b);
    bench_open_watch(b);
    (void)watch_step(b->watch);
}

/* The remote and a work tree beside it, made once and copied for each test. */
static struct scratch origin;

int bench_make_origin(void **state)
{
    struct bench b;
    (void)state;
    scratch_init(&origin);
    b.dir = origin;
    scratch_run(&b.dir, "git init -q --bare -b main shop.git; git init -q -b main work");
    bench_write_spec(&b, "");
    bench_commit(&b, "c1");
    bench_commit(&b, "c2");
    bench_commit(&b, "c3");
    bench_push(&b);
    return 0;
}

int bench_remove_origin(void **state)
{
    (void)state;
    scratch_done(&origin);
    return 0;
}

int bench_set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->url, sizeof b->url, "%s/shop.git", b->dir.dir);
    snprintf(b->state, sizeof b->state, "%s/state", b->dir.dir);
    snprintf(b->db, sizeof b->db, "%s/state/pacewatch.db", b->dir.dir);
    b->branches[0] = (char *)"main";
    b->repo = (struct stage_repo){.name = "shop",
                                  .url = b->url,
                                  .branches = b->branches,
                                  .branches_len = 1,
                                  .merge_requests = MR_ALL,
                                  .poll_ns = CLOCK_NS_PER_S};
    scratch_run(&b->dir, "mkdir state; cp -r '%s'/. .", origin.dir);
    MUST(stage_bells_open(&b->bells, &e));
    bench_open_watch(b);
    log_set_level(LOG_ERROR);
    *state = b;
    return 0;
}

int bench_tear_down(void **state)
{
    struct bench *b = *state;
    bench_close_watch(b);
    stage_bells_close(&b->bells);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

/* --- what the tables say, as one line ----------------------------------------------------- */

void bench_jobs_of(const struct bench *b, const char *states, char out[256])
{
    scratch_ask(
        &b->dir, out,
        "sqlite3 state/pacewatch.db \"SELECT coalesce(group_concat(t, ' '), '') FROM"
        " (SELECT kind || ':' || subject || coalesce('<' || (SELECT subject FROM git_commit"
        "  WHERE id = base), '') AS t FROM job JOIN git_commit c ON c.id = head"
        "  WHERE state IN (%s) ORDER BY job.id)\"",
        states);
}

void bench_chain_of(const struct bench *b, char out[256])
{
    scratch_ask(&b->dir, out,
                "sqlite3 state/pacewatch.db \"SELECT coalesce(group_concat(t, ' '), '') FROM"
                " (SELECT pos || ':' || subject || CASE live WHEN 0 THEN '-' ELSE '' END AS t"
                "  FROM branch_commit JOIN git_commit c ON c.id = commit_id ORDER BY pos)\"");
}

void bench_last_change(const struct bench *b, char out[256])
{
    scratch_ask(&b->dir, out,
                "sqlite3 state/pacewatch.db \"SELECT ref || ' ' || state || ' ' ||"
                " coalesce(why, '') FROM change ORDER BY id DESC LIMIT 1\"");
}
