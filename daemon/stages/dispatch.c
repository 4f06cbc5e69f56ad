/* SPDX-License-Identifier: MIT */
/*
 * dispatch: looks after the attempts under way and starts the next; see dispatch.h.
 *
 * The quiet lock is held from before a runner starts until it has ended.
 */
#include "dispatch.h"

#include <inttypes.h>

#include "clock.h"
#include "dispatch_parts.h"
#include "fdio.h"
#include "log.h"
#include "quiet.h"
#include "store_attempt.h"
#include "store_job.h"

#define LOOK_RUNNING_NS (1 * CLOCK_NS_PER_S)
#define LOOK_ENDING_NS  (50 * CLOCK_NS_PER_MS)
#define LOOK_IDLE_NS    (10 * CLOCK_NS_PER_S)
#define LOOK_QUIET_NS   (100 * CLOCK_NS_PER_MS)
#define LINGER_NS       (30 * CLOCK_NS_PER_S) /* a runner may tidy up after its result */
#define STOP_GRACE_NS   (5 * CLOCK_NS_PER_S)

int dispatch_open(const struct dispatch_options *options, struct dispatch **out, struct err *e)
{
    AUTO(dispatch_closep) struct dispatch *d = mem_zero(1, sizeof *d);
    AUTO(str_done) struct str jobs = STR_INIT(4096);
    int taken;
    *d = (struct dispatch){.o = *options, .quiet = -1};
    str_addf(&jobs, "%s/jobs", d->o.state_dir);
    if (fdio_remove_tree(str_text(&jobs), e) < 0 ||
        fdio_make_dirs(str_text(&jobs), 0700, e) < 0 ||
        quiet_open_in(d->o.state_dir, &d->quiet, e) < 0 ||
        store_attempt_recover(d->o.store, executor_name(d->o.executor), &taken, e) < 0)
        return -1;
    if (taken > 0)
        log_warn("attempts taken back", "count=%d: the daemon stopped while they ran", taken);
    *out = STEAL(d);
    return 0;
}

void dispatch_closep(struct dispatch **d)
{
    if (!*d)
        return;
    vec_done(&(*d)->actives);
    fdio_closep(&(*d)->quiet);
    free(*d);
    *d = NULL;
}

static void ring_judge(const struct dispatch *d)
{
    if (d->o.bells)
        bell_ring(&d->o.bells->judge);
}

/* --- attempts under way ------------------------------------------------------------------- */

static struct active *find_active(struct dispatch *d, const char *key)
{
    for (size_t i = 0; i < d->actives.len; i++)
        if (strcmp(d->actives.at[i].key, key) == 0)
            return &d->actives.at[i];
    return NULL;
}

static bool is_open(enum job_state state)
{
    return state == JOB_SUBMITTED || state == JOB_RUNNING;
}

/* It ended without a result. A limit is the repository's own, so trying again would not help.
 */
static int ended_early(struct dispatch *d, const struct active *a, struct err *e)
{
    static const char over_limit[] =
        "the job took longer than its limit (limits.wall in the spec)";
    bool failed = true;
    log_warn("attempt lost", "job=%" PRId64 " attempt=%d: %s", a->job, a->attempt,
             a->end.reason);
    int rc =
        a->end.cause == EXECUTOR_TIMEOUT
            ? store_job_fail(d->o.store, a->job, FAILURE_CONFIG, -1, over_limit, e)
            : store_attempt_lost(d->o.store, a->job, a->attempt, a->end.reason, &failed, e);
    if (rc < 0 && e->kind != ERR_CONFLICT) /* else: superseded at the last moment */
        return -1;
    if (failed)
        ring_judge(d);
    return 0;
}

/* Stays in the list until the tables know. */
static int note_end(struct dispatch *d, struct active *a, struct err *e)
{
    struct job job;
    if (store_job_get(d->o.store, a->job, &job, e) < 0)
        return -1;
    if (is_open(job.state) && job.attempt == a->attempt && ended_early(d, a, e) < 0)
        return -1;
    dispatch_remove_files(d, a->job);
    *a = d->actives.at[--d->actives.len];
    return 0;
}

/* Still there: is it wanted any more, and does it end once it has delivered? */
static int look_after(struct dispatch *d, struct active *a, struct err *e)
{
    struct job job;
    int64_t now = clock_now_ns();
    if (store_job_get(d->o.store, a->job, &job, e) < 0)
        return -1;
    bool over = !is_open(job.state) || job.attempt != a->attempt;
    bool wanted = job.state != JOB_SUPERSEDED && job.attempt == a->attempt;
    if (over && wanted && !a->delivered_ns)
        a->delivered_ns = now;
    bool lingers = a->delivered_ns && now - a->delivered_ns > LINGER_NS;
    if (a->cancelled || (wanted && !lingers))
        return 0;
    a->cancelled = true;
    log_info("attempt cancelled", "job=%" PRId64 " attempt=%d", a->job, a->attempt);
    return executor_cancel(d->o.executor, a->key, e);
}

static int ask_executor(struct dispatch *d, struct err *e)
{
    struct executor_infos infos = {0};
    int rc = executor_poll(d->o.executor, &infos, e);
    for (size_t i = 0; i < infos.at.len; i++) {
        struct executor_info *info = &infos.at.at[i];
        struct active *a = find_active(d, info->key);
        if (a && info->state == EXECUTOR_ENDED) {
            a->ended = true;
            a->end = *info;
        }
    }
    vec_done(&infos.at);
    return rc;
}

static int look_at_all(struct dispatch *d, struct err *e)
{
    if (ask_executor(d, e) < 0)
        return -1;
    for (size_t i = d->actives.len; i-- > 0;) { /* downwards: note_end fills the gap */
        struct active *a = &d->actives.at[i];
        if ((a->ended ? note_end(d, a, e) : look_after(d, a, e)) < 0)
            return -1;
    }
    if (d->actives.len == 0)
        quiet_release(d->quiet);
    return 0;
}

/* --- the next ----------------------------------------------------------------------------- */

static bool is_stopping(const struct dispatch *d)
{
    return d->o.stopping && atomic_load(d->o.stopping);
}

/* *disturbed: there is work, but the host is not quiet. */
static int start_next(struct dispatch *d, bool *disturbed, struct err *e)
{
    while (executor_has_room(d->o.executor) && !is_stopping(d)) {
        struct job job;
        bool found, started;
        if (store_job_next(d->o.store, &job, &found, e) < 0)
            return -1;
        if (!found)
            return 0;
        if (!quiet_try(d->quiet, QUIET_ALONE)) {
            *disturbed = true;
            return 0;
        }
        if (dispatch_start(d, &job, &started, e) < 0)
            return err_ctx(e, "job %" PRId64, job.id);
        if (started)
            return 0;
        quiet_release(d->quiet);
        ring_judge(d);
    }
    return 0;
}

static bool anything_ending(const struct dispatch *d)
{
    for (size_t i = 0; i < d->actives.len; i++)
        if (d->actives.at[i].cancelled || d->actives.at[i].delivered_ns)
            return true;
    return false;
}

int64_t dispatch_step(void *self)
{
    struct dispatch *d = self;
    struct err e = {0};
    bool disturbed = false;
    if (look_at_all(d, &e) < 0 || start_next(d, &disturbed, &e) < 0)
        log_error("dispatch failed", "%s", e.text);
    int64_t pause = LOOK_IDLE_NS;
    if (disturbed)
        pause = LOOK_QUIET_NS;
    else if (anything_ending(d))
        pause = LOOK_ENDING_NS;
    else if (d->actives.len > 0 || e.kind)
        pause = LOOK_RUNNING_NS;
    return clock_now_ns() + pause;
}

void dispatch_end(void *self)
{
    struct dispatch *d = self;
    executor_stop(d->o.executor, clock_now_ns() + STOP_GRACE_NS);
    for (size_t i = 0; i < d->actives.len; i++) {
        const struct active *a = &d->actives.at[i];
        struct err e = {0};
        if (store_attempt_release(d->o.store, a->job, a->attempt, &e) < 0 &&
            e.kind != ERR_CONFLICT)
            log_error("job not put back", "job=%" PRId64 ": %s", a->job, e.text);
        dispatch_remove_files(d, a->job);
    }
    d->actives.len = 0;
    quiet_release(d->quiet);
}
