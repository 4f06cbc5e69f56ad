/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "fdio.h"
#include "work.h"

enum { ENTRY_BYTES = 64 << 10 };

static char top[64];

static int make_top(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/pacewatch-cache-XXXXXX");
    assert_non_null(mkdtemp(top));
    return 0;
}

static int remove_top(void **state)
{
    (void)state;
    return fdio_remove_tree(top, NULL);
}

static struct tree tree_of(char letter)
{
    struct tree t = {.build_ns = 5, .artefact = {.bytes = 7, .files = 2}};
    memset(t.key, letter, DIGEST_HEX);
    memset(t.artefact.digest, letter, DIGEST_BYTES);
    return t;
}

static void add(char letter)
{
    static char block[ENTRY_BYTES];
    char path[128];
    struct tree t = tree_of(letter);
    snprintf(path, sizeof path, "%s/new", top);
    memset(block, letter, sizeof block);
    assert_int_equal(fdio_write_file(path, (struct view){block, sizeof block}, 0600, NULL), 0);
    assert_int_equal(cache_add(top, &t, path, CACHE_IMAGE, NULL), 0);
}

static bool has(char letter)
{
    struct tree t = {0};
    memset(t.key, letter, DIGEST_HEX);
    return cache_find(top, &t);
}

/* Uses are seconds apart in life; here their times are set. */
static void used_at(char letter, time_t when)
{
    AUTO(str_done) struct str path = STR_INIT(256);
    struct tree t = tree_of(letter);
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    cache_path(top, t.key, CACHE_META, &path);
    assert_int_equal(utimensat(AT_FDCWD, str_text(&path), times, 0), 0);
}

static void what_was_added_is_found_again(void **state)
{
    struct tree t = {0};
    struct tree want = tree_of('a');
    add('a');
    memset(t.key, 'a', DIGEST_HEX);

    assert_true(cache_find(top, &t));

    assert_true(t.present && t.cached);
    assert_int_equal(t.build_ns, 5);
    assert_int_equal(t.artefact.bytes, 7);
    assert_int_equal(t.artefact.files, 2);
    assert_memory_equal(t.artefact.digest, want.artefact.digest, DIGEST_BYTES);
    cache_forget(top, t.key);
    assert_false(has('a'));
    (void)state;
}

static void oldest_use_goes_first(void **state)
{
    add('a');
    add('b');
    add('c');
    used_at('a', 3000);
    used_at('b', 1000);
    used_at('c', 2000);

    cache_make_room(top, 2 * (ENTRY_BYTES + 8192));

    assert_true(has('a'));
    assert_false(has('b'));
    assert_true(has('c'));
    cache_make_room(top, 0);
    assert_false(has('a') || has('c'));
    (void)state;
}

static void damaged_entry_is_no_entry(void **state)
{
    static const char *const texts[] = {"", "2 aa 1 1 1\n", "1 zz 1 1 1\n", "1 \n", "garbage"};
    AUTO(str_done) struct str path = STR_INIT(256);
    struct tree t = tree_of('d');
    add('d');
    cache_path(top, t.key, CACHE_META, &path);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(fdio_write_file(str_text(&path), view_z(texts[i]), 0600, NULL), 0);

        assert_false(has('d'));
    }
    cache_forget(top, t.key);
    (void)state;
}

static void half_an_entry_is_swept_when_it_is_old(void **state)
{
    char path[200];
    struct tree t = tree_of('e');
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    snprintf(path, sizeof path, "%s/%s.img", top, t.key);
    assert_int_equal(fdio_write_file(path, VIEW("half"), 0600, NULL), 0);

    cache_sweep(top);
    assert_true(fdio_exists(path)); /* another runner may be writing it now */
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    cache_sweep(top);

    assert_false(fdio_exists(path));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_again),
        cmocka_unit_test(oldest_use_goes_first),
        cmocka_unit_test(damaged_entry_is_no_entry),
        cmocka_unit_test(half_an_entry_is_swept_when_it_is_old),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
