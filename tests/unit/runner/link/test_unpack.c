/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "unpack.h"

enum { BLOCK = 512 };

static char top[64];

static int make_top(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/pacewatch-unpack-XXXXXX");
    assert_non_null(mkdtemp(top));
    return 0;
}

static int remove_top(void **state)
{
    (void)state;
    return fdio_remove_tree(top, NULL);
}

static int new_tar(void)
{
    int fd = memfd_create("tar", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* One entry in the ustar format, written by hand so that it may be as wrong as we like. */
static void entry(int tar, const char *name, char type, const char *target, const char *content,
                  unsigned mode)
{
    char block[BLOCK] = {0};
    size_t len = content ? strlen(content) : 0;
    snprintf(block, 100, "%s", name);
    snprintf(block + 100, 8, "%07o", mode);
    snprintf(block + 108, 8, "%07o", 0);
    snprintf(block + 116, 8, "%07o", 0);
    snprintf(block + 124, 12, "%011o", (unsigned)len % (1u << 30));
    snprintf(block + 136, 12, "%011o", 0);
    block[156] = type;
    snprintf(block + 157, 100, "%s", target ? target : "");
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    assert_int_equal(write(tar, block, BLOCK), BLOCK);
    if (len) {
        char padded[BLOCK] = {0};
        assert_true(len <= BLOCK);
        memcpy(padded, content, len);
        assert_int_equal(write(tar, padded, BLOCK), BLOCK);
    }
}

static int unpack(int tar, int64_t bytes_max, const char *name, char dir[128], struct err *e)
{
    static const char end[2 * BLOCK];
    struct unpack_rules rules = {.bytes_max = bytes_max, .owner = (uid_t)-1};
    assert_int_equal(write(tar, end, sizeof end), sizeof end);
    snprintf(dir, 128, "%s/%s", top, name);
    assert_int_equal(mkdir(dir, 0755), 0);
    int rc = unpack_tar(tar, dir, &rules, e);
    close(tar);
    return rc;
}

static void tree_comes_out_as_it_went_in(void **state)
{
    char dir[128];
    char path[160];
    struct stat st;
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(64);
    int tar = new_tar();
    entry(tar, "src/", '5', NULL, NULL, 0755);
    entry(tar, "src/a.c", '0', NULL, "int a;", 0644);
    entry(tar, "deep/er/run", '0', NULL, "#!", 04755);
    entry(tar, "link", '2', "src/a.c", NULL, 0777);

    if (unpack(tar, 1 << 20, "tree", dir, &e) < 0)
        fail_msg("%s", e.text);

    snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(fdio_read_file(path, &text, NULL), 0);
    assert_string_equal(str_text(&text), "int a;");
    snprintf(path, sizeof path, "%s/deep/er/run", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    (void)state;
}

struct bad_entry {
    const char *what, *name;
    char type;
    const char *target, *content;
};

static void what_leaves_the_tree_is_refused(void **state)
{
    static const struct bad_entry cases[] = {
        {"dots", "../evil", '0', NULL, "x"},
        {"dots inside", "a/../../evil", '0', NULL, "x"},
        {"absolute", "/tmp/pacewatch-evil", '0', NULL, "x"},
        {"device", "null", '3', NULL, NULL},
        {"pipe", "pipe", '6', NULL, NULL},
        {"hard link", "hard", '1', "/etc/passwd", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char dir[128];
        char name[16];
        struct err e = {0};
        int tar = new_tar();
        entry(tar, cases[i].name, cases[i].type, cases[i].target, cases[i].content, 0644);
        snprintf(name, sizeof name, "bad%zu", i);

        int rc = unpack(tar, 1 << 20, name, dir, &e);

        if (rc == 0)
            fail_msg("%s was unpacked", cases[i].what);
        assert_int_equal(e.kind, ERR_PROTOCOL);
    }
    assert_false(fdio_exists("/tmp/pacewatch-evil"));
    (void)state;
}

/* A link first, then a file through it: the oldest trick. */
static void link_is_not_a_way_out(void **state)
{
    char dir[128];
    char outside[128];
    char path[160];
    snprintf(outside, sizeof outside, "%s/outside", top);
    assert_int_equal(mkdir(outside, 0755), 0);
    int tar = new_tar();
    entry(tar, "way", '2', outside, NULL, 0777);
    entry(tar, "way/evil", '0', NULL, "x", 0644);

    assert_int_equal(unpack(tar, 1 << 20, "trick", dir, NULL), -1);

    snprintf(path, sizeof path, "%s/evil", outside);
    assert_false(fdio_exists(path));
    (void)state;
}

static void file_does_not_replace_a_link(void **state)
{
    char dir[128];
    char victim[128];
    AUTO(str_done) struct str text = STR_INIT(64);
    snprintf(victim, sizeof victim, "%s/victim", top);
    assert_int_equal(fdio_write_file(victim, VIEW("mine"), 0644, NULL), 0);
    int tar = new_tar();
    entry(tar, "same", '2', victim, NULL, 0777);
    entry(tar, "same", '0', NULL, "evil", 0644);

    assert_int_equal(unpack(tar, 1 << 20, "replace", dir, NULL), -1);

    assert_int_equal(fdio_read_file(victim, &text, NULL), 0);
    assert_string_equal(str_text(&text), "mine");
    (void)state;
}

static void more_than_the_limit_is_refused(void **state)
{
    char dir[128];
    struct err e = {0};
    int tar = new_tar();
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        entry(tar, name, '0', NULL, "0123456789", 0644);
    }

    assert_int_equal(unpack(tar, 35, "large", dir, &e), -1);

    assert_int_equal(e.kind, ERR_LIMIT);
    (void)state;
}

static void garbage_is_refused(void **state)
{
    char dir[128];
    struct err e = {0};
    int tar = new_tar();
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(tar, "garbage!", 8), 8);

    assert_int_equal(unpack(tar, 1 << 20, "garbage", dir, &e), -1);

    assert_int_equal(e.kind, ERR_PROTOCOL);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_comes_out_as_it_went_in),
        cmocka_unit_test(what_leaves_the_tree_is_refused),
        cmocka_unit_test(link_is_not_a_way_out),
        cmocka_unit_test(file_does_not_replace_a_link),
        cmocka_unit_test(more_than_the_limit_is_refused),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
