/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "clock.h"
#include "measured_fixture.h"
#include "store_job.h"
#include "store_outbox.h"

static void put(struct fixture *f, const char *slot, const char *id)
{
    AUTO(outbox_done)
    struct outbox o = {.repo_id = f->repo, .target = OUTBOX_FILE, .body = mem_strdup(id)};
    struct err e = {0};
    snprintf(o.slot, sizeof o.slot, "%s", slot);
    snprintf(o.message_id, sizeof o.message_id, "%s", id);
    if (store_outbox_put(f->store, &o, &e) < 0)
        fail_msg("%s", e.text);
}

static bool due(struct fixture *f, struct outbox *o)
{
    bool found;
    struct err e = {0};
    if (store_outbox_due(f->store, clock_wall_ms(), o, &found, &e) < 0)
        fail_msg("%s", e.text);
    return found;
}

static void the_newest_text_of_a_slot_replaces_the_pending_one(void **state)
{
    struct fixture f;
    AUTO(outbox_done) struct outbox o = {0};
    fixture_open(&f, NULL);
    put(&f, "mr/1/report", "msg_a");
    put(&f, "mr/1/report", "msg_b");

    bool found = due(&f, &o);

    assert_true(found);
    assert_string_equal(o.message_id, "msg_b");
    assert_string_equal(o.body, "msg_b");
    assert_string_equal(o.repo, "shop");
    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM outbox WHERE state = 'replaced'"),
                     1);
    fixture_close(&f);
    (void)state;
}

static void slots_do_not_touch_each_other(void **state)
{
    struct fixture f;
    fixture_open(&f, NULL);

    put(&f, "mr/1/report", "msg_a");
    put(&f, "mr/2/report", "msg_b");

    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM outbox WHERE state = 'pending'"), 2);
    fixture_close(&f);
    (void)state;
}

static void a_text_that_waits_for_its_next_try_is_not_due(void **state)
{
    struct fixture f;
    struct outbox o = {0};
    int64_t next;
    fixture_open(&f, NULL);
    put(&f, "mr/1/report", "msg_a");
    assert_true(due(&f, &o));
    struct outbox_try t = {.status = 503, .error = "busy", .next_ms = clock_wall_ms() + 60000};

    assert_int_equal(store_outbox_tried(f.store, o.id, &t, NULL), 0);
    outbox_done(&o);

    assert_false(due(&f, &o));
    assert_int_equal(store_outbox_next_ms(f.store, &next, NULL), 0);
    assert_int_equal(next, t.next_ms);
    fixture_close(&f);
    (void)state;
}

static void a_text_replaced_while_it_was_sent_stays_replaced(void **state)
{
    struct fixture f;
    AUTO(outbox_done) struct outbox o = {0};
    fixture_open(&f, NULL);
    put(&f, "mr/1/report", "msg_a");
    assert_true(due(&f, &o));
    put(&f, "mr/1/report", "msg_b");

    assert_int_equal(store_outbox_tried(f.store, o.id,
                                        &(struct outbox_try){.error = "busy", .next_ms = 1},
                                        NULL),
                     0);

    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM outbox WHERE state = 'pending'"), 1);
    assert_int_equal(fixture_int(&f, "SELECT count(*) FROM outbox WHERE state = 'replaced'"),
                     1);
    fixture_close(&f);
    (void)state;
}

static void a_slot_remembers_that_something_was_sent(void **state)
{
    struct fixture f;
    AUTO(outbox_done) struct outbox o = {0};
    struct outbox other = {.target = OUTBOX_FILE, .slot = "mr/2/report"};
    bool used, other_used;
    fixture_open(&f, NULL);
    other.repo_id = f.repo;
    put(&f, "mr/1/report", "msg_a");
    assert_true(due(&f, &o));
    assert_int_equal(
        store_outbox_tried(f.store, o.id, &(struct outbox_try){.status = 200}, NULL), 0);

    assert_int_equal(store_outbox_slot_used(f.store, &o, &used, NULL), 0);
    assert_int_equal(store_outbox_slot_used(f.store, &other, &other_used, NULL), 0);

    assert_true(used);
    assert_false(other_used);
    fixture_close(&f);
    (void)state;
}

static void a_failure_is_silent_until_a_text_speaks_of_it(void **state)
{
    struct fixture f;
    int64_t job, silent, settled;
    bool found;
    fixture_open(&f, NULL);
    job = fixture_job(&f, JOB_PUSH, 0, 1, &(struct fixture_result){.failed = true});

    assert_int_equal(store_outbox_silent_failure(f.store, &silent, &found, NULL), 0);
    assert_true(found);
    assert_int_equal(silent, job);
    assert_int_equal(store_outbox_settled_job(f.store, &settled, &found, NULL), 0);
    assert_false(found);
    struct outbox o = {.repo_id = f.repo,
                       .job_id = job,
                       .target = OUTBOX_FILE,
                       .slot = "commit/1/report",
                       .message_id = "msg_a",
                       .body = (char[]){"text"}};
    assert_int_equal(store_outbox_put(f.store, &o, NULL), 0);

    assert_int_equal(store_outbox_silent_failure(f.store, &silent, &found, NULL), 0);
    assert_false(found);
    assert_int_equal(store_outbox_settled_job(f.store, &settled, &found, NULL), 0);
    assert_false(found); /* its text is still pending */
    fixture_close(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_text_of_a_slot_replaces_the_pending_one),
        cmocka_unit_test(slots_do_not_touch_each_other),
        cmocka_unit_test(a_text_that_waits_for_its_next_try_is_not_due),
        cmocka_unit_test(a_text_replaced_while_it_was_sent_stays_replaced),
        cmocka_unit_test(a_slot_remembers_that_something_was_sent),
        cmocka_unit_test(a_failure_is_silent_until_a_text_speaks_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
