/* SPDX-License-Identifier: MIT */
/* What deliveries of webhooks make of a repository that is looked at once an hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdatomic.h>

#include "../scratch.h"
#include "log.h"
#include "mirror.h"
#include "store_hook.h"
#include "watch.h"

#define SPEC                                               \
    "{\\\"start\\\": {\\\"command\\\": [\\\"./shop\\\"]}," \
    " \\\"scenarios\\\": [{\\\"endpoints\\\": [{\\\"path\\\": \\\"/\\\"}]}]}"

struct bench {
    struct scratch dir;
    char url[128], db[128], state[128];
    char *branches[1];
    struct stage_repo repo;
    struct store *store;
    struct watch *watch;
    int delivery;
};

static void push(const struct bench *b, const char *subject)
{
    scratch_run(&b->dir,
                "cd work; echo '%s' >>file; git add -A; git commit -q -m '%s';"
                " git push -q -f ../shop.git HEAD:main",
                subject, subject);
}

static void deliver(struct bench *b)
{
    char id[32];
    bool added;
    snprintf(id, sizeof id, "delivery-%d", ++b->delivery);
    MUST(store_hook_add(b->store, "shop", &(struct hook_note){.delivery = id}, &added, &e));
    assert_true(added);
}

static int64_t ask(const struct bench *b, const char *sql)
{
    char line[256];
    scratch_ask(&b->dir, line, "sqlite3 state/pacewatch.db \"%s\"", sql);
    return strtoll(line, NULL, 10);
}

/* Steps as the stage's thread would, until the answer is there or nothing is due soon. */
static int64_t step_until(struct bench *b, const char *sql, int64_t want)
{
    int64_t deadline = clock_now_ns() + 30 * CLOCK_NS_PER_S, next;
    do {
        next = watch_step(b->watch);
        if (ask(b, sql) == want || next > deadline)
            return next;
        clock_sleep_until(next);
    } while (clock_now_ns() < deadline);
    fail_msg("not %" PRId64 ": %s", want, sql);
    return next;
}

static void open_watch(struct bench *b)
{
    MUST(store_open(b->db, &b->store, &e));
    MUST(watch_open(
        &(struct watch_options){
            .store = b->store, .state_dir = b->state, .repos = &b->repo, .repos_len = 1},
        &b->watch, &e));
}

static void close_watch(struct bench *b)
{
    watch_closep(&b->watch);
    store_closep(&b->store);
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->url, sizeof b->url, "%s/shop.git", b->dir.dir);
    snprintf(b->state, sizeof b->state, "%s/state", b->dir.dir);
    snprintf(b->db, sizeof b->db, "%s/state/pacewatch.db", b->dir.dir);
    b->branches[0] = (char *)"main";
    b->repo = (struct stage_repo){.name = "shop",
                                  .url = b->url,
                                  .branches = b->branches,
                                  .branches_len = 1,
                                  .merge_requests = MR_NONE,
                                  .poll_ns = 3600 * CLOCK_NS_PER_S};
    scratch_run(&b->dir, "mkdir state; git init -q --bare -b main shop.git;"
                         " git init -q -b main work; printf '%%s' \"" SPEC "\""
                         " >work/.pacewatch.json");
    push(b, "c1");
    open_watch(b);
    log_set_level(LOG_ERROR);
    (void)watch_step(b->watch);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    close_watch(b);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

#define JOBS  "SELECT count(*) FROM job"
#define LOOKS "SELECT fetched_ms FROM repo"

static void without_a_delivery_nothing_is_looked_at(void **state)
{
    struct bench *b = *state;
    push(b, "c2");

    int64_t next = watch_step(b->watch);

    assert_int_equal(ask(b, JOBS), 0);
    assert_true(next > clock_now_ns() + 3000 * CLOCK_NS_PER_S);
}

static void a_delivery_brings_the_job_at_once(void **state)
{
    struct bench *b = *state;
    push(b, "c2");
    int64_t began = clock_now_ns();
    deliver(b);

    (void)step_until(b, JOBS, 1);

    assert_true(clock_now_ns() - began < 10 * CLOCK_NS_PER_S);
    assert_int_equal(ask(b, "SELECT count(*) FROM change WHERE source='hook'"), 1);
}

static void many_deliveries_are_one_look_and_change_nothing(void **state)
{
    struct bench *b = *state;
    push(b, "c2");
    for (int i = 0; i < 50; i++)
        deliver(b);
    (void)step_until(b, JOBS, 1);
    int64_t looked = ask(b, LOOKS);

    int64_t next = watch_step(b->watch);

    assert_int_equal(ask(b, LOOKS), looked);
    assert_int_equal(ask(b, JOBS), 1);
    assert_true(next > clock_now_ns() + 3000 * CLOCK_NS_PER_S);
}

static void a_delivery_before_its_push_costs_a_look_and_no_job(void **state)
{
    struct bench *b = *state;
    int64_t looked = ask(b, LOOKS);
    deliver(b);
    (void)step_until(b, "SELECT fetched_ms > 0 FROM repo", 0); /* until nothing is due soon */
    assert_true(ask(b, LOOKS) > looked);
    assert_int_equal(ask(b, JOBS), 0);
    push(b, "c2");
    deliver(b);

    (void)step_until(b, JOBS, 1);

    assert_int_equal(ask(b, JOBS), 1);
}

static void a_look_that_failed_is_tried_again_soon(void **state)
{
    struct bench *b = *state;
    push(b, "c2");
    scratch_run(&b->dir, "mv shop.git away.git");
    deliver(b);

    int64_t next = step_until(b, "SELECT fetch_error IS NOT NULL FROM repo", 1);

    assert_true(next > clock_now_ns() + CLOCK_NS_PER_S); /* after a pause that grows */
    assert_true(next < clock_now_ns() + 10 * CLOCK_NS_PER_S);
    scratch_run(&b->dir, "mv away.git shop.git");
    next = step_until(b, JOBS, 1);
    assert_true(next > clock_now_ns() + 3000 * CLOCK_NS_PER_S); /* by its own time again */
}

static void what_came_while_nobody_watched_is_found_at_the_start(void **state)
{
    struct bench *b = *state;
    push(b, "c2");
    deliver(b);
    close_watch(b);
    open_watch(b);

    int64_t next = watch_step(b->watch);

    assert_int_equal(ask(b, JOBS), 1);
    assert_true(next > clock_now_ns() + 3000 * CLOCK_NS_PER_S);
}

static void ids_go_on_when_old_deliveries_are_forgotten(void **state)
{
    struct bench *b = *state;
    deliver(b);
    (void)step_until(b, "SELECT fetched_ms > 0 FROM repo", 0);
    scratch_run(&b->dir, "sqlite3 state/pacewatch.db 'UPDATE hook_delivery SET at_ms = 1'");
    push(b, "c2");
    deliver(b);

    (void)step_until(b, JOBS, 1);

    assert_int_equal(ask(b, "SELECT count(*) FROM hook_delivery"), 1);
}

static void a_repository_that_left_the_settings_takes_none(void **state)
{
    struct bench *b = *state;
    struct err refused = {0};
    bool added;
    MUST(store_hook_add(b->store, "shop", &(struct hook_note){.delivery = "a"}, &added, &e));
    scratch_run(&b->dir, "sqlite3 state/pacewatch.db 'UPDATE repo SET configured = 0'");

    int rc = store_hook_add(b->store, "shop", &(struct hook_note){.delivery = "b"}, &added,
                            &refused);

    assert_int_equal(rc, -1);
    assert_int_equal(refused.kind, ERR_NOT_FOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    const struct CMUnitTest tests[] = {
        CASE(without_a_delivery_nothing_is_looked_at),
        CASE(a_delivery_brings_the_job_at_once),
        CASE(many_deliveries_are_one_look_and_change_nothing),
        CASE(a_delivery_before_its_push_costs_a_look_and_no_job),
        CASE(a_look_that_failed_is_tried_again_soon),
        CASE(what_came_while_nobody_watched_is_found_at_the_start),
        CASE(ids_go_on_when_old_deliveries_are_forgotten),
        CASE(a_repository_that_left_the_settings_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
