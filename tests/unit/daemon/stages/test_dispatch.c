/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "../scratch.h"
#include "dispatch.h"
#include "job_doc.h"
#include "lineage.h"
#include "log.h"
#include "mirror.h"
#include "quiet.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_run.h"

enum { COMMITS = 4 };

static const char good_spec[] =
    "{\"start\": {\"command\": [\"./shop\"]}, \"scenarios\": [{\"name\":"
    " \"items\", \"endpoints\": [{\"path\": \"/\"}]}]}";

/* A repository 'shop' with commits c0..c3 on main in tables and mirror, and a dispatch stage
 * whose runner is a script of the test. */
struct bench {
    struct scratch dir;
    char db[128], state[128], runner[128], work[128];
    char *branches[1];
    struct stage_repo repo;
    struct store *store;
    struct executor *executor;
    struct dispatch *dispatch;
    int64_t repo_id, branch_id;
    int64_t commits[COMMITS];
};

static void write_runner(const struct bench *b, const char *script)
{
    scratch_run(&b->dir,
                "cat >runner.new <<'SCRIPT'\n#!/bin/sh\n%s\nSCRIPT\nchmod +x runner.new; mv "
                "runner.new runner",
                script);
}

static void open_dispatch(struct bench *b)
{
    MUST(store_open(b->db, &b->store, &e));
    MUST(executor_local_open(&(struct executor_local_options){.program = b->runner,
                                                              .socket = "/nowhere.sock",
                                                              .work = b->work,
                                                              .grace_ns = CLOCK_NS_PER_S},
                             &b->executor, &e));
    MUST(dispatch_open(&(struct dispatch_options){.store = b->store,
                                                  .executor = b->executor,
                                                  .state_dir = b->state,
                                                  .repos = &b->repo,
                                                  .repos_len = 1,
                                                  .sandbox = true},
                       &b->dispatch, &e));
}

static void close_dispatch(struct bench *b)
{
    dispatch_end(b->dispatch);
    dispatch_closep(&b->dispatch);
    executor_freep(&b->executor);
    store_closep(&b->store);
}

/* What watch would have written. */
static void enter_commits(struct bench *b)
{
    AUTO(mirror_closep) struct mirror *m = NULL;
    AUTO(lineage_chain_done) struct lineage_chain chain = {0};
    struct branch branch;
    char path[160], tip[256];
    scratch_ask(&b->dir, tip, "git -C state/mirrors/shop.git rev-parse main");
    snprintf(path, sizeof path, "%s/mirrors/shop.git", b->state);
    MUST(mirror_open(path, &m, &e));
    MUST(lineage_chain_read(m, tip, NULL, NULL, &chain, &e));
    assert_int_equal(chain.commits.len, COMMITS);
    MUST(store_repo_put(b->store, "shop", "/srv/shop.git", "main", &b->repo_id, &e));
    MUST(store_branch_put(b->store, b->repo_id, "main", &branch, &e));
    b->branch_id = branch.id;
    for (int i = 0; i < COMMITS; i++) {
        struct commit c = {.repo_id = b->repo_id};
        assert_true(sha_parse(view_z(chain.commits.at[i].sha), &c.sha));
        assert_true(sha_parse(view_z(chain.commits.at[i].tree), &c.tree));
        snprintf(c.subject, sizeof c.subject, "%s", chain.commits.at[i].subject);
        MUST(store_commit_put(b->store, &c, &e));
        b->commits[i] = c.id;
    }
    MUST(store_branch_move(b->store, b->branch_id, 0, b->commits, COMMITS, &e));
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->state, sizeof b->state, "%s/state", b->dir.dir);
    snprintf(b->db, sizeof b->db, "%s/state/pacewatch.db", b->dir.dir);
    snprintf(b->runner, sizeof b->runner, "%s/runner", b->dir.dir);
    snprintf(b->work, sizeof b->work, "%s/state/work", b->dir.dir);
    b->branches[0] = (char *)"main";
    b->repo = (struct stage_repo){
        .name = "shop", .url = "/srv/shop.git", .branches = b->branches, .branches_len = 1};
    scratch_run(
        &b->dir,
        "mkdir -p state/mirrors; git init -q -b main work; cd work; for i in 0 1 2 3; do "
        "echo $i >file; if [ $i = 0 ]; then echo '%s' >.pacewatch.json; fi; git add -A; git "
        "commit -q -m c$i; done; git clone -q --bare . ../state/mirrors/shop.git",
        good_spec);
    log_set_level(LOG_ERROR);
    write_runner(b, "cd \"$(dirname \"$0\")\"; cat <&3 >t; mv t token; exec sleep 1000");
    open_dispatch(b);
    enter_commits(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    close_dispatch(b);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static int64_t queue(struct bench *b, enum job_kind kind, int head)
{
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .kind = kind,
                       .head = b->commits[head],
                       .seed = 5};
    int64_t id;
    bool added;
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    assert_true(added);
    return id;
}

static struct job job_of(struct bench *b, int64_t id)
{
    struct job job;
    MUST(store_job_get(b->store, id, &job, &e));
    return job;
}

/* Steps until the job is in that state. */
static struct job step_until(struct bench *b, int64_t id, enum job_state state)
{
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    struct job job;
    do {
        (void)dispatch_step(b->dispatch);
        job = job_of(b, id);
        clock_sleep_until(clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    } while (job.state != state && clock_now_ns() < deadline);
    assert_string_equal(job_state_names[job.state], job_state_names[state]);
    return job;
}

static void wait_for_file(const struct bench *b, const char *name)
{
    char path[160];
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    snprintf(path, sizeof path, "%s/%s", b->dir.dir, name);
    while (!fdio_exists(path) && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    assert_true(fdio_exists(path));
}

/* As http does when the runner hands over that the build of one side failed. */
static void deliver_failure(struct bench *b, int64_t job, enum failure_class cls, int side)
{
    AUTO(result_doc_freep) struct result_doc *doc = result_doc_new();
    AUTO(spec_freep) struct spec *spec = NULL;
    MUST(spec_parse(view_z(good_spec), "spec", &spec, &e));
    doc->job = job;
    doc->attempt = job_of(b, job).attempt;
    doc->outcome = RESULT_FAILED;
    doc->failure = cls;
    doc->failure_side = side;
    MUST(store_run_accept(b->store, doc, spec, &e));
}

static struct job_doc *read_job_doc(const struct bench *b, int64_t job)
{
    AUTO(str_done) struct str text = STR_INIT(JOB_DOC_BYTES_MAX);
    struct job_doc *doc = NULL;
    char path[160];
    snprintf(path, sizeof path, "%s/jobs/%" PRId64 "/job.json", b->state, job);
    MUST(fdio_read_file(path, &text, &e));
    MUST(job_doc_parse(str_view(&text), &doc, &e));
    return doc;
}

/* --- starting ----------------------------------------------------------------------------- */

static void runner_finds_document_trees_and_a_token_of_its_attempt(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    unsigned char hash[DIGEST_BYTES];
    struct attempt attempt;
    char token[256], sha[256], content[256];
    bool found;
    int64_t id = queue(b, JOB_PUSH, 3);

    struct job job = step_until(b, id, JOB_SUBMITTED);

    doc = read_job_doc(b, id);
    wait_for_file(b, "token");
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
    int64_t id = queue(b, JOB_BACKFILL, 0);

    struct job job = step_until(b, id, JOB_SUBMITTED);

    doc = read_job_doc(b, id);
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
    int64_t broken = queue(b, JOB_PUSH, 2);
    (void)step_until(b, broken, JOB_SUBMITTED);
    deliver_failure(b, broken, FAILURE_BUILD, SIDE_HEAD);
    executor_stop(b->executor, clock_now_ns());

    int64_t next = queue(b, JOB_PUSH, 3);
    struct job job = step_until(b, next, JOB_SUBMITTED);

    assert_int_equal(job.base, b->commits[1]);
}

static void merge_requests_go_before_pushes_and_backfill(void **state)
{
    struct bench *b = *state;
    int64_t past = queue(b, JOB_BACKFILL, 1);
    int64_t push = queue(b, JOB_PUSH, 2);
    int64_t mr = queue(b, JOB_MR, 3);

    (void)dispatch_step(b->dispatch);

    assert_int_equal(job_of(b, mr).state, JOB_SUBMITTED);
    assert_int_equal(job_of(b, push).state, JOB_QUEUED);
    assert_int_equal(job_of(b, past).state, JOB_QUEUED);
}

static void nothing_starts_while_the_host_is_not_quiet(void **state)
{
    struct bench *b = *state;
    AUTO(fdio_closep) int fetching = -1;
    int64_t id = queue(b, JOB_PUSH, 3);
    MUST(quiet_open_in(b->state, &fetching, &e));
    assert_true(quiet_try(fetching, QUIET_SHARED));

    int64_t next = dispatch_step(b->dispatch);

    assert_int_equal(job_of(b, id).state, JOB_QUEUED);
    assert_true(next < clock_now_ns() + CLOCK_NS_PER_S);
    quiet_release(fetching);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(job_of(b, id).state, JOB_SUBMITTED);
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

    assert_int_equal(job_of(b, id).state, JOB_FAILED);
    MUST(store_job_failure(b->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_CONFIG);
    assert_int_equal(failure.side, SIDE_HEAD);
    assert_non_null(strstr(failure.text, ".pacewatch.json:2:12: unknown key 'comand'"));
}

static void failed_job_does_not_hold_up_the_next(void **state)
{
    struct bench *b = *state;
    int64_t bad = queue(b, JOB_MR, 2);
    int64_t good = queue(b, JOB_PUSH, 3);
    scratch_run(&b->dir,
                "sqlite3 state/pacewatch.db \"UPDATE git_commit SET sha = randomblob(20) "
                "WHERE id = %" PRId64 "\"",
                b->commits[2]);

    (void)dispatch_step(b->dispatch);

    assert_int_equal(job_of(b, bad).state, JOB_FAILED);
    assert_int_equal(job_of(b, good).state, JOB_FAILED); /* its base is that commit */
    int64_t other = queue(b, JOB_BACKFILL, 1);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(job_of(b, other).state, JOB_SUBMITTED);
}

static void operators_spec_goes_before_the_repositorys_own(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    b->repo.spec_text =
        "{\"start\": {\"command\": [\"./other\"]}, \"scenarios\": [{\"endpoints\": "
        "[{\"path\": \"/\"}]}]}";
    b->repo.spec_path = "/etc/shop.json";
    int64_t id = queue(b, JOB_PUSH, 3);

    (void)dispatch_step(b->dispatch);

    doc = read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./other");
}

/* A further commit on top of c3, made by a script in the work tree. */
static int64_t add_commit(struct bench *b, const char *script)
{
    struct commit c = {.repo_id = b->repo_id};
    char sha[256];
    scratch_ask(&b->dir, sha,
                "cd work; %s; git add -A; git commit -q -m more; git push -q "
                "../state/mirrors/shop.git HEAD:refs/heads/main; git rev-parse HEAD",
                script);
    assert_true(sha_parse(view_z(sha), &c.sha));
    c.tree = c.sha;
    MUST(store_commit_put(b->store, &c, &e));
    return c.id;
}

static int64_t queue_pair(struct bench *b, enum job_kind kind, int64_t base, int64_t head)
{
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .kind = kind,
                       .base = base,
                       .head = head};
    int64_t id;
    bool added;
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    return id;
}

static void merge_request_cannot_bring_its_own_spec(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    int64_t head = add_commit(b, "sed -i s,./shop,./evil, .pacewatch.json");
    int64_t id = queue_pair(b, JOB_MR, b->commits[3], head);

    (void)dispatch_step(b->dispatch);

    doc = read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./shop");
}

static void push_that_mends_a_broken_spec_is_measured_with_its_own(void **state)
{
    struct bench *b = *state;
    AUTO(job_doc_freep) struct job_doc *doc = NULL;
    int64_t bad = add_commit(b, "cp .pacewatch.json good; echo '{' >.pacewatch.json");
    int64_t mended = add_commit(b, "sed s,./shop,./mended, good >.pacewatch.json");
    int64_t id = queue_pair(b, JOB_PUSH, bad, mended);

    (void)dispatch_step(b->dispatch);

    doc = read_job_doc(b, id);
    assert_string_equal(doc->spec->start.command.argv[0], "./mended");
}

static void submodules_are_noted_in_the_log_of_the_job(void **state)
{
    struct bench *b = *state;
    char line[256];
    int64_t head = add_commit(b, "mkdir lib; git update-index --add --cacheinfo 160000,$(git "
                                 "rev-parse HEAD),lib");
    (void)queue_pair(b, JOB_PUSH, b->commits[3], head);

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
    write_runner(b,
                 "cat <&3 >/dev/null; while [ ! -e \"$(dirname \"$0\")/go\" ]; do sleep .01; "
                 "done");
    int64_t first = queue(b, JOB_PUSH, 2);
    int64_t second = queue(b, JOB_PUSH, 3);
    (void)step_until(b, first, JOB_SUBMITTED);
    deliver_failure(b, first, FAILURE_VERIFY, SIDE_BASE);
    (void)dispatch_step(b->dispatch);
    assert_int_equal(job_of(b, second).state, JOB_QUEUED); /* the runner is still there */

    scratch_run(&b->dir, "touch go");
    (void)step_until(b, second, JOB_SUBMITTED);

    scratch_ask(&b->dir, left, "ls state/jobs | tr '\\n' ' '");
    assert_string_equal(left, "2 ");
    assert_int_equal(job_of(b, first).state, JOB_FAILED);
}

static void runner_that_dies_is_tried_again_and_given_up_at_the_third_time(void **state)
{
    struct bench *b = *state;
    AUTO(job_failure_done) struct job_failure failure = {0};
    char attempts[256];
    write_runner(b, "kill -9 $$");
    int64_t id = queue(b, JOB_PUSH, 3);

    struct job job = step_until(b, id, JOB_FAILED);

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
    int64_t id = queue(b, JOB_PUSH, 3);

    (void)step_until(b, id, JOB_FAILED);

    MUST(store_job_failure(b->store, id, &failure, &e));
    assert_int_equal(failure.cls, FAILURE_INFRA);
    assert_non_null(strstr(failure.text, "No such file"));
}

static void superseded_job_loses_its_runner(void **state)
{
    struct bench *b = *state;
    write_runner(b, "echo $$ >\"$(dirname \"$0\")/pid\"; exec sleep 1000");
    char alive[256];
    int64_t id = queue(b, JOB_PUSH, 3);
    (void)step_until(b, id, JOB_SUBMITTED);
    wait_for_file(b, "pid");

    MUST(store_job_cancel(b->store, id, &e));
    int64_t next = queue(b, JOB_PUSH, 2);
    (void)step_until(b, next, JOB_SUBMITTED); /* room again: the first one has ended */

    scratch_ask(&b->dir, alive,
                "sqlite3 state/pacewatch.db 'SELECT state FROM attempt LIMIT 1'");
    assert_string_equal(alive, "cancelled");
    assert_int_equal(job_of(b, id).state, JOB_SUPERSEDED);
}

static void stopping_puts_the_job_back_without_counting(void **state)
{
    struct bench *b = *state;
    char attempts[256];
    int64_t id = queue(b, JOB_PUSH, 3);
    for (int i = 0; i < ATTEMPTS_MAX + 1; i++) {
        (void)step_until(b, id, JOB_SUBMITTED);
        close_dispatch(b);
        open_dispatch(b);
    }

    struct job job = job_of(b, id);

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
    int64_t id = queue(b, JOB_PUSH, 3);
    (void)step_until(b, id, JOB_SUBMITTED);
    executor_stop(b->executor, clock_now_ns()); /* the kernel does it when the daemon dies */
    dispatch_closep(&b->dispatch);
    executor_freep(&b->executor);
    store_closep(&b->store);

    open_dispatch(b);

    assert_int_equal(job_of(b, id).state, JOB_QUEUED);
    assert_int_equal(step_until(b, id, JOB_SUBMITTED).attempt, 2);
    scratch_ask(&b->dir, attempts,
                "sqlite3 state/pacewatch.db 'SELECT group_concat(state) FROM attempt'");
    assert_string_equal(attempts, "cancelled,submitted");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
