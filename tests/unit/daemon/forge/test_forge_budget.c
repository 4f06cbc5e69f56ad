/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge_budget.h"

static const struct forge_answer good = {.status = 201, .budget = -1};

/* As fast as it allows: never above GitHub's 80 in any minute and 500 in any hour. */
static void github_s_limits_are_never_reached(void **state)
{
    enum { REQUESTS = 1500, MINUTE = 60 * 1000, HOUR = 3600 * 1000 };
    static int64_t at[REQUESTS];
    struct forge_budget b = {.kind = FORGE_GITHUB};
    int64_t now = 1764000000000;
    for (int i = 0; i < REQUESTS; i++) {
        now += forge_budget_wait_ms(&b, now);
        assert_int_equal(forge_budget_wait_ms(&b, now), 0);
        forge_budget_note(&b, &good, now);
        at[i] = now;
        if (i >= 80)
            assert_true(at[i] - at[i - 80] >= MINUTE);
        if (i >= 500)
            assert_true(at[i] - at[i - 500] >= HOUR);
    }
    (void)state;
}

static void what_the_forge_asks_for_goes_first(void **state)
{
    struct forge_budget b = {.kind = FORGE_GITEA};
    struct forge_answer spent = {.status = 201, .budget = 0, .budget_reset_ms = 1764000090000};
    struct forge_answer wait = {.status = 429, .budget = -1, .wait_ms = 300000};
    int64_t now = 1764000000000;

    forge_budget_note(&b, &spent, now);
    assert_true(forge_budget_wait_ms(&b, now) == 90000);
    forge_budget_note(&b, &wait, now);
    assert_true(forge_budget_wait_ms(&b, now) == 300000);
    assert_true(forge_budget_wait_ms(&b, now + 300000) == 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(github_s_limits_are_never_reached),
        cmocka_unit_test(what_the_forge_asks_for_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
