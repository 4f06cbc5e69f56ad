/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "area.h"
#include "fdio.h"

static struct area_space space;
static char top[64];

static void path_of(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", top, name);
}

static int open_space(void **state)
{
    static const char *const dirs[] = {"a", "scratch", "fresh"};
    char path[128];
    (void)state;
    snprintf(top, sizeof top, "/tmp/pacewatch-area-XXXXXX");
    assert_non_null(mkdtemp(top));
    area_space_enter(&space, geteuid() == 0);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        path_of(dirs[i], path);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    return 0;
}

static int close_space(void **state)
{
    (void)state;
    return fdio_remove_tree(top, NULL);
}

static int64_t fill(const char *path)
{
    static char block[64 << 10];
    int64_t written = 0;
    ssize_t n;
    AUTO(fdio_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while ((n = write(fd, block, sizeof block)) > 0)
        written += n;
    assert_int_equal(errno, ENOSPC);
    return written;
}

static void image_holds_no_more_than_its_size_and_survives(void **state)
{
    char image[128];
    char dir[128];
    char file[160];
    AUTO(str_done) struct str text = STR_INIT(64);
    if (!space.images)
        skip();
    path_of("a.img", image);
    path_of("a", dir);
    snprintf(file, sizeof file, "%s/full", dir);
    assert_int_equal(area_image_make(image, 16 << 20, 0, NULL), 0);
    assert_int_equal(area_image_mount(image, dir, false, NULL), 0);

    assert_true(fill(file) < 16 << 20);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(fdio_write_file(file, VIEW("kept"), 0644, NULL), 0);
    area_unmount(dir);
    assert_false(fdio_exists(file));
    assert_int_equal(area_image_mount(image, dir, true, NULL), 0);
    assert_int_equal(fdio_read_file(file, &text, NULL), 0);

    assert_string_equal(str_text(&text), "kept");
    assert_int_equal(open(file, O_WRONLY | O_CLOEXEC), -1);
    assert_int_equal(errno, EROFS);
    area_unmount(dir);
    (void)state;
}

static void memory_holds_no_more_than_its_size(void **state)
{
    char dir[128];
    char file[160];
    if (!space.mounts)
        skip();
    path_of("a", dir);
    snprintf(file, sizeof file, "%s/full", dir);
    assert_int_equal(area_tmpfs_mount(dir, 4 << 20, 0, NULL), 0);

    int64_t written = fill(file);

    assert_true(written > 0 && written <= 4 << 20);
    area_unmount(dir);
    (void)state;
}

/* What one arm writes, deletes or replaces must not be there for the next one. */
static void fresh_copy_leaves_no_trace_in_the_tree(void **state)
{
    char lower[128];
    char scratch[128];
    char dir[128];
    char in_lower[160];
    char in_fresh[160];
    AUTO(str_done) struct str text = STR_INIT(64);
    if (!space.mounts)
        skip();
    path_of("a", lower);
    path_of("scratch", scratch);
    path_of("fresh", dir);
    snprintf(in_lower, sizeof in_lower, "%s/data", lower);
    snprintf(in_fresh, sizeof in_fresh, "%s/data", dir);
    assert_int_equal(fdio_write_file(in_lower, VIEW("built"), 0644, NULL), 0);

    assert_int_equal(area_overlay_mount(&space, lower, scratch, dir, 4 << 20, 0, NULL), 0);
    assert_int_equal(fdio_write_file(in_fresh, VIEW("poison"), 0644, NULL), 0);
    assert_int_equal(unlink(in_fresh), 0);
    area_overlay_unmount(scratch, dir);
    assert_int_equal(area_overlay_mount(&space, lower, scratch, dir, 4 << 20, 0, NULL), 0);
    assert_int_equal(fdio_read_file(in_fresh, &text, NULL), 0);

    assert_string_equal(str_text(&text), "built");
    area_overlay_unmount(scratch, dir);
    (void)state;
}

static void fresh_copy_has_a_size(void **state)
{
    char lower[128];
    char scratch[128];
    char dir[128];
    char file[160];
    if (!space.mounts)
        skip();
    path_of("a", lower);
    path_of("scratch", scratch);
    path_of("fresh", dir);
    snprintf(file, sizeof file, "%s/full", dir);
    assert_int_equal(area_overlay_mount(&space, lower, scratch, dir, 4 << 20, 0, NULL), 0);

    int64_t written = fill(file);

    assert_true(written > 0 && written <= 4 << 20);
    area_overlay_unmount(scratch, dir);
    (void)state;
}

static void image_that_is_a_link_is_refused(void **state)
{
    char image[128];
    char dir[128];
    path_of("link.img", image);
    path_of("a", dir);
    assert_int_equal(symlink("/etc/passwd", image), 0);

    assert_int_equal(area_image_mount(image, dir, true, NULL), -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_holds_no_more_than_its_size_and_survives),
        cmocka_unit_test(memory_holds_no_more_than_its_size),
        cmocka_unit_test(fresh_copy_leaves_no_trace_in_the_tree),
        cmocka_unit_test(fresh_copy_has_a_size),
        cmocka_unit_test(image_that_is_a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, open_space, close_space);
}
