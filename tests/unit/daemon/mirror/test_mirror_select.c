/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mirror_own.h"

/* The names that are chosen, in order, with blanks between. */
static void chosen(const char *const *names, size_t n, char *const *patterns,
                   size_t patterns_len, size_t max, char out[512])
{
    git_remote_head heads[16] = {0};
    const git_remote_head *list[16];
    struct wanted_list want = {0};
    for (size_t i = 0; i < n; i++) {
        heads[i].name = (char *)names[i];
        list[i] = &heads[i];
    }
    mirror_select(list, n, patterns, patterns_len, max, &want);
    out[0] = '\0';
    for (size_t i = 0; i < want.refs.len; i++) {
        strcat(out, i ? " " : "");
        strcat(out, want.refs.at[i].name);
    }
    vec_done(&want.refs);
}

static void earlier_patterns_and_higher_numbers_come_first(void **state)
{
    (void)state;
    static const char *const names[] = {"HEAD",
                                        "refs/heads/main",
                                        "refs/heads/other",
                                        "refs/heads/release-9",
                                        "refs/heads/release-10",
                                        "refs/pull/2/head",
                                        "refs/pull/2/merge",
                                        "refs/pull/11/head",
                                        "refs/pull/x/head"};
    char *patterns[] = {"refs/heads/main", "refs/heads/release-*", "refs/pull/[0-9]*/head"};
    char line[512];

    chosen(names, ARRAY_LEN(names), patterns, 3, 100, line);

    assert_string_equal(line, "refs/heads/main refs/heads/release-10 refs/heads/release-9 "
                              "refs/pull/11/head refs/pull/2/head");
}

static void more_than_the_ceiling_drops_the_least_important(void **state)
{
    (void)state;
    static const char *const names[] = {"refs/pull/1/head", "refs/pull/3/head",
                                        "refs/pull/2/head", "refs/heads/main"};
    char *patterns[] = {"refs/heads/*", "refs/pull/[0-9]*/head"};
    char line[512];

    chosen(names, ARRAY_LEN(names), patterns, 2, 2, line);

    assert_string_equal(line, "refs/heads/main refs/pull/3/head");
}

static void names_git_would_not_take_are_dropped(void **state)
{
    (void)state;
    static const char *const names[] = {"refs/heads/a..b", "refs/heads/../../x",
                                        "refs/heads/a b", "refs/heads/good"};
    char *patterns[] = {"refs/heads/*"};
    char line[512];
    mirror_library_start();

    chosen(names, ARRAY_LEN(names), patterns, 1, 100, line);

    assert_string_equal(line, "refs/heads/good");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earlier_patterns_and_higher_numbers_come_first),
        cmocka_unit_test(more_than_the_ceiling_drops_the_least_important),
        cmocka_unit_test(names_git_would_not_take_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
