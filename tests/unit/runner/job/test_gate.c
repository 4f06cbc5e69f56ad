/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gate.h"

struct gate_case {
    const char *what;
    struct gate_arm arm;
    enum gate_cause cause;
};

static void causes_follow_the_table(void **state)
{
    static const struct gate_case cases[] = {
        {"all well", {.requests = 100, .answered = 100}, GATE_NONE},
        {"one request in two hundred failed",
         {.requests = 200, .answered = 199, .failed = 1},
         GATE_NONE},
        {"nothing asked", {.requests = 0}, GATE_NOTHING},
        {"nothing answered", {.requests = 10, .failed = 10}, GATE_NOTHING},
        {"wrong answers", {.requests = 100, .answered = 95, .failed = 5}, GATE_ANSWERS},
        {"late in an open loop",
         {.requests = 9, .answered = 9, .open_loop = true, .generator_limited = true},
         GATE_GENERATOR},
        {"limited in a closed loop",
         {.requests = 9, .answered = 9, .generator_limited = true},
         GATE_NONE},
        {"stolen time", {.requests = 9, .answered = 9, .steal = 0.2}, GATE_NOISE},
        {"gone", {.requests = 9, .answered = 9, .service_ended = true}, GATE_ENDED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str why = STR_INIT(256);

        enum gate_cause cause = gate_judge(&cases[i].arm, &why);

        if (cause != cases[i].cause)
            fail_msg("%s: %s", cases[i].what, str_text(&why));
        assert_int_equal(why.len > 0, cause != GATE_NONE);
    }
    (void)state;
}

static void words_name_the_side(void **state)
{
    AUTO(str_done) struct str why = STR_INIT(256);
    struct gate_arm arm = {.side = SIDE_HEAD, .requests = 100, .answered = 50, .failed = 50};

    (void)gate_judge(&arm, &why);

    assert_string_equal(str_text(&why), "unexpected answers: 50.0 % of the requests to head");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_follow_the_table),
        cmocka_unit_test(words_name_the_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
