/* SPDX-License-Identifier: MIT */
/*
 * Judge and post against a scripted forge of each kind: rows in, one comment and statuses out.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "fdio.h"
#include "forge_bench.h"
#include "judge_setup.h"
#include "log.h"
#include "post_parts.h"

static const char *const kinds[] = {"github", "github+app", "gitlab",
                                    "gitea",  "bitbucket",  "bitbucket-server"};

#define ALWAYS "\"report\":{\"when\":\"always\"}"
#define GATE   "\"report\":{\"when\":\"changes\",\"gate\":true}"

struct line { /* judge and post with one forge */
    struct setup s;
    struct forge_bench b;
    struct notice_forge to;
    struct post post;
};

static void open_line(struct line *l, const char *kind, const char *spec)
{
    open_judge(&l->s, spec);
    forge_bench_open(&l->b, kind);
    l->to = (struct notice_forge){.repo = "shop",
                                  .forge = l->b.forge,
                                  .context = "pacewatch",
                                  .comments = true,
                                  .statuses = true};
    struct notice_targets targets = {.forges = &l->to, .forges_len = 1};
    l->s.judge.targets = targets;
    l->s.judge.public_url = "https://pace.example";
    l->post = (struct post){.store = l->s.f.store,
                            .state_dir = l->s.f.dir,
                            .public_url = "https://pace.example",
                            .targets = targets,
                            .pause_first_ms = 1};
    rng_init(&l->post.rng, 1);
}

static void close_line(struct line *l)
{
    post_done(&l->post);
    forge_bench_close(&l->b);
    close_judge(&l->s);
}

/* Steps until nothing is pending. */
static void post_all(struct line *l)
{
    int64_t deadline = clock_now_ns() + 30 * CLOCK_NS_PER_S;
    int64_t next = post_step(&l->post);
    while (fixture_int(&l->s.f, "SELECT count(*) FROM outbox WHERE state = 'pending'")) {
        assert_true(clock_now_ns() < deadline);
        clock_sleep_until(next < deadline ? next : deadline);
        next = post_step(&l->post);
    }
}

static void judge_and_post(struct line *l)
{
    (void)judge_step(&l->s.judge);
    post_all(l);
}

static int64_t queue_mr(struct line *l)
{
    int64_t job = fixture_queue(&l->s.f, 3, -1);
    assert_int_equal(fixture_int(&l->s.f, "UPDATE job SET kind = 'mr' WHERE state = 'queued'"
                                          " RETURNING 1"),
                     1);
    return job;
}

/* The text of the n-th comment, or a text of the last status. */
static void comment_text(struct line *l, size_t n, struct str *out)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(&l->b);
    const struct json *c = json_first(json_get(json_root(doc), "comments"));
    while (c && n--)
        c = json_next(c);
    str_clear(out);
    str_add(out, c ? json_text(json_get(c, "body")) : VIEW(""));
}

static void check_comment(struct line *l, size_t n, const char *start)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    comment_text(l, n, &text);
    if (!view_starts(str_view(&text), start))
        fail_msg("comment %zu: expected '%s', got '%s'", n, start, str_text(&text));
}

static void status_words(struct line *l, struct str *out)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(&l->b);
    bool app = l->b.options.app_id != NULL;
    const struct json *list = json_get(json_root(doc), app ? "checks" : "statuses"),
                      *last = NULL;
    for (const struct json *s = json_first(list); s; s = json_next(s))
        last = s;
    assert_non_null(last);
    const struct json *state = json_get(last, !app                           ? "state"
                                              : json_get(last, "conclusion") ? "conclusion"
                                                                             : "status");
    str_clear(out);
    str_add(out, json_text(state));
    str_addz(out, ": ");
    str_add(out, json_text(app ? json_get(json_get(last, "output"), "title")
                               : json_get(last, "description")));
}

/* Each forge has its own words for the four states. */
static void check_status(struct line *l, enum forge_state want, const char *words)
{
    static const char *const own[FORGE_STATE_COUNT][4] = {
        {"pending", "in_progress", "INPROGRESS", NULL},
        {"success", "SUCCESSFUL", NULL, NULL},
        {"failure", "failed", "FAILED", NULL},
        {"neutral", "success", "SUCCESSFUL", NULL},
    };
    AUTO(str_done) struct str seen = STR_INIT(1024);
    struct view state, rest;
    bool good = false;
    status_words(l, &seen);
    (void)view_cut(str_view(&seen), ':', &state, &rest);
    for (int i = 0; own[want][i]; i++)
        good |= view_eqz(state, own[want][i]);
    if (!good || !strstr(str_text(&seen), words))
        fail_msg("expected %s with '%s', got '%s'", own[want][0], words, str_text(&seen));
}

static void a_merge_request_on(const char *kind)
{
    struct line l;
    open_line(&l, kind, ALWAYS);
    int64_t job = queue_mr(&l);

    post_all(&l);
    check_status(&l, FORGE_PENDING, "queued");
    check_comment(&l, 0, "**queued** - <code>c90000000000</code> for `main`");

    fixture_deliver(&l.s.f, job, &slow);
    judge_and_post(&l);
    check_status(&l, FORGE_PENDING, "queued to be measured again");
    assert_int_equal(forge_bench_count(&l.b, "comments"), 1);

    fixture_deliver(&l.s.f, fixture_queued(&l.s.f), &slow);
    judge_and_post(&l);
    check_status(&l, FORGE_NEUTRAL, "slower (confirmed)");
    assert_int_equal(forge_bench_count(&l.b, "comments"), 2);
    check_comment(&l, 0, "**A regression was confirmed**");
    check_comment(&l, 1, "**slower (confirmed)** - CPU time per request");

    forge_bench_check(&l.b);
    close_line(&l);
}

static void a_merge_request_is_told_on_each_forge(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        a_merge_request_on(kinds[i]);
    (void)state;
}

static void nothing_changed_is_a_status_and_no_comment(void **state)
{
    struct line l;
    open_line(&l, "gitea", NULL);
    int64_t job = queue_mr(&l);
    post_all(&l);

    fixture_deliver(&l.s.f, job, &calm);
    judge_and_post(&l);

    check_status(&l, FORGE_SUCCESS, "no change");
    assert_int_equal(forge_bench_count(&l.b, "comments"), 0);
    close_line(&l);
    (void)state;
}

static void a_gate_fails_what_is_confirmed_and_nothing_else(void **state)
{
    struct line l;
    open_line(&l, "github+app", GATE);
    int64_t job = queue_mr(&l);

    fixture_deliver(&l.s.f, job, &slow);
    judge_and_post(&l);
    check_status(&l, FORGE_PENDING, "queued to be measured again");
    fixture_deliver(&l.s.f, fixture_queued(&l.s.f), &slow);
    judge_and_post(&l);

    check_status(&l, FORGE_FAILURE, "slower (confirmed)");
    assert_int_equal(forge_bench_count(&l.b, "comments"), 1);
    assert_int_equal(forge_bench_count(&l.b, "checks"), 1);
    close_line(&l);
    (void)state;
}

/* The newer head's report says what the older one's was; the comment stays the same. */
static void a_newer_head_edits_the_same_comment(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    struct line l;
    open_line(&l, "gitlab", NULL);
    fixture_deliver(&l.s.f, queue_mr(&l), &slow);
    (void)judge_step(&l.s.judge);
    fixture_deliver(&l.s.f, fixture_queued(&l.s.f), &slow);
    judge_and_post(&l);

    int64_t again = fixture_queue(&l.s.f, 3, -1);
    assert_int_equal(fixture_int(&l.s.f, "UPDATE job SET kind = 'mr' WHERE state = 'queued'"
                                         " RETURNING 1"),
                     1);
    post_all(&l);
    comment_text(&l, 0, &text);
    assert_non_null(strstr(str_text(&text), "Before: c90000000000 was slower (confirmed)"));
    fixture_deliver(&l.s.f, again, &calm);
    judge_and_post(&l);

    comment_text(&l, 0, &text);
    assert_true(view_starts(str_view(&text), "**no change**"));
    assert_non_null(strstr(str_text(&text), "Before: c90000000000 was slower (confirmed)"));
    assert_int_equal(forge_bench_count(&l.b, "comments"), 1);
    forge_bench_check(&l.b);
    close_line(&l);
    (void)state;
}

static void progress_is_told_by_phase_and_then_at_a_pace(void **state)
{
    struct line l;
    open_line(&l, "gitea", ALWAYS);
    l.post.progress_ms = 3600 * 1000;
    (void)queue_mr(&l);
    post_all(&l);
    assert_int_equal(fixture_int(&l.s.f, "UPDATE job SET state = 'running' RETURNING 1"), 1);
    assert_int_equal(
        fixture_int(&l.s.f,
                    "INSERT INTO attempt(job_id, n, token_hash, executor, state, stage,"
                    " rounds_done, rounds_planned, eta_ms, created_ms) SELECT id, 1, x'01',"
                    " 'local', 'running', 'round 3', 3, 10,"
                    " unixepoch() * 1000 + 170000, 0 FROM job RETURNING 1"),
        1);

    post_all(&l);
    check_status(&l, FORGE_PENDING, "measuring, 3 of 10 rounds, about 3 min left");
    check_comment(&l, 0, "**measuring, 3 of 10 rounds, about 3 min left**");
    size_t before = forge_bench_calls(&l.b, "status_put");
    assert_int_equal(fixture_int(&l.s.f, "UPDATE attempt SET rounds_done = 4 RETURNING 1"), 1);
    post_all(&l);
    assert_int_equal(forge_bench_calls(&l.b, "status_put"), before);
    l.post.progress_ms = 1;
    post_all(&l);
    check_status(&l, FORGE_PENDING, "measuring, 4 of 10 rounds");

    close_line(&l);
    (void)state;
}

static void a_superseded_head_is_not_left_pending(void **state)
{
    struct line l;
    open_line(&l, "github", NULL);
    (void)queue_mr(&l);
    post_all(&l);
    assert_int_equal(fixture_int(&l.s.f, "UPDATE job SET state = 'superseded' RETURNING 1"), 1);

    post_all(&l);
    post_all(&l);

    check_status(&l, FORGE_NEUTRAL, "superseded by a newer head");
    assert_int_equal(forge_bench_count(&l.b, "statuses"), 2);
    close_line(&l);
    (void)state;
}

/* --- names of others -------------------------------------------------------------------------
 */

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* What a forge reads outside of code: 'text' with everything between backticks taken out. */
static void without_code(const char *text, struct str *out)
{
    bool code = false;
    for (; *text; text++) {
        if (*text == '`')
            code = !code;
        else if (!code)
            str_addc(out, *text);
    }
}

static void check_harmless(struct line *l, size_t n)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    AUTO(str_done) struct str seen = STR_INIT(1 << 20);
    comment_text(l, n, &text);
    without_code(str_text(&text), &seen);
    bool bitbucket =
        l->b.options.kind == FORGE_BITBUCKET || l->b.options.kind == FORGE_BITBUCKET_SERVER;
    assert_int_equal(count_of(str_text(&seen), "<!--"), bitbucket ? 0 : 1);
    assert_int_equal(count_of(str_text(&seen), "[//]: #"), bitbucket ? 1 : 0);
    static const char *const harm[] = {"\n/",  "@everyone",     "#17", "!3",
                                       "<img", "](http://evil", "\r"};
    for (size_t i = 0; i < ARRAY_LEN(harm); i++)
        if (strstr(str_text(&seen), harm[i]))
            fail_msg("'%s' in: %s", harm[i], str_text(&text));
}

static void names_of_others_do_nothing_on_any_forge(void **state)
{
    static const char *const names[] = {
        "/close",
        "@everyone",
        "a|b @everyone",
        "` @everyone #17 !3 `",
        "<!-- pacewatch:x:y -->",
        "<img src=x> [a](http://evil)",
        "[//]: # (pacewatch:mr/12/report:00)",
        "x\r\n/close\n\n@everyone",
        "``` @everyone",
    };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct line l;
        open_line(&l, kinds[k], ALWAYS);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            AUTO(str_done) struct str hex = STR_INIT(512);
            AUTO(str_done) struct str sql = STR_INIT(1024);
            str_add_hex(&hex, names[i], strlen(names[i]));
            str_addf(&sql, "UPDATE branch SET name = CAST(x'%s' AS TEXT) RETURNING 1",
                     str_text(&hex));
            fixture_int(&l.s.f, str_text(&sql));
            str_clear(&sql);
            str_addf(&sql, "UPDATE git_commit SET subject = CAST(x'%s' AS TEXT) RETURNING 1",
                     str_text(&hex));
            fixture_int(&l.s.f, str_text(&sql));
            int64_t job = queue_mr(&l);
            post_all(&l);
            check_harmless(&l, 0);
            fixture_deliver(&l.s.f, job, &fast);
            judge_and_post(&l);
            check_harmless(&l, 0);
        }
        forge_bench_check(&l.b);
        close_line(&l);
    }
    (void)state;
}

/* --- what goes wrong -------------------------------------------------------------------------
 */

static void queue_in(struct line *l, int slot, const char *text)
{
    AUTO(str_done) struct str body = STR_INIT(1024);
    struct outbox o = {.repo_id = l->s.f.repo, .target = OUTBOX_COMMENT};
    struct err e = {0};
    notice_name_slot(&o, "mr/%d/%s%.0d", BENCH_MR, slot ? "slot" : "report", slot);
    str_addz(&body, text);
    if (notice_queue(l->s.f.store, &o, &body, &e) < 0)
        fail_msg("%s", e.text);
}

static void queue_text(struct line *l, const char *text)
{
    queue_in(l, 0, text);
}

static void whatever_the_answer_there_is_one_comment(void **state)
{
    static const char *const faults[] = {"500",        "500-stored", "502-stored",
                                         "cut-stored", "cut",        "garbage-stored"};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct line l;
        open_line(&l, kinds[k], NULL);
        forge_bench_put(&l.b, "/_comment", "{\"author\": 3, \"body\": \"hello\"}");
        for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
            forge_bench_fault(&l.b, "comment_post", faults[i]);
            queue_text(&l, faults[i]);
            post_all(&l);
            assert_int_equal(forge_bench_count(&l.b, "comments"), 2);
            check_comment(&l, 1, faults[i]);
            /* Somebody deletes it, so that the next one is made anew. */
            AUTO(str_done) struct str json = STR_INIT(128);
            AUTO(json_freep) struct json_doc *doc = forge_bench_state(&l.b);
            const struct json *c = json_next(json_first(json_get(json_root(doc), "comments")));
            str_addf(&json, "{\"id\": %.0f}", json_number(json_get(c, "id")));
            forge_bench_put(&l.b, "/_delete", str_text(&json));
        }
        close_line(&l);
    }
    (void)state;
}

/* Nobody else's comment is taken for ours, even with our own marker in it. */
static void a_copied_marker_fools_nobody(void **state)
{
    AUTO(str_done) struct str marker = STR_INIT(1024);
    AUTO(str_done) struct str json = STR_INIT(2048);
    struct line l;
    struct err e = {0};
    open_line(&l, "github", NULL);
    struct outbox o = {.repo = "shop", .slot = "mr/12/report"};
    assert_int_equal(post_marker(&l.post, &o, &marker, &e), 0);
    str_addf(&json, "{\"author\": 3, \"body\": \"%s\"}", str_text(&marker));
    forge_bench_put(&l.b, "/_comment", str_text(&json));
    forge_bench_fault(&l.b, "comment_post", "500");

    queue_text(&l, "ours");
    post_all(&l);

    assert_int_equal(forge_bench_count(&l.b, "comments"), 2);
    check_comment(&l, 1, "ours");
    close_line(&l);
    (void)state;
}

/* A spent budget holds back everything for that forge, is no try and asks nothing more. */
static void a_spent_budget_is_waited_for(void **state)
{
    struct line l;
    open_line(&l, "github", NULL);
    forge_bench_fault(&l.b, "comment_post", "403-spent");
    queue_text(&l, "one");
    (void)queue_mr(&l);
    fixture_int(&l.s.f, "UPDATE outbox SET next_ms = 0 RETURNING 1");
    int64_t now = clock_wall_ms();

    for (int i = 0; i < 3; i++)
        (void)post_step(&l.post);

    assert_int_equal(forge_bench_calls(&l.b, "comment_post"), 1);
    assert_true(fixture_int(&l.s.f, "SELECT min(next_ms) FROM outbox WHERE state = 'pending'"
                                    " AND target = 'comment'") > now + 60 * 1000);
    assert_int_equal(fixture_int(&l.s.f, "SELECT max(attempt) FROM outbox"), 1);
    close_line(&l);
    (void)state;
}

static void what_is_refused_for_good_is_not_repeated(void **state)
{
    struct line l;
    open_line(&l, "gitlab", NULL);
    forge_bench_fault(&l.b, "comment_post", "422");
    queue_text(&l, "one");

    (void)post_step(&l.post);

    assert_int_equal(fixture_int(&l.s.f, "SELECT count(*) FROM outbox WHERE state = 'dead' AND"
                                         " attempt = 1 AND last_status = 422"),
                     1);
    close_line(&l);
    (void)state;
}

/* --- killed at any moment --------------------------------------------------------------------
 */

static void check_any(struct line *l, const char *start)
{
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(&l->b);
    for (const struct json *c = json_first(json_get(json_root(doc), "comments")); c;
         c = json_next(c))
        if (view_starts(json_text(json_get(c, "body")), start))
            return;
    fail_msg("no comment is '%s'", start);
}

/* A process of its own that posts until it is killed. */
static pid_t start_poster(struct line *l, const char *db)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    struct err e = {0};
    struct store *store = NULL;
    if (store_open(db, &store, &e) < 0)
        _exit(1);
    l->post.store = store;
    for (;;)
        (void)post_step(&l->post);
}

static void kill_after(pid_t pid, int64_t ns)
{
    int status;
    clock_sleep_until(clock_now_ns() + ns);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* A comment of each slot has to be made once and is edited three times. */
static void killed_at_any_moment_leaves_one_comment_per_slot(void **state)
{
    enum { TEXTS_PER_SLOT = 4 };
    AUTO(str_done) struct str db = STR_INIT(256);
    struct line l;
    struct rng rng;
    size_t slots = getenv("PACEWATCH_NIGHTLY") ? 250 : 15;
    open_line(&l, "github", NULL);
    str_addf(&db, "%s/pacewatch.db", l.s.f.dir);
    rng_init(&rng, 4711);
    for (size_t i = 0; i < slots * TEXTS_PER_SLOT; i++) {
        AUTO(str_done) struct str text = STR_INIT(64);
        str_addf(&text, "text %zu", i);
        queue_in(&l, 1 + (int)(i / TEXTS_PER_SLOT), str_text(&text));
        kill_after(start_poster(&l, str_text(&db)),
                   (int64_t)(rng_unit(&rng) * 60 * CLOCK_NS_PER_MS));
    }

    post_all(&l);

    assert_int_equal(forge_bench_count(&l.b, "comments"), slots);
    for (size_t slot = 0; slot < slots; slot++) {
        AUTO(str_done) struct str last = STR_INIT(64);
        str_addf(&last, "text %zu\n<!-- pacewatch:mr/12/slot%zu:", slot * 4 + 3, slot + 1);
        check_any(&l, str_text(&last));
    }
    forge_bench_check(&l.b);
    close_line(&l);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_request_is_told_on_each_forge),
        cmocka_unit_test(nothing_changed_is_a_status_and_no_comment),
        cmocka_unit_test(a_gate_fails_what_is_confirmed_and_nothing_else),
        cmocka_unit_test(a_newer_head_edits_the_same_comment),
        cmocka_unit_test(progress_is_told_by_phase_and_then_at_a_pace),
        cmocka_unit_test(a_superseded_head_is_not_left_pending),
        cmocka_unit_test(names_of_others_do_nothing_on_any_forge),
        cmocka_unit_test(whatever_the_answer_there_is_one_comment),
        cmocka_unit_test(a_copied_marker_fools_nobody),
        cmocka_unit_test(a_spent_budget_is_waited_for),
        cmocka_unit_test(what_is_refused_for_good_is_not_repeated),
        cmocka_unit_test(killed_at_any_moment_leaves_one_comment_per_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
