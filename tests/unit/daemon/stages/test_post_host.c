/* SPDX-License-Identifier: MIT */
/* A receiver that takes requests and does not answer, beside one that does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "forge_bench.h"
#include "log.h"
#include "measured_fixture.h"
#include "post_parts.h"
#include "store_repo.h"

static void queue(struct fixture *f, int64_t repo, int slot)
{
    AUTO(str_done) struct str body = STR_INIT(64);
    struct outbox o = {.repo_id = repo, .target = OUTBOX_COMMENT};
    struct err e = {0};
    notice_name_slot(&o, "mr/%d/slot%d", BENCH_MR, slot);
    str_addz(&body, "text");
    if (notice_queue(f->store, &o, &body, &e) < 0)
        fail_msg("%s", e.text);
}

/* It costs the others one deadline, not one per text. */
static void a_silent_forge_does_not_hold_up_others(void **state)
{
    enum { SLOTS = 5 };
    struct fixture f;
    struct forge_bench silent, other;
    struct err e = {0};
    int64_t wiki;
    fixture_open(&f, NULL);
    log_set_level(LOG_ERROR);
    forge_bench_open(&silent, "gitea");
    forge_bench_open(&other, "gitlab");
    silent.options.deadline_ns = CLOCK_NS_PER_S;
    forge_closep(&silent.forge);
    assert_int_equal(forge_open(&silent.options, &silent.forge, &e), 0);
    forge_bench_fault(&silent, "comment_post", "stall");
    struct notice_forge forges[] = {
        {.repo = "shop", .forge = silent.forge, .context = "pacewatch", .comments = true},
        {.repo = "wiki", .forge = other.forge, .context = "pacewatch", .comments = true},
    };
    struct post post = {.store = f.store,
                        .state_dir = f.dir,
                        .targets = {.forges = forges, .forges_len = ARRAY_LEN(forges)},
                        .pause_first_ms = 1};
    rng_init(&post.rng, 1);
    for (int i = 0; i < SLOTS; i++)
        queue(&f, f.repo, i);
    assert_int_equal(store_repo_put(f.store, "wiki", "/srv/git/wiki.git", "main", &wiki, &e),
                     0);
    queue(&f, wiki, 0);
    int64_t now = clock_wall_ms();

    (void)post_step(&post);

    assert_int_equal(forge_bench_count(&other, "comments"), 1);
    assert_int_equal(forge_bench_calls(&silent, "comment_post"), 1);
    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM outbox WHERE state = 'pending'"),
                     SLOTS);
    assert_int_equal(fixture_int(&f, "SELECT sum(attempt) FROM outbox"), 2);
    assert_int_equal(fixture_int(&f, "SELECT sum(attempt) FROM outbox WHERE state = 'pending'"),
                     1);
    assert_true(fixture_int(&f, "SELECT max(next_ms) FROM outbox WHERE state = 'pending'") >
                now + 25 * 1000);
    post_done(&post);
    forge_bench_close(&other);
    forge_bench_close(&silent);
    fixture_close(&f);
    (void)state;
}

static void pauses_for_a_silent_receiver_double(void **state)
{
    static const int64_t pauses_s[] = {30, 60, 120, 240, 480, 960, 960};
    struct post_host host = {0};
    int64_t now = 1764000000000;

    for (size_t i = 0; i < ARRAY_LEN(pauses_s); i++) {
        post_host_note(&host, true, now);
        assert_int_equal(post_host_wait_ms(&host, now), pauses_s[i] * 1000);
        now += pauses_s[i] * 1000;
        assert_true(post_host_wait_ms(&host, now) <= 0);
    }
    post_host_note(&host, false, now);
    post_host_note(&host, true, now);
    assert_int_equal(post_host_wait_ms(&host, now), 30 * 1000);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_forge_does_not_hold_up_others),
        cmocka_unit_test(pauses_for_a_silent_receiver_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
