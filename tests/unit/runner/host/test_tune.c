/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdio.h"
#include "tune.h"

#define GOVERNOR(cpu) "/sys/devices/system/cpu/cpu" #cpu "/cpufreq/scaling_governor"
#define NO_TURBO      "/sys/devices/system/cpu/intel_pstate/no_turbo"
#define SWAPPINESS    "/proc/sys/vm/swappiness"

struct bench {
    char root[64], state[128];
};

static void put(const struct bench *b, const char *path, const char *value)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", b->root, path);
    *strrchr(full, '/') = '\0';
    assert_int_equal(fdio_make_dirs(full, 0755, NULL), 0);
    snprintf(full, sizeof full, "%s%s", b->root, path);
    assert_int_equal(fdio_write_file(full, view_z(value), 0644, NULL), 0);
}

static void is(const struct bench *b, const char *path, const char *want)
{
    char full[512];
    AUTO(str_done) struct str text = STR_INIT(4096);
    snprintf(full, sizeof full, "%s%s", b->root, path);
    assert_int_equal(fdio_read_file(full, &text, NULL), 0);
    struct view got = view_trim(str_view(&text));
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
}

/* A machine with two CPUs, as its kernel shows it. */
static int make_machine(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    snprintf(b->root, sizeof b->root, "/tmp/pacewatch-tune-XXXXXX");
    assert_non_null(mkdtemp(b->root));
    snprintf(b->state, sizeof b->state, "%s/var/tuned", b->root);
    put(b, GOVERNOR(0), "powersave\n");
    put(b, GOVERNOR(1), "performance\n");
    put(b, NO_TURBO, "0\n");
    put(b, SWAPPINESS, "60\n");
    *state = b;
    return 0;
}

static int remove_machine(void **state)
{
    struct bench *b = *state;
    assert_int_equal(fdio_remove_tree(b->root, NULL), 0);
    free(b);
    return 0;
}

static void what_is_there_is_found(void **state)
{
    struct bench *b = *state;
    struct tune_setting s;
    int n = 0, bad = 0;

    for (; tune_setting(b->root, n, &s); n++)
        bad += !s.good;

    assert_int_equal(n, 4);
    assert_int_equal(bad, 3);
}

static void tuning_can_be_undone(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    AUTO(str_done) struct str said = STR_INIT(4096);

    assert_int_equal(tune_apply(b->root, b->state, &said, &e), 0);
    is(b, GOVERNOR(0), "performance");
    is(b, NO_TURBO, "1");
    is(b, SWAPPINESS, "10");
    assert_non_null(strstr(str_text(&said), "governor: powersave -> performance"));

    assert_int_equal(tune_restore(b->root, b->state, &said, &e), 0);
    is(b, GOVERNOR(0), "powersave");
    is(b, GOVERNOR(1), "performance");
    is(b, NO_TURBO, "0");
    is(b, SWAPPINESS, "60");
    assert_false(fdio_exists(b->state));
}

/* Also when the first tuning was cut short by a crash, which left some settings changed. */
static void tuning_twice_keeps_the_first_values(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    AUTO(str_done) struct str said = STR_INIT(4096);

    assert_int_equal(tune_apply(b->root, b->state, &said, &e), 0);
    put(b, NO_TURBO, "0\n");
    assert_int_equal(tune_apply(b->root, b->state, &said, &e), 0);
    assert_int_equal(tune_restore(b->root, b->state, &said, &e), 0);

    is(b, GOVERNOR(0), "powersave");
    is(b, SWAPPINESS, "60");
}

static void state_files_lead_to_no_other_file(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    AUTO(str_done) struct str said = STR_INIT(4096);
    put(b, "/etc/passwd", "root\n");
    put(b, "/var/tuned",
        "/etc/passwd hacked\n/proc/sys/vm/../../../etc/passwd hacked\n\n" SWAPPINESS " 42\n");

    assert_int_equal(tune_restore(b->root, b->state, &said, &e), 0);

    is(b, "/etc/passwd", "root");
    is(b, SWAPPINESS, "42");
}

static void nothing_saved_is_nothing_to_restore(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    AUTO(str_done) struct str said = STR_INIT(4096);

    assert_int_equal(tune_restore(b->root, b->state, &said, &e), 0);

    assert_int_equal(said.len, 0);
    is(b, SWAPPINESS, "60");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, make_machine, remove_machine)
    const struct CMUnitTest tests[] = {
        CASE(what_is_there_is_found),
        CASE(tuning_can_be_undone),
        CASE(tuning_twice_keeps_the_first_values),
        CASE(state_files_lead_to_no_other_file),
        CASE(nothing_saved_is_nothing_to_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
