/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "spec.h"

#define WITH(variants)                               \
    "{\"start\":{\"command\":[\"./app\"]}," variants \
    "\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}]}]}"
#define AXES                                                                               \
    "\"axes\":{\"ext\":{\"off\":{},\"on\":{\"env\":{\"E\":\"1\"}}},\"workers\":{\"1\":{}," \
    "\"4\":{\"args\":[\"-w\",\"4\"]}}}"
#define MATRIX(more) WITH("\"variants\":{" AXES more "},")

static struct spec *read_good(const char *text)
{
    struct spec *s = NULL;
    struct err e = {0};
    if (spec_parse(view_z(text), "spec", &s, &e) < 0)
        fail_msg("%s: %s", e.text, text);
    return s;
}

static void without_variants_there_is_one_combination_without_a_name(void **state)
{
    (void)state;
    AUTO(spec_freep) struct spec *s = read_good(WITH(""));

    assert_int_equal(s->variants_len, 1);
    assert_string_equal(s->variants[0].name, "");
}

static void combinations_come_in_the_order_of_the_axes(void **state)
{
    static const char *const names[] = {"ext=off,workers=1", "ext=off,workers=4",
                                        "ext=on,workers=1", "ext=on,workers=4"};
    (void)state;
    AUTO(spec_freep) struct spec *s = read_good(MATRIX(""));

    assert_int_equal(s->variants_len, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(s->variants[i].name, names[i]);
    assert_int_equal(s->baseline, 0);
}

static void excluded_ones_are_left_out_and_the_baseline_is_found(void **state)
{
    (void)state;
    AUTO(spec_freep)
    struct spec *s = read_good(MATRIX(",\"exclude\":[{\"ext\":\"off\",\"workers\":\"4\"}],"
                                      "\"baseline\":{\"ext\":\"on\",\"workers\":\"1\"}"));
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);

    assert_int_equal(s->variants_len, 3);
    assert_string_equal(s->variants[s->baseline].name, "ext=on,workers=1");

    spec_explain(s, &once);
    AUTO(spec_freep) struct spec *back = read_good(str_text(&once));
    spec_explain(back, &twice);
    assert_string_equal(str_text(&once), str_text(&twice));
    assert_int_equal(back->variants_len, 3);
    assert_int_equal(back->baseline, s->baseline);
}

static void each_combination_is_a_workload_of_its_own(void **state)
{
    unsigned char digest[4][DIGEST_BYTES];
    (void)state;
    AUTO(spec_freep) struct spec *s = read_good(MATRIX(""));
    for (size_t i = 0; i < 4; i++) {
        spec_workload_digest(s, &s->scenarios[0], &s->variants[i], digest[i]);
        for (size_t k = 0; k < i; k++)
            assert_false(digest_equal(digest[i], digest[k]));
    }
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {WITH("\"variants\":{},"), "'axes' is missing"},
        {WITH("\"variants\":{\"axes\":{}},"), "'axes' must have 1 to 4 entries"},
        {WITH("\"variants\":{\"axes\":{\"a b\":{\"1\":{}}}},"), "the name of an axis"},
        {WITH("\"variants\":{\"axes\":{\"a\":{}}},"), "an object of 1 to 8 values"},
        {WITH("\"variants\":{\"axes\":{\"a\":{\"1\":[]}}},"), "value '1' must be an object"},
        {WITH("\"variants\":{\"axes\":{\"a\":{\"1\":{\"x\":1}}}},"), "unknown key 'x'"},
        {MATRIX(",\"exclude\":[{\"none\":\"1\"}]"), "no axis is named 'none'"},
        {MATRIX(",\"exclude\":[{\"ext\":\"2\"}]"), "axis 'ext' has no such value"},
        {MATRIX(",\"exclude\":[{\"ext\":\"on\"},{\"ext\":\"off\"}]"), "leaves no combination"},
        {MATRIX(",\"exclude\":[{}]"), "names values of axes"},
        {MATRIX(",\"exclude\":[{\"ext\":\"on\"}],\"baseline\":{\"ext\":\"on\"}"),
         "not among the combinations"},
        {WITH("\"variants\":{\"axes\":{\"a\":{\"1\":{},\"2\":{},\"3\":{},\"4\":{},\"5\":{}},"
              "\"b\":{\"1\":{},\"2\":{},\"3\":{},\"4\":{}}}},"),
         "more than 16 combinations"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_variants_there_is_one_combination_without_a_name),
        cmocka_unit_test(combinations_come_in_the_order_of_the_axes),
        cmocka_unit_test(excluded_ones_are_left_out_and_the_baseline_is_found),
        cmocka_unit_test(each_combination_is_a_workload_of_its_own),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
