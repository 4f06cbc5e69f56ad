/* SPDX-License-Identifier: MIT */
/* Signatures of every forge, deliveries of real ones, and bodies that no forge sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "forge_hook.h"
#include "forge_webhook.h"
#include "recorded.h"

#define NOW_S   1764000000
#define NOW_MS  (INT64_C(1000) * NOW_S)
#define HELLO   "Hello, World!"
#define SECRET  "It's a Secret to Everybody"
#define MAC     "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define MAC_UP  "757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"
#define GIT     "{\"changes\":[]}"
#define GIT_MAC "f97695930b656ea63e77c302f115d716e0d18d2d58619ce7c18412d4c941e4d5"

static bool verify(enum forge_kind kind, const char *key, const char *headers, const char *body)
{
    struct view lines = view_z(headers);
    struct forge_hook hook = {.kind = kind, .key = view_z(key)};
    struct forge_delivery d = {
        .header = recorded_header, .self = &lines, .body = view_z(body), .now_ms = NOW_MS};
    return forge_hook_verify(&hook, &d);
}

/* --- signatures -------------------------------------------------------------------------- */

static void only_the_signature_of_the_secret_over_these_bytes_counts(void **state)
{
    static const struct {
        enum forge_kind kind;
        const char *headers, *body;
        bool good;
    } cases[] = {
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=" MAC, HELLO, true},
        {FORGE_GITHUB, "x-hub-signature-256: sha256=" MAC, HELLO, true},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=" MAC, HELLO "\n", false},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=" MAC, "", false},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=" MAC_UP, HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature-256: " MAC, HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=" MAC "00", HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=7571", HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature-256: sha256=", HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature-256:", HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature: sha256=" MAC, HELLO, false},
        {FORGE_GITHUB, "X-Gitea-Signature: " MAC, HELLO, false},
        {FORGE_GITHUB, "X-Hub-Signature: sha1=a04e4d6a5303f841ad8bce5d47b89e546e3d0c9d", HELLO,
         false},
        {FORGE_GITHUB, "", HELLO, false},
        {FORGE_GITEA, "X-Gitea-Signature: " MAC, HELLO, true},
        {FORGE_GITEA, "X-Forgejo-Signature: " MAC, HELLO, true},
        {FORGE_GITEA, "X-Gogs-Signature: " MAC, HELLO, true},
        {FORGE_GITEA, "X-Gitea-Signature:\nX-Gogs-Signature: " MAC, HELLO, true},
        {FORGE_GITEA, "X-Gitea-Signature: sha256=" MAC, HELLO, false},
        {FORGE_GITEA, "X-Gitea-Signature: " MAC_UP, HELLO, false},
        {FORGE_GITEA, "X-Gitea-Signature: " MAC, HELLO ".", false},
        {FORGE_GITEA, "X-Gitea-Signature:", HELLO, false},
        {FORGE_GITEA, "X-Hub-Signature-256: sha256=" MAC, HELLO, false},
        {FORGE_BITBUCKET, "X-Hub-Signature: sha256=" MAC, HELLO, true},
        {FORGE_BITBUCKET, "X-Hub-Signature-256: sha256=" MAC, HELLO, false},
        {FORGE_BITBUCKET, "X-Hub-Signature: sha1=a04e4d6a5303f841ad8bce5d47b89e546e3d0c9d",
         HELLO, false},
        {FORGE_BITBUCKET_SERVER, "X-Hub-Signature: sha256=" MAC, HELLO, true},
        {FORGE_BITBUCKET_SERVER, "X-Hub-Signature: sha256=" MAC, "hello", false},
        {FORGE_GITLAB, "X-Gitlab-Token: " SECRET, HELLO, true},
        {FORGE_GITLAB, "X-Gitlab-Token: " SECRET "!", HELLO, false},
        {FORGE_GITLAB, "X-Gitlab-Token: It's a Secret", HELLO, false},
        {FORGE_GITLAB, "X-Gitlab-Token:", HELLO, false},
        {FORGE_GITLAB, "X-Hub-Signature-256: sha256=" MAC, HELLO, false},
        {FORGE_GIT, "X-Hub-Signature-256: sha256=" MAC, HELLO, false},
        {FORGE_GIT, "X-Pacewatch-Signature-256: sha256=" MAC, HELLO, false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (verify(cases[i].kind, SECRET, cases[i].headers, cases[i].body) != cases[i].good)
            fail_msg("case %zu: %s", i, cases[i].headers);
}

static void a_push_to_plain_git_is_good_for_five_minutes(void **state)
{
    static const struct {
        int64_t off_s;
        bool good;
    } cases[] = {{0, true}, {300, true}, {-300, true}, {301, false}, {-301, false}};
    const char *headers = "X-Pacewatch-Timestamp: 1764000000\n"
                          "X-Pacewatch-Signature-256: sha256=" GIT_MAC;
    struct view lines = view_z(headers);
    struct forge_hook hook = {.kind = FORGE_GIT, .key = VIEW("s3cret")};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_delivery d = {.header = recorded_header,
                                   .self = &lines,
                                   .body = VIEW(GIT),
                                   .now_ms = NOW_MS + 1000 * cases[i].off_s};
        assert_int_equal(forge_hook_verify(&hook, &d), cases[i].good);
    }
    assert_false(verify(FORGE_GIT, "s3cret",
                        "X-Pacewatch-Timestamp: 1764000001\n"
                        "X-Pacewatch-Signature-256: sha256=" GIT_MAC,
                        GIT));
    assert_false(
        verify(FORGE_GIT, "s3cret", "X-Pacewatch-Signature-256: sha256=" GIT_MAC, GIT));
}

/* The example of the Standard Webhooks specification. */
#define EXAMPLE_KEY  "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define EXAMPLE_ID   "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
#define EXAMPLE_AT   "webhook-timestamp: 1614265330\n"
#define EXAMPLE_SIGN "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void gitlab_signs_as_standard_webhooks_when_told_so(void **state)
{
    static const struct {
        const char *headers;
        int64_t now_s;
        bool good;
    } cases[] = {
        {EXAMPLE_ID EXAMPLE_AT "webhook-signature: " EXAMPLE_SIGN, 1614265330, true},
        {EXAMPLE_ID EXAMPLE_AT "webhook-signature: v1,AAAA v2,x " EXAMPLE_SIGN, 1614265330,
         true},
        {EXAMPLE_ID EXAMPLE_AT "webhook-signature: " EXAMPLE_SIGN, 1614265330 + 301, false},
        {EXAMPLE_ID EXAMPLE_AT "webhook-signature: v1,AAAA", 1614265330, false},
        {EXAMPLE_ID EXAMPLE_AT "webhook-signature:", 1614265330, false},
        {EXAMPLE_AT "webhook-signature: " EXAMPLE_SIGN, 1614265330, false},
        {EXAMPLE_ID "webhook-signature: " EXAMPLE_SIGN, 1614265330, false},
        {"webhook-id: another\n" EXAMPLE_AT "webhook-signature: " EXAMPLE_SIGN, 1614265330,
         false},
        {"X-Gitlab-Token: " EXAMPLE_KEY, 1614265330, false},
    };
    unsigned char key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a,
                           0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c,
                           0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
    struct forge_hook hook = {
        .kind = FORGE_GITLAB, .key = {(const char *)key, sizeof key}, .by_signature = true};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct view lines = view_z(cases[i].headers);
        struct forge_delivery d = {.header = recorded_header,
                                   .self = &lines,
                                   .body = VIEW("{\"test\": 2432232314}"),
                                   .now_ms = 1000 * cases[i].now_s};
        if (forge_hook_verify(&hook, &d) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

static void an_empty_secret_lets_nobody_in(void **state)
{
    (void)state;
    /* HMAC-SHA256 with an empty key */
    assert_false(verify(FORGE_GITEA, "",
                        "X-Gitea-Signature: "
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
                        ""));
    assert_false(verify(FORGE_GITLAB, "", "X-Gitlab-Token:", HELLO));
}

/* --- recorded deliveries ----------------------------------------------------------------- */

#define C4  "4a11772bd8d308aafd9a85cf733730f07da1075d"
#define CB4 "b4cc53ee773f510f694fa3be64c9a6945ff5966a"
#define C72 "729afcd5c67736be85c5734608559554e65052bb"
#define CD1 "d1973b0d9424dcb00d90e16b4b6d38a45341ef3f"

static const struct {
    const char *name;
    enum forge_event_kind kind;
    const char *ref, *before, *after, *action;
    int64_t number;
    bool is_fork, asks;
} expected[] = {
    {"gitea-1.15.11/001-push-test-delivery", FORGE_PUSH, "refs/heads/main", C4, C4, "", 0, 0,
     false},
    {"gitea-1.15.11/002-push-main", FORGE_PUSH, "refs/heads/main", C4, CB4, "", 0, 0, true},
    {"gitea-1.15.11/003-pull_request-opened", FORGE_MERGE_REQUEST, "", "", C72, "opened", 1, 0,
     true},
    {"gitea-1.15.11/004-create-branch-feat", FORGE_PUSH, "refs/heads/feat", "", C72, "", 0, 0,
     true},
    {"gitea-1.15.11/005-push-feat-new-branch", FORGE_PUSH, "refs/heads/feat", "", C72, "", 0, 0,
     true},
    {"gitea-1.15.11/006-pull_request-synchronized-same-head", FORGE_MERGE_REQUEST, "", "", C72,
     "synchronized", 1, 0, true},
    {"gitea-1.15.11/009-push-feat-forced", FORGE_PUSH, "refs/heads/feat",
     "9e0e74908f4f8164268093cc0b6f16bdba9d7974", CD1, "", 0, 0, true},
    {"gitea-1.15.11/011-issue_comment-bench-by-owner", FORGE_COMMENT, "", "", "", "created", 1,
     0, false},
    {"gitea-1.15.11/012-issue_comment-edited", FORGE_COMMENT, "", "", "", "edited", 1, 0,
     false},
    {"gitea-1.15.11/013-pull_request-closed", FORGE_MERGE_REQUEST, "", "", CD1, "closed", 1, 0,
     true},
    {"gitea-1.15.11/014-pull_request-reopened", FORGE_MERGE_REQUEST, "", "", CD1, "reopened", 1,
     0, true},
    {"gitea-1.15.11/015-pull_request-edited-title", FORGE_MERGE_REQUEST, "", "", CD1, "edited",
     1, 0, false},
    {"gitea-1.15.11/016-push-tag-v1-light", FORGE_TAG, "refs/tags/v1", "", CD1, "", 0, 0,
     false},
    {"gitea-1.15.11/017-create-tag-v1-light", FORGE_TAG, "refs/tags/v1", "", CD1, "", 0, 0,
     false},
    {"gitea-1.15.11/018-push-tag-v2-annotated", FORGE_TAG, "refs/tags/v2", "",
     "b709e94524decd5e362530c1321025093521fc75", "", 0, 0, false},
    {"gitea-1.15.11/019-create-tag-v2-annotated", FORGE_TAG, "refs/tags/v2", "",
     "b709e94524decd5e362530c1321025093521fc75", "", 0, 0, false},
    {"gitea-1.15.11/020-create-tag-v2-annotated-again", FORGE_TAG, "refs/tags/v2", "",
     "b709e94524decd5e362530c1321025093521fc75", "", 0, 0, false},
    {"gitea-1.15.11/021-push-tag-v1-deleted", FORGE_TAG, "refs/tags/v1", CD1, "", "", 0, 0,
     false},
    {"gitea-1.15.11/022-delete-tag-v1", FORGE_TAG, "refs/tags/v1", "", "", "", 0, 0, false},
    {"gitea-1.15.11/024-push-tmp-new-branch", FORGE_PUSH, "refs/heads/tmp", "", CB4, "", 0, 0,
     true},
    {"gitea-1.15.11/025-fork", FORGE_OTHER, "", "", "", "", 0, 0, false},
    {"gitea-1.15.11/026-delete-branch-tmp", FORGE_BRANCH_DELETED, "refs/heads/tmp", "", "", "",
     0, 0, true},
    {"gitea-1.15.11/027-pull_request-opened-from-fork", FORGE_MERGE_REQUEST, "", "", NULL,
     "opened", 2, true, true},
    {"gitea-1.15.11/028-issue_comment-bench-by-outsider", FORGE_COMMENT, "", "", "", "created",
     2, 0, false},
    /* Gogs does not say where a new branch is; its push follows. */
    {"gogs-0.11.91/001-create-branch-feat", FORGE_PUSH, "refs/heads/feat", "", "", "", 0, 0,
     false},
    {"gogs-0.11.91/002-push-feat-new-branch", FORGE_PUSH, "refs/heads/feat", "",
     "b1df06f9f7c06c80f6b1ec9cfbb81d59fe0c97ea", "", 0, 0, true},
    {"gogs-0.11.91/003-create-tag-v1", FORGE_TAG, "refs/tags/v1", "",
     "b1df06f9f7c06c80f6b1ec9cfbb81d59fe0c97ea", "", 0, 0, false},
    {"gogs-0.11.91/004-delete-tag-v1", FORGE_TAG, "refs/tags/v1", "", "", "", 0, 0, false},
};

static const struct forge_hook recorded_hook = {.kind = FORGE_GITEA,
                                                .key = VIEW(RECORDED_SECRET)};

static void recorded_deliveries_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct recorded r;
        struct forge_event event;
        struct err e = {0};
        recorded_load(HOOKS, expected[i].name, &r);
        struct view lines = str_view(&r.headers);
        struct forge_delivery d = {
            .header = recorded_header, .self = &lines, .body = str_view(&r.body)};

        bool good = forge_hook_verify(&recorded_hook, &d);
        int rc = forge_hook_parse(&recorded_hook, &d, &event, &e);

        print_message("%s\n", expected[i].name);
        assert_true(good);
        assert_string_equal(e.text, "");
        assert_int_equal(rc, 0);
        assert_int_equal(event.kind, expected[i].kind);
        assert_string_equal(event.ref, expected[i].ref);
        assert_string_equal(event.before, expected[i].before);
        if (expected[i].after)
            assert_string_equal(event.after, expected[i].after);
        assert_string_equal(event.action, expected[i].action);
        assert_int_equal(event.number, expected[i].number);
        assert_int_equal(event.is_fork, expected[i].is_fork);
        assert_int_equal(forge_event_asks(&event), expected[i].asks);
        assert_string_equal(event.author, expected[i].number == 2     ? "forker"
                                          : event.kind == FORGE_OTHER ? "forker"
                                                                      : "root1");
        assert_int_equal(strlen(event.delivery), 36);
        recorded_done(&r);
    }
}

static void one_changed_byte_breaks_a_recorded_signature(void **state)
{
    struct recorded r;
    (void)state;
    recorded_load(HOOKS, "gitea-1.15.11/002-push-main", &r);
    struct view lines = str_view(&r.headers);
    struct forge_delivery d = {
        .header = recorded_header, .self = &lines, .body = str_view(&r.body)};

    for (size_t i = 0; i < r.body.len; i += 97) {
        r.body.at[i] ^= 1;
        assert_false(forge_hook_verify(&recorded_hook, &d));
        r.body.at[i] ^= 1;
    }

    assert_true(forge_hook_verify(&recorded_hook, &d));
    recorded_done(&r);
}

static void a_form_is_not_signed_over_its_bytes(void **state)
{
    struct recorded r;
    (void)state;
    recorded_load(HOOKS, "gitea-1.15.11/100-push-test-delivery-form", &r);
    struct view lines = str_view(&r.headers);
    struct forge_delivery d = {
        .header = recorded_header, .self = &lines, .body = str_view(&r.body)};

    bool good = forge_hook_verify(&recorded_hook, &d);

    assert_false(good);
    recorded_done(&r);
}

/* --- the other forges: payloads made from their documentation ----------------------------- */

static int parse(enum forge_kind kind, const char *headers, const char *body,
                 struct forge_event *out, struct err *e)
{
    struct view lines = view_z(headers);
    struct forge_hook hook = {.kind = kind, .key = VIEW("x")};
    struct forge_delivery d = {
        .header = recorded_header, .self = &lines, .body = view_z(body), .now_ms = NOW_MS};
    return forge_hook_parse(&hook, &d, out, e);
}

#define ZERO          "0000000000000000000000000000000000000000"
#define MOVE(r, b, a) "\"ref\":\"" r "\",\"before\":\"" b "\",\"after\":\"" a "\""
#define HUB(event)    "X-GitHub-Event: " event "\nX-GitHub-Delivery: 1-2\n"
#define HUB_PR(action, head, more)                                                       \
    "{\"action\":\"" action "\",\"number\":7,\"pull_request\":{\"head\":{\"sha\":\"" C72 \
    "\",\"repo\":" head "},\"base\":{\"sha\":\"" C4 "\",\"repo\":{\"id\":1}}}" more "}"
#define LAB_MR(action, source, more)                                                           \
    "{\"object_kind\":\"merge_request\",\"object_attributes\":{\"iid\":7,\"action\":\"" action \
    "\",\"source_project_id\":" source                                                         \
    ",\"target_project_id\":1,\"last_commit\":{\"id\":\"" C72 "\"}" more "}}"
#define CLOUD(new, old)                                     \
    "{\"push\":{\"changes\":[{\"new\":" new ",\"old\":" old \
                                            "}]},\"actor\":{\"nickname\":\"a\"}}"
#define CLOUD_AT(name, type, sha) \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"target\":{\"hash\":\"" sha "\"}}"
#define CLOUD_PR(uuid)                                                                       \
    "{\"pullrequest\":{\"id\":7,\"source\":{\"repository\":{\"uuid\":\"" uuid                \
    "\"},\"commit\":{\"hash\":\"729afcd5c677\"}},\"destination\":{\"repository\":{\"uuid\":" \
    "\"{1}\"},\"commit\":{\"hash\":\"4a11772bd8d3\"}}}}"
#define SERVER(ref, from, to)                                                                \
    "{\"changes\":[{\"ref\":{\"id\":\"" ref "\"},\"fromHash\":\"" from "\",\"toHash\":\"" to \
    "\",\"type\":\"UPDATE\"}]}"
#define SERVER_PR(id)                                                      \
    "{\"pullRequest\":{\"id\":7,\"fromRef\":{\"latestCommit\":\"" C72      \
    "\",\"repository\":{\"id\":" id "}},\"toRef\":{\"latestCommit\":\"" C4 \
    "\",\"repository\":{\"id\":1}}}}"

static void each_forge_says_what_moved_in_its_own_way(void **state)
{
    static const struct {
        enum forge_kind forge;
        const char *headers, *body;
        enum forge_event_kind kind;
        bool asks;
    } cases[] = {
        {FORGE_GITHUB, HUB("ping"), "{\"zen\":\"x\"}", FORGE_PING, false},
        {FORGE_GITHUB, HUB("push"), "{" MOVE("refs/heads/a", C4, C72) "}", FORGE_PUSH, true},
        {FORGE_GITHUB, HUB("push"), "{" MOVE("refs/heads/a", C72, ZERO) "}",
         FORGE_BRANCH_DELETED, true},
        {FORGE_GITHUB, HUB("push"), "{" MOVE("refs/tags/a", ZERO, C72) "}", FORGE_TAG, false},
        {FORGE_GITHUB, HUB("create"), "{\"ref\":\"a\",\"ref_type\":\"branch\"}", FORGE_OTHER,
         false},
        {FORGE_GITHUB, HUB("pull_request"), HUB_PR("opened", "{\"id\":1}", ""),
         FORGE_MERGE_REQUEST, true},
        {FORGE_GITHUB, HUB("pull_request"), HUB_PR("converted_to_draft", "{\"id\":1}", ""),
         FORGE_MERGE_REQUEST, true},
        {FORGE_GITHUB, HUB("pull_request"), HUB_PR("labeled", "{\"id\":1}", ""),
         FORGE_MERGE_REQUEST, false},
        {FORGE_GITHUB, HUB("pull_request"), HUB_PR("opened", "{\"id\":2}", ""),
         FORGE_MERGE_REQUEST, true},
        {FORGE_GITHUB, HUB("pull_request"), HUB_PR("opened", "null", ""), FORGE_MERGE_REQUEST,
         true},
        {FORGE_GITHUB, HUB("pull_request"),
         HUB_PR("edited", "{\"id\":1}", ",\"changes\":{\"title\":{}}"), FORGE_MERGE_REQUEST,
         false},
        {FORGE_GITHUB, HUB("pull_request"),
         HUB_PR("edited", "{\"id\":1}", ",\"changes\":{\"base\":{}}"), FORGE_MERGE_REQUEST,
         true},
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"created\",\"issue\":{\"number\":7,\"pull_request\":{}}}", FORGE_COMMENT,
         false},
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"created\",\"issue\":{\"number\":7}}", FORGE_OTHER, false},
        {FORGE_GITLAB, "", "{\"object_kind\":\"push\"," MOVE("refs/heads/a", C4, C72) "}",
         FORGE_PUSH, true},
        {FORGE_GITLAB, "", "{\"object_kind\":\"push\"," MOVE("refs/heads/a", C4, ZERO) "}",
         FORGE_BRANCH_DELETED, true},
        {FORGE_GITLAB, "", "{\"object_kind\":\"tag_push\"," MOVE("refs/tags/a", ZERO, C4) "}",
         FORGE_TAG, false},
        {FORGE_GITLAB, "", LAB_MR("open", "1", ""), FORGE_MERGE_REQUEST, true},
        {FORGE_GITLAB, "", LAB_MR("update", "1", ""), FORGE_MERGE_REQUEST, false},
        {FORGE_GITLAB, "", LAB_MR("update", "1", ",\"oldrev\":\"" C4 "\""), FORGE_MERGE_REQUEST,
         true},
        {FORGE_GITLAB, "", LAB_MR("open", "2", ""), FORGE_MERGE_REQUEST, true},
        {FORGE_GITLAB, "", LAB_MR("approved", "1", ""), FORGE_MERGE_REQUEST, false},
        {FORGE_GITLAB, "",
         "{\"object_kind\":\"note\",\"object_attributes\":{\"note\":\"x\"},"
         "\"merge_request\":{\"iid\":7}}",
         FORGE_COMMENT, false},
        {FORGE_GITLAB, "", "{\"object_kind\":\"pipeline\"}", FORGE_OTHER, false},
        {FORGE_BITBUCKET, "X-Event-Key: repo:push",
         CLOUD(CLOUD_AT("a", "branch", C72), CLOUD_AT("a", "branch", C4)), FORGE_PUSH, true},
        {FORGE_BITBUCKET, "X-Event-Key: repo:push", CLOUD("null", CLOUD_AT("a", "branch", C4)),
         FORGE_BRANCH_DELETED, true},
        {FORGE_BITBUCKET, "X-Event-Key: repo:push", CLOUD(CLOUD_AT("a", "tag", C72), "null"),
         FORGE_TAG, false},
        {FORGE_BITBUCKET, "X-Event-Key: pullrequest:updated", CLOUD_PR("{1}"),
         FORGE_MERGE_REQUEST, true},
        {FORGE_BITBUCKET, "X-Event-Key: pullrequest:created", CLOUD_PR("{2}"),
         FORGE_MERGE_REQUEST, true},
        {FORGE_BITBUCKET, "X-Event-Key: pullrequest:comment_created", CLOUD_PR("{1}"),
         FORGE_COMMENT, false},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: diagnostics:ping", "{\"test\":true}", FORGE_PING,
         false},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: repo:refs_changed",
         SERVER("refs/heads/a", C4, C72), FORGE_PUSH, true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: repo:refs_changed",
         SERVER("refs/heads/a", C4, ZERO), FORGE_BRANCH_DELETED, true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:from_ref_updated", SERVER_PR("1"),
         FORGE_MERGE_REQUEST, true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:opened", SERVER_PR("2"), FORGE_MERGE_REQUEST,
         true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:comment:added", SERVER_PR("1"), FORGE_COMMENT,
         false},
        {FORGE_GIT, "", "{}", FORGE_PING, false},
        {FORGE_GIT, "", GIT, FORGE_OTHER, false},
        {FORGE_GIT, "",
         "{\"changes\":[{" MOVE("refs/tags/a", ZERO, C4) "},{" MOVE("refs/heads/a", C4,
                                                                    C72) "}]}",
         FORGE_PUSH, true},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_event event = {0};
        struct err e = {0};
        int rc = parse(cases[i].forge, cases[i].headers, cases[i].body, &event, &e);
        if (rc < 0 || event.kind != cases[i].kind || forge_event_asks(&event) != cases[i].asks)
            fail_msg("case %zu: %s: kind %d asks %d: %s", i, cases[i].body, (int)event.kind,
                     forge_event_asks(&event), e.text);
        if (event.kind == FORGE_MERGE_REQUEST || event.kind == FORGE_COMMENT)
            assert_int_equal(event.number, 7);
    }
}

static void what_no_forge_sends_is_refused_with_its_place(void **state)
{
    static const struct {
        enum forge_kind forge;
        const char *headers, *body;
    } cases[] = {
        {FORGE_GITHUB, HUB("ping"), ""},
        {FORGE_GITHUB, HUB("ping"), "[]"},
        {FORGE_GITHUB, HUB("ping"), "{\"a\":1,\"a\":2}"},
        {FORGE_GITHUB, HUB("ping"), "{\"a\":\"\xff\"}"},
        {FORGE_GITHUB, HUB("ping"), "{} {}"},
        {FORGE_GITHUB, HUB("push"), "{}"},
        {FORGE_GITHUB, HUB("push"), "{\"ref\":7,\"before\":\"\",\"after\":\"\"}"},
        {FORGE_GITHUB, HUB("pull_request"), "{\"action\":\"opened\",\"number\":-7}"},
        {FORGE_GITHUB, HUB("pull_request"), "{\"action\":\"opened\",\"number\":1e300}"},
        {FORGE_GITLAB, "", "{\"object_kind\":[]}"},
        {FORGE_GITLAB, "", "{\"object_kind\":\"merge_request\",\"object_attributes\":1}"},
        {FORGE_BITBUCKET, "X-Event-Key: repo:push", "{\"push\":{\"changes\":[1]}}"},
        {FORGE_BITBUCKET, "X-Event-Key: repo:push", "{\"push\":{}}"},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:opened", "{}"},
        {FORGE_GIT, "", "{\"changes\":{}}"},
        {FORGE_GIT, "", "{\"changes\":[{}]}"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_event event;
        struct err e = {0};
        int rc = parse(cases[i].forge, cases[i].headers, cases[i].body, &event, &e);
        if (rc == 0 || e.kind != ERR_INPUT)
            fail_msg("case %zu: %s: %d %s", i, cases[i].body, (int)e.kind, e.text);
    }
}

static void long_and_hostile_texts_are_cut_on_a_border(void **state)
{
    AUTO(str_done) struct str body = STR_INIT(1 << 16);
    struct forge_event event;
    struct err e = {0};
    (void)state;
    str_addz(&body, "{\"before\":\"" C4 "\",\"after\":\"" C72 "\",\"ref\":\"refs/heads/");
    for (int i = 0; i < 1000; i++)
        str_addz(&body, "\u00e9");
    str_addz(&body, "\"}");

    int rc = parse(FORGE_GITHUB, HUB("push"), str_text(&body), &event, &e);

    assert_int_equal(rc, 0);
    assert_true(strlen(event.ref) < sizeof event.ref);
    assert_true(view_is_utf8(view_z(event.ref)));
}

static void a_delivery_without_a_good_id_is_known_by_its_bytes(void **state)
{
    struct forge_event first, second, other, odd;
    (void)state;

    assert_int_equal(parse(FORGE_GITLAB, "", "{\"a\":1}", &first, NULL), 0);
    assert_int_equal(parse(FORGE_GITLAB, "Idempotency-Key:", "{\"a\":1}", &second, NULL), 0);
    assert_int_equal(parse(FORGE_GITLAB, "", "{\"a\":2}", &other, NULL), 0);
    assert_int_equal(parse(FORGE_GITLAB, "Idempotency-Key: a b", "{\"a\":1}", &odd, NULL), 0);

    assert_string_equal(first.delivery, second.delivery);
    assert_string_not_equal(first.delivery, other.delivery);
    assert_int_equal(strlen(odd.delivery), 64);
    assert_string_not_equal(first.delivery, odd.delivery);
}

#define COMMAND(key, text) "\"comment\":{\"id\":93," key ":" text "}"

/* Comments that are new and begin with our name bring their id; all others are talk. */
static void commands_are_known_by_the_first_word_of_a_new_comment(void **state)
{
    static const struct {
        enum forge_kind forge;
        const char *headers, *body;
        bool commands;
    } cases[] = {
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"created\",\"issue\":{\"number\":7,\"pull_request\":{}}," COMMAND(
             "\"body\"", "\"/pacewatch bench\"") "}",
         true},
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"edited\",\"issue\":{\"number\":7,\"pull_request\":{}}," COMMAND(
             "\"body\"", "\"/pacewatch bench\"") "}",
         false},
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"created\",\"issue\":{\"number\":7}," COMMAND(
             "\"body\"", "\"/pacewatch bench\"") "}",
         false},
        {FORGE_GITHUB, HUB("issue_comment"),
         "{\"action\":\"created\",\"issue\":{\"number\":7,\"pull_request\":{}}," COMMAND(
             "\"body\"", "\"thanks\\n/pacewatch bench\"") "}",
         false},
        {FORGE_GITEA, "X-Gitea-Event: issue_comment",
         "{\"action\":\"created\",\"is_pull\":true,\"issue\":{\"number\":7}," COMMAND(
             "\"body\"", "\"/pacewatch help\"") "}",
         true},
        {FORGE_GITLAB, "",
         "{\"object_kind\":\"note\",\"object_attributes\":{\"id\":93,\"action\":\"create\","
         "\"note\":\"/pacewatch\"},\"merge_request\":{\"iid\":7}}",
         true},
        {FORGE_GITLAB, "",
         "{\"object_kind\":\"note\",\"object_attributes\":{\"id\":93,\"action\":\"update\","
         "\"note\":\"/pacewatch\"},\"merge_request\":{\"iid\":7}}",
         false},
        {FORGE_BITBUCKET, "X-Event-Key: pullrequest:comment_created",
         "{\"pullrequest\":{\"id\":7,\"source\":{},\"destination\":{}}," COMMAND(
             "\"content\"", "{\"raw\":\"/pacewatch cancel\"}") "}",
         true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:comment:added",
         "{\"pullRequest\":{\"id\":7,\"fromRef\":{},\"toRef\":{}}," COMMAND(
             "\"text\"", "\"/pacewatch cancel\"") "}",
         true},
        {FORGE_BITBUCKET_SERVER, "X-Event-Key: pr:comment:edited",
         "{\"pullRequest\":{\"id\":7,\"fromRef\":{},\"toRef\":{}}," COMMAND(
             "\"text\"", "\"/pacewatch cancel\"") "}",
         false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_event event = {0};
        struct err e = {0};
        if (parse(cases[i].forge, cases[i].headers, cases[i].body, &event, &e) < 0)
            fail_msg("case %zu: %s", i, e.text);
        if (forge_event_commands(&event) != cases[i].commands)
            fail_msg("case %zu: comment '%s'", i, event.comment);
        if (cases[i].commands)
            assert_string_equal(event.comment, "93");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_signature_of_the_secret_over_these_bytes_counts),
        cmocka_unit_test(a_push_to_plain_git_is_good_for_five_minutes),
        cmocka_unit_test(gitlab_signs_as_standard_webhooks_when_told_so),
        cmocka_unit_test(an_empty_secret_lets_nobody_in),
        cmocka_unit_test(recorded_deliveries_are_understood),
        cmocka_unit_test(one_changed_byte_breaks_a_recorded_signature),
        cmocka_unit_test(a_form_is_not_signed_over_its_bytes),
        cmocka_unit_test(each_forge_says_what_moved_in_its_own_way),
        cmocka_unit_test(what_no_forge_sends_is_refused_with_its_place),
        cmocka_unit_test(commands_are_known_by_the_first_word_of_a_new_comment),
        cmocka_unit_test(long_and_hostile_texts_are_cut_on_a_border),
        cmocka_unit_test(a_delivery_without_a_good_id_is_known_by_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
