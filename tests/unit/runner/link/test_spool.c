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

#include "fdio.h"
#include "peer.h"
#include "spool.h"

static char dir[64];
static char spool[96];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/pacewatch-spool-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(spool, sizeof spool, "%s/spool", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return fdio_remove_tree(dir, NULL);
}

static void keep_for(const char *url, int64_t job)
{
    struct link_address to = {.url = url, .token = "sesame"};
    assert_int_equal(spool_keep(spool, job, 1, &to, VIEW("{\"kept\":1}"), NULL), 0);
}

static void kept_result_is_delivered_when_the_daemon_is_back(void **state)
{
    static const char *const answers[] = {"204 No Content\r\nConnection: close\r\n\r\n"};
    struct peer p;
    struct spool_count n;
    peer_start(&p, answers, 1);
    keep_for(p.url, 1);

    spool_deliver(spool, &n);

    peer_stop(&p);
    assert_int_equal(n.delivered, 1);
    assert_non_null(strstr(str_text(&p.requests), "Authorization: Bearer sesame\r\n"));
    assert_true(view_ends(str_view(&p.requests), "\r\n\r\n{\"kept\":1}"));
    spool_deliver(spool, &n);
    assert_int_equal(n.delivered + n.dropped + n.kept, 0);
    peer_done(&p);
    (void)state;
}

static void result_stays_while_the_daemon_is_away(void **state)
{
    struct spool_count n;
    char path[160];
    keep_for("http://127.0.0.1:1", 2);

    spool_deliver(spool, &n);

    assert_int_equal(n.kept, 1);
    snprintf(path, sizeof path, "%s/2-1.result", spool);
    assert_true(fdio_exists(path));
    assert_int_equal(unlink(path), 0);
    (void)state;
}

static void result_that_nobody_wants_is_dropped(void **state)
{
    static const char *const answers[] = {"410 Gone\r\nConnection: close\r\n\r\n"};
    struct peer p;
    struct spool_count n;
    peer_start(&p, answers, 1);
    keep_for(p.url, 3);

    spool_deliver(spool, &n);

    peer_stop(&p);
    assert_int_equal(n.dropped, 1);
    peer_done(&p);
    (void)state;
}

static void kept_token_is_for_its_owner_only(void **state)
{
    struct stat st;
    char path[160];
    keep_for("http://127.0.0.1:1", 4);
    snprintf(path, sizeof path, "%s/4-1.result", spool);

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(stat(spool, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(unlink(path), 0);
    (void)state;
}

static void damaged_and_foreign_files_do_no_harm(void **state)
{
    struct spool_count n;
    char path[160];
    snprintf(path, sizeof path, "%s/x.result", spool);
    assert_int_equal(fdio_write_file(path, VIEW("no lines"), 0600, NULL), 0);
    snprintf(path, sizeof path, "%s/y.result", spool);
    assert_int_equal(symlink("/etc/passwd", path), 0);

    spool_deliver(spool, &n);

    assert_int_equal(n.dropped, 2);
    assert_true(fdio_exists("/etc/passwd"));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_result_is_delivered_when_the_daemon_is_back),
        cmocka_unit_test(result_stays_while_the_daemon_is_away),
        cmocka_unit_test(result_that_nobody_wants_is_dropped),
        cmocka_unit_test(kept_token_is_for_its_owner_only),
        cmocka_unit_test(damaged_and_foreign_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
