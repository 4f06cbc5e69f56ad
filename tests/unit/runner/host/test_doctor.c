/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "doctor.h"

static const struct cpus apart = {.service_list = "0", .load_list = "1"};

static void this_host_gets_a_list(void **state)
{
    AUTO(doctor_done) struct doctor d = {0};

    doctor_look(&d, "", &apart);

    assert_true(d.checks.len >= 4);
    for (size_t i = 0; i < d.checks.len; i++) {
        assert_true(d.checks.at[i].name[0] && d.checks.at[i].text[0]);
        assert_true(d.checks.at[i].status != DOCTOR_PASS || !d.checks.at[i].fix[0]);
    }
    (void)state;
}

static void one_core_is_warned_of(void **state)
{
    AUTO(doctor_done) struct doctor d = {0};
    const struct cpus shared = {.shared = true, .service_list = "0", .load_list = "0"};

    doctor_look(&d, "/nonexistent", &shared);

    assert_string_equal(d.checks.at[0].name, "cores");
    assert_int_equal(d.checks.at[0].status, DOCTOR_WARN);
    (void)state;
}

static void text_and_json_have_the_command(void **state)
{
    AUTO(doctor_done) struct doctor d = {0};
    AUTO(str_done) struct str text = STR_INIT(4096);
    AUTO(str_done) struct str json = STR_INIT(4096);
    doctor_add(&d, DOCTOR_PASS, "a", NULL, "fine");
    doctor_add(&d, DOCTOR_WARN, "b", "do this", "%d of them", 2);

    doctor_write_text(&d, &text);
    doctor_write_json(&d, &json);

    assert_string_equal(str_text(&text), "pass  a               fine\n"
                                         "warn  b               2 of them\n"
                                         "                      $ do this\n");
    assert_non_null(strstr(str_text(&json), "\"fix\":\"do this\""));
    assert_non_null(strstr(str_text(&json), "\"worst\":\"warn\""));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_host_gets_a_list),
        cmocka_unit_test(one_core_is_warned_of),
        cmocka_unit_test(text_and_json_have_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
