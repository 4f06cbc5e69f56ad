/* SPDX-License-Identifier: MIT */
/* The whole http library over real sockets, with a database that went through the real moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asset_table.h"
#include "clock.h"
#include "filled.h"
#include "http.h"
#include "json.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_series.h"
#include "wire.h"

static struct filled filled;
static struct http *http;
static int port;

static int start(void **state)
{
    struct err e = {0};
    (void)state;
    filled_make(&filled);
    if (http_start(&(struct http_options){.listen = "127.0.0.1:0",
                                          .socket_path = filled.socket,
                                          .state_dir = filled.dir,
                                          .db_path = filled.db,
                                          .public_url = "https://pace.example"},
                   &http, &e) < 0)
        fail_msg("%s", e.text);
    port = http_port(http);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_stop(http, clock_now_ns() + 5 * CLOCK_NS_PER_S);
    assert_int_not_equal(access(filled.socket, F_OK), 0);
    filled_remove(&filled);
    return 0;
}

/* --- reading answers --------------------------------------------------------------------- */

static struct json_doc *get_json(const char *target, int status)
{
    struct answer a;
    struct json_doc *doc = NULL;
    struct err e = {0};
    wire_get(port, target, NULL, &a);
    if (a.status != status)
        fail_msg("%s: %d %s", target, a.status, str_text(&a.body));
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    if (json_parse(str_view(&a.body), &JSON_RESULT, &doc, &e) < 0)
        fail_msg("%s: %s", target, e.text);
    answer_done(&a);
    return doc;
}

/* Walks "jobs.0.id". */
static const struct json *at(const struct json_doc *doc, const char *path)
{
    const struct json *v = json_root(doc);
    struct view rest = view_z(path), step;
    for (bool more = true; more && v;) {
        char key[64];
        more = view_cut(rest, '.', &step, &rest);
        snprintf(key, sizeof key, "%.*s", (int)step.len, step.at);
        if (json_type(v) == JSON_ARRAY) {
            v = json_first(v);
            for (int i = atoi(key); i > 0 && v; i--)
                v = json_next(v);
        } else {
            v = json_get(v, key);
        }
    }
    if (!v)
        fail_msg("no '%s'", path);
    return v;
}

static void assert_text(const struct json_doc *doc, const char *path, const char *want)
{
    const struct json *v = at(doc, path);
    assert_int_equal(json_type(v), JSON_STRING);
    assert_string_equal(json_text(v).at, want);
}

static double number(const struct json_doc *doc, const char *path)
{
    assert_int_equal(json_type(at(doc, path)), JSON_NUMBER);
    return json_number(at(doc, path));
}

/* --- API --------------------------------------------------------------------------------- */

static void health_names_version_and_schema(void **state)
{
    AUTO(json_freep) struct json_doc *doc = get_json("/healthz", 200);
    (void)state;

    assert_text(doc, "status", "ok");
    assert_int_equal(number(doc, "schema"), store_schema_version());
}

static void repositories_show_their_work_and_newest_verdict(void **state)
{
    AUTO(json_freep) struct json_doc *all = get_json("/api/v1/repos", 200);
    AUTO(json_freep) struct json_doc *one = get_json("/api/v1/repos/shop", 200);
    (void)state;

    assert_int_equal(json_count(at(all, "repos")), 1);
    assert_text(all, "repos.0.name", "shop");
    assert_text(one, "branches.0", "main");
    assert_int_equal(number(one, "queued"), 2);
    assert_int_equal(number(one, "running"), 1);
    assert_int_equal(number(one, "open_alerts"), 1);
    assert_int_equal(number(one, "last.job"), filled.done);
    assert_text(one, "last.outcome", "slower");
    assert_true(json_bool(at(one, "last.confirmed")));
}

static void overview_is_the_whole_page_of_a_branch(void **state)
{
    AUTO(json_freep) struct json_doc *doc = get_json("/api/v1/repos/shop/overview", 200);
    (void)state;

    assert_int_equal(json_count(at(doc, "commits")), FILLED_COMMITS);
    assert_int_equal(number(doc, "commits.0.pos"), FILLED_COMMITS);
    assert_int_equal(json_type(at(doc, "commits.0.job")), JSON_NULL);
    assert_text(doc, "commits.3.job.failure_class", "build");
    assert_text(doc, "commits.4.job.outcome", "slower");
    assert_int_equal(number(doc, "merge_requests.0.number"), 5);
    assert_text(doc, "merge_requests.0.subject", "<script>alert(1)</script>");
    assert_int_equal(number(doc, "merge_requests.0.job.id"), filled.mr_job);
    assert_int_equal(json_count(at(doc, "series.0.pos")), FILLED_COMMITS - 2);
    assert_int_equal(number(doc, "series.0.value.7"), 1308);
    assert_int_equal(number(doc, "series.0.changes.0.pos"), 8);
    assert_true(json_bool(at(doc, "series.0.changes.0.worse")));
    assert_int_equal(number(doc, "alerts.0.job"), filled.done);
}

static void series_has_columns_levels_and_changes(void **state)
{
    char target[64];
    snprintf(target, sizeof target, "/api/v1/series/%" PRId64, filled.series);
    AUTO(json_freep) struct json_doc *doc = get_json(target, 200);
    static const char *const columns[] = {"value", "lo", "hi", "n", "sha", "subject", "job"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        assert_int_equal(json_count(at(doc, columns[i])), json_count(at(doc, "pos")));
    assert_false(json_bool(at(doc, "bucketed")));
    assert_int_equal(json_count(at(doc, "levels")), 2);
    assert_int_equal(number(doc, "levels.0.value"), 1004);
    assert_int_equal(number(doc, "levels.1.from"), 8);
    assert_int_equal(number(doc, "levels.1.value"), 1309);
    assert_int_equal(number(doc, "job.7"), filled.done);
    assert_int_equal(number(doc, "job.6"), filled.moved);
    assert_int_equal(json_type(at(doc, "job.0")), JSON_NULL);
    assert_text(doc, "changes.0.method", "pair");
    assert_int_equal(json_count(at(doc, "events")), 1);
    assert_int_equal(number(doc, "events.0.pos"), 9);
    assert_text(doc, "events.0.text", "kernel 6.1.0-1 -> 6.1.0-2");
}

static void series_is_reduced_to_the_buckets_asked_for(void **state)
{
    char target[96];
    snprintf(target, sizeof target, "/api/v1/series/%" PRId64 "?from=1&to=7&buckets=2",
             filled.series);
    AUTO(json_freep) struct json_doc *doc = get_json(target, 200);
    (void)state;

    /* 1001..1003 and 1004..1007: medians, quartiles of type 7, last positions. */
    assert_true(json_bool(at(doc, "bucketed")));
    assert_int_equal(json_count(at(doc, "value")), 2);
    assert_true(number(doc, "value.0") == 1002);
    assert_true(number(doc, "lo.0") == 1001.5);
    assert_true(number(doc, "value.1") == 1005.5);
    assert_true(number(doc, "hi.1") == 1006.25);
    assert_int_equal(number(doc, "pos.0"), 3);
    assert_int_equal(number(doc, "n.1"), 4 * FILLED_ROUNDS);
    assert_int_equal(json_count(at(doc, "changes")), 0);
}

static void jobs_are_filtered_and_say_what_they_wait_for(void **state)
{
    AUTO(json_freep) struct json_doc *all = get_json("/api/v1/jobs", 200);
    AUTO(json_freep)
    struct json_doc *open = get_json("/api/v1/jobs?repo=shop&state=queued", 200);
    AUTO(json_freep) struct json_doc *one = get_json("/api/v1/jobs?limit=1", 200);
    (void)state;

    assert_int_equal(json_count(at(all, "jobs")), 6);
    assert_int_equal(json_count(at(open, "jobs")), 2);
    assert_int_equal(json_count(at(one, "jobs")), 1);
    assert_int_equal(number(open, "jobs.0.mr"), 5);
    assert_text(open, "jobs.0.waiting", "1 job before it");  /* the one that runs */
    assert_text(open, "jobs.1.waiting", "2 jobs before it"); /* and the merge request */
    assert_int_equal(number(all, "jobs.2.progress.attempt"), 2);
}

static void job_shows_rounds_verdict_and_stages(void **state)
{
    char target[64];
    snprintf(target, sizeof target, "/api/v1/jobs/%" PRId64, filled.done);
    AUTO(json_freep) struct json_doc *doc = get_json(target, 200);
    (void)state;

    assert_text(doc, "job.state", "reported");
    assert_text(doc, "spec", filled_spec);
    assert_text(doc, "run.identity.cpu", "Some CPU");
    assert_int_equal(json_count(at(doc, "run.notes")), 1);
    assert_text(doc, "run.notes.0", "base and head answer 'GET /' differently: <b>");
    assert_text(doc, "verdict.rows.0.outcome", "slower");
    assert_int_equal(json_count(at(doc, "rounds")), FILLED_ROUNDS);
    assert_int_equal(json_count(at(doc, "rounds.1.arms")), 2);
    assert_text(doc, "rounds.1.arms.1.side", "head");
    assert_int_equal(number(doc, "rounds.1.arms.1.samples.1"), 1302);
    assert_text(doc, "stages.0", "build-head");
}

static void reports_and_logs_have_their_own_types(void **state)
{
    static const struct {
        const char *what, *type, *contains;
    } cases[] = {
        {"report", "application/json", "\"outcome\":\"slower\""},
        {"report?format=json", "application/json", "\"outcome\":\"slower\""},
        {"report?format=markdown", "text/markdown; charset=utf-8", "https://pace.example"},
        {"report?format=text", "text/plain; charset=utf-8", "slower"},
        {"log?stage=build-head", "text/plain; charset=utf-8", "cc -O2 shop.c\ndone\n"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[96];
        struct answer a;
        snprintf(target, sizeof target, "/api/v1/jobs/%" PRId64 "/%s", filled.done,
                 cases[i].what);
        wire_get(port, target, NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), cases[i].type);
        if (!strstr(str_text(&a.body), cases[i].contains))
            fail_msg("%s: %s", cases[i].what, str_text(&a.body));
        answer_done(&a);
    }
}

static void errors_have_code_and_message(void **state)
{
    static const struct {
        const char *target, *code;
        int status;
    } cases[] = {
        {"/api/v1/repos/nope", "not_found", 404},
        {"/api/v1/repos/shop/overview?branch=nope", "not_found", 404},
        {"/api/v1/series/999", "not_found", 404},
        {"/api/v1/series/x", "not_found", 404},
        {"/api/v1/series/1?buckets=0", "bad_request", 400},
        {"/api/v1/series/1?buckets=99999", "bad_request", 400},
        {"/api/v1/series/1?from=-1", "bad_request", 400},
        {"/api/v1/jobs?state=done", "bad_request", 400},
        {"/api/v1/jobs?limit=1001", "bad_request", 400},
        {"/api/v1/jobs?repo=nope", "not_found", 404},
        {"/api/v1/jobs/0", "not_found", 404},
        {"/api/v1/jobs/1/report?format=pdf", "bad_request", 400},
        {"/api/v1/jobs/1/log", "bad_request", 400},
        {"/api/v1/jobs/1/log?stage=none", "not_found", 404},
        {"/api/v1/unknown", "not_found", 404},
        {"/runner/v1/job", "unauthorized", 401},
        {"/runner/v1/beat", "method_not_allowed", 405},
        {"/assets/none.js", "not_found", 404},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_freep) struct json_doc *doc = get_json(cases[i].target, cases[i].status);
        assert_text(doc, "error.code", cases[i].code);
        assert_true(json_text(at(doc, "error.message")).len > 0);
    }
}

static void texts_for_sql_stay_texts(void **state)
{
    AUTO(json_freep) struct json_doc *doc = get_json("/api/v1/repos/x'%20OR%20'1'='1", 404);
    (void)state;

    assert_text(doc, "error.message", "no repository 'x' OR '1'='1'");
}

static void replaced_commits_leave_the_chart_but_keep_their_place(void **state)
{
    char target[64];
    struct err e = {0};
    struct commit fresh = {.repo_id = filled.repo, .sha = {.len = 20}, .tree = {.len = 20}};
    (void)state;
    memset(fresh.sha.at, 0x99, 20);
    assert_int_equal(store_commit_put(filled.store, &fresh, &e), 0);

    /* Behind position 8 the branch now has one other commit. */
    assert_int_equal(
        store_branch_move(filled.store, filled.branch, filled.commits[7].id, &fresh.id, 1, &e),
        0);
    snprintf(target, sizeof target, "/api/v1/series/%" PRId64, filled.series);
    AUTO(json_freep) struct json_doc *chart = get_json(target, 200);
    AUTO(json_freep) struct json_doc *page = get_json("/api/v1/repos/shop/overview", 200);

    assert_int_equal(json_count(at(chart, "pos")), 8);
    assert_int_equal(json_count(at(page, "series.0.pos")), 8);
    assert_int_equal(number(page, "commits.0.pos"), FILLED_COMMITS + 1);
    assert_true(json_bool(at(page, "commits.0.live")));
    assert_int_equal(number(page, "commits.1.pos"), FILLED_COMMITS);
    assert_false(json_bool(at(page, "commits.1.live")));
}

/* --- ETag, headers, files ---------------------------------------------------------------- */

static void answers_are_unchanged_until_the_database_changes(void **state)
{
    struct answer first, again, later;
    char condition[128];
    struct err e = {0};
    (void)state;
    wire_get(port, "/api/v1/repos", NULL, &first);
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n",
             answer_header(&first, "ETag"));

    wire_get(port, "/api/v1/repos", condition, &again);
    assert_int_equal(store_job_cancel(filled.store, filled.queued, &e), 0);
    wire_get(port, "/api/v1/repos", condition, &later);

    assert_int_equal(again.status, 304);
    assert_int_equal(again.body.len, 0);
    assert_string_equal(answer_header(&first, "Cache-Control"), "no-cache");
    assert_int_equal(later.status, 200);
    assert_non_null(strstr(str_text(&first.body), "\"queued\":2"));
    assert_non_null(strstr(str_text(&later.body), "\"queued\":1"));
    answer_done(&first);
    answer_done(&again);
    answer_done(&later);
}

static void unknown_addresses_get_the_page_with_its_policy(void **state)
{
    static const char *const targets[] = {"/", "/repos/shop", "/queue", "/jobs/1"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct answer a;
        wire_get(port, targets[i], NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), "text/html; charset=utf-8");
        assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(answer_header(&a, "Referrer-Policy"), "no-referrer");
        assert_string_equal(answer_header(&a, "Cross-Origin-Opener-Policy"), "same-origin");
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-cache");
        const char *policy = answer_header(&a, "Content-Security-Policy");
        assert_non_null(strstr(policy, "default-src 'none'; script-src 'self'"));
        assert_non_null(strstr(policy, "frame-ancestors 'none'"));
        assert_non_null(strstr(policy, "require-trusted-types-for 'script'"));
        assert_null(strstr(policy, "unsafe"));
        answer_done(&a);
    }
}

static void api_answers_may_load_nothing(void **state)
{
    struct answer a;
    (void)state;

    wire_get(port, "/api/v1/repos", NULL, &a);

    assert_string_equal(answer_header(&a, "Content-Security-Policy"),
                        "default-src 'none'; frame-ancestors 'none'");
    assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
    answer_done(&a);
}

static void every_file_comes_in_every_form_it_has(void **state)
{
    (void)state;

    for (size_t i = 0; i < asset_table_len; i++) {
        const struct asset *file = &asset_table[i];
        const struct {
            const char *accept, *coding;
            struct asset_bytes bytes;
        } forms[] = {
            {"Accept-Encoding: identity\r\n", "", file->raw},
            {"Accept-Encoding: gzip\r\n", "gzip", file->gz},
            {"Accept-Encoding: gzip, br\r\n", "br", file->br},
        };
        for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
            struct answer whole, unchanged;
            char headers[256];
            if (!forms[k].bytes.at)
                continue;
            wire_get(port, file->path, forms[k].accept, &whole);
            snprintf(headers, sizeof headers, "%sIf-None-Match: %s\r\n", forms[k].accept,
                     answer_header(&whole, "ETag"));
            wire_get(port, file->path, headers, &unchanged);

            assert_int_equal(whole.status, 200);
            assert_string_equal(answer_header(&whole, "Content-Encoding"), forms[k].coding);
            assert_string_equal(answer_header(&whole, "Vary"), "Accept-Encoding");
            assert_string_equal(answer_header(&whole, "Content-Type"), file->type);
            assert_string_equal(answer_header(&whole, "Cache-Control"),
                                file->immutable ? "public, max-age=31536000, immutable"
                                                : "no-cache");
            assert_int_equal(whole.body.len, forms[k].bytes.len);
            assert_memory_equal(whole.body.at, forms[k].bytes.at, forms[k].bytes.len);
            assert_int_equal(unchanged.status, 304);
            answer_done(&whole);
            answer_done(&unchanged);
        }
    }
}

static void head_has_the_length_and_no_body(void **state)
{
    struct answer head, get;
    int fd = wire_tcp(port);
    (void)state;

    wire_ask(fd, "HEAD", "/api/v1/repos", NULL, VIEW(""), &head);
    wire_ask(fd, "GET", "/api/v1/repos", NULL, VIEW(""), &get);

    assert_int_equal(head.status, 200);
    assert_int_equal(get.status, 200);
    assert_int_equal(atoi(answer_header(&head, "Content-Length")), get.body.len);
    answer_done(&head);
    answer_done(&get);
    close(fd);
}

static void wrong_methods_are_told_the_right_ones(void **state)
{
    struct answer a;
    int fd = wire_tcp(port);
    (void)state;

    wire_ask(fd, "DELETE", "/api/v1/repos", NULL, VIEW(""), &a);

    assert_int_equal(a.status, 405);
    assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD");
    answer_done(&a);
    close(fd);
}

/* --- sockets ----------------------------------------------------------------------------- */

static void foreign_page_that_points_its_name_here_reads_nothing(void **state)
{
    struct answer foreign, ours, unix_any;
    (void)state;
    int fd = wire_tcp(port);
    (void)wire_send(fd, VIEW("GET /api/v1/repos HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    wire_read(fd, false, &foreign);
    (void)wire_send(fd, VIEW("GET /api/v1/repos HTTP/1.1\r\nHost: pace.example\r\n\r\n"));
    wire_read(fd, false, &ours);
    int local = wire_unix(filled.socket);
    (void)wire_send(local, VIEW("GET /api/v1/repos HTTP/1.1\r\nHost: any\r\n\r\n"));
    wire_read(local, false, &unix_any);

    assert_int_equal(foreign.status, 403);
    assert_null(strstr(str_text(&foreign.body), "shop"));
    assert_int_equal(ours.status, 200);
    assert_int_equal(unix_any.status, 200);
    answer_done(&foreign);
    answer_done(&ours);
    answer_done(&unix_any);
    close(fd);
    close(local);
}

static void unix_socket_serves_its_owner_only(void **state)
{
    struct answer a;
    struct stat st;
    int fd = wire_unix(filled.socket);
    (void)state;

    wire_ask(fd, "GET", "/healthz", NULL, VIEW(""), &a);

    assert_int_equal(a.status, 200);
    assert_int_equal(stat(filled.socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    answer_done(&a);
    close(fd);
}

static void second_daemon_does_not_take_the_socket(void **state)
{
    struct http *second = NULL;
    struct err e = {0};
    struct answer a;
    (void)state;

    int started = http_start(&(struct http_options){.socket_path = filled.socket,
                                                    .state_dir = filled.dir,
                                                    .db_path = filled.db},
                             &second, &e);
    int fd = wire_unix(filled.socket);
    wire_ask(fd, "GET", "/healthz", NULL, VIEW(""), &a);

    assert_int_equal(started, -1);
    assert_int_equal(e.kind, ERR_CONFLICT);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    close(fd);
}

static void database_that_cannot_be_opened_fails_the_start(void **state)
{
    struct http *second = NULL;
    struct err e = {0};
    (void)state;

    int started = http_start(&(struct http_options){.listen = "127.0.0.1:0",
                                                    .state_dir = filled.dir,
                                                    .db_path = "/nowhere/pacewatch.db"},
                             &second, &e);

    assert_int_equal(started, -1);
    assert_non_null(strstr(e.text, "/nowhere/pacewatch.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_names_version_and_schema),
        cmocka_unit_test(repositories_show_their_work_and_newest_verdict),
        cmocka_unit_test(overview_is_the_whole_page_of_a_branch),
        cmocka_unit_test(series_has_columns_levels_and_changes),
        cmocka_unit_test(series_is_reduced_to_the_buckets_asked_for),
        cmocka_unit_test(jobs_are_filtered_and_say_what_they_wait_for),
        cmocka_unit_test(job_shows_rounds_verdict_and_stages),
        cmocka_unit_test(reports_and_logs_have_their_own_types),
        cmocka_unit_test(errors_have_code_and_message),
        cmocka_unit_test(texts_for_sql_stay_texts),
        cmocka_unit_test(answers_are_unchanged_until_the_database_changes),
        cmocka_unit_test(unknown_addresses_get_the_page_with_its_policy),
        cmocka_unit_test(api_answers_may_load_nothing),
        cmocka_unit_test(every_file_comes_in_every_form_it_has),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(wrong_methods_are_told_the_right_ones),
        cmocka_unit_test(foreign_page_that_points_its_name_here_reads_nothing),
        cmocka_unit_test(unix_socket_serves_its_owner_only),
        cmocka_unit_test(second_daemon_does_not_take_the_socket),
        cmocka_unit_test(replaced_commits_leave_the_chart_but_keep_their_place),
        cmocka_unit_test(database_that_cannot_be_opened_fails_the_start),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
