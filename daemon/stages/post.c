/* SPDX-License-Identifier: MIT */
/* post: see post.h. */
#include "post.h"

#include <inttypes.h>
#include <limits.h>

#include "clock.h"
#include "fdio.h"
#include "log.h"
#include "store_job.h"
#include "store_outbox.h"

#define POST_LOOK_NS     (60 * CLOCK_NS_PER_S)
#define POST_RETRY_NS    (5 * CLOCK_NS_PER_S)
#define POST_DEADLINE_NS (15 * CLOCK_NS_PER_S)

enum { PAUSE_FIRST_MS = 5000, PAUSE_MAX_MS = 3600 * 1000, STATUS_GONE = 410 };

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

struct delivery {
    int status;
    int64_t retry_after_ms;
    bool hopeless;
};

static int deliver_webhook(const struct post *p, const struct outbox *o, struct delivery *d,
                           struct err *e)
{
    const struct notice_target *target = notice_target_of(&p->targets, o->repo);
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    if (!target) {
        d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' has no webhook any more", o->repo);
    }
    struct forge_webhook webhook = target->webhook;
    webhook.cancel = p->stopping;
    if (forge_webhook_send(&webhook, o->message_id, view_z(o->body),
                           clock_now_ns() + POST_DEADLINE_NS, &answer, e) < 0)
        return -1;
    d->status = answer.status;
    d->retry_after_ms = answer.retry_after_ms;
    d->hopeless = answer.status == STATUS_GONE;
    if (answer.status >= 200 && answer.status < 300)
        return 0;
    return err_set(e, ERR_PROTOCOL, "the receiver answered %d", answer.status);
}

/* Names of repositories come from the configuration and slots from us, yet both become a path.
 */
static bool is_safe_path(struct view path)
{
    struct view part;
    if (view_starts(path, "/"))
        return false;
    while (path.len) {
        (void)view_cut(path, '/', &part, &path);
        if (!part.len || view_eqz(part, ".") || view_eqz(part, ".."))
            return false;
    }
    return true;
}

static int deliver_file(const struct post *p, const struct outbox *o, struct delivery *d,
                        struct err *e)
{
    AUTO(str_done) struct str name = STR_INIT(PATH_MAX);
    AUTO(str_done) struct str path = STR_INIT(PATH_MAX);
    str_addf(&name, "%s/%s", o->repo, o->slot);
    if (!is_safe_path(str_view(&name))) {
        d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' is no path", str_text(&name));
    }
    str_addf(&path, "%s/reports/%s", p->state_dir, str_text(&name));
    char *slash = strrchr(path.at, '/');
    *slash = '\0';
    if (fdio_make_dirs(path.at, 0755, e) < 0)
        return -1;
    *slash = '/';
    str_addz(&path, ".md");
    return fdio_write_file(str_text(&path), view_z(o->body), 0644, e);
}

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

static int deliver(struct post *p, const struct outbox *o, struct err *e)
{
    struct err why = {0};
    struct delivery d = {0};
    int r = o->target == OUTBOX_FILE ? deliver_file(p, o, &d, &why)
                                     : deliver_webhook(p, o, &d, &why);
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
    if (!repeat(p, settle_next) || !repeat(p, deliver_next) || !repeat(p, settle_next))
        return clock_now_ns() + POST_RETRY_NS;
    if (store_outbox_next_ms(p->store, &next_ms, &e) < 0) {
        log_error("post stopped", "error=%s", e.text);
        return clock_now_ns() + POST_RETRY_NS;
    }
    int64_t now = clock_now_ns();
    if (next_ms == INT64_MAX)
        return now + POST_LOOK_NS;
    int64_t wait = (next_ms - clock_wall_ms()) * CLOCK_NS_PER_MS;
    return now + (wait < 0 ? 0 : wait > POST_LOOK_NS ? POST_LOOK_NS : wait);
}
