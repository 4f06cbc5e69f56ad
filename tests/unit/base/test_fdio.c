/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdio.h"

enum { BIG = 300000 };

static char top[] = "/tmp/pacewatch-fdio-XXXXXX";

static int make_top(void **state)
{
    (void)state;
    return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int remove_top(void **state)
{
    (void)state;
    return chdir("/") == 0 ? fdio_remove_tree(top, NULL) : -1;
}

static int entries(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void a_written_file_reads_back_with_its_mode(void **state)
{
    struct err e = {0};
    struct stat st;
    AUTO(str_done) struct str back = STR_INIT(100);
    umask(022);

    assert_int_equal(fdio_write_file("plain", VIEW("a\0b\n"), 0600, &e), 0);
    assert_int_equal(fdio_read_file("plain", &back, &e), 0);

    assert_int_equal(back.len, 4);
    assert_memory_equal(back.at, "a\0b\n", 4);
    assert_int_equal(stat("plain", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(entries("."), 1); /* no temporary file is left */
    assert_int_equal(unlink("plain"), 0);
    (void)state;
}

static void reading_appends_up_to_the_ceiling(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str six = STR_INIT(6), five = STR_INIT(5);
    str_addz(&six, "> ");
    str_addz(&five, "> ");
    assert_int_equal(fdio_write_file("four", VIEW("1234"), 0600, &e), 0);

    assert_int_equal(fdio_read_file("four", &six, &e), 0);
    assert_int_equal(fdio_read_file("four", &five, &e), -1);

    assert_string_equal(str_text(&six), "> 1234");
    assert_int_equal(e.kind, ERR_LIMIT);
    assert_string_equal(e.text, "'four': more than 5 bytes");
    assert_int_equal(unlink("four"), 0);
    (void)state;
}

static void an_empty_and_a_missing_file_differ(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(10);
    assert_int_equal(fdio_write_file("empty", (struct view){0}, 0600, &e), 0);

    assert_int_equal(fdio_read_file("empty", &text, &e), 0);
    assert_int_equal(text.len, 0);
    assert_int_equal(fdio_read_file("missing", &text, &e), -1);

    assert_int_equal(e.kind, ERR_NOT_FOUND);
    assert_string_equal(e.text, "open 'missing': No such file or directory");
    assert_true(fdio_exists("empty"));
    assert_false(fdio_exists("missing"));
    assert_int_equal(unlink("empty"), 0);
    (void)state;
}

static void a_directory_is_no_file(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(10);

    assert_int_equal(fdio_read_file(".", &text, &e), -1);

    assert_int_equal(e.kind, ERR_SYSTEM);
    (void)state;
}

static void a_failed_replacement_keeps_the_old_content(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(10);
    assert_int_equal(mkdir("busy", 0700), 0);
    assert_int_equal(fdio_write_file("busy/inside", VIEW("old"), 0600, &e), 0);

    assert_int_equal(fdio_write_file("busy", VIEW("new"), 0600, &e), -1); /* a directory */

    assert_int_equal(fdio_read_file("busy/inside", &text, &e), 0);
    assert_string_equal(str_text(&text), "old");
    assert_int_equal(entries("."), 1);
    assert_int_equal(fdio_remove_tree("busy", &e), 0);
    (void)state;
}

static void a_link_is_replaced_and_not_written_through(void **state)
{
    struct stat st;
    AUTO(str_done) struct str text = STR_INIT(10);
    assert_int_equal(fdio_write_file("target", VIEW("safe"), 0600, NULL), 0);
    assert_int_equal(symlink("target", "link"), 0);

    assert_int_equal(fdio_write_file("link", VIEW("new"), 0600, NULL), 0);

    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(fdio_read_file("target", &text, NULL), 0);
    assert_string_equal(str_text(&text), "safe");
    unlink("target");
    unlink("link");
    (void)state;
}

static void *write_often(void *letter)
{
    AUTO(str_done) struct str text = STR_INIT(BIG);
    for (int i = 0; i < BIG; i++)
        str_addc(&text, *(char *)letter);
    for (int i = 0; i < 15; i++)
        if (fdio_write_file("shared", str_view(&text), 0600, NULL) < 0)
            return letter;
    return NULL;
}

static void a_pipe_is_written_to_and_not_replaced(void **state)
{
    struct stat st;
    struct err e = {0};
    AUTO(str_done) struct str got = STR_INIT(100);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    AUTO(fdio_closep) int reader = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    assert_int_equal(fdio_write_file("pipe", VIEW("through"), 0600, &e), 0);

    assert_int_equal(fdio_read_all(reader, &got, &e), 0);
    assert_string_equal(str_text(&got), "through");
    assert_int_equal(stat("pipe", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    unlink("pipe");
    (void)state;
}

static void what_lies_beneath_a_directory_is_read_and_nothing_else(void **state)
{
    static const char *const outside[] = {"../target", "/etc/passwd", "link", "out/target",
                                          "sub"};
    AUTO(str_done) struct str text = STR_INIT(100);
    struct err e = {0};
    assert_int_equal(fdio_make_dirs("tree/sub", 0700, &e), 0);
    assert_int_equal(fdio_write_file("target", VIEW("secret"), 0600, &e), 0);
    assert_int_equal(fdio_write_file("tree/sub/file", VIEW("inside"), 0600, &e), 0);
    assert_int_equal(symlink("../target", "tree/link"), 0);
    assert_int_equal(symlink("..", "tree/out"), 0);
    assert_int_equal(mkfifo("tree/pipe", 0600), 0);

    assert_int_equal(fdio_read_beneath("tree", "sub/file", &text, &e), 0);
    assert_string_equal(str_text(&text), "inside");
    for (size_t i = 0; i < ARRAY_LEN(outside); i++)
        assert_int_equal(fdio_read_beneath("tree", outside[i], &text, &e), -1);
    assert_int_equal(fdio_read_beneath("tree", "pipe", &text, &e), -1);

    assert_int_equal(text.len, strlen("inside"));
    assert_int_equal(fdio_remove_tree("tree", &e), 0);
    unlink("target");
    (void)state;
}

static void a_reader_never_sees_a_mixture(void **state)
{
    pthread_t threads[2];
    char letters[2] = "ab";
    assert_null(write_often(&letters[0]));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_often, &letters[i]), 0);

    for (int i = 0; i < 30; i++) {
        AUTO(str_done) struct str seen = STR_INIT(BIG + 1);
        assert_int_equal(fdio_read_file("shared", &seen, NULL), 0);
        assert_int_equal(seen.len, BIG);
        for (int k = 1; k < BIG; k++)
            assert_true(seen.at[k] == seen.at[0]);
    }

    for (int i = 0; i < 2; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(entries("."), 1);
    unlink("shared");
    (void)state;
}

static void what_a_crash_left_behind_is_not_reused(void **state)
{
    struct stat st;
    char stale[64];
    snprintf(stale, sizeof stale, "secret.tmp-%d", (int)gettid());
    int fd = open(stale, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    close(fd);

    assert_int_equal(fdio_write_file("secret", VIEW("x"), 0600, NULL), 0);

    assert_int_equal(stat("secret", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink("secret");
    (void)state;
}

static void directories_are_made_on_the_way(void **state)
{
    struct err e = {0};
    struct stat st;

    assert_int_equal(fdio_make_dirs("one/two/three", 0750, &e), 0);
    assert_int_equal(fdio_make_dirs("one/two/three/", 0750, &e), 0);
    assert_int_equal(fdio_make_dirs("one//two/four", 0750, &e), 0);
    assert_int_equal(fdio_make_dirs("/", 0750, &e), 0);

    assert_int_equal(stat("one/two/three", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_true(fdio_exists("one/two/four"));
    assert_int_equal(fdio_remove_tree("one", &e), 0);
    (void)state;
}

static void a_file_in_the_way_of_a_directory_is_an_error(void **state)
{
    static const char *const paths[] = {"file", "file/below", ""};
    assert_int_equal(fdio_write_file("file", VIEW("x"), 0600, NULL), 0);

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct err e = {0};
        assert_int_equal(fdio_make_dirs(paths[i], 0700, &e), -1);
        assert_true(e.text[0]);
    }

    unlink("file");
    (void)state;
}

static void a_tree_goes_with_its_links_but_not_their_targets(void **state)
{
    struct err e = {0};
    assert_int_equal(fdio_make_dirs("tree/a/b", 0700, &e), 0);
    assert_int_equal(fdio_make_dirs("kept", 0700, &e), 0);
    assert_int_equal(fdio_write_file("kept/file", VIEW("x"), 0600, &e), 0);
    assert_int_equal(fdio_write_file("tree/a/b/file", VIEW("x"), 0600, &e), 0);
    assert_int_equal(symlink("../../kept", "tree/a/link"), 0);
    assert_int_equal(symlink("nowhere", "tree/dangling"), 0);
    assert_int_equal(symlink("kept", "direct"), 0);
    assert_int_equal(mkfifo("tree/pipe", 0600), 0);

    assert_int_equal(fdio_remove_tree("tree", &e), 0);
    assert_int_equal(fdio_remove_tree("direct", &e), 0);
    assert_int_equal(fdio_remove_tree("tree", &e), 0); /* nothing there is fine */

    assert_false(fdio_exists("tree"));
    assert_true(fdio_exists("kept/file"));
    assert_int_equal(fdio_remove_tree("kept/file", &e), 0);
    assert_int_equal(fdio_remove_tree("kept", &e), 0);
    assert_int_equal(entries("."), 0);
    (void)state;
}

/* Runs as an ordinary user in a child, because root is stopped by no permission. */
static void closed_directories_are_opened_and_removed(void **state)
{
    assert_int_equal(chmod(".", 0777), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(2);
        bool made = mkdir("closed", 0700) == 0 && mkdir("closed/a", 0700) == 0 &&
                    mkdir("closed/a/b", 0700) == 0 && mkdir("closed/a/b/c", 0700) == 0 &&
                    fdio_write_file("closed/a/b/file", VIEW("x"), 0, &e) == 0 &&
                    chmod("closed/a/b/c", 0) == 0 && chmod("closed/a/b", 0) == 0 &&
                    chmod("closed/a", 0400) == 0 && chmod("closed", 0500) == 0;
        if (!made)
            _exit(3);
        int rc = fdio_remove_tree("closed", &e);
        if (rc < 0)
            fprintf(stderr, "%s\n", e.text);
        _exit(rc == 0 && !fdio_exists("closed") ? 0 : 4);
    }
    int status = -1;

    waitpid(pid, &status, 0);

    assert_int_equal(status, 0);
    (void)state;
}

static void a_tree_deeper_than_any_path_is_removed(void **state)
{
    enum { DEPTH = 3000 };
    struct err e = {0};
    assert_int_equal(mkdir("deep", 0700), 0);
    int at = open("deep", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "a-directory", 0700), 0);
        assert_int_equal(mkdirat(at, "beside", 0700), 0);
        int next = openat(at, "a-directory", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){100, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0); /* far below one for each level */

    int rc = fdio_remove_tree("deep", &e);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, 0);
    assert_false(fdio_exists("deep"));
    (void)state;
}

static void a_pipe_carries_more_than_it_holds(void **state)
{
    int ends[2];
    AUTO(str_done) struct str text = STR_INIT(1 << 20), back = STR_INIT(1 << 20);
    for (int i = 0; i < 200000; i++)
        str_addc(&text, (char)('a' + i % 23));
    assert_int_equal(fdio_pipe(ends, NULL), 0);
    assert_int_equal(fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fdio_write_all(ends[1], str_view(&text), NULL) < 0);
    fdio_closep(&ends[1]);
    int status = -1;

    assert_int_equal(fdio_read_all(ends[0], &back, NULL), 0);

    assert_true(view_eq(str_view(&text), str_view(&back)));
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    fdio_closep(&ends[0]);
    assert_int_equal(ends[0], -1);
    fdio_closep(&ends[0]); /* again is nothing */
    (void)state;
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(10);

    assert_int_equal(fdio_read_all(-1, &text, &e), -1);
    assert_int_equal(fdio_write_all(-1, VIEW("x"), &e), -1);

    assert_string_equal(e.text, "write: Bad file descriptor");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_file_reads_back_with_its_mode),
        cmocka_unit_test(reading_appends_up_to_the_ceiling),
        cmocka_unit_test(an_empty_and_a_missing_file_differ),
        cmocka_unit_test(a_directory_is_no_file),
        cmocka_unit_test(a_failed_replacement_keeps_the_old_content),
        cmocka_unit_test(a_link_is_replaced_and_not_written_through),
        cmocka_unit_test(a_pipe_is_written_to_and_not_replaced),
        cmocka_unit_test(what_lies_beneath_a_directory_is_read_and_nothing_else),
        cmocka_unit_test(a_reader_never_sees_a_mixture),
        cmocka_unit_test(what_a_crash_left_behind_is_not_reused),
        cmocka_unit_test(directories_are_made_on_the_way),
        cmocka_unit_test(a_file_in_the_way_of_a_directory_is_an_error),
        cmocka_unit_test(a_tree_goes_with_its_links_but_not_their_targets),
        cmocka_unit_test(closed_directories_are_opened_and_removed),
        cmocka_unit_test(a_tree_deeper_than_any_path_is_removed),
        cmocka_unit_test(a_pipe_carries_more_than_it_holds),
        cmocka_unit_test(a_bad_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
