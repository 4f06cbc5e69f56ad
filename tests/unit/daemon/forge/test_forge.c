/* SPDX-License-Identifier: MIT */
/* Against a scripted forge of each kind over real HTTP; see tests/forges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock.h"
#include "fdio.h"
#include "forge_app.h"
#include "forge_bench.h"

static const char *const kinds[] = {"github", "github+app", "gitlab",
                                    "gitea",  "bitbucket",  "bitbucket-server"};

#define WELL(call)                              \
    do {                                        \
        struct err e_ = {0}, *e = &e_;          \
        if ((call) < 0)                         \
            fail_msg("%s", e_.text);            \
        assert_int_equal(a.result, FORGE_DONE); \
    } while (0)

static enum forge_role role(struct forge_bench *b, const char *login, int id)
{
    struct forge_user who = {0};
    struct forge_answer a;
    enum forge_role out;
    bool cloud = b->options.kind == FORGE_BITBUCKET;
    snprintf(who.login, sizeof who.login, "%s", login);
    snprintf(who.id, sizeof who.id, cloud ? "557058:%d" : "%d", id);
    WELL(forge_role_of(b->forge, &who, &out, &a, e));
    return out;
}

static void each_kind_knows_who_is_who(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct forge_bench b;
        struct forge_answer a;
        struct forge_user us;
        forge_bench_open(&b, kinds[i]);

        WELL(forge_whoami(b.forge, &us, &a, e));

        assert_true(us.id[0] && us.login[0]);
        assert_int_equal(role(&b, "alice", BENCH_OWNER), FORGE_ROLE_ADMIN);
        assert_int_equal(role(&b, "mallory", BENCH_OUTSIDER), FORGE_ROLE_READ);
        assert_int_equal(role(&b, "nobody", 99), FORGE_ROLE_NONE);
        forge_bench_check(&b);
        forge_bench_close(&b);
    }
    (void)state;
}

static void a_login_that_changed_hands_has_no_role(void **state)
{
    struct forge_bench b;
    forge_bench_open(&b, "github");

    assert_int_equal(role(&b, "alice", 4242), FORGE_ROLE_NONE);

    forge_bench_close(&b);
    (void)state;
}

static void each_kind_tells_a_merge_request(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct forge_bench b;
        struct forge_answer a;
        struct forge_mr mr;
        forge_bench_open(&b, kinds[i]);

        WELL(forge_mr_get(b.forge, BENCH_MR, &mr, &a, e));

        assert_string_equal(mr.head, BENCH_HEAD);
        assert_string_equal(mr.target, "main");
        assert_true(mr.open && mr.is_fork && !mr.draft);
        assert_string_equal(mr.author.login, "mallory");
        if (b.options.kind != FORGE_BITBUCKET && b.options.kind != FORGE_BITBUCKET_SERVER)
            assert_true(forge_mr_has_label(&mr, "pacewatch") &&
                        !forge_mr_has_label(&mr, "slow"));
        forge_bench_check(&b);
        forge_bench_close(&b);
    }
    (void)state;
}

static void each_kind_writes_and_edits_one_comment(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO(forge_comment_done) struct forge_comment seen = FORGE_COMMENT_INIT;
        struct forge_bench b;
        struct forge_answer a;
        char id[FORGE_ID_MAX + 1], found[FORGE_ID_MAX + 1];
        forge_bench_open(&b, kinds[i]);

        WELL(forge_comment_post(b.forge, BENCH_MR, VIEW("one \"quoted\"\n<!-- m1 -->"), id, &a,
                                e));
        WELL(forge_comment_edit(b.forge, BENCH_MR, id, VIEW("two\n<!-- m1 -->"), &a, e));

        WELL(forge_comment_get(b.forge, BENCH_MR, id, &seen, &a, e));
        assert_string_equal(str_text(&seen.body), "two\n<!-- m1 -->");
        WELL(forge_comment_find(b.forge, BENCH_MR, "<!-- m1 -->", clock_wall_ms() - 60000,
                                found, &a, e));
        assert_string_equal(found, id);
        WELL(forge_comment_find(b.forge, BENCH_MR, "<!-- m2 -->", 0, found, &a, e));
        assert_string_equal(found, "");
        assert_int_equal(forge_bench_count(&b, "comments"), 1);
        forge_bench_check(&b);
        forge_bench_close(&b);
    }
    (void)state;
}

/* Others write the same marker before and after; ours is behind more than one page. */
static void only_our_own_comment_is_found_on_any_page(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct forge_bench b;
        struct forge_answer a;
        char id[FORGE_ID_MAX + 1], found[FORGE_ID_MAX + 1];
        forge_bench_open(&b, kinds[i]);
        for (int n = 0; n < 120; n++)
            forge_bench_put(&b, "/_comment", "{\"author\": 3, \"body\": \"<!-- m1 -->\"}");
        WELL(forge_comment_post(b.forge, BENCH_MR, VIEW("x <!-- m1 -->"), id, &a, e));
        for (int n = 0; n < 120; n++)
            forge_bench_put(&b, "/_comment", "{\"author\": 1, \"body\": \"<!-- m1 -->\"}");

        WELL(forge_comment_find(b.forge, BENCH_MR, "<!-- m1 -->", 0, found, &a, e));

        assert_string_equal(found, id);
        forge_bench_check(&b);
        forge_bench_close(&b);
    }
    (void)state;
}

static void each_kind_sets_a_status(void **state)
{
    AUTO(str_done) struct str words = STR_INIT(2000);
    for (int n = 0; n < 400; n++)
        str_addz(&words, "\u00e4");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct forge_bench b;
        struct forge_answer a;
        char id[FORGE_ID_MAX + 1] = "";
        struct forge_status status = {
            .sha = BENCH_HEAD, .context = "pacewatch", .description = str_text(&words)};
        forge_bench_open(&b, kinds[i]);

        for (int s = 0; s < FORGE_STATE_COUNT; s++) {
            status.state = (enum forge_state)s;
            status.url = s ? "https://pace.example/jobs/1" : NULL;
            WELL(forge_status_put(b.forge, &status, id, &a, e));
        }

        bool app = b.options.app_id != NULL;
        assert_int_equal(forge_bench_count(&b, "statuses"), app ? 0 : FORGE_STATE_COUNT);
        assert_int_equal(forge_bench_count(&b, "checks"), app ? 1 : 0);
        forge_bench_check(&b);
        forge_bench_close(&b);
    }
    (void)state;
}

/* A check run that was made without our knowing is found by its external id. */
static void a_lost_check_run_is_found_again(void **state)
{
    struct forge_bench b;
    struct forge_answer a;
    char id[FORGE_ID_MAX + 1] = "";
    struct forge_status status = {
        .sha = BENCH_HEAD, .context = "pacewatch", .description = "queued"};
    struct err why;
    forge_bench_open(&b, "github+app");
    forge_bench_fault(&b, "check_post", "500-stored");

    assert_int_equal(forge_status_put(b.forge, &status, id, &a, &why), -1);
    assert_int_equal(a.result, FORGE_UNSURE);
    WELL(forge_status_put(b.forge, &status, id, &a, e));

    assert_int_equal(forge_bench_count(&b, "checks"), 1);
    assert_int_equal(forge_bench_calls(&b, "app_token"), 1);
    forge_bench_close(&b);
    (void)state;
}

/* --- what goes wrong -------------------------------------------------------------------------
 */

static const struct {
    const char *fault;
    enum forge_result result;
    int64_t wait_least_ms, wait_most_ms;
} wrongs[] = {
    {"500", FORGE_UNSURE, 0, 0},
    {"500-stored", FORGE_UNSURE, 0, 0},
    {"502-stored", FORGE_UNSURE, 0, 0},
    {"cut", FORGE_UNSURE, 0, 0},
    {"cut-stored", FORGE_UNSURE, 0, 0},
    {"garbage-stored", FORGE_UNSURE, 0, 0},
    {"slow-stored", FORGE_UNSURE, 0, 0},
    {"429", FORGE_LATER, 300000, 300000},
    {"429-bare", FORGE_LATER, 60000, 60000},
    {"403-spent", FORGE_LATER, 100000, 121000},
    {"403-secondary", FORGE_LATER, 60000, 60000},
    {"403", FORGE_REFUSED, 0, 0},
    {"401", FORGE_LATER, 300000, 300000},
    {"404", FORGE_GONE, 0, 0},
    {"410", FORGE_GONE, 0, 0},
    {"409", FORGE_LATER, 0, 0},
    {"422", FORGE_REFUSED, 0, 0},
    {"301", FORGE_REFUSED, 0, 0},
};

static void a_failure_says_what_to_do_next(void **state)
{
    struct forge_bench b;
    forge_bench_open(&b, "gitea");
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        struct forge_answer a;
        struct err e = {0};
        char id[FORGE_ID_MAX + 1];
        forge_bench_fault(&b, "comment_post", wrongs[i].fault);
        bool slow = strcmp(wrongs[i].fault, "slow-stored") == 0;
        struct forge_options quick = b.options;
        quick.deadline_ns = slow ? CLOCK_NS_PER_S : 20 * CLOCK_NS_PER_S;
        AUTO(forge_closep) struct forge *forge = NULL;
        assert_int_equal(forge_open(&quick, &forge, &e), 0);

        int r = forge_comment_post(forge, BENCH_MR, VIEW("text"), id, &a, &e);

        assert_int_equal(r, -1);
        if (a.result != wrongs[i].result || a.wait_ms < wrongs[i].wait_least_ms ||
            a.wait_ms > wrongs[i].wait_most_ms)
            fail_msg("%s: result %d, wait %ld: %s", wrongs[i].fault, (int)a.result,
                     (long)a.wait_ms, e.text);
        assert_null(strstr(e.text, BENCH_TOKEN));
    }
    forge_bench_close(&b);
    (void)state;
}

/* What is only read or replaced can be asked again at once: nothing is ever unsure. */
static void a_failed_edit_may_be_repeated(void **state)
{
    struct forge_bench b;
    struct forge_answer a;
    struct err why;
    char id[FORGE_ID_MAX + 1];
    forge_bench_open(&b, "gitlab");
    WELL(forge_comment_post(b.forge, BENCH_MR, VIEW("text"), id, &a, e));
    forge_bench_fault(&b, "comment_edit", "cut-stored");

    assert_int_equal(forge_comment_edit(b.forge, BENCH_MR, id, VIEW("more"), &a, &why), -1);

    assert_int_equal(a.result, FORGE_LATER);
    forge_bench_close(&b);
    (void)state;
}

static void a_forge_that_is_away_has_done_nothing(void **state)
{
    struct forge_bench b;
    struct forge_answer a;
    struct err e;
    char id[FORGE_ID_MAX + 1];
    forge_bench_open(&b, "github");
    receiver_stop(&b.server);

    assert_int_equal(forge_comment_post(b.forge, BENCH_MR, VIEW("text"), id, &a, &e), -1);

    assert_int_equal(a.result, FORGE_LATER);
    forge_closep(&b.forge);
    (void)fdio_remove_tree(b.dir, NULL);
    (void)state;
}

static void gitlab_refusals_that_are_none_are_success(void **state)
{
    struct forge_bench b;
    struct forge_answer a;
    char id[FORGE_ID_MAX + 1] = "";
    struct forge_status status = {.sha = BENCH_HEAD,
                                  .context = "pacewatch",
                                  .description = "queued",
                                  .url = "https://pace.internal/jobs/1"};
    forge_bench_open(&b, "gitlab");

    forge_bench_fault(&b, "status_put", "400-transition");
    WELL(forge_status_put(b.forge, &status, id, &a, e));
    forge_bench_fault(&b, "status_put", "400-blocked");
    WELL(forge_status_put(b.forge, &status, id, &a, e));

    AUTO(json_freep) struct json_doc *doc = forge_bench_state(&b);
    const struct json *last = json_first(json_get(json_root(doc), "statuses"));
    assert_null(json_get(last, "target_url"));
    assert_int_equal(json_count(json_get(json_root(doc), "statuses")), 1);
    forge_bench_close(&b);
    (void)state;
}

/* --- what is refused at the start ------------------------------------------------------------
 */

static void a_project_or_address_that_is_none_is_refused(void **state)
{
    static const struct forge_options wrong[] = {
        {.kind = FORGE_GIT, .project = "a/b", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "a", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "a/../b", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "a/b?x", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "/a/b", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "a/b/", .token_file = "t"},
        {.kind = FORGE_GITHUB, .project = "a/b"},
        {.kind = FORGE_GITEA, .project = "a/b", .token_file = "t"},
        {.kind = FORGE_GITEA, .project = "a/b", .token_file = "t", .url = "file:///etc"},
        {.kind = FORGE_GITEA, .project = "a/b", .token_file = "t", .url = "https://u:p@h"},
        {.kind = FORGE_GITEA, .project = "a/b", .token_file = "t", .url = "https://h/?x="},
        {.kind = FORGE_BITBUCKET_SERVER,
         .project = "a/b",
         .token_file = "t",
         .url = "https://h"},
        {.kind = FORGE_GITLAB, .project = "a/b", .app_key_file = "k", .app_id = "1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(forge_closep) struct forge *forge = NULL;
        struct err e = {0};
        if (forge_open(&wrong[i], &forge, &e) == 0)
            fail_msg("case %zu was taken", i);
        assert_int_equal(e.kind, ERR_INPUT);
    }
    (void)state;
}

static void the_public_services_have_their_own_address(void **state)
{
    static const struct {
        struct forge_options options;
        const char *host;
    } cases[] = {
        {{.kind = FORGE_GITHUB}, "api.github.com"},
        {{.kind = FORGE_GITHUB, .url = "https://github.com/"}, "api.github.com"},
        {{.kind = FORGE_GITHUB, .url = "https://ghe.example:8443"}, "ghe.example:8443"},
        {{.kind = FORGE_GITLAB}, "gitlab.com"},
        {{.kind = FORGE_BITBUCKET}, "api.bitbucket.org"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(forge_closep) struct forge *forge = NULL;
        struct forge_options options = cases[i].options;
        options.project = "acme/shop";
        options.token_file = "/nowhere";
        assert_int_equal(forge_open(&options, &forge, NULL), 0);
        assert_string_equal(forge_host(forge), cases[i].host);
    }
    (void)state;
}

static void a_token_that_others_can_read_is_not_used(void **state)
{
    struct forge_bench b;
    struct forge_answer a;
    struct err e;
    struct forge_user us;
    forge_bench_open(&b, "gitea");
    assert_int_equal(fdio_write_file(b.token, VIEW(BENCH_TOKEN), 0644, NULL), 0);

    assert_int_equal(forge_whoami(b.forge, &us, &a, &e), -1);

    assert_int_equal(a.result, FORGE_LATER);
    assert_non_null(strstr(e.text, "chmod 600"));
    assert_int_equal(forge_bench_calls(&b, "whoami"), 0);
    forge_bench_close(&b);
    (void)state;
}

/* The second implementation is the openssl command. */
static void an_app_signs_with_its_key(void **state)
{
    struct forge_bench b;
    AUTO(str_done) struct str key = STR_INIT(1 << 14);
    AUTO(str_done) struct str jwt = STR_INIT(1 << 14);
    AUTO(str_done) struct str command = STR_INIT(1 << 14);
    struct err e = {0};
    forge_bench_open(&b, "github+app");
    assert_int_equal(fdio_read_file(b.key, &key, &e), 0);

    assert_int_equal(forge_app_jwt("4711", str_view(&key), 1764000000, &jwt, &e), 0);

    str_addf(&command,
             "cd %s && openssl rsa -in key.pem -pubout -out pub.pem 2>/dev/null &&"
             " printf %%s '%s' >jwt && cut -d. -f1,2 jwt | tr -d '\\n' >signed &&"
             " cut -d. -f3 jwt | tr -- -_ +/ | { read s; printf '%%s==' \"$s\"; } |"
             " openssl base64 -d -A >sig &&"
             " openssl dgst -sha256 -verify pub.pem -signature sig signed >/dev/null",
             b.dir, str_text(&jwt));
    assert_int_equal(system(str_text(&command)), 0);
    assert_int_equal(forge_app_jwt("4711", VIEW("no key"), 1764000000, &jwt, &e), -1);
    forge_bench_close(&b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_knows_who_is_who),
        cmocka_unit_test(a_login_that_changed_hands_has_no_role),
        cmocka_unit_test(each_kind_tells_a_merge_request),
        cmocka_unit_test(each_kind_writes_and_edits_one_comment),
        cmocka_unit_test(only_our_own_comment_is_found_on_any_page),
        cmocka_unit_test(each_kind_sets_a_status),
        cmocka_unit_test(a_lost_check_run_is_found_again),
        cmocka_unit_test(a_failure_says_what_to_do_next),
        cmocka_unit_test(a_failed_edit_may_be_repeated),
        cmocka_unit_test(a_forge_that_is_away_has_done_nothing),
        cmocka_unit_test(gitlab_refusals_that_are_none_are_success),
        cmocka_unit_test(a_project_or_address_that_is_none_is_refused),
        cmocka_unit_test(the_public_services_have_their_own_address),
        cmocka_unit_test(a_token_that_others_can_read_is_not_used),
        cmocka_unit_test(an_app_signs_with_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
