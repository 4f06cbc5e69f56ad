/* SPDX-License-Identifier: MIT */
/* Against a real receiver and a real database; see ../forge/receiver.py. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "clock.h"
#include "fdio.h"
#include "log.h"
#include "measured_fixture.h"
#include "post.h"
#include "receiver.h"
#include "store_job.h"
#include "store_outbox.h"

#define SECRET "post's own secret"

static struct receiver receiver;

static int start(void **state)
{
    receiver_start(&receiver, RECEIVER, VIEW(SECRET));
    (void)state;
    return 0;
}

static int stop(void **state)
{
    receiver_stop(&receiver);
    (void)state;
    return 0;
}

struct setup {
    struct fixture f;
    struct post post;
    struct notice_target target;
    char url[128], secret[128];
};

static void open_post(struct setup *t, const char *path)
{
    AUTO(str_done) struct str url = STR_INIT(sizeof t->url - 1);
    fixture_open(&t->f, NULL);
    log_set_level(LOG_ERROR);
    receiver_url(&receiver, path, &url);
    snprintf(t->url, sizeof t->url, "%s", str_text(&url));
    snprintf(t->secret, sizeof t->secret, "%s/secret", t->f.dir);
    assert_int_equal(fdio_write_file(t->secret, VIEW(SECRET), 0600, NULL), 0);
    t->target = (struct notice_target){
        .repo = "shop",
        .place = "",
        .courier = {.url = t->url,
                    .secret_file = t->secret,
                    .allow_private = true,
                    .allow_plain = true},
    };
    t->post = (struct post){.store = t->f.store,
                            .state_dir = t->f.dir,
                            .targets = {.at = &t->target, .len = 1},
                            .pause_first_ms = 1};
    rng_init(&t->post.rng, 1);
}

static void close_post(struct setup *t)
{
    post_done(&t->post);
    fixture_close(&t->f);
}

static void queue_as(struct setup *t, enum outbox_target target, const char *slot,
                     const char *id, const char *body, int64_t job)
{
    AUTO(outbox_done)
    struct outbox o = {
        .repo_id = t->f.repo, .job_id = job, .target = target, .body = mem_strdup(body)};
    struct err e = {0};
    snprintf(o.slot, sizeof o.slot, "%s", slot);
    snprintf(o.message_id, sizeof o.message_id, "%s", id);
    if (store_outbox_put(t->f.store, &o, &e) < 0)
        fail_msg("%s", e.text);
}

static bool is_text(const struct json_doc *doc, const char *key, const char *text)
{
    return view_eqz(json_text(json_get(json_root(doc), key)), text);
}

static void a_webhook_gets_the_payload_signed(void **state)
{
    struct setup t;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    open_post(&t, "/ok");
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_1", "{\"type\":\"report\"}", 0);

    (void)post_step(&t.post);

    AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
    assert_int_equal(json_type(json_get(json_root(seen), "fault")), JSON_NULL);
    assert_true(is_text(seen, "body", "{\"type\":\"report\"}"));
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox WHERE state = 'sent' AND "
                                       "last_status = 200 AND sent_ms > 0 AND attempt = 1"),
                     1);
    close_post(&t);
    (void)state;
}

static void a_receiver_that_recovers_gets_the_same_message_again(void **state)
{
    struct setup t;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    open_post(&t, "/flaky/2");
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_2", "{}", 0);

    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    int64_t next = post_step(&t.post);
    while (fixture_int(&t.f, "SELECT state <> 'sent' FROM outbox")) {
        assert_true(next < deadline);
        clock_sleep_until(next);
        next = post_step(&t.post);
    }

    for (int i = 0; i < 3; i++) {
        AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
        assert_true(is_text(seen, "id", "msg_2"));
    }
    assert_int_equal(fixture_int(&t.f, "SELECT attempt FROM outbox"), 3);
    close_post(&t);
    (void)state;
}

static void retry_after_is_respected(void **state)
{
    struct setup t;
    open_post(&t, "/retry/600");
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_3", "{}", 0);
    int64_t before = clock_wall_ms();

    (void)post_step(&t.post);

    receiver_skip(&receiver);
    assert_true(fixture_int(&t.f, "SELECT next_ms FROM outbox WHERE state = 'pending' AND "
                                  "last_status = 503") >= before + 600 * 1000);
    close_post(&t);
    (void)state;
}

static void after_the_last_try_a_text_is_dead(void **state)
{
    struct setup t;
    open_post(&t, "/status/500");
    t.post.tries_max = 1;
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_4", "{}", 0);

    (void)post_step(&t.post);

    receiver_skip(&receiver);
    assert_int_equal(fixture_int(&t.f, "SELECT count(*) FROM outbox WHERE state = 'dead' AND "
                                       "last_error LIKE '%500%'"),
                     1);
    close_post(&t);
    (void)state;
}

static void a_receiver_that_is_gone_is_not_asked_again(void **state)
{
    struct setup t;
    open_post(&t, "/status/410");
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_5", "{}", 0);

    (void)post_step(&t.post);

    receiver_skip(&receiver);
    assert_int_equal(fixture_int(&t.f, "SELECT state = 'dead' FROM outbox"), 1);
    close_post(&t);
    (void)state;
}

static void a_file_holds_the_newest_report_of_its_slot(void **state)
{
    struct setup t;
    AUTO(str_done) struct str path = STR_INIT(256);
    AUTO(str_done) struct str text = STR_INIT(256);
    open_post(&t, "/ok");
    str_addf(&path, "%s/reports/shop/mr/12/report.md", t.f.dir);
    queue_as(&t, OUTBOX_FILE, "mr/12/report", "msg_6", "first", 0);
    (void)post_step(&t.post);
    queue_as(&t, OUTBOX_FILE, "mr/12/report", "msg_7", "second", 0);
    queue_as(&t, OUTBOX_FILE, "mr/12/report", "msg_8", "third", 0);

    (void)post_step(&t.post);

    assert_int_equal(fdio_read_file(str_text(&path), &text, NULL), 0);
    assert_string_equal(str_text(&text), "third");
    assert_int_equal(fixture_int(&t.f, "SELECT state = 'replaced' FROM outbox WHERE "
                                       "message_id = 'msg_7'"),
                     1);
    close_post(&t);
    (void)state;
}

static void a_slot_cannot_leave_its_folder(void **state)
{
    static const char *const slots[] = {"../../../etc/x", "a/../../b", "/etc/x", "a//b", "./a"};
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        struct setup t;
        open_post(&t, "/ok");
        queue_as(&t, OUTBOX_FILE, slots[i], "msg_9", "text", 0);

        (void)post_step(&t.post);

        assert_int_equal(fixture_int(&t.f, "SELECT state = 'dead' FROM outbox"), 1);
        close_post(&t);
    }
    (void)state;
}

static void a_job_is_reported_when_its_last_text_is_out(void **state)
{
    struct setup t;
    open_post(&t, "/retry/600");
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &(struct fixture_result){.seed = 1});
    assert_int_equal(store_job_judged(t.f.store, job, OUTCOME_NO_CHANGE, NULL), 0);
    queue_as(&t, OUTBOX_FILE, "commit/1/report", "msg_10", "text", job);
    queue_as(&t, OUTBOX_WEBHOOK, "commit/1/report", "msg_11", "{}", job);

    (void)post_step(&t.post);
    int64_t early = fixture_int(&t.f, "SELECT state = 'judged' FROM job");
    snprintf(t.url, sizeof t.url, "http://127.0.0.1:%d/ok", receiver.port);
    assert_int_equal(
        fixture_int(&t.f, "UPDATE outbox SET next_ms = 1 WHERE state = 'pending' RETURNING 1"),
        1);
    (void)post_step(&t.post);

    receiver_skip(&receiver);
    receiver_skip(&receiver);
    assert_int_equal(early, 1);
    assert_int_equal(fixture_int(&t.f, "SELECT state = 'reported' FROM job"), 1);
    close_post(&t);
    (void)state;
}

static void a_failed_job_is_reported_too(void **state)
{
    struct setup t;
    open_post(&t, "/ok");
    int64_t job = fixture_job(&t.f, JOB_PUSH, 0, 1, &(struct fixture_result){.failed = true});

    (void)post_step(&t.post);
    int64_t before = fixture_int(&t.f, "SELECT reported FROM job");
    queue_as(&t, OUTBOX_FILE, "commit/1/report", "msg_12", "could not measure", job);
    (void)post_step(&t.post);

    assert_int_equal(before, 0);
    assert_int_equal(fixture_int(&t.f, "SELECT reported FROM job WHERE state = 'failed'"), 1);
    close_post(&t);
    (void)state;
}

static atomic_bool stopping;

static void *stop_soon(void *log)
{
    receiver_skip(log); /* it has arrived */
    atomic_store(&stopping, true);
    return NULL;
}

static void a_stop_does_not_wait_for_a_slow_receiver_nor_count_as_a_try(void **state)
{
    struct setup t;
    pthread_t thread;
    open_post(&t, "/slow");
    atomic_store(&stopping, false);
    t.post.stopping = &stopping;
    queue_as(&t, OUTBOX_WEBHOOK, "mr/12/report", "msg_13", "{}", 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &receiver), 0);
    int64_t began = clock_now_ns();

    (void)post_step(&t.post);

    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(clock_now_ns() - began < 8 * CLOCK_NS_PER_S);
    assert_int_equal(fixture_int(&t.f, "SELECT state = 'pending' AND attempt = 0 FROM outbox"),
                     1);
    close_post(&t);
    (void)state;
}

static void pauses_double_up_to_an_hour(void **state)
{
    struct post p = {0};
    rng_init(&p.rng, 7);
    for (int attempt = 0; attempt < 30; attempt++) {
        double middle = attempt < 10 ? 5000.0 * (1 << attempt) : 3600e3;
        middle = middle > 3600e3 ? 3600e3 : middle;

        int64_t pause = post_pause_ms(&p, attempt, 0);

        assert_true((double)pause >= middle * .8 - 1 && (double)pause <= middle * 1.2 + 1);
    }
    assert_int_equal(post_pause_ms(&p, 0, 86400000), 86400000);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_gets_the_payload_signed),
        cmocka_unit_test(a_receiver_that_recovers_gets_the_same_message_again),
        cmocka_unit_test(retry_after_is_respected),
        cmocka_unit_test(after_the_last_try_a_text_is_dead),
        cmocka_unit_test(a_receiver_that_is_gone_is_not_asked_again),
        cmocka_unit_test(a_file_holds_the_newest_report_of_its_slot),
        cmocka_unit_test(a_slot_cannot_leave_its_folder),
        cmocka_unit_test(a_job_is_reported_when_its_last_text_is_out),
        cmocka_unit_test(a_failed_job_is_reported_too),
        cmocka_unit_test(a_stop_does_not_wait_for_a_slow_receiver_nor_count_as_a_try),
        cmocka_unit_test(pauses_double_up_to_an_hour),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
