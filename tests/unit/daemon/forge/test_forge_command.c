/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "forge_command.h"

static void only_the_first_word_of_the_first_line_is_a_command(void **state)
{
    static const struct {
        const char *comment;
        bool is;
    } cases[] = {
        {"/pacewatch", true},
        {"/pacewatch bench", true},
        {"/pacewatch\tbench\r\nthanks", true},
        {"/pacewatch bench\n\n> quoted", true},
        {"", false},
        {"please /pacewatch bench", false},
        {"thanks\n/pacewatch bench", false},
        {"> /pacewatch bench", false},
        {" /pacewatch bench", false},
        {"    /pacewatch bench", false},
        {"\n/pacewatch bench", false},
        {"/pacewatchx bench", false},
        {"/Pacewatch bench", false},
        {"`/pacewatch bench`", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (forge_command_is(view_z(cases[i].comment)) != cases[i].is)
            fail_msg("'%s'", cases[i].comment);
}

static void each_command_is_read_with_what_it_takes(void **state)
{
    static const struct {
        const char *comment;
        struct forge_command want;
    } cases[] = {
        {"/pacewatch", {.verb = COMMAND_HELP}},
        {"/pacewatch help", {.verb = COMMAND_HELP}},
        {"/pacewatch bench", {.verb = COMMAND_BENCH}},
        {"/pacewatch  bench   rounds=40 ", {.verb = COMMAND_BENCH, .rounds = 40}},
        {"/pacewatch bench scenario=list rounds=10\r\nplease",
         {.verb = COMMAND_BENCH, .rounds = 10, .scenario = "list"}},
        {"/pacewatch confirm", {.verb = COMMAND_CONFIRM}},
        {"/pacewatch cancel now", {.verb = COMMAND_CANCEL}},
        {"/pacewatch explain", {.verb = COMMAND_EXPLAIN}},
        {"/pacewatch accept the new check costs that",
         {.verb = COMMAND_ACCEPT, .reason = "the new check costs that"}},
        {"/pacewatch ignore list  too noisy <!-- | `x`\n/pacewatch cancel",
         {.verb = COMMAND_IGNORE, .scenario = "list", .reason = "too noisy <!-- | `x`"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_command c;
        struct err e = {0};
        if (forge_command_parse(view_z(cases[i].comment), &c, &e) < 0)
            fail_msg("'%s': %s", cases[i].comment, e.text);
        assert_int_equal(c.verb, cases[i].want.verb);
        assert_int_equal(c.rounds, cases[i].want.rounds);
        assert_string_equal(c.scenario, cases[i].want.scenario);
        assert_string_equal(c.reason, cases[i].want.reason);
    }
}

static void mistakes_say_what_would_be_right(void **state)
{
    static const struct {
        const char *comment, *says;
    } cases[] = {
        {"/pacewatch bensh", "did you mean 'bench'?"},
        {"/pacewatch do something", "no such command"},
        {"/pacewatch bench rounds=9", "rounds is a number from 10 to 500"},
        {"/pacewatch bench rounds=501", "rounds is a number from 10 to 500"},
        {"/pacewatch bench rounds=many", "rounds is a number"},
        {"/pacewatch bench fast", "bench takes 'scenario=NAME' and 'rounds=N'"},
        {"/pacewatch bench scenario=", "the scenario is missing"},
        {"/pacewatch accept", "the reason is missing"},
        {"/pacewatch ignore", "the scenario to ignore is missing"},
        {"/pacewatch ignore list", "the reason is missing"},
        {"/pacewatch accept \x1b[31m", "the reason has control characters"},
        {"/pacewatch accept \xff", "the reason is not valid UTF-8"},
        {"hello", "begins with '/pacewatch'"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct forge_command c;
        struct err e = {0};
        assert_int_equal(forge_command_parse(view_z(cases[i].comment), &c, &e), -1);
        assert_int_equal(e.kind, ERR_INPUT);
        if (!strstr(e.text, cases[i].says))
            fail_msg("'%s': %s", cases[i].comment, e.text);
    }
}

static void long_ones_are_refused(void **state)
{
    char comment[2000] = "/pacewatch accept ";
    struct forge_command c;
    struct err e = {0};
    (void)state;
    memset(comment + strlen(comment), 'x', 400);

    assert_int_equal(forge_command_parse(view_z(comment), &c, &e), -1);
    assert_non_null(strstr(e.text, "the reason is longer than 300 bytes"));

    memset(comment + strlen(comment), 'x', 1000);
    assert_int_equal(forge_command_parse(view_z(comment), &c, &e), -1);
    assert_non_null(strstr(e.text, "longer than 1000 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_word_of_the_first_line_is_a_command),
        cmocka_unit_test(each_command_is_read_with_what_it_takes),
        cmocka_unit_test(mistakes_say_what_would_be_right),
        cmocka_unit_test(long_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
