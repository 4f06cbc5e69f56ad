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
        {"held back by a limit", {.requests = 9, .answered = 9, .throttled = 0.02}, GATE_NOISE},
        {"a hot CPU", {.requests = 9, .answered = 9, .hot = 1}, GATE_NOISE},
        {"others made it wait",
         {.requests = 9, .answered = 9, .foreign = 0.3, .run_delay = 0.8},
         GATE_NOISE},
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

struct noise_case {
    const char *what;
    struct noise_gauges noise;
    double seconds;
    enum gate_cause cause;
};

static void noise_counts_only_when_it_hurts(void **state)
{
    static const struct noise_case cases[] = {
        {"quiet", {.foreign_cpu = 0.05, .run_delay = 0.1}, 2, GATE_NONE},
        {"others run beside a service that does not wait",
         {.foreign_cpu = 1.9, .run_delay = 0.1},
         2,
         GATE_NONE},
        {"threads wait for each other", {.foreign_cpu = 0.1, .run_delay = 3}, 2, GATE_NONE},
        {"others make it wait", {.foreign_cpu = 0.5, .run_delay = 0.7}, 2, GATE_NOISE},
        {"too short to know", {.foreign_cpu = 0.5, .run_delay = 0.7}, 0.1, GATE_NONE},
        {"half of one CPU of two is a quarter of both",
         {.foreign_cpu = 0.29, .run_delay = 0.7},
         2,
         GATE_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str why = STR_INIT(256);
        struct gate_arm arm = {.requests = 9, .answered = 9};

        gate_add_noise(&arm, &cases[i].noise, cases[i].seconds, 2);

        if (gate_judge(&arm, &why) != cases[i].cause)
            fail_msg("%s: %s", cases[i].what, str_text(&why));
    }
    (void)state;
}

/* The second scenario was quiet: what the first one met must stay. */
static void of_several_windows_the_worst_stays(void **state)
{
    AUTO(str_done) struct str why = STR_INIT(256);
    const struct noise_gauges loud = {.foreign_cpu = 0.5, .run_delay = 0.7, .steal = 0.05};
    const struct noise_gauges quiet = {.foreign_cpu = 0.1, .run_delay = 0.2};
    struct gate_arm arm = {.requests = 9, .answered = 9};

    gate_add_noise(&arm, &loud, 2, 1);
    gate_add_noise(&arm, &quiet, 2, 1);

    assert_int_equal(gate_judge(&arm, &why), GATE_NOISE);
    assert_true(arm.steal == 0.05);
    (void)state;
}

static void arms_that_answer_differently_under_load_are_void(void **state)
{
    AUTO(str_done) struct str why = STR_INIT(256);
    struct gate_arm arms[3] = {{.side = SIDE_BASE, .answer_bytes = {0, 640}},
                               {.side = SIDE_BASE, .answer_bytes = {100, 642}},
                               {.side = SIDE_HEAD, .answer_bytes = {200, 641}}};

    assert_int_equal(gate_compare(arms, 3, &why), GATE_NONE);
    assert_int_equal(why.len, 0);
    arms[2].answer_bytes[1] = 320;
    assert_int_equal(gate_compare(arms, 3, &why), GATE_ANSWERS);
    assert_string_equal(str_text(&why),
                        "answers under load are not those that were compared before: 640 "
                        "bytes each from base, 320 from head");
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
        cmocka_unit_test(noise_counts_only_when_it_hurts),
        cmocka_unit_test(of_several_windows_the_worst_stays),
        cmocka_unit_test(arms_that_answer_differently_under_load_are_void),
        cmocka_unit_test(words_name_the_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
