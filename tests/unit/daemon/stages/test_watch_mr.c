/* SPDX-License-Identifier: MIT */
#include "watch_bench.h"

static void merge_request(const struct bench *b, const char *subject, const char *from)
{
    scratch_run(
        &b->dir,
        "cd work; git checkout -q --detach %s; echo '%s' >>mr; git add mr; git commit -q "
        "-m '%s'; git push -q -f ../shop.git HEAD:refs/pull/7/head; git checkout -q main",
        from, subject, subject);
}

static void merge_request_is_measured_against_its_merge_base(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    (void)watch_step(b->watch);
    merge_request(b, "m1", "main~1");

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "mr:m1<c2");
}

/* Its head is gone again afterwards. */
static void merge_request_of_data_center_is_found(void **state)
{
    struct bench *b = *state;
    char jobs[256], change[256];
    (void)watch_step(b->watch);
    merge_request(b, "m1", "main~1");
    scratch_run(&b->dir,
                "git -C shop.git update-ref refs/pull-requests/9/from refs/pull/7/head; git -C "
                "shop.git update-ref -d refs/pull/7/head");

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "mr:m1<c2");
    scratch_run(&b->dir, "git -C shop.git update-ref -d refs/pull-requests/9/from");
    bench_look(b);
    bench_jobs_of(b, "'queued'", jobs);
    bench_last_change(b, change);
    assert_string_equal(jobs, "");
    assert_string_equal(change, "refs/pull/9/head planned ");
}

static void newer_head_supersedes_the_open_job(void **state)
{
    struct bench *b = *state;
    char queued[256], superseded[256];
    (void)watch_step(b->watch);
    merge_request(b, "m1", "main~1");
    bench_look(b);
    merge_request(b, "m2", "main");

    bench_look(b);

    bench_jobs_of(b, "'queued'", queued);
    bench_jobs_of(b, "'superseded'", superseded);
    assert_string_equal(queued, "mr:m2<c3");
    assert_string_equal(superseded, "mr:m1<c2");
}

static void merged_or_closed_merge_request_ends_its_jobs(void **state)
{
    struct bench *b = *state;
    char queued[256], change[256], mr[256];
    (void)watch_step(b->watch);
    merge_request(b, "m1", "main");
    bench_look(b);
    scratch_run(&b->dir, "git -C shop.git update-ref -d refs/pull/7/head");

    bench_look(b);

    bench_jobs_of(b, "'queued'", queued);
    bench_last_change(b, change);
    scratch_ask(&b->dir, mr, "sqlite3 state/pacewatch.db 'SELECT state FROM merge_request'");
    assert_string_equal(queued, "");
    assert_string_equal(change, "refs/pull/7/head planned ");
    assert_string_equal(mr, "closed");
}

static void head_that_is_in_the_target_already_is_not_measured(void **state)
{
    struct bench *b = *state;
    char change[256];
    scratch_run(&b->dir, "cd work; git push -q ../shop.git HEAD~1:refs/merge-requests/3/head");

    (void)watch_step(b->watch);

    bench_last_change(b, change);
    assert_string_equal(change, "refs/merge-requests/3/head skipped its head is in the target "
                                "branch already");
}

static void merge_request_without_a_spec_at_base_uses_its_own(void **state)
{
    struct bench *b = *state;
    char jobs[256];
    scratch_run(&b->dir, "cd work; git rm -q .pacewatch.json; git commit -q -m bare");
    bench_push(b);
    (void)watch_step(b->watch);
    bench_write_spec(b, "");
    scratch_run(&b->dir, "cd work; git add -A; git commit -q -m adds; git push -q ../shop.git "
                         "HEAD:refs/pull/8/head; git reset -q --hard HEAD~1");

    bench_look(b);

    bench_jobs_of(b, "'queued'", jobs);
    assert_string_equal(jobs, "mr:adds<bare");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    const struct CMUnitTest tests[] = {
        CASE(merge_request_is_measured_against_its_merge_base),
        CASE(merge_request_of_data_center_is_found),
        CASE(newer_head_supersedes_the_open_job),
        CASE(merged_or_closed_merge_request_ends_its_jobs),
        CASE(head_that_is_in_the_target_already_is_not_measured),
        CASE(merge_request_without_a_spec_at_base_uses_its_own),
    };
    return cmocka_run_group_tests(tests, bench_make_origin, bench_remove_origin);
}
