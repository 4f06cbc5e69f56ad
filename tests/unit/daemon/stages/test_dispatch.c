/* SPDX-License-Identifier: MIT */
#include "dispatch_bench.h"

/* --- starting ----------------------------------------------------------------------------- */

static void runner_finds_document_trees_and_a_token_of_its_attempt(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    unsigned char hash[DIGEST_BYTES];
    struct attempt attempt;
    char token[256], sha[256], content[256];
    bool found;
    int64_t id = bench_queue(b, JOB_PUSH, 3);

    struct job job = bench_step_until(b, id, JOB_SUBMITTED);

    doc = bench_read_job_doc(b, id);
    bench_wait_for_file(b, "token");
    scratch_ask(&b->dir, token, "cat token");
    scratch_ask(&b->dir, sha, "git -C work rev-parse HEAD~1");
    digest_of(view_z(token), hash);
    MUST(store_attempt_by_token(b->store, hash, &attempt, &found, &e));
    assert_true(found);
    assert_int_equal(attempt.job_id, id);
    assert_int_equal(attempt.n, 1);
    assert_int_equal(job.base, b->commits[2]);
    assert_string_equal(doc->side[SIDE_BASE].sha, sha);
    assert_string_equal(doc->kind, "push");
    assert_int_equal(doc->rounds, 30);
    assert_int_equal(doc->aa_rounds, 10);
    assert_int_equal(doc->looks_len, 3);
    assert_int_equal(doc->looks[0], 10);
    assert_int_equal(doc->looks[2], 20);
    assert_int_equal(doc->rounds_expected, 30);
    assert_int_equal(doc->seed, 5);
    assert_true(doc->sandbox);
    scratch_ask(&b->dir, content,
                "for s in base head; do tar -xOf state/jobs/%" PRId64
                "/$s.tar file; done | tr '\\n' "
                "' '",
                id);
    assert_string_equal(content, "2 3 ");
}

static void first_commit_of_a_branch_has_no_base(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    int64_t id = bench_queue(b, JOB_BACKFILL, 0);

    struct job job = bench_step_until(b, id, JOB_SUBMITTED);

    doc = bench_read_job_doc(b, id);
    assert_int_equal(job.base, 0);
    assert_false(doc->side[SIDE_BASE].present);
    assert_true(doc->side[SIDE_HEAD].present);
    assert_int_equal(doc->aa_rounds, 0);
    assert_int_equal(doc->looks_len, 0);
    assert_int_equal(doc->rounds, 10);
}

static void parent_that_does_not_build_is_passed_over_as_base(void **state)
{
    struct bench *b = *state;
    int64_t broken = bench_queue(b, JOB_PUSH, 2);
    (void)bench_step_until(b, broken, JOB_SUBMITTED);
    bench_deliver_failure(b, broken, FAILURE_BUILD, SIDE_HEAD);
    executor_stop(b->executor, clock_now_ns());

    int64_t next = bench_queue(b, JOB_PUSH, 3);
    struct job job = bench_step_until(b, next, JOB_SUBMITTED);

    assert_int_equal(job.base, b->commits[1]);
}

static void merge_requests_go_before_pushes_and_backfill(void **state)
{
    struct bench *b = *state;
    int64_t past = bench_queue(b, JOB_BACKFILL, 1);
    int64_t push = bench_queue(b, JOB_PUSH, 2);
    int64_t mr = bench_queue(b, JOB_MR, 3);

    (void)dispatch_step(b->dispatch);

    assert_int_equal(bench_job_of(b, mr).state, JOB_SUBMITTED);
    assert_int_equal(bench_job_of(b, push).state, JOB_QUEUED);
    assert_int_equal(bench_job_of(b, past).state, JOB_QUEUED);
}

static void nothing_starts_while_the_host_is_not_quiet(void **state)
{
    struct bench *b = *state;
    AUTO(fdio_closep) int fetching = -1;
    int64_t id = bench_queue(b, JOB_PUSH, 3);
    MUST(quiet_open_in(b->state, &fetching, &e));
    assert_true(quiet_try(fetching, QUIET_SHARED));

    int64_t next = dispatch_step(b->dispatch);

    assert_int_equal(bench_job_of(b, id).state, JOB_QUEUED);
    assert_true(next < clock_now_ns() + CLOCK_NS_PER_S);
    quiet_release(fetching);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, id).state, JOB_SUBMITTED);
    assert_false(quiet_try(fetching, QUIET_SHARED));
}

/* --- jobs that cannot start --------------------------------------------------------------- */

static void broken_spec_fails_the_job_with_line_and_column(void **state)
{
    struct bench *b = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    struct branch branch;
    struct commit c = {.repo_id = b->repo_id};
    char line[256];
    scratch_ask(
        &b->dir, line,
        "cd work; printf '{\\n \"start\": {\"comand\": []}}' >.pacewatch.json; git commit -q "
        "-a -m bad; git push -q ../state/mirrors/shop.git HEAD:refs/heads/bad; git rev-parse "
        "HEAD HEAD^{tree}");
    assert_true(sha_parse(view_z(line), &c.sha));
    c.tree = c.sha;
    MUST(store_commit_put(b->store, &c, &e));
    MUST(store_branch_put(b->store, b->repo_id, "bad", &branch, &e));
    MUST(store_branch_move(b->store, branch.id, 0, &c.id, 1, &e));
    struct job want = {
        .repo_id = b->repo_id, .branch_id = branch.id, .kind = JOB_PUSH, .head = c.id};
    int64_t id;
    bool added;
    MUST(store_job_add(b->store, &want, &id, &added, &e));

    (void)dispatch_step(b->dispatch);

    assert_int_equal(bench_job_of(b, id).state, JOB_FAILED);
    MUST(store_job_failure(b->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_CONFIG);
    assert_int_equal(failure.side, SIDE_HEAD);
    assert_non_null(strstr(failure.text, ".pacewatch.json:2:12: unknown key 'comand'"));
}

static void failed_job_does_not_hold_up_the_next(void **state)
{
    struct bench *b = *state;
    int64_t bad = bench_queue(b, JOB_MR, 2);
    int64_t good = bench_queue(b, JOB_PUSH, 3);
    scratch_run(&b->dir,
                "sqlite3 state/pacewatch.db \"UPDATE git_commit SET sha = randomblob(20) "
                "WHERE id = %" PRId64 "\"",
                b->commits[2]);

    (void)dispatch_step(b->dispatch);

    assert_int_equal(bench_job_of(b, bad).state, JOB_FAILED);
    assert_int_equal(bench_job_of(b, good).state, JOB_FAILED); /* its base is that commit */
    int64_t other = bench_queue(b, JOB_BACKFILL, 1);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, other).state, JOB_SUBMITTED);
}

static void operators_spec_goes_before_the_repositorys_own(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    b->repo.spec_text =
        "{\"start\": {\"command\": [\"./other\"]}, \"scenarios\": [{\"endpoints\": "
        "[{\"path\": \"/\"}]}]}";
    b->repo.spec_path = "/etc/shop.json";
    int64_t id = bench_queue(b, JOB_PUSH, 3);

    (void)dispatch_step(b->dispatch);

    doc = bench_read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./other");
}

static void merge_request_cannot_bring_its_own_spec(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    int64_t head = bench_add_commit(b, "sed -i s,./shop,./evil, .pacewatch.json");
    int64_t id = bench_queue_pair(b, JOB_MR, b->commits[3], head);

    (void)dispatch_step(b->dispatch);

    doc = bench_read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./shop");
}

/* The last look before it runs: what waits from before needs an approval of exactly this head.
 */
static void head_that_nobody_approved_does_not_start(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    struct merge_request mr = {.repo_id = b->repo_id, .number = 7, .target = "main"};
    struct approval a = {.repo_id = b->repo_id, .mr = 7, .how = APPROVAL_COMMENT};
    int64_t head = bench_add_commit(b, "sed -i s,./shop,./evil, .pacewatch.json"), id;
    struct commit other, own;
    bool added;
    MUST(store_mr_put(b->store, &mr, head, b->commits[3], &mr.id, &e));
    MUST(store_commit_get(b->store, b->commits[3], &other, &e));
    MUST(store_commit_get(b->store, head, &own, &e));
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .mr_id = mr.id,
                       .kind = JOB_MR,
                       .base = b->commits[3],
                       .head = head};
    a.sha = other.sha;
    MUST(store_approval_add(b->store, &a, &e));
    MUST(store_job_add(b->store, &want, &id, &added, &e));

    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, id).state, JOB_SUPERSEDED);

    a.sha = own.sha;
    MUST(store_approval_add(b->store, &a, &e));
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, id).state, JOB_SUBMITTED);
    doc = bench_read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./shop");
}

static void wish_of_a_comment_changes_rounds_and_scenarios(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    struct change c = {
        .repo_id = b->repo_id, .source = CHANGE_MANUAL, .ref = "refs/pull/7/head"};
    int64_t wished, other, id;
    bool added;
    MUST(store_change_add(b->store, &c, &wished, &added, &e));
    MUST(store_wish_put(b->store, wished,
                        &(struct change_wish){.rounds = 20, .scenario = "items"}, &e));
    MUST(store_change_add(b->store, &c, &other, &added, &e));
    MUST(store_wish_put(b->store, other, &(struct change_wish){.scenario = "none"}, &e));
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .kind = JOB_PUSH,
                       .change_id = other,
                       .head = b->commits[3]};
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, id).state, JOB_FAILED);
    want.change_id = wished;
    MUST(store_job_add(b->store, &want, &id, &added, &e));

    (void)dispatch_step(b->dispatch);

    doc = bench_read_job_doc(b, id);
    assert_int_equal(doc->rounds, 20);
    assert_int_equal(doc->spec->scenarios_len, 1);
}

static void push_that_mends_a_broken_spec_is_measured_with_its_own(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    int64_t bad = bench_add_commit(b, "cp .pacewatch.json good; echo '{' >.pacewatch.json");
    int64_t mended = bench_add_commit(b, "sed s,./shop,./mended, good >.pacewatch.json");
    int64_t id = bench_queue_pair(b, JOB_PUSH, bad, mended);

    (void)dispatch_step(b->dispatch);

    doc = bench_read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./mended");
}

static void submodules_are_noted_in_the_log_of_the_job(void **state)
{
    struct bench *b = *state;
    char line[256];
    int64_t head =
        bench_add_commit(b, "mkdir lib; git update-index --add --cacheinfo 160000,$(git "
                            "rev-parse HEAD),lib");
    (void)bench_queue_pair(b, JOB_PUSH, b->commits[3], head);

    (void)dispatch_step(b->dispatch);

    scratch_ask(&b->dir, line,
                "sqlite3 state/pacewatch.db \"SELECT stage || ': ' || CAST(bytes AS TEXT) FROM "
                "job_log\"");
    assert_string_equal(line, "source: 1 submodule(s) were left out: their folders are empty");
}

/* --- ends --------------------------------------------------------------------------------- */

static void delivered_job_is_cleaned_up_and_the_next_starts(void **state)
{
    struct bench *b = *state;
    char left[256];
    bench_write_runner(
        b, "cat <&3 >/dev/null; while [ ! -e \"$(dirname \"$0\")/go\" ]; do sleep .01; "
           "done");
    int64_t first = bench_queue(b, JOB_PUSH, 2);
    int64_t second = bench_queue(b, JOB_PUSH, 3);
    (void)bench_step_until(b, first, JOB_SUBMITTED);
    bench_deliver_failure(b, first, FAILURE_VERIFY, SIDE_BASE);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(bench_job_of(b, second).state, JOB_QUEUED); /* the runner is still there */

    scratch_run(&b->dir, "touch go");
    (void)bench_step_until(b, second, JOB_SUBMITTED);

    scratch_ask(&b->dir, left, "ls state/jobs | tr '\\n' ' '");
    assert_string_equal(left, "2 ");
    assert_int_equal(bench_job_of(b, first).state, JOB_FAILED);
}

static void runner_that_dies_is_tried_again_and_given_up_at_the_third_time(void **state)
{
    struct bench *b = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    char attempts[256];
    bench_write_runner(b, "kill -9 $$");
    int64_t id = bench_queue(b, JOB_PUSH, 3);

    struct job job = bench_step_until(b, id, JOB_FAILED);

    MUST(store_job_failure(b->store, id, &failure, &e));
    scratch_ask(&b->dir, attempts,
                "sqlite3 state/pacewatch.db 'SELECT group_concat(state) FROM attempt'");
    assert_int_equal(job.attempt, ATTEMPTS_MAX);
    assert_string_equal(attempts, "lost,lost,lost");
    assert_int_equal(failure.cls, FAILURE_INFRA);
    assert_non_null(strstr(failure.text, "signal 9"));
}

static void program_that_is_not_there_fails_as_infra(void **state)
{
    struct bench *b = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    scratch_run(&b->dir, "rm runner");
    int64_t id = bench_queue(b, JOB_PUSH, 3);

    (void)bench_step_until(b, id, JOB_FAILED);

    MUST(store_job_failure(b->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_INFRA);
    assert_non_null(strstr(failure.text, "No such file"));
}

static void superseded_job_loses_its_runner(void **state)
{
    struct bench *b = *state;
    bench_write_runner(b, "echo $$ >\"$(dirname \"$0\")/pid\"; exec sleep 1000");
    char alive[256];
    int64_t id = bench_queue(b, JOB_PUSH, 3);
    (void)bench_step_until(b, id, JOB_SUBMITTED);
    bench_wait_for_file(b, "pid");

    MUST(store_job_cancel(b->store, id, &e));
    int64_t next = bench_queue(b, JOB_PUSH, 2);
    (void)bench_step_until(b, next, JOB_SUBMITTED); /* room again: the first one has ended */

    scratch_ask(&b->dir, alive,
                "sqlite3 state/pacewatch.db 'SELECT state FROM attempt LIMIT 1'");
    assert_string_equal(alive, "cancelled");
    assert_int_equal(bench_job_of(b, id).state, JOB_SUPERSEDED);
}

static void stopping_puts_the_job_back_without_counting(void **state)
{
    struct bench *b = *state;
    char attempts[256];
    int64_t id = bench_queue(b, JOB_PUSH, 3);
    for (int i = 0; i < ATTEMPTS_MAX + 1; i++) {
        (void)bench_step_until(b, id, JOB_SUBMITTED);
        bench_close_dispatch(b);
        bench_open_dispatch(b);
    }

    struct job job = bench_job_of(b, id);

    scratch_ask(
        &b->dir, attempts,
        "sqlite3 state/pacewatch.db 'SELECT group_concat(DISTINCT state) FROM attempt'");
    assert_int_equal(job.state, JOB_QUEUED);
    assert_string_equal(attempts, "cancelled");
}

static void job_of_a_daemon_that_was_killed_waits_again(void **state)
{
    struct bench *b = *state;
    char attempts[256];
    int64_t id = bench_queue(b, JOB_PUSH, 3);
    (void)bench_step_until(b, id, JOB_SUBMITTED);
    executor_stop(b->executor, clock_now_ns()); /* the kernel does it when the daemon dies */
    dispatch_closep(&b->dispatch);
    executor_freep(&b->executor);
    store_closep(&b->store);

    bench_open_dispatch(b);

    assert_int_equal(bench_job_of(b, id).state, JOB_QUEUED);
    assert_int_equal(bench_step_until(b, id, JOB_SUBMITTED).attempt, 2);
    scratch_ask(&b->dir, attempts,
                "sqlite3 state/pacewatch.db 'SELECT group_concat(state) FROM attempt'");
    assert_string_equal(attempts, "cancelled,submitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(runner_finds_document_trees_and_a_token_of_its_attempt),
        CASE(first_commit_of_a_branch_has_no_base),
        CASE(parent_that_does_not_build_is_passed_over_as_base),
        CASE(merge_requests_go_before_pushes_and_backfill),
        CASE(nothing_starts_while_the_host_is_not_quiet),
        CASE(broken_spec_fails_the_job_with_line_and_column),
        CASE(failed_job_does_not_hold_up_the_next),
        CASE(operators_spec_goes_before_the_repositorys_own),
        CASE(merge_request_cannot_bring_its_own_spec),
        CASE(head_that_nobody_approved_does_not_start),
        CASE(wish_of_a_comment_changes_rounds_and_scenarios),
        CASE(push_that_mends_a_broken_spec_is_measured_with_its_own),
        CASE(submodules_are_noted_in_the_log_of_the_job),
        CASE(delivered_job_is_cleaned_up_and_the_next_starts),
        CASE(runner_that_dies_is_tried_again_and_given_up_at_the_third_time),
        CASE(program_that_is_not_there_fails_as_infra),
        CASE(superseded_job_loses_its_runner),
        CASE(stopping_puts_the_job_back_without_counting),
        CASE(job_of_a_daemon_that_was_killed_waits_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
