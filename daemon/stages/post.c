/* SPDX-License-Identifier: MIT */
/* post: see post.h. */
#include "post.h"

#include <inttypes.h>

#include "clock.h"
#include "log.h"
#include "post_parts.h"
#include "store_job.h"

#define POST_LOOK_NS     (60 * CLOCK_NS_PER_S)
#define POST_RETRY_NS    (5 * CLOCK_NS_PER_S)
#define POST_PROGRESS_NS (5 * CLOCK_NS_PER_S)

enum { PAUSE_FIRST_MS = 5000, PAUSE_MAX_MS = 3600 * 1000 };

int64_t post_pause_ms(struct post *p, int attempt, int64_t retry_after_ms)
{
    int64_t pause = p->pause_first_ms ? p->pause_first_ms : PAUSE_FIRST_MS;
    for (int i = 0; i < attempt && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    if (pause > PAUSE_MAX_MS)
        pause = PAUSE_MAX_MS;
    pause = (int64_t)((double)pause * (0.8 + 0.4 * rng_unit(&p->rng)));
    return pause > retry_after_ms ? pause : retry_after_ms;
}

/* --- one delivery ------------------------------------------------------------------------- */

static void log_failure(const struct outbox *o, const struct outbox_try *t, int attempt)
{
    if (t->next_ms)
        log_warn("report delayed",
                 "repo=%s job=%" PRId64 " slot=%s target=%s attempt=%d error=%s", o->repo,
                 o->job_id, o->slot, outbox_target_names[o->target], attempt, t->error);
    else
        log_error("report given up",
                  "repo=%s job=%" PRId64 " slot=%s target=%s attempt=%d error=%s", o->repo,
                  o->job_id, o->slot, outbox_target_names[o->target], attempt, t->error);
}

static int carry(struct post *p, const struct outbox *o, struct delivery *d, struct err *e)
{
    switch (o->target) {
    case OUTBOX_FILE:
        return post_to_file(p, o, d, e);
    case OUTBOX_STATUS:
    case OUTBOX_COMMENT:
        return post_to_forge(p, o, d, e);
    default:
        return post_by_courier(p, o, d, e);
    }
}

static int deliver(struct post *p, const struct outbox *o, struct err *e)
{
    struct err why = {0};
    struct delivery d = {0};
    struct post_host *host = post_host_of(p, o);
    int64_t wait_ms = host ? post_host_wait_ms(host, clock_wall_ms()) : 0;
    if (wait_ms > 0)
        return store_outbox_delay(p->store, o->id, clock_wall_ms() + wait_ms, e);
    int r = carry(p, o, &d, &why);
    if (host)
        post_host_note(host, d.silent, clock_wall_ms());
    struct outbox_try t = {.status = d.status};
    int attempt = o->attempt + 1, most = p->tries_max ? p->tries_max : POST_TRIES_MAX;
    if (r < 0 && why.kind == ERR_CONFLICT)
        return 0; /* we are stopping; this was no try */
    if (r < 0) {
        t.error = why.text;
        if (!d.hopeless && attempt < most)
            t.next_ms = clock_wall_ms() + post_pause_ms(p, o->attempt, d.retry_after_ms);
        log_failure(o, &t, attempt);
    } else {
        log_info("report sent", "repo=%s job=%" PRId64 " slot=%s target=%s", o->repo, o->job_id,
                 o->slot, outbox_target_names[o->target]);
    }
    return store_outbox_tried(p->store, o->id, &t, e);
}

/* --- the stage ---------------------------------------------------------------------------- */

static int deliver_next(struct post *p, bool *worked, struct err *e)
{
    AUTO(outbox_done) struct outbox o = {0};
    if (store_outbox_due(p->store, clock_wall_ms(), &o, worked, e) < 0)
        return -1;
    return *worked ? deliver(p, &o, e) : 0;
}

static int settle_next(struct post *p, bool *worked, struct err *e)
{
    int64_t job;
    if (store_outbox_settled_job(p->store, &job, worked, e) < 0)
        return -1;
    if (!*worked)
        return 0;
    if (store_job_reported(p->store, job, e) < 0)
        return err_ctx(e, "job %" PRId64, job);
    log_info("job reported", "job=%" PRId64, job);
    return 0;
}

static bool repeat(struct post *p, int (*step)(struct post *, bool *, struct err *))
{
    bool worked = true;
    while (worked && !(p->stopping && atomic_load(p->stopping))) {
        struct err e = {0};
        if (step(p, &worked, &e) < 0) {
            log_error("post stopped", "error=%s", e.text);
            return false;
        }
    }
    return true;
}

int64_t post_step(void *self)
{
    struct post *p = self;
    struct err e = {0};
    int64_t next_ms;
    /* Jobs first: a delivery under way may take its whole deadline. */
    if (post_progress(p, &e) < 0) {
        log_error("post stopped", "error=%s", e.text);
        return clock_now_ns() + POST_RETRY_NS;
    }
    if (!repeat(p, settle_next) || !repeat(p, deliver_next) || !repeat(p, settle_next))
        return clock_now_ns() + POST_RETRY_NS;
    if (store_outbox_next_ms(p->store, &next_ms, &e) < 0) {
        log_error("post stopped", "error=%s", e.text);
        return clock_now_ns() + POST_RETRY_NS;
    }
    int64_t now = clock_now_ns();
    int64_t look = p->targets.forges_len ? POST_PROGRESS_NS : POST_LOOK_NS;
    if (next_ms == INT64_MAX)
        return now + look;
    int64_t wait = (next_ms - clock_wall_ms()) * CLOCK_NS_PER_MS;
    return now + (wait < 0 ? 0 : wait > look ? look : wait);
}
