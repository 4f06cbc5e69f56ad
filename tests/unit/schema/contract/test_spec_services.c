/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "clock.h"
#include "spec.h"

#define WITH(services)                                                \
    "{\"start\":{\"command\":[\"./app\"]},\"services\":" services "," \
    "\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}]}]}"

static struct spec *read_good(const char *text)
{
    struct spec *s = NULL;
    struct err e = {0};
    if (spec_parse(view_z(text), "spec", &s, &e) < 0)
        fail_msg("%s: %s", e.text, text);
    return s;
}

static void postgres_has_defaults(void **state)
{
    (void)state;
    AUTO(spec_freep) struct spec *s = read_good(WITH("{\"postgres\":{}}"));

    assert_int_equal(s->services_len, 1);
    assert_true(s->services[0].postgres);
    assert_int_equal(s->services[0].version, 15);
    assert_string_equal(s->services[0].database, "app");
    assert_null(s->services[0].seed);
    assert_false(s->services[0].count_cpu);
    assert_int_equal(s->services[0].timeout_ns, 30 * CLOCK_NS_PER_S);
}

static void any_other_name_is_a_command(void **state)
{
    (void)state;
    AUTO(spec_freep)
    struct spec *s =
        read_good(WITH("{\"cache\":{\"start\":[\"redis\"],\"env\":{\"A\":\"b\"},\"ready\":"
                       "{\"tcp\":6379}},\"queue\":{\"start\":[\"q\"],\"ready\":{\"socket\":"
                       "\"q.sock\"},\"count_cpu\":true}}"));

    assert_int_equal(s->services_len, 2);
    assert_string_equal(s->services[0].name, "cache");
    assert_int_equal(s->services[0].tcp_port, 6379);
    assert_string_equal(s->services[0].env.at[0].value, "b");
    assert_string_equal(s->services[1].socket, "q.sock");
    assert_true(s->services[1].count_cpu);
}

static void what_is_explained_reads_back_equal(void **state)
{
    (void)state;
    AUTO(spec_freep)
    struct spec *s = read_good(
        WITH("{\"postgres\":{\"version\":16,\"seed\":\"a/b.sql\",\"settings\":{\"work_mem\":"
             "\"8MB\"}},\"c\":{\"start\":{\"sh\":[\"x\"]},\"ready\":{\"tcp\":1},\"version\":"
             "[\"x\",\"-v\"],\"timeout\":\"2s\",\"memory\":\"64MiB\"}}"));
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
    spec_explain(s, &once);

    AUTO(spec_freep) struct spec *back = read_good(str_text(&once));
    spec_explain(back, &twice);

    assert_string_equal(str_text(&once), str_text(&twice));
    assert_non_null(strstr(str_text(&once), "\"seed\":\"a/b.sql\""));
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {WITH("{\"postgres\":{\"seed\":\"../x.sql\"}}"),
         "'seed' must be a file inside the repository"},
        {WITH("{\"postgres\":{\"seed\":\"/etc/passwd\"}}"),
         "'seed' must be a file inside the repository"},
        {WITH("{\"postgres\":{\"version\":9}}"), "'version'"},
        {WITH("{\"postgres\":{\"settings\":{\"-c\":\"x\"}}}"), "no setting of PostgreSQL"},
        {WITH("{\"postgres\":{\"start\":[\"x\"]}}"), "unknown key 'start'"},
        {WITH("{\"a b\":{\"start\":[\"x\"],\"ready\":{\"tcp\":1}}}"), "a service's name"},
        {WITH("{\"c\":{\"start\":[\"x\"]}}"), "'ready' is missing"},
        {WITH("{\"c\":{\"start\":[\"x\"],\"ready\":{}}}"), "takes 'tcp'"},
        {WITH("{\"c\":{\"start\":[\"x\"],\"ready\":{\"tcp\":1,\"socket\":\"s\"}}}"),
         "takes 'tcp'"},
        {WITH("{\"c\":{\"start\":[\"x\"],\"ready\":{\"socket\":\"../s\"}}}"), "'socket' must"},
        {WITH("{\"c\":{\"start\":[\"x\"],\"ready\":{\"tcp\":1},\"memory\":\"1MiB\"}}"),
         "at least 16MiB"},
        {WITH("{\"c\":[]}"), "must be an object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct spec *s = NULL;
        struct err e = {0};

        int rc = spec_parse(view_z(cases[i].text), "spec", &s, &e);

        if (rc == 0 || !strstr(e.text, cases[i].complaint))
            fail_msg("%s: %s", cases[i].text, rc ? e.text : "read without a complaint");
    }
}

static void services_are_part_of_the_workload(void **state)
{
    static const char *const texts[] = {
        WITH("{}"),
        WITH("{\"postgres\":{}}"),
        WITH("{\"postgres\":{\"version\":16}}"),
        WITH("{\"postgres\":{\"seed\":\"s\"}}"),
    };
    unsigned char digest[4][DIGEST_BYTES];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        AUTO(spec_freep) struct spec *s = read_good(texts[i]);
        spec_workload_digest(s, &s->scenarios[0], &s->variants[0], digest[i]);
        for (size_t k = 0; k < i; k++)
            assert_false(digest_equal(digest[i], digest[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgres_has_defaults),
        cmocka_unit_test(any_other_name_is_a_command),
        cmocka_unit_test(what_is_explained_reads_back_equal),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(services_are_part_of_the_workload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
