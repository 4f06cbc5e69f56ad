/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "template.h"

static struct dataset *table(void)
{
    struct dataset *c = NULL;
    struct str text = STR_INIT(1000);
    str_addz(&text, "user,note\nann lee,\"a/b?\"\nbob,\"x\ny\"\n");
    assert_int_equal(dataset_parse(&text, "t.csv", &c, NULL), 0);
    return c;
}

static void make(const char *text, enum template_place place, uint64_t number, struct str *out)
{
    AUTO(template_done) struct template t = TEMPLATE_INIT;
    AUTO(dataset_freep) struct dataset *data = table();
    struct err e = {0};
    struct template_values values = {.number = number, .seed = 7, .data = data};
    if (template_add(&t, view_z(text), place, &e) < 0 || template_bind(&t, data, &e) < 0)
        str_addz(out, e.text);
    else
        template_make(&t, &values, out);
}

static void places_are_filled_in(void **state)
{
    static const struct {
        const char *text;
        enum template_place place;
        uint64_t number;
        const char *expected;
    } cases[] = {
        {"", TEMPLATE_BODY, 1, ""},
        {"/items/{seq}", TEMPLATE_PATH, 41, "/items/41"},
        {"{seq}{seq}", TEMPLATE_BODY, 2, "22"},
        {"/u/{csv:user}?n={csv:note}", TEMPLATE_PATH, 1, "/u/ann%20lee?n=a%2Fb%3F"},
        {"{csv:user}", TEMPLATE_HEADER, 2, "bob"},
        {"{csv:user}", TEMPLATE_BODY, 3, "ann lee"}, /* from the beginning again */
        {"{csv:note}", TEMPLATE_BODY, 2, "x\ny"},
        {"{random:5:5}", TEMPLATE_BODY, 9, "5"},
        {"{\"a\":{\"b\":{seq}}}", TEMPLATE_BODY, 3, "{\"a\":{\"b\":3}}"},
        {"{seq {sequence} {rand} {} {", TEMPLATE_BODY, 1, "{seq {sequence} {rand} {} {"},
        {"{{seq} {{csv:x} {{random:}", TEMPLATE_BODY, 1, "{seq} {csv:x} {random:}"},
        {"{{{seq}", TEMPLATE_BODY, 1, "{{seq}"},
        {"{{x}", TEMPLATE_BODY, 1, "{{x}"},
        {"{csv:town}", TEMPLATE_BODY, 1,
         "no column 'town' in the data; there are 'user', 'note'"},
        {"{csv:note}", TEMPLATE_HEADER, 1,
         "row 2 of column 'note' holds a control character, which a header cannot"},
        {"{csv:}", TEMPLATE_BODY, 1, "{csv:COLUMN} names no column"},
        {"a {csv:user", TEMPLATE_BODY, 1, "'{csv:user' is not closed with '}'"},
        {"{random:1}", TEMPLATE_BODY, 1,
         "{random:LO:HI}: expected a whole number from 1 to 9223372036854775807, got ''"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str out = STR_INIT(1000);

        make(cases[i].text, cases[i].place, cases[i].number, &out);

        assert_string_equal(str_text(&out), cases[i].expected);
    }
    (void)state;
}

static void what_does_not_change_is_one_piece(void **state)
{
    AUTO(template_done) struct template t = TEMPLATE_INIT;

    template_add_plain(&t, VIEW("GET "));
    assert_int_equal(template_add(&t, VIEW("/a{{seq}b"), TEMPLATE_PATH, NULL), 0);
    assert_true(template_is_constant(&t));
    assert_string_equal(str_text(&t.text), "GET /a{seq}b");
    template_add_plain(&t, VIEW("{seq}")); /* braces and all */
    assert_true(template_is_constant(&t));
    assert_int_equal(template_add(&t, VIEW("{seq}"), TEMPLATE_BODY, NULL), 0);

    assert_false(template_is_constant(&t));
    (void)state;
}

static void random_numbers_repeat_with_seed_and_number(void **state)
{
    enum { DRAWS = 6000, SIDES = 6 };
    AUTO(template_done) struct template t = TEMPLATE_INIT;
    unsigned seen[SIDES] = {0};
    unsigned alike = 0;
    assert_int_equal(template_add(&t, VIEW("{random:1:6}{random:1:6}"), TEMPLATE_BODY, NULL),
                     0);
    for (uint64_t n = 1; n <= DRAWS; n++) {
        AUTO(str_done) struct str once = STR_INIT(10), twice = STR_INIT(10);
        struct template_values values = {.number = n, .seed = 3};

        template_make(&t, &values, &once);
        template_make(&t, &values, &twice);

        assert_string_equal(str_text(&once), str_text(&twice));
        seen[once.at[0] - '1']++;
        alike += once.at[0] == once.at[1];
    }
    /* Six standard deviations of a binomial with n = 6000, p = 1/6. */
    for (unsigned i = 0; i < SIDES; i++)
        assert_in_range(seen[i], 1000 - 173, 1000 + 173);
    assert_in_range(alike, 1000 - 173, 1000 + 173); /* each place draws for itself */
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_in),
        cmocka_unit_test(what_does_not_change_is_one_piece),
        cmocka_unit_test(random_numbers_repeat_with_seed_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
