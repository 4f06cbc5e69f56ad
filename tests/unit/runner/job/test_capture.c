/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "capture.h"
#include "fdio.h"

static struct capture *begin(void)
{
    struct capture *c = NULL;
    assert_int_equal(capture_new(&c, NULL), 0);
    return c;
}

static void print(struct capture *c, const char *text)
{
    assert_int_equal(fdio_write_all(capture_pipe(c), view_z(text), NULL), 0);
}

static void short_output_is_kept_whole(void **state)
{
    AUTO(capture_freep) struct capture *c = begin();
    AUTO(str_done) struct str text = STR_INIT(CAPTURE_TEXT_MAX);
    print(c, "one\ntwo\n");
    capture_started(c);

    capture_text(c, &text);

    assert_string_equal(str_text(&text), "one\ntwo\n");
    assert_int_equal(capture_total(c), 8);
    (void)state;
}

/* Gigabytes printed must neither stop the program nor fill our memory. */
static void of_long_output_both_ends_are_kept(void **state)
{
    AUTO(capture_freep) struct capture *c = begin();
    AUTO(str_done) struct str text = STR_INIT(CAPTURE_TEXT_MAX);
    AUTO(str_done) struct str block = STR_INIT(1 << 20);
    for (int i = 0; i < 1 << 16; i++)
        str_addc(&block, 'x');
    print(c, "first\n");
    for (int i = 0; i < 512; i++)
        print(c, str_text(&block));
    print(c, "\nlast\n");
    capture_started(c);

    capture_text(c, &text);

    assert_true(view_starts(str_view(&text), "first\n"));
    assert_true(view_ends(str_view(&text), "\nlast\n"));
    assert_non_null(strstr(str_text(&text), "bytes left out]"));
    assert_false(text.cut);
    assert_int_equal(capture_total(c), 12 + (512 << 16));
    (void)state;
}

static void last_lines_are_one_clean_line(void **state)
{
    AUTO(capture_freep) struct capture *c = begin();
    AUTO(str_done) struct str last = STR_INIT(200);
    print(c, "a\nb\n\n  c\033[31m\n\nd\n\n");
    capture_started(c);

    capture_last_lines(c, 3, &last);

    assert_string_equal(str_text(&last), "b | c?[31m | d");
    (void)state;
}

static void no_output_is_no_line(void **state)
{
    AUTO(capture_freep) struct capture *c = begin();
    AUTO(str_done) struct str last = STR_INIT(200);
    capture_started(c);

    capture_last_lines(c, 3, &last);

    assert_int_equal(last.len, 0);
    (void)state;
}

/* A process that outlived its program may hold the pipe: what was printed is had all the same.
 */
static void open_pipe_does_not_hold_us_up_for_ever(void **state)
{
    AUTO(capture_freep) struct capture *c = begin();
    AUTO(str_done) struct str text = STR_INIT(CAPTURE_TEXT_MAX);
    AUTO(fdio_closep) int held = dup(capture_pipe(c));
    assert_true(held >= 0);
    print(c, "early");
    capture_started(c);

    capture_text(c, &text);

    assert_string_equal(str_text(&text), "early");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_output_is_kept_whole),
        cmocka_unit_test(of_long_output_both_ends_are_kept),
        cmocka_unit_test(last_lines_are_one_clean_line),
        cmocka_unit_test(no_output_is_no_line),
        cmocka_unit_test(open_pipe_does_not_hold_us_up_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
