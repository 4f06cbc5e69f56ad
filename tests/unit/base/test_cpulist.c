/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpulist.h"

static void lists_read_back_as_they_were_written(void **state)
{
    static const char *const lists[] = {"", "0", "0-3", "0-1,4-5", "3,7,1000", "0-1023"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        cpu_set_t set;
        AUTO(str_done) struct str out = STR_INIT(8192);

        assert_int_equal(cpulist_parse(view_z(lists[i]), &set, NULL), 0);
        cpulist_write(&set, &out);

        assert_string_equal(str_text(&out), lists[i]);
    }
    (void)state;
}

static void neighbours_are_joined_and_line_ends_dropped(void **state)
{
    cpu_set_t set;
    AUTO(str_done) struct str out = STR_INIT(64);

    assert_int_equal(cpulist_parse(view_z("2,0,1,1-2\n"), &set, NULL), 0);
    cpulist_write(&set, &out);

    assert_string_equal(str_text(&out), "0-2");
    (void)state;
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const lists[] = {"a",    "1-",   "-1",  "3-1",
                                        "1024", "0,,1", "1 2", "99999999999"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        cpu_set_t set;

        if (cpulist_parse(view_z(lists[i]), &set, NULL) == 0)
            fail_msg("'%s' was read", lists[i]);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_read_back_as_they_were_written),
        cmocka_unit_test(neighbours_are_joined_and_line_ends_dropped),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
