/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "settings.h"

static int parse(const char *text, struct settings **out, struct err *e)
{
    return settings_parse(view_z(text), "pacewatchd.conf", "/etc/pacewatch", out, e);
}

static void smallest_configuration_gets_defaults(void **state)
{
    (void)state;
    AUTO(settings_freep) struct settings *s = NULL;
    struct err e;

    int rc = parse("{\"state_dir\": \"/var/lib/pw\", \"repos\": ["
                   "{\"name\": \"shop\", \"url\": \"https://git.example.org/shop.git\"}]}",
                   &s, &e);

    assert_int_equal(rc, 0);
    assert_string_equal(s->listen, "127.0.0.1:8420");
    assert_string_equal(s->public_url, "http://127.0.0.1:8420");
    assert_true(s->sandbox);
    assert_false(s->build_network);
    assert_string_equal(s->repos[0].branches[0], "main");
    assert_int_equal(s->repos[0].merge_requests, MR_ALL);
    assert_int_equal(s->repos[0].backfill, 0);
    assert_true(s->repos[0].poll_ns == 60 * CLOCK_NS_PER_S);
    assert_true(s->repos[0].poll_most_ns == 600 * CLOCK_NS_PER_S);
    assert_int_equal(s->repos[0].forge.kind, FORGE_GIT);
}

static void relative_paths_begin_at_the_configuration(void **state)
{
    (void)state;
    AUTO(settings_freep) struct settings *s = NULL;
    struct err e;

    int rc = parse("{\"state_dir\": \"state\", \"repos\": ["
                   "{\"name\": \"a\", \"url\": \"repos/a\"},"
                   "{\"name\": \"b\", \"url\": \"git@host:b.git\"},"
                   "{\"name\": \"c\", \"url\": \"ssh://host/c.git\"}]}",
                   &s, &e);

    assert_int_equal(rc, 0);
    assert_string_equal(s->state_dir, "/etc/pacewatch/state");
    assert_string_equal(s->repos[0].url, "/etc/pacewatch/repos/a");
    assert_string_equal(s->repos[1].url, "git@host:b.git");
    assert_string_equal(s->repos[2].url, "ssh://host/c.git");
}

static void comments_and_trailing_commas_are_fine(void **state)
{
    (void)state;
    AUTO(settings_freep) struct settings *s = NULL;
    struct err e;

    int rc = parse(
        "{ // where it lies\n \"state_dir\": \"/s\", /* none yet */ \"repos\": [], }", &s, &e);

    assert_int_equal(rc, 0);
    assert_int_equal(s->repos_len, 0);
}

static void public_url_loses_its_last_slash(void **state)
{
    (void)state;
    AUTO(settings_freep) struct settings *s = NULL;
    struct err e;

    int rc = parse("{\"state_dir\": \"/s\", \"public_url\": \"https://pace.example.org//\","
                   "\"repos\": []}",
                   &s, &e);

    assert_int_equal(rc, 0);
    assert_string_equal(s->public_url, "https://pace.example.org");
}

static void every_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"state_dir\": \"/s\",\n \"repoz\": []}",
         "pacewatchd.conf:2:2: unknown key 'repoz' in 'the configuration'; did you mean "
         "'repos'?"},
        {"{\"repos\": []}", "pacewatchd.conf:1:1: 'state_dir' is missing"},
        {"{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a b\", \"url\": \"x\"}]}",
         "pacewatchd.conf:1:40: 'name' must be 1 to 100 letters, digits, dots, dashes or "
         "underscores, and begin with a letter or digit"},
        {"{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": \"x\", \"pol\": "
         "\"1s\"}]}",
         "pacewatchd.conf:1:57: unknown key 'pol' in 'repos'; did you mean 'poll'?"},
        {"{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": \"x\", \"poll\": 5}]}",
         "pacewatchd.conf:1:65: 'poll' must be a string, not a number"},
        {"{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": \"x\"},"
         "{\"name\": \"a\", \"url\": \"y\"}]}",
         "pacewatchd.conf:1:57: two repositories are named 'a'"},
        {"{\"state_dir\": \"/s\", \"executor\": {\"kind\": \"cloud\"}, \"repos\": []}",
         "pacewatchd.conf:1:42: the only executor 'kind' is 'local'"},
        {"{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": "
         "\"--upload-pack=x\"}]}",
         "pacewatchd.conf:1:52: 'url' is not a git remote"},
        {"[1]", "pacewatchd.conf:1:1: the configuration must be an object"},
        {"{\"state_dir\": \"/s\" \"repos\": []}", "pacewatchd.conf:1:20: expected ',' or '}'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings *s = NULL;
        struct err e = {0};

        int rc = parse(cases[i].text, &s, &e);

        assert_int_equal(rc, -1);
        assert_null(s);
        assert_string_equal(e.text, cases[i].message);
    }
}

static void write_secret(const char *path, const char *text, mode_t mode)
{
    struct err e = {0};
    if (fdio_write_file(path, view_z(text), mode, &e) < 0)
        fail_msg("%s", e.text);
}

/* Parses a repository whose 'forge' has these members besides the secret's file. */
static int parse_forge(const char *members, const char *path, struct settings **out,
                       struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(4096);
    str_addf(&text,
             "{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": \"x\",\n"
             "\"forge\": {%s \"webhook_secret_file\": \"%s\"}}]}",
             members, path);
    return parse(str_text(&text), out, e);
}

static void the_webhook_secret_is_read_at_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *members, *text, *key;
        mode_t mode;
        const char *message; /* NULL: it is good */
    } cases[] = {
        {"\"kind\": \"github\",", " s3cret\n", "s3cret", 0600, NULL},
        {"\"kind\": \"github\",", "whsec_YWJj", "whsec_YWJj", 0600, NULL},
        {"\"kind\": \"gitlab\",", "whsec_YWJj", "whsec_YWJj", 0600, NULL},
        {"\"kind\": \"gitlab\", \"webhook_auth\": \"token\",", "x", "x", 0600, NULL},
        {"\"kind\": \"gitlab\", \"webhook_auth\": \"signature\",", "whsec_YWJj", "abc", 0600,
         NULL},
        {"\"kind\": \"gitlab\", \"webhook_auth\": \"signature\",", "whsec_!", NULL, 0600,
         "no base64"},
        {"\"kind\": \"gitlab\", \"webhook_auth\": \"maybe\",", "x", NULL, 0600,
         "'webhook_auth' is 'token' or 'signature'"},
        {"\"kind\": \"gitea\", \"webhook_auth\": \"token\",", "x", NULL, 0600,
         "for gitlab only"},
        {"\"kind\": \"svn\",", "x", NULL, 0600, "'kind' must be git, github"},
        {"\"kind\": \"gitea\",", "x", NULL, 0640, "others can read it (mode 640); chmod 600"},
        {"\"kind\": \"gitea\",", " \n", NULL, 0600, "it is empty"},
    };
    char path[] = "/tmp/pacewatch-secret-XXXXXX";
    close(mkstemp(path));

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(settings_freep) struct settings *s = NULL;
        struct err e = {0};
        write_secret(path, cases[i].text, cases[i].mode);

        int rc = parse_forge(cases[i].members, path, &s, &e);

        assert_int_equal(rc, cases[i].message ? -1 : 0);
        if (cases[i].message && !strstr(e.text, cases[i].message))
            fail_msg("case %zu: %s", i, e.text);
        if (!cases[i].message)
            assert_string_equal(str_text(&s->repos[0].forge.webhook_key), cases[i].key);
    }

    unlink(path);
}

static void a_webhook_secret_that_is_not_there_is_named_with_its_place(void **state)
{
    (void)state;
    struct settings *s = NULL;
    struct err e = {0};

    int rc = parse_forge("\"kind\": \"github\",", "/nowhere/secret", &s, &e);

    assert_int_equal(rc, -1);
    assert_non_null(strstr(e.text, "pacewatchd.conf:2:"));
    assert_non_null(strstr(e.text, "secret file '/nowhere/secret'"));
}

static void a_bad_operator_spec_stops_the_start(void **state)
{
    (void)state;
    AUTO(settings_freep) struct settings *s = NULL;
    struct err e;

    int rc = parse("{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"a\", \"url\": \"x\","
                   "\"spec\": \"/nowhere/spec.json\"}]}",
                   &s, &e);

    assert_int_equal(rc, -1);
    assert_non_null(strstr(e.text, "pacewatchd.conf:1:64: open '/nowhere/spec.json'"));
}

static struct settings *must_parse(const char *repo_members)
{
    AUTO(str_done) struct str text = STR_INIT(8192);
    struct settings *s = NULL;
    struct err e = {0};
    str_addf(&text,
             "{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"shop\", \"url\": \"/r\", %s}]}",
             repo_members);
    if (parse(str_text(&text), &s, &e) < 0)
        fail_msg("%s", e.text);
    return s;
}

static void a_forge_says_where_and_as_whom(void **state)
{
    AUTO(settings_freep)
    struct settings *s = must_parse(
        "\"forge\": {\"kind\": \"github\", \"project\": \"acme/shop\", \"context\": \"perf\","
        " \"statuses\": false, \"app\": {\"id\": \"12\", \"installation\": \"34\","
        " \"key_file\": \"app.pem\"}}");
    const struct settings_forge *f = &s->repos[0].forge;

    assert_string_equal(f->project, "acme/shop");
    assert_string_equal(f->context, "perf");
    assert_string_equal(f->app_key_file, "/etc/pacewatch/app.pem");
    assert_true(f->comments);
    assert_false(f->statuses);
    (void)state;
}

static void targets_of_each_kind_can_be_listed(void **state)
{
    AUTO(settings_freep)
    struct settings *s = must_parse(
        "\"notify\": ["
        "{\"kind\": \"webhook\", \"url\": \"https://ci.example/h\", \"secret_file\": \"k\"},"
        "{\"kind\": \"webhook\", \"name\": \"two\", \"url\": \"https://ci.example/h\","
        " \"secret_file\": \"k\"},"
        "{\"kind\": \"mattermost\", \"url_file\": \"hook\"},"
        "{\"kind\": \"matrix\", \"url\": \"https://mx.example\", \"room\": \"!r:mx\","
        " \"token_file\": \"t\"},"
        "{\"kind\": \"mail\", \"url\": \"smtps://mail.example\", \"from\": \"a@b.example\","
        " \"to\": [\"c@d.example\"], \"user\": \"u\", \"password_file\": \"p\"}]");
    const struct settings_repo *r = &s->repos[0];

    assert_int_equal(r->notify_len, 5);
    assert_int_equal(r->notify[2].kind, COURIER_SLACK);
    assert_string_equal(r->notify[2].secret_file, "/etc/pacewatch/hook");
    assert_string_equal(r->notify[3].room, "!r:mx");
    assert_string_equal(r->notify[4].to[0], "c@d.example");
    assert_false(r->notify[4].allow_plain);
    (void)state;
}

static void wrong_forges_and_targets_are_named(void **state)
{
    static const struct {
        const char *members, *message;
    } cases[] = {
        {"\"forge\": {\"kind\": \"github\", \"project\": \"acme\", \"token_file\": \"t\"}",
         "owner/name"},
        {"\"forge\": {\"kind\": \"github\", \"project\": \"a/b\"}", "token_file"},
        {"\"forge\": {\"kind\": \"gitea\", \"project\": \"a/b\", \"token_file\": \"t\"}",
         "'url' is missing"},
        {"\"forge\": {\"kind\": \"github\", \"app\": {\"id\": \"1\"}}", "installation"},
        {"\"notify\": [{\"kind\": \"pigeon\"}]", "'kind' must be"},
        {"\"notify\": [{\"kind\": \"slack\", \"url\": \"https://h\"}]", "unknown key 'url'"},
        {"\"notify\": [{\"kind\": \"matrix\", \"url\": \"ftp://h\", \"room\": \"r\"}]",
         "https://"},
        {"\"notify\": [{\"kind\": \"mail\", \"url\": \"smtp://h\", \"from\": \"a@b\","
         " \"to\": [\"no address\"]}]",
         "name@host"},
        {"\"notify\": [{\"kind\": \"slack\", \"url_file\": \"a\"},"
         " {\"kind\": \"slack\", \"url_file\": \"b\"}]",
         "same 'name'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str text = STR_INIT(8192);
        AUTO(settings_freep) struct settings *s = NULL;
        struct err e = {0};
        str_addf(
            &text,
            "{\"state_dir\": \"/s\", \"repos\": [{\"name\": \"shop\", \"url\": \"/r\", %s}]}",
            cases[i].members);
        assert_int_equal(parse(str_text(&text), &s, &e), -1);
        if (!strstr(e.text, cases[i].message))
            fail_msg("'%s' lacks '%s'", e.text, cases[i].message);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_configuration_gets_defaults),
        cmocka_unit_test(relative_paths_begin_at_the_configuration),
        cmocka_unit_test(a_forge_says_where_and_as_whom),
        cmocka_unit_test(targets_of_each_kind_can_be_listed),
        cmocka_unit_test(wrong_forges_and_targets_are_named),
        cmocka_unit_test(comments_and_trailing_commas_are_fine),
        cmocka_unit_test(public_url_loses_its_last_slash),
        cmocka_unit_test(every_mistake_is_named_with_its_place),
        cmocka_unit_test(the_webhook_secret_is_read_at_the_start),
        cmocka_unit_test(a_webhook_secret_that_is_not_there_is_named_with_its_place),
        cmocka_unit_test(a_bad_operator_spec_stops_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
