/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "log.h"
#include "str.h"

/* Standard error goes into a pipe between begin and end. */
struct capture {
    int kept, read_end;
};

static struct capture begin(void)
{
    int ends[2];
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    struct capture c = {dup(STDERR_FILENO), ends[0]};
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return c;
}

static void end(struct capture *c, struct str *out)
{
    dup2(c->kept, STDERR_FILENO);
    close(c->kept);
    assert_int_equal(fdio_read_all(c->read_end, out, NULL), 0);
    close(c->read_end);
}

/* The time stamp varies; its form does not. */
static const char *after_time(const char *line)
{
    static const char form[] = "0000-00-00T00:00:00Z ";
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], form[i]);
    return line + sizeof form - 1;
}

static void a_line_has_time_level_event_and_fields(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(1000);
    struct capture c = begin();

    log_info("job measured", "job=%d rounds=%d", 41, 10);
    end(&c, &out);

    assert_string_equal(after_time(str_text(&out)), "info job measured job=41 rounds=10\n");
    (void)state;
}

static void foreign_text_cannot_start_a_line(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(1000);
    struct capture c = begin();

    log_warn("said", "%s", "one\nerror two\r\t\x1b[31m\x7f");
    end(&c, &out);

    assert_string_equal(after_time(str_text(&out)), "warn said one|error two???[31m?\n");
    (void)state;
}

static void a_long_line_is_cut_but_still_ends(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(10000);
    char text[9000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct capture c = begin();

    log_error("long", "%s", text);
    log_error("next", "%s", "");
    end(&c, &out);

    const char *first_end = strchr(str_text(&out), '\n');
    assert_int_equal(first_end - out.at, 4095);
    assert_string_equal(after_time(first_end + 1), "error next \n");
    (void)state;
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        AUTO(str_done) struct str out = STR_INIT(1000);
        struct capture c = begin();
        int lines = 0;

        log_set_level((enum log_level)level);
        log_error("e", "%d", 1);
        log_warn("w", "%d", 1);
        log_info("i", "%d", 1);
        log_debug("d", "%d", 1);
        end(&c, &out);

        for (size_t i = 0; i < out.len; i++)
            lines += out.at[i] == '\n';
        assert_int_equal(lines, level + 1);
    }
    log_set_level(LOG_INFO);
    (void)state;
}

static void levels_have_names(void **state)
{
    enum log_level level = LOG_INFO;

    assert_int_equal(log_level_parse("debug", &level), 0);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse("error", &level), 0);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_level_parse("Debug", &level), -1);
    assert_int_equal(log_level_parse("", &level), -1);
    assert_int_equal(level, LOG_ERROR);
    (void)state;
}

static void *write_lines(void *letter)
{
    for (int i = 0; i < 100; i++)
        log_info("from", "%c%c%c%c%c%c%c%c", *(char *)letter, *(char *)letter, *(char *)letter,
                 *(char *)letter, *(char *)letter, *(char *)letter, *(char *)letter,
                 *(char *)letter);
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100000);
    pthread_t threads[4];
    char letters[4] = "abcd";
    int lines = 0;
    struct capture c = begin();

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_lines, &letters[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    end(&c, &out);

    struct view rest = str_view(&out), line;
    for (; view_line(&rest, &line); lines++) {
        assert_int_equal(line.len, strlen("0000-00-00T00:00:00Z info from aaaaaaaa"));
        for (size_t k = line.len - 8; k < line.len; k++)
            assert_int_equal(line.at[k], line.at[line.len - 1]);
    }
    assert_int_equal(lines, 400);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_fields),
        cmocka_unit_test(foreign_text_cannot_start_a_line),
        cmocka_unit_test(a_long_line_is_cut_but_still_ends),
        cmocka_unit_test(levels_below_the_chosen_one_are_silent),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
