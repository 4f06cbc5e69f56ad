/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "opt.h"

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"0s", 0},
        {"1ns", 1},
        {"500us", 500000},
        {"20ms", 20000000},
        {"1.5s", 1500000000},
        {"2m", 120000000000},
        {"2min", 120000000000},
        {"1h", 3600000000000},
        {"1d", 86400000000000},
        {"1e3ms", 1000000000},
        {".5s", 500000000},
        {"0.0000000004s", 0},
        {"106751d", -1},
        {"10", -1},
        {"", -1},
        {"s", -1},
        {"-1s", -1},
        {"10 s", -1},
        {" 10s", -1},
        {"10s ", -1},
        {"10S", -1},
        {"0x10s", -1},
        {"infs", -1},
        {"nans", -1},
        {"1e400s", -1},
        {"1e300s", -1},
        {"1,5s", -1},
        {"10sec", -1},
        {"--1s", -1},
        {"1.2.3s", -1},
        {"1e", -1},
        {"11111111111111111111111111111111111111111111111111111111111111111111s", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        int64_t ns = -7;

        int rc = opt_duration(view_z(cases[i].text), &ns, &e);

        if (cases[i].ns >= 0) {
            assert_int_equal(rc, 0);
            assert_int_equal(ns, cases[i].ns);
        } else {
            assert_int_equal(rc, -1);
            assert_int_equal(ns, -7); /* untouched */
            assert_int_equal(e.kind, ERR_INPUT);
        }
    }
    (void)state;
}

static void complaints_say_what_was_expected(void **state)
{
    struct err e = {0};
    int64_t n;
    double x;

    opt_duration(VIEW("soon"), &n, &e);
    assert_string_equal(e.text, "expected a duration such as '500ms' or '10s', got 'soon'");
    opt_size(VIEW("12KB"), &n, &e);
    assert_string_equal(e.text, "expected a size such as '64KiB' or '512MiB', got '12KB'");
    opt_rate(VIEW("2000/d"), &x, &e);
    assert_string_equal(e.text, "expected a rate such as '2000/s', got '2000/d'");
    opt_share(VIEW("0.5"), &x, &e);
    assert_string_equal(e.text, "expected a share such as '1%', got '0.5'");
    opt_int(VIEW("11"), 1, 10, &n, &e);
    assert_string_equal(e.text, "expected a whole number from 1 to 10, got '11'");
    opt_size(VIEW("9000000TiB"), &n, &e);
    assert_string_equal(e.text, "'9000000TiB' is too large");
    (void)state;
}

static void sizes_rates_and_shares_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {{"100B", 100},        {"64KiB", 65536},        {"1.5MiB", 1572864},
                 {"2GiB", 2147483648}, {"1TiB", 1099511627776}, {"1kB", 1000},
                 {"3MB", 3000000},     {"1GB", 1000000000}};
    static const struct {
        const char *text;
        double rps;
    } rates[] = {{"2000/s", 2000}, {"90/m", 1.5}, {"3600/h", 1}, {"0.5", 0.5}, {"1e3", 1000}};
    int64_t bytes;
    double x;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        assert_int_equal(opt_size(view_z(sizes[i].text), &bytes, NULL), 0);
        assert_int_equal(bytes, sizes[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        assert_int_equal(opt_rate(view_z(rates[i].text), &x, NULL), 0);
        assert_true(fabs(x - rates[i].rps) < 1e-12);
    }
    assert_int_equal(opt_share(VIEW("12.5%"), &x, NULL), 0);
    assert_true(x == 0.125);
    assert_int_equal(opt_share(VIEW("-1%"), &x, NULL), -1);
    assert_int_equal(opt_rate(VIEW("-1/s"), &x, NULL), -1);
    (void)state;
}

static void whole_numbers_are_taken_whole(void **state)
{
    static const struct {
        struct view text;
        bool good;
    } cases[] = {
        {VIEW("0"), true},
        {VIEW("-12"), true},
        {VIEW("9223372036854775807"), true},
        {VIEW("007"), true},
        {VIEW("-9223372036854775808"), true},
        {VIEW("9223372036854775808"), false},
        {VIEW("-9223372036854775809"), false},
        {VIEW(""), false},
        {VIEW(" 1"), false},
        {VIEW("\t1"), false},
        {VIEW("\n1"), false},
        {VIEW("\v1"), false},
        {VIEW("1 "), false},
        {VIEW("+1"), false},
        {VIEW("-"), false},
        {VIEW("- 1"), false},
        {VIEW("--1"), false},
        {VIEW("1.0"), false},
        {VIEW("0x1"), false},
        {VIEW("1\0"), false},
        {VIEW("1e3"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t n;
        int rc = opt_int(cases[i].text, INT64_MIN, INT64_MAX, &n, NULL);

        assert_int_equal(rc == 0, cases[i].good);
    }
    (void)state;
}

static void real_numbers_are_finite_decimals(void **state)
{
    static const char *const bad[] = {"",      "x",     "1x", "inf", "nan",
                                      "0x1p3", "1e999", "1 ", " 1"};
    double x = 0;

    assert_int_equal(opt_real(VIEW("-1.25e2"), &x, NULL), 0);
    assert_true(x == -125);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(opt_real(view_z(bad[i]), &x, NULL), -1);
    (void)state;
}

static void the_point_is_a_point_in_any_locale(void **state)
{
    double x = 0;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE"))
        skip();

    int rc = opt_real(VIEW("1.5"), &x, NULL);
    setlocale(LC_ALL, "C");

    assert_int_equal(rc, 0);
    assert_true(x == 1.5);
    (void)state;
}

static void *read_many(void *failures)
{
    for (int i = 0; i < 1000; i++) {
        double x = 0;
        if (opt_real(VIEW("0.25"), &x, NULL) < 0 || x != 0.25)
            ++*(int *)failures;
    }
    return NULL;
}

static void several_threads_may_read_numbers(void **state)
{
    pthread_t threads[4];
    int failures[4] = {0};

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, &failures[i]), 0);

    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
    (void)state;
}

/* --- the command line ----------------------------------------------------------------------
 */

struct args {
    bool verbose;
    const char *name;
    int64_t count, wait_ns, size;
    double rate, share, real;
    int calls;
};

static int take(const char *value, void *out, struct err *e)
{
    if (strcmp(value, "bad") == 0)
        return err_set(e, ERR_INPUT, "no good");
    ++*(int *)out;
    return 0;
}

static int parse(struct args *a, int *first, struct err *e, int argc, char **argv)
{
    const struct opt table[] = {
        {.name = "verbose",
         .letter = 'v',
         .type = OPT_FLAG,
         .help = "say more",
         .out = &a->verbose},
        {.name = "name",
         .letter = 'n',
         .type = OPT_TEXT,
         .arg = "NAME",
         .help = "",
         .out = &a->name},
        {.name = "count",
         .letter = 'c',
         .type = OPT_INT,
         .arg = "N",
         .help = "",
         .out = &a->count,
         .min = 1,
         .max = 10},
        {.name = "wait", .type = OPT_DURATION, .arg = "TIME", .help = "", .out = &a->wait_ns},
        {.name = "size", .type = OPT_SIZE, .arg = "SIZE", .help = "", .out = &a->size},
        {.name = "rate", .type = OPT_RATE, .arg = "R", .help = "", .out = &a->rate},
        {.name = "share", .type = OPT_SHARE, .arg = "S", .help = "", .out = &a->share},
        {.name = "real", .type = OPT_REAL, .arg = "X", .help = "", .out = &a->real},
        {.name = "header",
         .letter = 'H',
         .type = OPT_CALL,
         .arg = "H",
         .help = "",
         .out = &a->calls,
         .call = take},
    };
    return opt_parse(table, ARRAY_LEN(table), argc, argv, first, e);
}

#define ARGV(...) ((char *[]){"prog", __VA_ARGS__, NULL})
#define PARSE(a, first, e, ...) \
    parse(a, first, e, (int)ARRAY_LEN(ARGV(__VA_ARGS__)) - 1, ARGV(__VA_ARGS__))

static void every_type_and_spelling_is_understood(void **state)
{
    struct args a = {0};
    struct err e = {0};
    int first = 0;

    assert_int_equal(PARSE(&a, &first, &e, "-v", "--name=x=y", "-c3", "--wait", "5ms", "--size",
                           "1KiB", "--rate=10/s", "--share", "5%", "--real=-2.5", "-H", "a",
                           "-Hb"),
                     0);

    assert_true(a.verbose);
    assert_string_equal(a.name, "x=y");
    assert_int_equal(a.count, 3);
    assert_int_equal(a.wait_ns, 5000000);
    assert_int_equal(a.size, 1024);
    assert_true(a.rate == 10 && a.share == 0.05 && a.real == -2.5);
    assert_int_equal(a.calls, 2);
    (void)state;
}

static void operands_may_stand_anywhere_and_keep_their_order(void **state)
{
    struct args a = {0};
    int first = 0;
    char **argv = ARGV("one", "-v", "-", "--name", "n", "two", "--", "-v", "--what");

    assert_int_equal(parse(&a, &first, NULL, 10, argv), 0);

    static const char *const expected[] = {"one", "-", "two", "-v", "--what"};
    assert_int_equal(10 - first, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(argv[first + (int)i], expected[i]);
    (void)state;
}

static void no_argument_at_all_is_fine(void **state)
{
    struct args a = {0};
    int first = -1;
    char *argv[] = {"prog", NULL};

    assert_int_equal(parse(&a, &first, NULL, 1, argv), 0);
    assert_int_equal(first, 1);
    assert_int_equal(parse(&a, &first, NULL, 0, argv + 1), 0);
    assert_int_equal(first, 0);
    (void)state;
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *args[3];
        const char *text;
    } cases[] = {
        {{"--nmae"}, "unknown option '--nmae'; did you mean '--name'?"},
        {{"--nmae=x"}, "unknown option '--nmae=x'; did you mean '--name'?"},
        {{"--something"}, "unknown option '--something'; see --help"},
        {{"-x"}, "unknown option '-x'; see --help"},
        {{"--verbose=yes"}, "option '--verbose=yes' takes no value"},
        {{"-vv"}, "option '-vv' takes no value"},
        {{"--name"}, "option '--name' needs a value: NAME"},
        {{"-c", "11"}, "option '-c': expected a whole number from 1 to 10, got '11'"},
        {{"--count=0"}, "option '--count=0': expected a whole number from 1 to 10, got '0'"},
        {{"--wait="}, "option '--wait=': expected a duration such as '500ms' or '10s', got ''"},
        {{"-H", "bad"}, "option '-H': no good"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct args a = {0};
        struct err e = {0};
        int first = 0, n = 1 + !!cases[i].args[0] + !!cases[i].args[1];
        char *argv[] = {"prog", (char *)cases[i].args[0], (char *)cases[i].args[1], NULL};

        assert_int_equal(parse(&a, &first, &e, n, argv), -1);

        assert_string_equal(e.text, cases[i].text);
    }
    (void)state;
}

static void help_shows_every_option_in_columns(void **state)
{
    const struct opt table[] = {
        {.name = "verbose", .letter = 'v', .type = OPT_FLAG, .help = "say more"},
        {.name = "a-name-that-is-really-long",
         .type = OPT_TEXT,
         .arg = "SOMETHING",
         .help = "long"},
        {.letter = 'q', .type = OPT_FLAG, .help = "quiet"},
    };
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    opt_help(to, table, ARRAY_LEN(table));
    fclose(to);

    assert_string_equal(text, "  -v, --verbose               say more\n"
                              "  --a-name-that-is-really-long SOMETHING\n"
                              "                              long\n"
                              "  -q                          quiet\n");
    free(text);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(complaints_say_what_was_expected),
        cmocka_unit_test(sizes_rates_and_shares_have_units),
        cmocka_unit_test(whole_numbers_are_taken_whole),
        cmocka_unit_test(real_numbers_are_finite_decimals),
        cmocka_unit_test(the_point_is_a_point_in_any_locale),
        cmocka_unit_test(several_threads_may_read_numbers),
        cmocka_unit_test(every_type_and_spelling_is_understood),
        cmocka_unit_test(operands_may_stand_anywhere_and_keep_their_order),
        cmocka_unit_test(no_argument_at_all_is_fine),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(help_shows_every_option_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
