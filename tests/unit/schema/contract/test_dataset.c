/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "dataset.h"

static int parse(struct view in, struct dataset **out, struct err *e)
{
    struct str text = STR_INIT(DATASET_BYTES_MAX);
    str_add(&text, in);
    return dataset_parse(&text, "users.csv", out, e);
}

static void assert_field(const struct dataset *c, size_t row, size_t column,
                         const char *expected)
{
    assert_true(view_eqz(dataset_field(c, row, column), expected));
}

static void rows_have_their_fields(void **state)
{
    AUTO(dataset_freep) struct dataset *c = NULL;
    struct err e = {0};
    size_t city = 9;
    struct view in =
        VIEW("user,city\r\nann,\"K\xc3\xb6ln, \"\"Altstadt\"\"\"\r\n\n,\"two\nlines\"\nbob,");

    assert_int_equal(parse(in, &c, &e), 0);

    assert_int_equal(c->columns, 2);
    assert_int_equal(c->rows, 3);
    assert_int_equal(dataset_column(c, VIEW("city"), &city, &e), 0);
    assert_int_equal(city, 1);
    assert_field(c, 0, 0, "ann");
    assert_field(c, 0, 1, "K\xc3\xb6ln, \"Altstadt\"");
    assert_field(c, 1, 0, "");
    assert_field(c, 1, 1, "two\nlines");
    assert_field(c, 2, 0, "bob");
    assert_field(c, 2, 1, "");
    (void)state;
}

static void mistakes_are_named_with_their_line(void **state)
{
    static const struct {
        struct view in;
        const char *expected;
    } cases[] = {
        {VIEW(""), "users.csv: expected a line of names and lines of values"},
        {VIEW("a,b\n"), "users.csv: expected a line of names and lines of values"},
        {VIEW("a,b\n1,2\n3\n"), "users.csv:3: 1 fields, the first line has 2"},
        {VIEW("a,b\n\"1\n\",2\n3,4,5\n"), "users.csv:4: 3 fields, the first line has 2"},
        {VIEW("a\n\"open\n\n"), "users.csv:2: a quote is not closed"},
        {VIEW("a\n\"x\"y\n"), "users.csv:2: expected ',' behind a quoted field"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dataset *c = NULL;
        struct err e = {0};

        assert_int_equal(parse(cases[i].in, &c, &e), -1);

        assert_string_equal(e.text, cases[i].expected);
        assert_null(c);
    }
    (void)state;
}

static void a_column_that_is_not_there_names_those_that_are(void **state)
{
    AUTO(dataset_freep) struct dataset *c = NULL;
    struct err e = {0};
    size_t at;
    assert_int_equal(parse(VIEW("user,city\na,b\n"), &c, &e), 0);

    assert_int_equal(dataset_column(c, VIEW("town"), &at, &e), -1);

    assert_string_equal(e.text, "no column 'town' in the data; there are 'user', 'city'");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_their_fields),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(a_column_that_is_not_there_names_those_that_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
