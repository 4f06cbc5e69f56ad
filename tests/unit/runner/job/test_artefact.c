/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artefact.h"
#include "fdio.h"

static char top[64];

static int make_top(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/pacewatch-artefact-XXXXXX");
    assert_non_null(mkdtemp(top));
    return 0;
}

static int remove_top(void **state)
{
    (void)state;
    return fdio_remove_tree(top, NULL);
}

static void put(const char *name, const char *content, mode_t mode)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", top, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(fdio_make_dirs(path, 0755, NULL), 0);
    *slash = '/';
    assert_int_equal(fdio_write_file(path, view_z(content), mode, NULL), 0);
}

static struct artefact read_of(const char *const *globs, size_t n)
{
    struct err e = {0};
    struct artefact a = {0};
    struct spec_list list = {(char **)globs, n};
    if (artefact_read(top, &list, &a, &e) < 0)
        fail_msg("%s", e.text);
    return a;
}

static bool same(const struct artefact *a, const struct artefact *b)
{
    return digest_equal(a->digest, b->digest);
}

static void only_outputs_count(void **state)
{
    const char *const globs[] = {"bin/*"};
    put("bin/app", "code", 0755);
    put("README", "one", 0644);
    struct artefact before = read_of(globs, 1);
    struct artefact all_before = read_of(NULL, 0);

    put("README", "two", 0644);
    struct artefact after = read_of(globs, 1);
    struct artefact all_after = read_of(NULL, 0);

    assert_true(same(&before, &after));
    assert_false(same(&all_before, &all_after));
    assert_int_equal(after.files, 1);
    assert_int_equal(after.bytes, 4);
    (void)state;
}

static void content_name_and_mode_count(void **state)
{
    put("x/a", "1", 0644);
    struct artefact first = read_of(NULL, 0);

    put("x/a", "2", 0644);
    struct artefact content = read_of(NULL, 0);
    put("x/a", "1", 0755);
    struct artefact mode = read_of(NULL, 0);
    put("x/a", "1", 0644);
    struct artefact back = read_of(NULL, 0);
    put("x/ab", "", 0644);
    struct artefact name = read_of(NULL, 0);

    assert_false(same(&first, &content));
    assert_false(same(&first, &mode));
    assert_true(same(&first, &back));
    assert_false(same(&first, &name));
    (void)state;
}

static void end_of_one_file_is_not_the_start_of_the_next(void **state)
{
    put("a", "12", 0644);
    put("b", "3", 0644);
    struct artefact first = read_of(NULL, 0);

    put("a", "1", 0644);
    put("b", "23", 0644);
    struct artefact second = read_of(NULL, 0);

    assert_false(same(&first, &second));
    (void)state;
}

/* The daemon's database must not be read through a link that a build left. */
static void links_are_named_and_never_followed(void **state)
{
    char path[160];
    put("f", "x", 0644);
    struct artefact without = read_of(NULL, 0);
    snprintf(path, sizeof path, "%s/secret", top);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    struct artefact file = read_of(NULL, 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/", path), 0);

    struct artefact dir = read_of(NULL, 0);

    assert_false(same(&without, &file));
    assert_false(same(&file, &dir));
    assert_int_equal(file.bytes, without.bytes);
    assert_int_equal(dir.files, without.files);
    assert_int_equal(unlink(path), 0);
    (void)state;
}

static void pipe_does_not_make_us_wait(void **state)
{
    char path[160];
    snprintf(path, sizeof path, "%s/pipe", top);
    assert_int_equal(mkfifo(path, 0644), 0);

    struct artefact a = read_of(NULL, 0);

    assert_true(a.files > 0);
    assert_int_equal(unlink(path), 0);
    (void)state;
}

static void output_that_is_missing_is_an_error(void **state)
{
    struct err e = {0};
    struct artefact a;
    char *globs[] = {"nothing/*"};
    struct spec_list list = {globs, 1};

    assert_int_equal(artefact_read(top, &list, &a, &e), -1);

    assert_int_equal(e.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "nothing/*"));
    (void)state;
}

static void top_that_is_a_link_is_refused(void **state)
{
    char path[160];
    struct artefact a;
    struct spec_list list = {0};
    snprintf(path, sizeof path, "%s-link", top);
    assert_int_equal(symlink("/etc", path), 0);

    assert_int_equal(artefact_read(path, &list, &a, NULL), -1);

    assert_int_equal(unlink(path), 0);
    (void)state;
}

static void globs_follow_the_table(void **state)
{
    static const struct {
        const char *glob, *path;
        bool matches;
    } cases[] = {
        {"bin/app", "bin/app", true},      {"bin/app", "bin/app2", false},
        {"bin", "bin/deep/app", true},     {"*.so", "lib.so", true},
        {"*.so", "lib/x.so", false},       {"lib/*.so", "lib/x.so", true},
        {"**/x.so", "lib/a/b/x.so", true}, {"build/*", "build/a/b", true},
        {"build/*", "other", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (artefact_matches(cases[i].glob, cases[i].path) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].glob, cases[i].path);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_outputs_count),
        cmocka_unit_test(content_name_and_mode_count),
        cmocka_unit_test(end_of_one_file_is_not_the_start_of_the_next),
        cmocka_unit_test(links_are_named_and_never_followed),
        cmocka_unit_test(pipe_does_not_make_us_wait),
        cmocka_unit_test(output_that_is_missing_is_an_error),
        cmocka_unit_test(top_that_is_a_link_is_refused),
        cmocka_unit_test(globs_follow_the_table),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
