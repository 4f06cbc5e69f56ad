/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "../scratch.h"
#include "child.h"
#include "mirror.h"

struct bench {
    struct scratch dir;
    char url[128], path[128];
    struct mirror *mirror;
};

static const char *const everything[] = {"refs/heads/main", "refs/heads/release-*",
                                         "refs/pull/[0-9]*/head", NULL};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->url, sizeof b->url, "%s/shop.git", b->dir.dir);
    snprintf(b->path, sizeof b->path, "%s/mirror.git", b->dir.dir);
    scratch_run(
        &b->dir,
        "git init -q --bare -b main shop.git; git init -q -b main work; cd work; for i in 1 2 "
        "3; do echo $i >f; git add f; git commit -q -m c$i; done; git tag v1; git push -q "
        "../shop.git main main:release-1 main:private main:refs/pull/7/head v1");
    MUST(mirror_open(b->path, &b->mirror, &e));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    mirror_closep(&b->mirror);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static int64_t soon(void)
{
    return clock_now_ns() + 30 * CLOCK_NS_PER_S;
}

static int fetch(struct bench *b, struct err *e)
{
    struct mirror_source source = {.url = b->url, .patterns = everything};
    return mirror_fetch(b->mirror, &source, soon(), NULL, e);
}

/* "name name" of what the mirror has now. */
static void refs(struct bench *b, char out[512])
{
    AUTO(mirror_refs_done) struct mirror_refs list = {0};
    mirror_closep(&b->mirror);
    MUST(mirror_open(b->path, &b->mirror, &e));
    MUST(mirror_list_refs(b->mirror, &list, &e));
    out[0] = '\0';
    for (size_t i = 0; i < list.refs.len; i++) {
        char subject[256];
        scratch_ask(&b->dir, subject, "git -C mirror.git log -1 --format=%%s %s",
                    list.refs.at[i].sha);
        size_t at = strlen(out);
        snprintf(out + at, 512 - at, "%s%s=%s", i ? " " : "", list.refs.at[i].name, subject);
    }
}

/* --- what is fetched ---------------------------------------------------------------------- */

static void wanted_references_arrive_and_others_do_not(void **state)
{
    struct bench *b = *state;
    char line[512];

    MUST(fetch(b, &e));

    refs(b, line);
    assert_string_equal(line, "refs/heads/main=c3 refs/heads/release-1=c3 refs/pull/7/head=c3");
    scratch_run(&b->dir, "git -C mirror.git fsck --strict 2>&1");
}

static void rewritten_branch_is_followed_and_old_objects_stay(void **state)
{
    struct bench *b = *state;
    char line[512], old[256];
    MUST(fetch(b, &e));
    scratch_ask(&b->dir, old, "git -C shop.git rev-parse main");
    scratch_run(&b->dir,
                "cd work; git reset -q --hard HEAD~2; echo x >f; git commit -q -a -m d2; git "
                "push -q -f ../shop.git main");

    MUST(fetch(b, &e));

    refs(b, line);
    assert_string_equal(line, "refs/heads/main=d2 refs/heads/release-1=c3 refs/pull/7/head=c3");
    scratch_run(&b->dir, "git -C mirror.git cat-file -e %s", old);
}

static void references_that_are_gone_are_removed(void **state)
{
    struct bench *b = *state;
    char line[512];
    MUST(fetch(b, &e));
    scratch_run(&b->dir, "cd shop.git; git update-ref -d refs/pull/7/head; git update-ref -d "
                         "refs/heads/release-1");

    MUST(fetch(b, &e));

    refs(b, line);
    assert_string_equal(line, "refs/heads/main=c3");
}

static void fetching_again_without_news_is_quick_and_changes_nothing(void **state)
{
    struct bench *b = *state;
    char before[256], after[256];
    MUST(fetch(b, &e));
    scratch_ask(&b->dir, before, "ls -R mirror.git/objects | cksum");

    MUST(fetch(b, &e));

    scratch_ask(&b->dir, after, "ls -R mirror.git/objects | cksum");
    assert_string_equal(after, before);
}

static void empty_repository_is_no_error(void **state)
{
    struct bench *b = *state;
    char line[512];
    scratch_run(&b->dir, "rm -rf shop.git; git init -q --bare -b main shop.git");

    MUST(fetch(b, &e));

    refs(b, line);
    assert_string_equal(line, "");
}

/* A commit that no reference leads to any more is still somebody's base. */
static void many_packs_are_joined_and_no_object_is_lost(void **state)
{
    struct bench *b = *state;
    char old[256], packs[256];
    MUST(fetch(b, &e));
    MUST(mirror_tidy(b->mirror, soon(), &e)); /* few packs: nothing to do */
    scratch_ask(
        &b->dir, old,
        "cd work; for i in $(seq 40); do echo p$i >f; git commit -q -a -m p$i; git push -q "
        "../shop.git main; git --git-dir ../mirror.git -c transfer.unpackLimit=1 fetch -q "
        "../shop.git main:main; done; git rev-parse main");
    scratch_run(&b->dir,
                "cd work; git reset -q --hard HEAD~41; git push -q -f ../shop.git main");
    MUST(fetch(b, &e));
    scratch_ask(&b->dir, packs, "ls mirror.git/objects/pack/*.pack | wc -l");
    assert_true(atoi(packs) > 30);

    MUST(mirror_tidy(b->mirror, soon(), &e));

    scratch_ask(&b->dir, packs, "ls mirror.git/objects/pack/*.pack | wc -l");
    assert_true(atoi(packs) < 10);
    scratch_run(&b->dir, "git --git-dir mirror.git rev-list --objects %s >/dev/null", old);
}

/* --- trouble ------------------------------------------------------------------------------ */

static void remote_that_is_not_there_is_told_with_its_name(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    scratch_run(&b->dir, "rm -rf shop.git");

    assert_int_equal(fetch(b, &why), -1);

    assert_non_null(strstr(why.text, "fetch '"));
    assert_non_null(strstr(why.text, "shop.git"));
}

static void leftovers_of_a_killed_fetch_do_not_matter(void **state)
{
    struct bench *b = *state;
    char line[512], left[256];
    scratch_run(&b->dir,
                "cd mirror.git; mkdir -p refs/heads objects/pack; echo >refs/heads/main.lock; "
                "echo >packed-refs.lock; echo >objects/pack/pack_git2_a8f3c1");

    MUST(fetch(b, &e));

    refs(b, line);
    assert_non_null(strstr(line, "refs/heads/main=c3"));
    scratch_ask(&b->dir, left,
                "find mirror.git -name '*.lock' -o -name 'pack_git2*' | tr '\\n' ' '");
    assert_string_equal(left, "");
}

/* Kills the fetch after ever longer times; the one after each finds a usable mirror. */
static void fetch_may_be_killed_at_any_time(void **state)
{
    struct bench *b = *state;
    char line[512];
    scratch_run(&b->dir,
                "cd work; for i in 1 2 3 4 5; do head -c 300000 /dev/urandom >big$i; git add "
                "big$i; git commit -q -m big$i; done; git push -q ../shop.git main");
    for (int i = 0; i < 15; i++) {
        struct mirror_source source = {.url = b->url, .patterns = everything};
        struct err why = {0};
        (void)mirror_fetch(b->mirror, &source, clock_now_ns() + i * 5 * CLOCK_NS_PER_MS, NULL,
                           &why);
    }

    MUST(fetch(b, &e));

    refs(b, line);
    assert_non_null(strstr(line, "refs/heads/main=big5"));
    scratch_run(&b->dir, "git -C mirror.git fsck --strict 2>&1");
}

static void fetch_above_its_limit_is_refused(void **state)
{
    struct bench *b = *state;
    struct mirror_source source = {.url = b->url, .patterns = everything, .bytes_max = 100000};
    struct err why = {0};
    scratch_run(&b->dir,
                "cd work; head -c 3000000 /dev/urandom >big; git add big; git commit -q -m "
                "big; git push -q ../shop.git main");

    int rc = mirror_fetch(b->mirror, &source, soon(), NULL, &why);

    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_LIMIT);
    assert_non_null(strstr(why.text, "larger than 100000 bytes"));
}

/* A listening socket that never answers. */
static int silent_server(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void server_that_never_answers_ends_at_the_deadline(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    int port;
    AUTO(fdio_closep) int server = silent_server(&port);
    assert_true(server >= 0);
    snprintf(b->url, sizeof b->url, "git://127.0.0.1:%d/shop.git", port);
    struct mirror_source source = {.url = b->url, .patterns = everything};
    int64_t begin = clock_now_ns();

    int rc = mirror_fetch(b->mirror, &source, begin + 300 * CLOCK_NS_PER_MS, NULL, &why);

    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_TIMEOUT);
    assert_true(clock_now_ns() - begin < 5 * CLOCK_NS_PER_S);
}

static void *set_stopping(void *flag)
{
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void daemon_that_stops_does_not_wait_for_a_slow_server(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    atomic_bool stopping = false;
    pthread_t thread;
    int port;
    AUTO(fdio_closep) int server = silent_server(&port);
    assert_true(server >= 0);
    snprintf(b->url, sizeof b->url, "git://127.0.0.1:%d/shop.git", port);
    struct mirror_source source = {
        .url = b->url, .patterns = everything, .stopping = &stopping};
    assert_int_equal(pthread_create(&thread, NULL, set_stopping, &stopping), 0);

    int rc = mirror_fetch(b->mirror, &source, soon(), NULL, &why);

    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
}

/* One child for all: it says whether anything moved, and does not outlive a deadline. */
static void kept_child_serves_fetch_after_fetch(void **state)
{
    struct bench *b = *state;
    AUTO(mirror_fetcher_freep) struct mirror_fetcher *fetcher = mirror_fetcher_new();
    struct mirror_source source = {.url = b->url, .patterns = everything, .fetcher = fetcher};
    struct mirror_source silent = {.patterns = everything, .fetcher = fetcher};
    char url[64];
    struct err why = {0};
    bool first, second, third;
    int port;
    AUTO(fdio_closep) int server = silent_server(&port);
    assert_true(server >= 0);
    snprintf(url, sizeof url, "git://127.0.0.1:%d/shop.git", port);
    silent.url = url;

    MUST(mirror_fetch(b->mirror, &source, soon(), &first, &e));
    MUST(mirror_fetch(b->mirror, &source, soon(), &second, &e));
    int rc =
        mirror_fetch(b->mirror, &silent, clock_now_ns() + 300 * CLOCK_NS_PER_MS, NULL, &why);
    scratch_run(
        &b->dir,
        "cd work; echo 9 >>f; git add f; git commit -q -m c9; git push -q ../shop.git main");
    MUST(mirror_fetch(b->mirror, &source, soon(), &third, &e));

    assert_true(first);
    assert_false(second);
    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_TIMEOUT);
    assert_true(third);
}

static void kept_child_tells_what_is_wrong(void **state)
{
    struct bench *b = *state;
    AUTO(mirror_fetcher_freep) struct mirror_fetcher *fetcher = mirror_fetcher_new();
    struct mirror_source source = {
        .url = "/nowhere/shop.git", .patterns = everything, .fetcher = fetcher};
    struct err why = {0};

    int rc = mirror_fetch(b->mirror, &source, soon(), NULL, &why);

    assert_int_equal(rc, -1);
    assert_non_null(strstr(why.text, "/nowhere/shop.git"));
    assert_null(strstr(why.text, "ended"));
}

static bool is_own(struct bench *b, const char *name)
{
    AUTO(mirror_refs_done) struct mirror_refs list = {0};
    AUTO(mirror_closep) struct mirror *m = NULL;
    MUST(fetch(b, &e));
    MUST(mirror_open(b->path, &m, &e));
    MUST(mirror_list_refs(m, &list, &e));
    for (size_t i = 0; i < list.refs.len; i++)
        if (strcmp(list.refs.at[i].name, name) == 0)
            return list.refs.at[i].is_own;
    fail_msg("no '%s'", name);
    return false;
}

/* Whoever may push to a branch of the repository may be trusted; nobody else has done so. */
static void head_is_own_while_a_branch_has_it(void **state)
{
    struct bench *b = *state;
    scratch_run(&b->dir,
                "cd work; git checkout -q --detach; echo x >x; git add x; git commit -q -m x;"
                " git push -q ../shop.git HEAD:refs/pull/61/head HEAD:refs/heads/topic;"
                " echo y >x; git commit -q -a -m y;"
                " git push -q ../shop.git HEAD:refs/pull/62/head; git checkout -q main");

    assert_true(is_own(b, "refs/pull/61/head"));
    assert_false(is_own(b, "refs/pull/62/head"));

    scratch_run(&b->dir, "git -C shop.git update-ref refs/pull/61/head refs/pull/62/head");
    assert_false(is_own(b, "refs/pull/61/head"));
}

static void url_with_a_password_is_refused(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    snprintf(b->url, sizeof b->url, "https://ada:secret@git.example/shop.git");

    assert_int_equal(fetch(b, &why), -1);

    assert_int_equal(why.kind, ERR_INPUT);
    assert_non_null(strstr(why.text, "token file"));
}

static void directory_that_is_no_repository_becomes_one(void **state)
{
    struct bench *b = *state;
    AUTO(mirror_closep) struct mirror *m = NULL;
    char path[160], bare[256];
    snprintf(path, sizeof path, "%s/new.git", b->dir.dir);

    MUST(mirror_open(path, &m, &e));

    scratch_ask(&b->dir, bare, "git -C new.git rev-parse --is-bare-repository");
    assert_string_equal(bare, "true");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(wanted_references_arrive_and_others_do_not),
        CASE(rewritten_branch_is_followed_and_old_objects_stay),
        CASE(references_that_are_gone_are_removed),
        CASE(fetching_again_without_news_is_quick_and_changes_nothing),
        CASE(empty_repository_is_no_error),
        CASE(many_packs_are_joined_and_no_object_is_lost),
        CASE(remote_that_is_not_there_is_told_with_its_name),
        CASE(leftovers_of_a_killed_fetch_do_not_matter),
        CASE(fetch_may_be_killed_at_any_time),
        CASE(fetch_above_its_limit_is_refused),
        CASE(server_that_never_answers_ends_at_the_deadline),
        CASE(daemon_that_stops_does_not_wait_for_a_slow_server),
        CASE(kept_child_serves_fetch_after_fetch),
        CASE(kept_child_tells_what_is_wrong),
        CASE(head_is_own_while_a_branch_has_it),
        CASE(url_with_a_password_is_refused),
        CASE(directory_that_is_no_repository_becomes_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
