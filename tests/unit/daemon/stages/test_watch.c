/* SPDX-License-Identifier: MIT */
#include "watch_bench.h"

static bool rung(struct bell *bell)
{
    return bell_wait(bell, clock_now_ns());
}

/* --- branches ----------------------------------------------------------------------------- */

static void first_sight_numbers_the_chain_and_measures_nothing_without_backfill(void **state)
{
    struct bench *b = *state;
    char chain[256], jobs[256];

    (void)watch_step(b->watch);

    bench_chain_of(b, chain);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(chain, "1:c1 2:c2 3:c3");
    assert_string_equal(jobs, "");
    assert_false(rung(&b->bells.dispatch));
}

static void backfill_takes_the_newest_commits_parents_first(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    b->repo.backfill = 2;

    (void)watch_step(b->watch);
    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "backfill:c2 backfill:c3");
    assert_true(rung(&b->bells.dispatch));
}

static void every_commit_of_a_push_gets_a_job_in_order(void **state)
{
    struct bench *b = *state;
    char jobs[256], chain[256];
    (void)watch_step(b->watch);
    bench_commit(b, "c4");
    bench_commit(b, "c5");
    bench_push(b);

    bench_look(b);
    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    bench_chain_of(b, chain);
    assert_string_equal(jobs, "push:c4 push:c5");
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:c4 5:c5");
    assert_true(rung(&b->bells.dispatch));
}

static void force_push_keeps_positions_and_a_push_back_finds_them(void **state)
{
    struct bench *b = *state;
    char chain[256], jobs[256];
    (void)watch_step(b->watch);
    scratch_run(&b->dir, "cd work; git branch old; git reset -q --hard HEAD~1");
    bench_commit(b, "d3");
    bench_push(b);

    bench_look(b);

    bench_chain_of(b, chain);
    assert_string_equal(chain, "1:c1 2:c2 3:c3- 4:d3");
    scratch_run(&b->dir, "cd work; git reset -q --hard old");
    bench_commit(b, "c4");
    bench_push(b);
    bench_look(b);
    bench_chain_of(b, chain);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:d3- 5:c4");
    assert_string_equal(jobs, "push:d3 push:c3 push:c4");
}

static void commit_that_was_measured_is_not_measured_again_after_a_push_back(void **state)
{
    struct bench *b = *state;
    char jobs[256], chain[256];
    (void)watch_step(b->watch);
    bench_commit(b, "c4");
    bench_push(b);
    bench_look(b);
    scratch_run(&b->dir, "sqlite3 state/pacewatch.db \"UPDATE job SET state = 'reported'\"; cd "
                         "work; git branch old; git push -q -f ../shop.git HEAD~1:main");
    bench_look(b);
    bench_chain_of(b, chain);
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:c4-");

    bench_push(b);
    bench_look(b);

    bench_chain_of(b, chain);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:c4");
    assert_string_equal(jobs, "");
}

/* Two hours of silence at a twentieth are six minutes; half an hour at most was asked for. */
static void idle_repository_is_looked_at_more_rarely(void **state)
{
    struct bench *b = *state;
    b->repo.poll_most_ns = 1800 * CLOCK_NS_PER_S;
    (void)watch_step(b->watch);
    scratch_run(&b->dir,
                "sqlite3 state/pacewatch.db 'UPDATE change SET at_ms = at_ms - 7200000'");
    bench_close_watch(b);
    bench_open_watch(b);
    int64_t now = clock_now_ns();

    int64_t idle = watch_step(b->watch) - now;
    scratch_run(&b->dir, "sqlite3 state/pacewatch.db 'UPDATE change SET at_ms = 1'");
    bench_close_watch(b);
    bench_open_watch(b);
    int64_t very_idle = watch_step(b->watch) - now;
    bench_commit(b, "c4");
    bench_push(b);
    bench_look(b);
    now = clock_now_ns();
    bench_close_watch(b);
    bench_open_watch(b);
    int64_t busy = watch_step(b->watch) - now;

    assert_in_range(idle / CLOCK_NS_PER_S, 320, 400);
    assert_in_range(very_idle / CLOCK_NS_PER_S, 1600, 2000);
    assert_in_range(busy / CLOCK_NS_PER_S, 0, 5);
}

static void deleted_branch_keeps_its_positions_and_may_come_back(void **state)
{
    struct bench *b = *state;
    char chain[256], change[256], jobs[256];
    (void)watch_step(b->watch);
    scratch_run(&b->dir, "git -C shop.git update-ref -d refs/heads/main");

    bench_look(b);

    bench_last_change(b, change);
    bench_chain_of(b, chain);
    assert_string_equal(change, "refs/heads/main planned ");
    assert_string_equal(chain, "1:c1 2:c2 3:c3");
    bench_commit(b, "c4");
    bench_push(b);
    bench_look(b);
    bench_chain_of(b, chain);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:c4");
    assert_string_equal(jobs, "push:c4");
}

static void merges_count_once_along_the_first_parent(void **state)
{
    struct bench *b = *state;
    char chain[256];
    (void)watch_step(b->watch);
    scratch_run(
        &b->dir,
        "cd work; git checkout -q -b side; echo s >s; git add s; git commit -q -m s1; echo "
        "t >>s; git commit -q -a -m s2; git checkout -q main; git merge -q --no-ff -m m4 "
        "side");
    bench_push(b);

    bench_look(b);

    bench_chain_of(b, chain);
    assert_string_equal(chain, "1:c1 2:c2 3:c3 4:m4");
}

/* --- triggers and specs ------------------------------------------------------------------- */

static void paths_of_the_spec_decide_which_commits_are_measured(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    bench_write_spec(b,
                     ", \\\"triggers\\\": {\\\"skip_paths\\\": [\\\"*.md\\\", \\\"doc/*\\\"]}");
    bench_commit(b, "c4");
    bench_push(b);
    (void)watch_step(b->watch);
    scratch_run(
        &b->dir,
        "cd work; mkdir -p doc/a; echo x >doc/a/b; echo x >README.md; git add -A; git "
        "commit -q -m docs; echo y >>README.md; echo y >>file; git commit -q -a -m both");
    bench_push(b);

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "push:both");
}

static void push_that_no_trigger_wants_is_skipped_with_the_reason(void **state)
{
    struct bench *b = *state;
    char change[256];
    bench_write_spec(b, ", \\\"triggers\\\": {\\\"branches\\\": [\\\"release-*\\\"]}");
    bench_commit(b, "c4");
    bench_push(b);
    (void)watch_step(b->watch);
    bench_commit(b, "c5");
    bench_push(b);

    bench_look(b);

    bench_last_change(b, change);
    assert_string_equal(change, "refs/heads/main skipped the spec does not name branch 'main'");
}

static void commits_without_a_spec_are_skipped(void **state)
{
    struct bench *b = *state;
    char change[256], jobs[256];
    scratch_run(&b->dir, "cd work; git rm -q .pacewatch.json");
    bench_commit(b, "c4");
    bench_push(b);
    (void)watch_step(b->watch);
    bench_commit(b, "c5");
    bench_push(b);

    bench_look(b);

    bench_last_change(b, change);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(change, "refs/heads/main skipped no .pacewatch.json");
    assert_string_equal(jobs, "");
}

static void broken_spec_still_gets_a_job_that_can_tell(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    (void)watch_step(b->watch);
    scratch_run(&b->dir, "echo '{' >work/.pacewatch.json");
    bench_commit(b, "c4");
    bench_commit(b, "c5");
    bench_push(b);

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "push:c4 push:c5");
}

static void broken_spec_in_the_past_is_no_failed_look(void **state)
{
    struct bench *b = *state;
    char jobs[256], error[256];
    scratch_run(&b->dir, "echo '{' >work/.pacewatch.json");
    bench_commit(b, "c4");
    bench_commit(b, "c5");
    bench_push(b);
    b->repo.backfill = 2;

    (void)watch_step(b->watch);

    bench_jobs_of(b, "'queued'", jobs);
    scratch_ask(&b->dir, error,
                "sqlite3 state/pacewatch.db 'SELECT fetch_error IS NULL FROM repo'");
    assert_string_equal(jobs, "backfill:c4 backfill:c5");
    assert_string_equal(error, "1");
}

/* --- trouble ------------------------------------------------------------------------------ */

static void remote_that_is_away_is_noted_and_forgotten_when_it_is_back(void **state)
{
    struct bench *b = *state;
    char error[256];
    scratch_run(&b->dir, "mv shop.git away.git");

    int64_t next = watch_step(b->watch);

    scratch_ask(&b->dir, error, "sqlite3 state/pacewatch.db 'SELECT fetch_error FROM repo'");
    assert_non_null(strstr(error, "shop.git"));
    assert_true(next > clock_now_ns() + CLOCK_NS_PER_S); /* less often than the poll time */
    scratch_run(&b->dir, "mv away.git shop.git");
    bench_look(b);
    scratch_ask(&b->dir, error,
                "sqlite3 state/pacewatch.db 'SELECT fetch_error IS NULL FROM repo'");
    assert_string_equal(error, "1");
}

static void look_killed_between_noting_and_planning_goes_on(void **state)
{
    struct bench *b = *state;
    struct change c = {.source = CHANGE_POLL, .ref = "refs/heads/main"};
    char hex[256], jobs[256];
    int64_t id;
    bool added;
    (void)watch_step(b->watch);
    bench_commit(b, "c4");
    bench_push(b);
    scratch_ask(&b->dir, hex, "git -C shop.git rev-parse main");
    c.repo_id = b->repo_id;
    assert_true(sha_parse(view_z(hex), &c.head));
    MUST(store_change_add(b->store, &c, &id, &added, &e));
    assert_true(added);

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "push:c4");
    scratch_ask(&b->dir, hex,
                "sqlite3 state/pacewatch.db \"SELECT count(*) FROM change WHERE state='new'\"");
    assert_string_equal(hex, "0");
}

static void hook_that_claims_another_head_is_only_a_hint(void **state)
{
    struct bench *b = *state;
    struct change c = {.source = CHANGE_HOOK, .ref = "refs/heads/main"};
    char change[256], jobs[256];
    int64_t id;
    bool added;
    (void)watch_step(b->watch);
    c.repo_id = b->repo_id;
    c.head.len = 20;
    MUST(store_change_add(b->store, &c, &id, &added, &e));

    (void)watch_step(b->watch); /* asked for, so it does not wait for its time */

    scratch_ask(&b->dir, change,
                "sqlite3 state/pacewatch.db \"SELECT state || ' ' || why FROM change WHERE "
                "source='hook'\"");
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(change, "skipped the reference has moved on");
    assert_string_equal(jobs, "");
}

static bool was_looked_at(const struct bench *b)
{
    char line[256];
    scratch_ask(&b->dir, line,
                "sqlite3 state/pacewatch.db 'SELECT fetched_ms IS NOT NULL FROM repo'");
    return strcmp(line, "1") == 0;
}

static void measurement_keeps_fetches_away_but_not_for_ever(void **state)
{
    struct bench *b = *state;
    AUTO(fdio_closep) int measuring = -1;
    b->repo.poll_ns = 300 * CLOCK_NS_PER_MS;
    bench_close_watch(b);
    bench_open_watch(b);
    int64_t due = clock_now_ns();
    MUST(quiet_open_in(b->state, &measuring, &e));
    assert_true(quiet_try(measuring, QUIET_ALONE));

    int64_t next = watch_step(b->watch);

    assert_false(was_looked_at(b));
    assert_true(next <= clock_now_ns() + CLOCK_NS_PER_S);
    clock_sleep_until(due + b->repo.poll_ns + CLOCK_NS_PER_MS); /* its patience */
    (void)watch_step(b->watch);
    assert_true(was_looked_at(b));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    const struct CMUnitTest tests[] = {
        CASE(first_sight_numbers_the_chain_and_measures_nothing_without_backfill),
        CASE(backfill_takes_the_newest_commits_parents_first),
        CASE(every_commit_of_a_push_gets_a_job_in_order),
        CASE(force_push_keeps_positions_and_a_push_back_finds_them),
        CASE(commit_that_was_measured_is_not_measured_again_after_a_push_back),
        CASE(idle_repository_is_looked_at_more_rarely),
        CASE(deleted_branch_keeps_its_positions_and_may_come_back),
        CASE(merges_count_once_along_the_first_parent),
        CASE(paths_of_the_spec_decide_which_commits_are_measured),
        CASE(push_that_no_trigger_wants_is_skipped_with_the_reason),
        CASE(commits_without_a_spec_are_skipped),
        CASE(broken_spec_still_gets_a_job_that_can_tell),
        CASE(broken_spec_in_the_past_is_no_failed_look),
        CASE(remote_that_is_away_is_noted_and_forgotten_when_it_is_back),
        CASE(look_killed_between_noting_and_planning_goes_on),
        CASE(hook_that_claims_another_head_is_only_a_hint),
        CASE(measurement_keeps_fetches_away_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, bench_make_origin, bench_remove_origin);
}
