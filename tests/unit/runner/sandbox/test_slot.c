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
#include "slot.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/pacewatch-slot-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return fdio_remove_tree(dir, NULL);
}

static void slots_are_never_shared_and_come_back(void **state)
{
    struct err e = {0};
    int slot[3] = {-1, -1, -1};
    AUTO(fdio_closep) int first = -1;
    AUTO(fdio_closep) int second = -1;
    AUTO(fdio_closep) int third = -1;

    assert_int_equal(slot_take(dir, 2, &slot[0], &first, &e), 0);
    assert_int_equal(slot_take(dir, 2, &slot[1], &second, &e), 0);
    assert_int_equal(slot_take(dir, 2, &slot[2], &third, &e), -1);
    assert_int_equal(e.kind, ERR_AWAY);
    fdio_closep(&first);
    assert_int_equal(slot_take(dir, 2, &slot[2], &third, &e), 0);

    assert_int_equal(slot[0], 0);
    assert_int_equal(slot[1], 1);
    assert_int_equal(slot[2], 0);
    (void)state;
}

static void lock_that_is_a_link_is_refused(void **state)
{
    char path[128];
    int slot;
    int fd = -1;
    snprintf(path, sizeof path, "%s/slot-0.lock", dir);
    (void)unlink(path);
    assert_int_equal(symlink("/tmp/elsewhere", path), 0);

    assert_int_equal(slot_take(dir, 1, &slot, &fd, NULL), -1);

    assert_int_equal(fd, -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_never_shared_and_come_back),
        cmocka_unit_test(lock_that_is_a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
