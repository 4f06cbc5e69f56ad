/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "quiet.h"

static char path[64];

static int name_file(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/pacewatch-quiet-%d", (int)getpid());
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void one_alone_or_many_together(void **state)
{
    AUTO(fdio_closep) int a = -1;
    AUTO(fdio_closep) int b = -1;
    assert_int_equal(quiet_open(path, &a, NULL), 0);
    assert_int_equal(quiet_open(path, &b, NULL), 0);

    assert_true(quiet_try(a, QUIET_ALONE));
    assert_false(quiet_try(b, QUIET_ALONE));
    assert_false(quiet_try(b, QUIET_SHARED));
    assert_true(quiet_try(a, QUIET_SHARED));
    assert_true(quiet_try(b, QUIET_SHARED));
    assert_false(quiet_try(b, QUIET_ALONE));
    fdio_closep(&a);

    assert_true(quiet_try(b, QUIET_ALONE));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_alone_or_many_together)};
    return cmocka_run_group_tests(tests, name_file, remove_file);
}
