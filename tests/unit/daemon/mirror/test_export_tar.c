/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "export_tar.h"

struct bench {
    struct scratch dir;
    char path[128], tar[128];
    struct mirror *m;
};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->path, sizeof b->path, "%s/shop/.git", b->dir.dir);
    snprintf(b->tar, sizeof b->tar, "%s/out.tar", b->dir.dir);
    scratch_run(&b->dir,
                "git init -q -b main shop; cd shop; mkdir -p src/deep; echo hello >src/deep/a; "
                "printf '#!/bin/sh\\n' >run; chmod +x run; ln -s src/deep/a link; : >empty; "
                "git add -A; git commit -q -m c1");
    MUST(mirror_open(b->path, &b->m, &e));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    mirror_closep(&b->m);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static int export_head(struct bench *b, struct export_limits limits, struct export_note *note,
                       struct err *e)
{
    char sha[256];
    scratch_ask(&b->dir, sha, "git -C shop rev-parse HEAD");
    return export_tar(b->m, sha, b->tar, &limits, note, e);
}

static void tree_comes_out_as_git_would_check_it_out(void **state)
{
    struct bench *b = *state;
    struct export_note note;
    char line[256];

    MUST(export_head(b, (struct export_limits){0}, &note, &e));

    scratch_run(&b->dir,
                "mkdir x; tar -xf out.tar -C x; diff -r --no-dereference -x .git shop x; test "
                "-x x/run; test -L x/link; test ! -x x/empty");
    scratch_ask(&b->dir, line, "tar -tvf out.tar --numeric-owner --utc src/deep/a | tr -s ' '");
    assert_string_equal(line, "-rw-r--r-- 0/0 6 2025-11-24 16:00 src/deep/a");
    assert_int_equal(note.files, 6);
    assert_int_equal(note.submodules, 0);
}

static void same_commit_gives_the_same_bytes(void **state)
{
    struct bench *b = *state;
    struct export_note note;
    char first[256], second[256];
    MUST(export_head(b, (struct export_limits){0}, &note, &e));
    scratch_ask(&b->dir, first, "sha256sum <out.tar");

    MUST(export_head(b, (struct export_limits){0}, &note, &e));

    scratch_ask(&b->dir, second, "sha256sum <out.tar");
    assert_string_equal(second, first);
}

static void submodules_are_left_out_and_counted(void **state)
{
    struct bench *b = *state;
    struct export_note note;
    char line[256];
    scratch_run(&b->dir, "cd shop; git update-index --add --cacheinfo "
                         "160000,$(git rev-parse HEAD),vendor/lib; git commit -q -m sub");

    MUST(export_head(b, (struct export_limits){0}, &note, &e));

    assert_int_equal(note.submodules, 1);
    scratch_ask(&b->dir, line, "tar -tf out.tar | grep vendor | tr '\\n' ' '");
    assert_string_equal(line, "vendor/ vendor/lib/ ");
}

static void long_and_foreign_names_survive(void **state)
{
    struct bench *b = *state;
    struct export_note note;
    scratch_run(&b->dir, "cd shop; d=$(printf 'd%%.0s' $(seq 90)); mkdir -p $d/$d/$d; echo 1 "
                         ">\"$d/$d/$d/Größe und "
                         "mehr\"; echo 2 >'a\\b'; git add -A; git commit -q -m names");

    MUST(export_head(b, (struct export_limits){0}, &note, &e));

    scratch_run(&b->dir,
                "mkdir x; tar -xf out.tar -C x; diff -r --no-dereference -x .git shop x");
}

static void tree_above_a_limit_leaves_the_old_file(void **state)
{
    struct bench *b = *state;
    struct export_note note;
    struct err why = {0};
    char line[256];
    scratch_run(&b->dir, "echo before >out.tar");

    assert_int_equal(export_head(b, (struct export_limits){.bytes_max = 10}, &note, &why), -1);
    assert_int_equal(why.kind, ERR_LIMIT);
    assert_int_equal(export_head(b, (struct export_limits){.files_max = 3}, &note, &why), -1);
    assert_int_equal(why.kind, ERR_LIMIT);

    scratch_ask(&b->dir, line, "cat out.tar; ls | grep -c partial || :");
    assert_string_equal(line, "before");
}

/* git refuses to make such trees, so the object is written by hand. */
static void hostile_names_are_refused(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"..", ".git", ".GIT", "."};
    scratch_run(&b->dir, "cd shop; git branch good");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct export_note note;
        struct err why = {0};
        scratch_run(&b->dir,
                    "cd shop; git update-ref refs/heads/main good; blob=$(git rev-parse "
                    "HEAD:run); tree=$( (printf '100644 %s\\0'; echo "
                    "$blob | xxd -r -p) | git hash-object -t tree -w --stdin --literally); git "
                    "update-ref refs/heads/main $(git commit-tree -m bad $tree)",
                    names[i]);

        int rc = export_head(b, (struct export_limits){0}, &note, &why);

        assert_int_equal(rc, -1);
        assert_int_equal(why.kind, ERR_INPUT);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(tree_comes_out_as_git_would_check_it_out), CASE(same_commit_gives_the_same_bytes),
        CASE(submodules_are_left_out_and_counted),      CASE(long_and_foreign_names_survive),
        CASE(tree_above_a_limit_leaves_the_old_file),   CASE(hostile_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
