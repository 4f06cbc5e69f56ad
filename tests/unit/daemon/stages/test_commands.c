/* SPDX-License-Identifier: MIT */
/* What people write on a merge request of a scripted forge, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "commands.h"
#include "forge_bench.h"
#include "json.h"
#include "judge_setup.h"
#include "log.h"
#include "store_command.h"

static const char *const kinds[] = {"github", "gitlab", "gitea", "bitbucket",
                                    "bitbucket-server"};

struct line {
    struct setup s;
    struct forge_bench b;
    struct notice_forge to;
    struct commands commands;
};

static void open_line(struct line *l, const char *kind)
{
    open_judge(&l->s, "\"report\":{\"when\":\"always\",\"gate\":true}");
    forge_bench_open(&l->b, kind);
    l->to = (struct notice_forge){.repo = "shop",
                                  .forge = l->b.forge,
                                  .context = "pacewatch",
                                  .comments = true,
                                  .statuses = true};
    struct notice_targets targets = {.forges = &l->to, .forges_len = 1};
    l->s.judge.targets = targets;
    l->commands = (struct commands){.store = l->s.f.store, .targets = targets};
    assert_int_equal(fixture_int(&l->s.f, "UPDATE merge_request SET number = 12 RETURNING 1"),
                     1);
    log_set_level(LOG_ERROR);
}

static void close_line(struct line *l)
{
    forge_bench_check(&l->b);
    forge_bench_close(&l->b);
    close_judge(&l->s);
}

/* Somebody writes a comment, and the webhook tells of it. */
static void write_comment(struct line *l, int author, const char *body)
{
    char json[512], id[32] = "";
    struct err e = {0};
    snprintf(json, sizeof json, "{\"author\": %d, \"body\": \"%s\"}", author, body);
    forge_bench_put(&l->b, "/_comment", json);
    AUTO(json_freep) struct json_doc *doc = forge_bench_state(&l->b);
    const struct json *list = json_get(json_root(doc), "comments");
    int64_t number = 0;
    for (const struct json *c = json_first(list); c; c = json_next(c))
        assert_int_equal(json_read_int(doc, c, "id", true, 1, INT64_MAX, &number, &e), 0);
    snprintf(id, sizeof id, "%lld", (long long)number);
    assert_int_equal(store_command_add(l->s.f.store, l->s.f.repo, BENCH_MR, id, &e), 0);
    assert_int_equal(store_command_add(l->s.f.store, l->s.f.repo, BENCH_MR, id, &e), 0);
}

static void say(struct line *l, int author, const char *body)
{
    write_comment(l, author, body);
    (void)commands_step(&l->commands);
}

static void assert_text(struct line *l, const char *sql, const char *want)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 16);
    fixture_text(&l->s.f, sql, &text);
    if (!strstr(str_text(&text), want))
        fail_msg("'%s' is not in '%s'", want, str_text(&text));
}

#define REPLY                                                                        \
    "SELECT body FROM outbox WHERE target = 'comment' AND slot GLOB 'mr/12/reply/*'" \
    " ORDER BY id DESC LIMIT 1"
#define REPLIES "SELECT count(*) FROM outbox WHERE slot GLOB 'mr/12/reply/*'"

static void member_approves_the_head_of_that_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct line l;
        if (strcmp(kinds[i], "bitbucket") == 0)
            continue; /* see head_that_nobody_can_fetch_is_not_promised */
        open_line(&l, kinds[i]);

        say(&l, BENCH_OWNER, "/pacewatch bench rounds=40 scenario=list\\nplease");

        assert_text(&l, "SELECT state || ' ' || verb || ' ' || role FROM command",
                    "done bench admin");
        assert_text(&l, "SELECT lower(hex(sha)) || ' ' || how FROM approval",
                    BENCH_HEAD " comment");
        assert_text(&l,
                    "SELECT source || ' ' || ref || ' ' || lower(hex(head)) FROM change"
                    " ORDER BY id DESC LIMIT 1",
                    BENCH_HEAD);
        assert_text(&l, "SELECT rounds || scenario FROM change_wish", "40list");
        assert_text(&l, REPLY, "c90000000000 will be measured.");
        close_line(&l);
    }
}

static void head_that_nobody_can_fetch_is_not_promised(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "bitbucket");

    say(&l, BENCH_OWNER, "/pacewatch bench");

    assert_text(&l, REPLY, "cannot be measured");
    assert_int_equal(fixture_int(&l.s.f, "SELECT count(*) FROM approval"), 0);
    close_line(&l);
}

static void outsider_is_refused_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct line l;
        open_line(&l, kinds[i]);

        say(&l, BENCH_OUTSIDER, "/pacewatch bench");
        say(&l, BENCH_OUTSIDER, "/pacewatch help");

        assert_int_equal(fixture_int(&l.s.f, "SELECT count(*) FROM approval"), 0);
        assert_text(&l, "SELECT group_concat(state) FROM command", "refused,ignored");
        assert_int_equal(fixture_int(&l.s.f, REPLIES), 1);
        assert_text(&l, REPLY, "sorry, commands are for those who may push");
        close_line(&l);
    }
}

/* What it said when it was new, and to whom, nobody can tell any more. */
static void edited_comments_are_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct line l;
        open_line(&l, kinds[i]);

        write_comment(&l, BENCH_OWNER, "looks good");
        forge_bench_put(&l.b, "/_edit", "{\"body\": \"/pacewatch help\"}");
        (void)commands_step(&l.commands);

        assert_text(&l, "SELECT state FROM command", "ignored");
        assert_int_equal(fixture_int(&l.s.f, REPLIES), 0);
        close_line(&l);
    }
}

static void own_and_gone_comments_are_passed_over(void **state)
{
    struct line l;
    struct err e = {0};
    (void)state;
    open_line(&l, "github");

    say(&l, BENCH_US, "/pacewatch bench");
    say(&l, BENCH_OWNER, "as I said: /pacewatch bench");
    assert_int_equal(store_command_add(l.s.f.store, l.s.f.repo, BENCH_MR, "99999", &e), 0);
    (void)commands_step(&l.commands);

    assert_text(&l, "SELECT group_concat(state) FROM command", "ignored,ignored,ignored");
    assert_int_equal(fixture_int(&l.s.f, REPLIES), 0);
    assert_int_equal(fixture_int(&l.s.f, "SELECT count(*) FROM approval"), 0);
    close_line(&l);
}

static void mistake_is_answered_with_what_would_be_right(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "gitea");

    say(&l, BENCH_OWNER, "/pacewatch bensh");

    assert_text(&l, REPLY, "did you mean 'bench'?");
    assert_text(&l, REPLY, "/pacewatch accept REASON");
    close_line(&l);
}

static void forge_that_is_away_is_asked_again(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "github");
    forge_bench_fault(&l.b, "comment_get", "503");

    say(&l, BENCH_OWNER, "/pacewatch help");

    assert_text(&l, "SELECT state || tries FROM command", "new1");
    assert_int_equal(fixture_int(&l.s.f, "UPDATE command SET next_ms = 1 RETURNING 1"), 1);
    (void)commands_step(&l.commands);
    assert_text(&l, "SELECT state FROM command", "done");
    close_line(&l);
}

static void one_person_is_answered_twenty_times_an_hour(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "github");
    for (int i = 0; i < 22; i++)
        write_comment(&l, BENCH_OWNER, "/pacewatch help");

    (void)commands_step(&l.commands);

    assert_int_equal(fixture_int(&l.s.f, REPLIES), 20);
    close_line(&l);
}

/* A slower merge request, found by one job and not yet confirmed. */
static int64_t slower_mr(struct line *l)
{
    int64_t job = fixture_job(&l->s.f, JOB_MR, 3, -1, &slow);
    (void)judge_step(&l->s.judge);
    return job;
}

static void accepted_slowdown_makes_the_status_good(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "github");
    (void)slower_mr(&l);
    fixture_deliver(&l.s.f, fixture_queued(&l.s.f), &slow);
    (void)judge_step(&l.s.judge);
    assert_text(&l, "SELECT body FROM outbox WHERE target = 'status' ORDER BY id DESC LIMIT 1",
                "\"state\":\"failure\"");

    say(&l, BENCH_OWNER, "/pacewatch accept the check of <!-- `x` costs that");
    (void)judge_step(&l.s.judge);

    assert_text(&l, REPLY, "accepted: the check of");
    assert_text(&l, "SELECT body FROM outbox WHERE target = 'status' ORDER BY id DESC LIMIT 1",
                "\"state\":\"success\"");
    assert_text(&l, "SELECT body FROM outbox WHERE target = 'file' ORDER BY id DESC LIMIT 1",
                "Accepted by `alice`: the check of");
    assert_int_equal(
        fixture_int(&l.s.f, "SELECT count(*) FROM alert WHERE closed_ms IS NOT NULL"), 1);
    assert_text(&l, "SELECT state FROM mr_decision", "applied");

    say(&l, BENCH_OWNER, "/pacewatch accept it again");
    assert_text(&l, REPLY, "there is no slowdown to accept");
    close_line(&l);
}

static void ignored_scenario_decides_nothing_now_and_later(void **state)
{
    struct line l;
    AUTO(str_done) struct str scenario = STR_INIT(256);
    char body[300];
    (void)state;
    open_line(&l, "gitlab");
    int64_t job = slower_mr(&l);
    fixture_text(&l.s.f, "SELECT scenario FROM series LIMIT 1", &scenario);
    snprintf(body, sizeof body, "/pacewatch ignore %s too noisy", str_text(&scenario));

    say(&l, BENCH_OWNER, "/pacewatch ignore nothing too noisy");
    assert_text(&l, REPLY, "nothing was measured in a scenario");
    say(&l, BENCH_OWNER, body);
    (void)judge_step(&l.s.judge);

    assert_text(&l, "SELECT group_concat(outcome) FROM job WHERE kind = 'mr'", "undecided");
    assert_int_equal(fixture_int(&l.s.f, "SELECT max(is_primary) FROM verdict_row"), 0);
    assert_text(&l, "SELECT why FROM verdict_row LIMIT 1", "ignored by alice: too noisy");
    assert_true(fixture_job(&l.s.f, JOB_MR, 3, -1, &slow) > job);
    (void)judge_step(&l.s.judge);
    assert_text(&l, "SELECT outcome FROM job WHERE kind = 'mr' ORDER BY id DESC LIMIT 1",
                "undecided");
    close_line(&l);
}

static void the_others_answer_with_what_there_is(void **state)
{
    struct line l;
    (void)state;
    open_line(&l, "gitea");

    say(&l, BENCH_OWNER, "/pacewatch explain");
    assert_text(&l, REPLY, "nothing of this merge request has been judged yet");
    (void)slower_mr(&l);
    say(&l, BENCH_OWNER, "/pacewatch explain");
    assert_text(&l, REPLY, "CPU time per request in ");
    say(&l, BENCH_OWNER, "/pacewatch confirm");
    assert_text(&l, REPLY, "is about to measure both once more");
    say(&l, BENCH_OWNER, "/pacewatch cancel");
    assert_text(&l, REPLY, "nothing is queued any more");
    assert_int_equal(fixture_queued(&l.s.f), 0);
    say(&l, BENCH_OWNER, "/pacewatch confirm");
    assert_text(&l, REPLY, "measures both once more");
    assert_true(fixture_queued(&l.s.f) > 0);
    forge_bench_put(&l.b, "/_mr", "{\"open\": false}");
    say(&l, BENCH_OWNER, "/pacewatch bench");
    assert_text(&l, REPLY, "the merge request is closed");
    close_line(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_approves_the_head_of_that_moment),
        cmocka_unit_test(head_that_nobody_can_fetch_is_not_promised),
        cmocka_unit_test(outsider_is_refused_once),
        cmocka_unit_test(edited_comments_are_passed_over),
        cmocka_unit_test(own_and_gone_comments_are_passed_over),
        cmocka_unit_test(mistake_is_answered_with_what_would_be_right),
        cmocka_unit_test(forge_that_is_away_is_asked_again),
        cmocka_unit_test(one_person_is_answered_twenty_times_an_hour),
        cmocka_unit_test(accepted_slowdown_makes_the_status_good),
        cmocka_unit_test(ignored_scenario_decides_nothing_now_and_later),
        cmocka_unit_test(the_others_answer_with_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
