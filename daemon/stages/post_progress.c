/* SPDX-License-Identifier: MIT */
/*
 * How far a job is: as a pending status of its head, and in the comment of its merge request
 * where there is one already or the repository wants one always. What is told changes at once
 * with the phase and, within one, no more often than once a minute.
 *
 * A job's row is read and its texts are queued in one transaction, so no text about its
 * progress can come behind its verdict's.
 */
#include <inttypes.h>

#include "clock.h"
#include "log.h"
#include "post_parts.h"
#include "report_progress.h"
#include "spec.h"
#include "store_job.h"

enum { PROGRESS_MS = 60 * 1000 };

static bool same_phase(const char *a, const char *b)
{
    struct view x, y, rest;
    (void)view_cut(view_z(a), ',', &x, &rest);
    (void)view_cut(view_z(b), ',', &y, &rest);
    return view_eq(x, y);
}

static bool is_news(const struct post *p, const struct progress *g, const char *words)
{
    int64_t pace = p->progress_ms ? p->progress_ms : PROGRESS_MS;
    if (strcmp(words, g->told) == 0)
        return false;
    return !same_phase(words, g->told) || clock_wall_ms() - g->told_ms >= pace;
}

static int wants_always(struct store *s, int64_t spec_id, bool *out, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(SPEC_BYTES_MAX);
    AUTO(spec_freep) struct spec *spec = NULL;
    struct err ignored;
    *out = false;
    if (!spec_id)
        return 0;
    if (store_spec_body(s, spec_id, &body, e) < 0)
        return -1;
    if (spec_parse(str_view(&body), SPEC_FILE, &spec, &ignored) == 0)
        *out = spec->report.when == SPEC_REPORT_ALWAYS;
    return 0;
}

static struct outbox text_of(const struct progress *g, enum outbox_target target)
{
    return (struct outbox){.repo_id = g->repo_id, .job_id = g->job, .target = target};
}

static int tell_status(struct post *p, const struct progress *g, const char *words,
                       struct err *e)
{
    AUTO(str_done) struct str url = STR_INIT(2048);
    struct outbox o = text_of(g, OUTBOX_STATUS);
    struct notice_status status = {
        .state = g->state == JOB_SUPERSEDED ? FORGE_NEUTRAL : FORGE_PENDING,
        .description = words,
    };
    sha_hex(&g->head, status.sha);
    if (p->public_url)
        str_addf(&url, "%s/jobs/%" PRId64, p->public_url, g->job);
    status.url = url.len ? str_text(&url) : NULL;
    return notice_queue_status(p->store, &o, &status, e);
}

/* The comment that speaks now; '*used' when there is one. */
static int pick_slot(struct post *p, const struct progress *g, struct outbox *o, bool *used,
                     struct err *e)
{
    notice_name_slot(o, "mr/%" PRId64 "/confirmed", g->mr);
    if (store_outbox_slot_used(p->store, o, used, e) < 0)
        return -1;
    if (*used)
        return 0;
    notice_name_slot(o, "mr/%" PRId64 "/report", g->mr);
    return store_outbox_slot_used(p->store, o, used, e);
}

static int tell_comment(struct post *p, const struct progress *g, struct report_progress *words,
                        struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(8192);
    struct outbox o = text_of(g, OUTBOX_COMMENT);
    struct remote_object remote = {.repo_id = g->repo_id, .target = OUTBOX_COMMENT};
    bool used, always;
    if (pick_slot(p, g, &o, &used, e) < 0 || wants_always(p->store, g->spec_id, &always, e) < 0)
        return -1;
    if (!used && !always)
        return 0;
    memcpy(remote.slot, o.slot, sizeof remote.slot);
    if (store_remote_get(p->store, &remote, e) < 0)
        return -1;
    words->said = remote.said;
    report_progress_md(words, &body);
    return notice_queue(p->store, &o, &body, e);
}

/* A superseded job's comment already speaks of the newer head. */
static int tell(struct post *p, const struct notice_forge *forge, const struct progress *g,
                struct err *e)
{
    AUTO(str_done) struct str words = STR_INIT(TOLD_WORDS_MAX);
    char head[JOB_SHA_MAX + 1];
    sha_hex(&g->head, head);
    struct report_progress said = {
        .state = g->state,
        .confirms = g->kind == JOB_CONFIRM,
        .stage = g->stage,
        .before = g->before,
        .rounds_done = g->rounds_done,
        .rounds_planned = g->rounds_planned,
        .left_ms = g->eta_ms > clock_wall_ms() ? g->eta_ms - clock_wall_ms() : 0,
        .job = g->job,
        .head = head,
        .branch = g->branch,
        .said = "",
        .public_url = p->public_url,
    };
    report_progress_words(&said, &words);
    if (!is_news(p, g, str_text(&words)))
        return 0;
    if ((forge->statuses && tell_status(p, g, str_text(&words), e) < 0) ||
        (forge->comments && g->mr && g->state != JOB_SUPERSEDED &&
         tell_comment(p, g, &said, e) < 0))
        return -1;
    log_debug("progress told", "job=%" PRId64 " words=%s", g->job, str_text(&words));
    return g->state == JOB_SUPERSEDED
               ? store_progress_forget(p->store, g->job, e)
               : store_progress_told(p->store, g->job, str_text(&words), e);
}

static int next(struct post *p, int64_t *after, bool *found, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    struct progress g;
    if (store_begin(p->store, &tx, e) < 0 ||
        store_progress_next(p->store, *after, &g, found, e) < 0)
        return -1;
    if (*found) {
        const struct notice_forge *forge = notice_forge_of(&p->targets, g.repo);
        *after = g.job;
        if (forge && tell(p, forge, &g, e) < 0)
            return -1;
    }
    return store_commit(&tx, e);
}

int post_progress(struct post *p, struct err *e)
{
    int64_t after = 0;
    bool found = true;
    if (!p->targets.forges_len)
        return 0;
    while (found && !(p->stopping && atomic_load(p->stopping)))
        if (next(p, &after, &found, e) < 0)
            return err_ctx(e, "progress");
    return store_progress_forget(p->store, 0, e);
}
