/* SPDX-License-Identifier: MIT */
/* Whose merge requests run by themselves when no forge can be asked. */
#include "fdio.h"
#include "forge.h"
#include "store_approval.h"
#include "watch_bench.h"

/* A commit on top of main as the head of merge request 7, and as a branch too if named. */
static void merge_request(const struct bench *b, const char *subject, const char *branch)
{
    scratch_run(
        &b->dir,
        "cd work; git checkout -q --detach main; echo '%s' >>mr; git add mr; git commit -q "
        "-m '%s'; git push -q -f ../shop.git HEAD:refs/pull/7/head; for b in %s; do "
        "git push -q -f ../shop.git HEAD:refs/heads/$b; done; git checkout -q main",
        subject, subject, branch);
}

static struct sha head_of_7(const struct bench *b)
{
    char hex[256];
    struct sha sha = {.len = 0};
    scratch_ask(&b->dir, hex, "git -C shop.git rev-parse refs/pull/7/head");
    assert_true(sha_parse(view_z(hex), &sha));
    return sha;
}

/* As the commands stage does when a member has asked. */
static void approve(struct bench *b, const struct sha *sha)
{
    struct approval a = {.repo_id = b->repo_id, .mr = 7, .sha = *sha, .how = APPROVAL_COMMENT};
    struct change c = {.repo_id = b->repo_id,
                       .source = CHANGE_MANUAL,
                       .ref = "refs/pull/7/head",
                       .head = *sha};
    int64_t id;
    bool added;
    MUST(store_approval_add(b->store, &a, &e));
    MUST(store_change_add(b->store, &c, &id, &added, &e));
    assert_true(added);
}

static void start_with(struct bench *b, enum mr_policy policy)
{
    b->repo.merge_requests = policy;
    bench_look(b);
}

static void assert_queued(struct bench *b, const char *want)
{
    char jobs[256];
    bench_look(b);
    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, want);
}

static void head_that_no_branch_has_waits(void **state)
{
    struct bench *b = *state;
    char change[256];
    start_with(b, MR_OWN);
    merge_request(b, "m1", "");

    assert_queued(b, "");

    bench_last_change(b, change);
    assert_non_null(strstr(change, "skipped no branch of the repository has this head"));
}

static void head_of_a_branch_of_the_repository_runs(void **state)
{
    struct bench *b = *state;
    start_with(b, MR_OWN);
    merge_request(b, "m1", "topic");

    assert_queued(b, "mr:m1<c3");
}

static void approval_is_for_one_head(void **state)
{
    struct bench *b = *state;
    start_with(b, MR_OWN);
    merge_request(b, "m1", "");
    bench_look(b);
    struct sha head = head_of_7(b);
    approve(b, &head);

    assert_queued(b, "mr:m1<c3");

    merge_request(b, "m2", "");
    assert_queued(b, "");
}

static void approval_of_a_head_that_has_moved_on_starts_nothing(void **state)
{
    struct bench *b = *state;
    start_with(b, MR_OWN);
    merge_request(b, "m1", "");
    bench_look(b);
    struct sha head = head_of_7(b);
    merge_request(b, "m2", "");
    approve(b, &head);

    assert_queued(b, "");
}

static void same_head_is_measured_again_when_somebody_asks(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    start_with(b, MR_ALL);
    merge_request(b, "m1", "");
    assert_queued(b, "mr:m1<c3");
    scratch_run(&b->dir, "sqlite3 state/pacewatch.db \"UPDATE job SET state = 'reported'\"");
    assert_queued(b, "");
    struct sha head = head_of_7(b);
    approve(b, &head);

    assert_queued(b, "mr:m1<c3");

    bench_jobs_of(b, "'reported'", jobs);
    assert_string_equal(jobs, "mr:m1<c3");
}

static void where_all_wait_those_of_the_repository_do_too(void **state)
{
    struct bench *b = *state;
    char change[256];
    start_with(b, MR_APPROVED);
    merge_request(b, "m1", "topic");

    assert_queued(b, "");

    bench_last_change(b, change);
    assert_non_null(strstr(change, "waits for a member's '/pacewatch bench'"));
}

/* The remote takes the branch away again: what was approved stays so. */
static void branch_may_go_when_its_head_was_seen(void **state)
{
    struct bench *b = *state;
    start_with(b, MR_OWN);
    merge_request(b, "m1", "topic");
    assert_queued(b, "mr:m1<c3");
    scratch_run(&b->dir, "git -C shop.git update-ref -d refs/heads/topic");

    assert_queued(b, "mr:m1<c3");
}

/* A forge whose port nobody listens on; it keeps 'token', the name of a file. */
static struct forge *forge_that_is_away(const struct bench *b, char token[128])
{
    struct forge *forge = NULL;
    (void)snprintf(token, 128, "%s/token", b->dir.dir);
    MUST(fdio_write_file(token, view_z("secret"), 0600, &e));
    struct forge_options options = {.kind = FORGE_GITEA,
                                    .url = "http://127.0.0.1:1",
                                    .project = "acme/shop",
                                    .token_file = token};
    MUST(forge_open(&options, &forge, &e));
    return forge;
}

static void merge_request_that_waits_for_the_forge_holds_up_nobody(void **state)
{
    struct bench *b = *state;
    char change[256], token[128];
    start_with(b, MR_OWN);
    merge_request(b, "m1", "");
    b->repo.forge = forge_that_is_away(b, token);
    bench_look(b);
    bench_commit(b, "c4");
    bench_push(b);

    assert_queued(b, "push:c4");

    scratch_ask(&b->dir, change,
                "sqlite3 state/pacewatch.db \"SELECT state FROM change WHERE ref ="
                " 'refs/pull/7/head'\"");
    assert_string_equal(change, "new");
    bench_close_watch(b);
    forge_closep(&b->repo.forge);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    const struct CMUnitTest tests[] = {
        CASE(head_that_no_branch_has_waits),
        CASE(head_of_a_branch_of_the_repository_runs),
        CASE(approval_is_for_one_head),
        CASE(approval_of_a_head_that_has_moved_on_starts_nothing),
        CASE(same_head_is_measured_again_when_somebody_asks),
        CASE(where_all_wait_those_of_the_repository_do_too),
        CASE(branch_may_go_when_its_head_was_seen),
        CASE(merge_request_that_waits_for_the_forge_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, bench_make_origin, bench_remove_origin);
}
