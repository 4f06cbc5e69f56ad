/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "measured_fixture.h"
#include "store_alert.h"
#include "store_report.h"
#include "store_verdict.h"

static const struct fixture_result calm = {.seed = 1};

static int64_t series_of(struct fixture *f, const char *metric)
{
    AUTO(str_done) struct str sql = STR_INIT(256);
    str_addf(&sql, "SELECT id FROM series WHERE metric = '%s'", metric);
    return fixture_int(f, str_text(&sql));
}

static void add_line(struct verdict_record *v, int64_t series, enum outcome outcome,
                     bool primary, double effect)
{
    struct verdict_line *line = vec_push(&v->lines);
    line->series_id = series;
    line->outcome = outcome;
    line->primary = primary;
    line->effect = effect;
    line->noise = NAN;
    line->detectable = 0.1;
}

static void put(struct fixture *f, struct verdict_record *v)
{
    struct err e = {0};
    if (store_verdict_put(f->store, v, &e) < 0)
        fail_msg("%s", e.text);
    verdict_record_done(v);
}

static void rows_come_back_worst_first_and_unknown_numbers_stay_unknown(void **state)
{
    struct fixture f;
    bool found;
    AUTO(verdict_record_done) struct verdict_record got = {0};
    fixture_open(&f, NULL);
    int64_t job = fixture_job(&f, JOB_PUSH, 0, 1, &calm);
    struct verdict_record v = {
        .job_id = job, .outcome = OUTCOME_SLOWER, .rounds = 10, .why = "because"};
    add_line(&v, series_of(&f, "p50"), OUTCOME_NO_CHANGE, true, 0.9);
    add_line(&v, series_of(&f, "p99"), OUTCOME_UNDECIDED, true, 0.3);
    add_line(&v, series_of(&f, "peak_memory"), OUTCOME_SLOWER, false, 0.8);
    add_line(&v, series_of(&f, "throughput"), OUTCOME_SLOWER, true, -0.2);
    add_line(&v, series_of(&f, "cpu_per_request"), OUTCOME_SLOWER, true, 0.3);
    add_line(&v, series_of(&f, "errors"), OUTCOME_SLOWER, true, 0.01);
    add_line(&v, series_of(&f, "start_time"), OUTCOME_FASTER, true, -0.5);

    put(&f, &v);

    static const enum metric order[] = {
        METRIC_ERRORS,      METRIC_CPU_PER_REQUEST, METRIC_THROUGHPUT,
        METRIC_PEAK_MEMORY, METRIC_START_TIME,      METRIC_P99,
        METRIC_P50,
    };
    assert_int_equal(store_verdict_get(f.store, job, &got, &found, NULL), 0);
    assert_true(found);
    assert_string_equal(got.why, "because");
    assert_int_equal(got.lines.len, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(got.lines.at[i].metric, order[i]);
    assert_string_equal(got.lines.at[0].scenario, "items");
    assert_true(isnan(got.lines.at[0].noise));
    assert_true(got.lines.at[0].detectable == 0.1);
    fixture_close(&f);
    (void)state;
}

static void judging_again_replaces_the_rows_and_keeps_the_id(void **state)
{
    struct fixture f;
    fixture_open(&f, NULL);
    int64_t job = fixture_job(&f, JOB_PUSH, 0, 1, &calm);
    struct verdict_record first = {.job_id = job, .outcome = OUTCOME_SLOWER};
    struct verdict_record second = {.job_id = job, .outcome = OUTCOME_NO_CHANGE};
    add_line(&first, series_of(&f, "p50"), OUTCOME_SLOWER, true, 0.9);
    add_line(&first, series_of(&f, "p99"), OUTCOME_SLOWER, true, 0.9);
    add_line(&second, series_of(&f, "p50"), OUTCOME_NO_CHANGE, true, 0);
    put(&f, &first);
    int64_t id = fixture_int(&f, "SELECT id FROM verdict");

    put(&f, &second);

    assert_int_equal(fixture_int(&f, "SELECT id FROM verdict WHERE outcome = 'no_change'"), id);
    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM verdict_row"), 1);
    fixture_close(&f);
    (void)state;
}

static struct change_point point_at(int64_t series, int64_t pos)
{
    return (struct change_point){.series_id = series,
                                 .pos = pos,
                                 .after_pos = pos - 1,
                                 .pos_lo = pos,
                                 .pos_hi = pos,
                                 .method = CHANGE_HISTORY,
                                 .effect = 0.1,
                                 .why = "a step"};
}

static void list(struct fixture *f, int64_t series, struct change_point_list *out)
{
    struct err e = {0};
    if (store_change_point_list(f->store, series, CHANGE_HISTORY, out, &e) < 0)
        fail_msg("%s", e.text);
}

static void change_points_can_swap_places_and_keep_their_ids(void **state)
{
    struct fixture f;
    AUTO(change_point_list_done) struct change_point_list before = {0};
    AUTO(change_point_list_done) struct change_point_list after = {0};
    fixture_open(&f, NULL);
    (void)fixture_job(&f, JOB_PUSH, 0, 1, &calm);
    int64_t series = series_of(&f, "p50");
    struct change_point new[] = {point_at(series, 10), point_at(series, 20)};
    assert_int_equal(store_change_point_put(f.store, new, 2, NULL), 0);
    list(&f, series, &before);
    struct change_point moved[] = {before.at.at[0], before.at.at[1]};
    moved[0].pos = 20;
    moved[1].pos = 10;

    assert_int_equal(store_change_point_put(f.store, moved, 2, NULL), 0);

    list(&f, series, &after);
    assert_int_equal(after.at.len, 2);
    assert_int_equal(after.at.at[0].id, before.at.at[1].id);
    assert_int_equal(after.at.at[1].id, before.at.at[0].id);
    fixture_close(&f);
    (void)state;
}

static void a_change_found_again_where_one_was_retracted_has_its_old_id(void **state)
{
    struct fixture f;
    AUTO(change_point_list_done) struct change_point_list before = {0};
    AUTO(change_point_list_done) struct change_point_list after = {0};
    fixture_open(&f, NULL);
    (void)fixture_job(&f, JOB_PUSH, 0, 1, &calm);
    int64_t series = series_of(&f, "p50");
    struct change_point p = point_at(series, 10);
    assert_int_equal(store_change_point_put(f.store, &p, 1, NULL), 0);
    list(&f, series, &before);
    before.at.at[0].state = CHANGE_POINT_RETRACTED;
    assert_int_equal(store_change_point_put(f.store, before.at.at, 1, NULL), 0);

    assert_int_equal(store_change_point_put(f.store, &p, 1, NULL), 0);

    list(&f, series, &after);
    assert_int_equal(after.at.len, 1);
    assert_int_equal(after.at.at[0].id, before.at.at[0].id);
    assert_int_equal(after.at.at[0].state, CHANGE_POINT_PROVISIONAL);
    fixture_close(&f);
    (void)state;
}

static void an_alert_of_an_older_head_is_closed_and_stays_closed(void **state)
{
    struct fixture f;
    fixture_open(&f, NULL);
    int64_t first = fixture_job(&f, JOB_MR, 3, -1, &calm);
    struct alert a = {.repo_id = f.repo,
                      .branch_id = f.branch,
                      .mr_id = f.mr,
                      .job_id = first,
                      .commit_id = f.mr_head,
                      .state = ALERT_OPEN,
                      .title = "slower"};
    assert_int_equal(store_alert_put(f.store, &a, NULL), 0);

    assert_int_equal(store_alert_close_older(f.store, f.mr, first, NULL), 0);
    int64_t own = fixture_int(&f, "SELECT closed_ms IS NULL FROM alert");
    assert_int_equal(store_alert_close_older(f.store, f.mr, first + 1, NULL), 0);
    assert_int_equal(store_alert_put(f.store, &a, NULL), 0);

    assert_int_equal(own, 1);
    assert_int_equal(fixture_int(&f, "SELECT closed_ms IS NULL FROM alert"), 0);
    fixture_close(&f);
    (void)state;
}

static void a_report_gathers_what_is_known_of_a_job(void **state)
{
    struct fixture f;
    AUTO(report_record_done) struct report r = {0};
    fixture_open(&f, NULL);
    int64_t job = fixture_job(&f, JOB_MR, 3, -1, &calm);
    struct verdict_record v = {.job_id = job, .outcome = OUTCOME_NO_CHANGE, .rounds = 10};
    add_line(&v, series_of(&f, "p50"), OUTCOME_NO_CHANGE, true, 0);
    put(&f, &v);

    assert_int_equal(store_report_load(f.store, job, &r, NULL), 0);

    assert_string_equal(r.repo, "shop");
    assert_string_equal(r.branch, "main");
    assert_string_equal(r.host, "bench-1");
    assert_string_equal(r.subject, "commit 200");
    assert_int_equal(r.mr, 12);
    assert_int_equal(strlen(r.base), 40);
    assert_string_equal(r.base, r.merge_base);
    assert_int_equal(strlen(r.spec), REPORT_SPEC_HEX);
    assert_true(r.judged);
    assert_int_equal(r.verdict.lines.len, 1);
    assert_int_equal(r.failure, FAILURE_NONE);
    fixture_close(&f);
    (void)state;
}

static void a_report_of_a_failed_job_says_whose_fault_it_was(void **state)
{
    struct fixture f;
    AUTO(report_record_done) struct report r = {0};
    fixture_open(&f, NULL);
    int64_t job = fixture_job(&f, JOB_PUSH, 0, 1, &(struct fixture_result){.failed = true});

    assert_int_equal(store_report_load(f.store, job, &r, NULL), 0);

    assert_false(r.judged);
    assert_int_equal(r.failure, FAILURE_BUILD);
    assert_int_equal(r.failure_side, SIDE_HEAD);
    assert_string_equal(r.failure_text, "exit status 2");
    fixture_close(&f);
    (void)state;
}

static void a_report_of_no_job_is_not_found(void **state)
{
    struct fixture f;
    struct report r;
    struct err e = {0};
    fixture_open(&f, NULL);

    int result = store_report_load(f.store, 4711, &r, &e);

    assert_int_equal(result, -1);
    assert_int_equal(e.kind, ERR_NOT_FOUND);
    fixture_close(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_worst_first_and_unknown_numbers_stay_unknown),
        cmocka_unit_test(judging_again_replaces_the_rows_and_keeps_the_id),
        cmocka_unit_test(change_points_can_swap_places_and_keep_their_ids),
        cmocka_unit_test(a_change_found_again_where_one_was_retracted_has_its_old_id),
        cmocka_unit_test(an_alert_of_an_older_head_is_closed_and_stays_closed),
        cmocka_unit_test(a_report_gathers_what_is_known_of_a_job),
        cmocka_unit_test(a_report_of_a_failed_job_says_whose_fault_it_was),
        cmocka_unit_test(a_report_of_no_job_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
