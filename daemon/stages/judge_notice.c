/* SPDX-License-Identifier: MIT */
/*
 * Who is told what. The file of a slot always shows the newest state, and so does the status of
 * the commit. Everything else is quiet when nothing changed, never speaks of a suspicion that
 * is still being measured again, and never of the past that a backfill looks at. Where it has
 * spoken once, it also takes back.
 *
 * A merge request has one comment, which is edited. Forges send mails for new comments only, so
 * the first confirmed regression gets a new one, and from then on that is the one.
 */
#include <inttypes.h>
#include <stdio.h>

#include "json_write.h"
#include "judge_parts.h"
#include "report.h"
#include "report_progress.h"
#include "store_job.h"
#include "store_remote.h"
#include "store_report.h"

struct telling { /* about one job */
    const struct judge *j;
    const struct report *report;
    enum spec_report_when when;
    bool gate;
    int64_t repo_id, cause;
    const struct str *markdown;
    struct str url; /* of the job's page; empty: unknown */
};

static bool is_change(const struct report *r)
{
    return r->judged && (judge_is_slower(&r->verdict) || r->verdict.outcome == OUTCOME_FASTER);
}

static bool worth_telling(const struct report *r, enum spec_report_when when)
{
    bool failed = r->state == JOB_FAILED;
    switch (when) {
    case SPEC_REPORT_ALWAYS:
        return true;
    case SPEC_REPORT_CONFIRMED:
        return r->judged && judge_is_slower(&r->verdict) && r->verdict.confirmed;
    default:
        return failed || is_change(r);
    }
}

static int should_send(const struct telling *t, const struct outbox *o, bool *out,
                       struct err *e)
{
    const struct report *r = t->report;
    bool waits = r->confirming && judge_is_slower(&r->verdict) && t->when != SPEC_REPORT_ALWAYS;
    *out = false;
    if ((r->kind != JOB_MR && r->kind != JOB_PUSH) || waits)
        return 0;
    if (worth_telling(r, t->when)) {
        *out = true;
        return 0;
    }
    return store_outbox_slot_used(t->j->store, o, out, e);
}

static void name_slot(struct outbox *o, const struct report *r)
{
    if (r->kind == JOB_BISECT || r->kind == JOB_ANCHOR) /* not the commit's own report */
        notice_name_slot(o, "job/%" PRId64 "/report", r->job);
    else if (r->mr)
        notice_name_slot(o, "mr/%" PRId64 "/report", r->mr);
    else
        notice_name_slot(o, "commit/%s/report", r->head);
}

static struct outbox text_of(const struct telling *t, enum outbox_target target)
{
    struct outbox o = {.repo_id = t->repo_id, .job_id = t->cause, .target = target};
    name_slot(&o, t->report);
    return o;
}

/* --- the forge: status and comment ---------------------------------------------------------
 */

/* What a commit status would be. Only a repository that asked for it is stopped, and only by
 * what a second job has found again, or by a commit that cannot be measured by its own fault.
 */
static enum forge_state conclusion(const struct report *r, bool gate)
{
    if (!r->judged)
        return gate && failure_is_commits_fault(r->failure) ? FORGE_FAILURE : FORGE_NEUTRAL;
    if (r->accepted_by[0])
        return FORGE_SUCCESS;
    switch (r->verdict.outcome) {
    case OUTCOME_NO_CHANGE:
    case OUTCOME_FASTER:
    case OUTCOME_IDENTICAL:
        return FORGE_SUCCESS;
    case OUTCOME_SLOWER:
    case OUTCOME_MIXED:
        return gate && r->verdict.confirmed ? FORGE_FAILURE : FORGE_NEUTRAL;
    default:
        return FORGE_NEUTRAL;
    }
}

/* A suspicion that is measured again is not decided yet. */
static int tell_status(const struct telling *t, const struct notice_forge *forge, struct err *e)
{
    const struct report *r = t->report;
    AUTO(str_done) struct str words = STR_INIT(512);
    struct notice_status status = {
        .state = r->confirming ? FORGE_PENDING : conclusion(r, t->gate),
        .url = t->url.len ? str_text(&t->url) : NULL,
    };
    if (!forge || !forge->statuses || (r->kind != JOB_MR && r->kind != JOB_PUSH))
        return 0;
    report_headline(r, &words);
    status.description = str_text(&words);
    if (forge_has_checks(forge->forge))
        status.summary = str_text(t->markdown);
    memcpy(status.sha, r->head, sizeof status.sha);
    struct outbox o = text_of(t, OUTBOX_STATUS);
    return notice_queue_status(t->j->store, &o, &status, e);
}

/* The text of a comment, short enough for the forge, and what it said before. */
static int queue_comment(const struct telling *t, const struct notice_forge *forge,
                         struct outbox *o, struct err *e)
{
    struct remote_object remote = {.repo_id = t->repo_id, .target = OUTBOX_COMMENT};
    size_t most = forge_comment_bytes_max(forge_kind(forge->forge)) - NOTICE_ROOM;
    AUTO(str_done)
    struct str body = STR_INIT(most < REPORT_MD_BYTES_MAX ? most : REPORT_MD_BYTES_MAX);
    AUTO(str_done) struct str said = STR_INIT(REMOTE_SAID_MAX);
    memcpy(remote.slot, o->slot, sizeof remote.slot);
    if (store_remote_get(t->j->store, &remote, e) < 0)
        return -1;
    report_md(t->report, &body);
    report_said(t->report, &said);
    if (strcmp(remote.said, str_text(&said)) != 0) {
        body.max += NOTICE_ROOM / 2;
        report_before_md(remote.said, &body);
        memcpy(remote.said, str_text(&said), said.len + 1);
        if (store_remote_put(t->j->store, &remote, e) < 0)
            return -1;
    }
    return notice_queue(t->j->store, o, &body, e);
}

static int queue_moved(const struct telling *t, struct outbox *o, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(512);
    report_moved_md(&body);
    return notice_queue(t->j->store, o, &body, e);
}

static int tell_comment(const struct telling *t, const struct notice_forge *forge,
                        struct err *e)
{
    const struct report *r = t->report;
    struct outbox first = text_of(t, OUTBOX_COMMENT), confirmed = first;
    bool moved, used, send;
    if (!forge || !forge->comments || !r->mr)
        return 0;
    notice_name_slot(&confirmed, "mr/%" PRId64 "/confirmed", r->mr);
    if (store_outbox_slot_used(t->j->store, &confirmed, &moved, e) < 0 ||
        store_outbox_slot_used(t->j->store, &first, &used, e) < 0 ||
        should_send(t, moved ? &confirmed : &first, &send, e) < 0)
        return -1;
    if (!send)
        return 0;
    bool now = r->judged && judge_is_slower(&r->verdict) && r->verdict.confirmed;
    if (!now && !moved)
        return queue_comment(t, forge, &first, e);
    if (!moved && used && queue_moved(t, &first, e) < 0)
        return -1;
    return queue_comment(t, forge, &confirmed, e);
}

/* --- everybody else ------------------------------------------------------------------------
 */

static void write_payload(const struct telling *t, struct str *out)
{
    const struct report *r = t->report;
    AUTO(str_done) struct str words = STR_INIT(512);
    report_headline(r, &words);
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_text(&w, "type", "report");
    jw_text(&w, "repo", r->repo);
    jw_int(&w, "job", r->job);
    if (r->mr)
        jw_int(&w, "mr", r->mr);
    else
        jw_null(&w, "mr");
    jw_text(&w, "branch", r->branch);
    jw_text(&w, "base", r->base[0] ? r->base : NULL);
    jw_text(&w, "head", r->head);
    jw_text(&w, "outcome", r->judged ? outcome_names[r->verdict.outcome] : NULL);
    jw_bool(&w, "confirmed", r->judged && r->verdict.confirmed);
    jw_text(&w, "conclusion", forge_state_names[conclusion(r, t->gate)]);
    jw_text(&w, "summary", str_text(&words));
    jw_text(&w, "markdown", str_text(t->markdown));
    jw_text(&w, "url", t->url.len ? str_text(&t->url) : NULL);
    jw_end(&w);
}

/* "[shop] slower (confirmed): p99 +31 % ..., merge request 12"; nothing of it is foreign. */
static void write_subject(const struct telling *t, struct str *out)
{
    const struct report *r = t->report;
    str_addf(out, "[%s] ", r->repo);
    report_headline(r, out);
    if (r->mr)
        str_addf(out, ", merge request %" PRId64, r->mr);
    else
        str_addf(out, ", commit %.12s", r->head);
}

static void write_body(const struct telling *t, enum courier_kind kind, struct str *out)
{
    if (kind == COURIER_WEBHOOK) {
        write_payload(t, out);
        return;
    }
    write_subject(t, out);
    if (kind == COURIER_MAIL) {
        str_addc(out, '\n');
        report_text(t->report, &(struct report_text_style){.width = 78}, out);
    }
    if (t->url.len)
        str_addf(out, "\n%s", str_text(&t->url));
}

static int tell_others(const struct telling *t, struct err *e)
{
    const struct notice_target *target;
    size_t at = 0;
    while ((target = notice_target_next(&t->j->targets, t->report->repo, &at))) {
        AUTO(str_done) struct str body = STR_INIT(REPORT_TEXT_BYTES_MAX);
        struct outbox o = text_of(t, notice_outbox_target(target));
        bool send;
        (void)snprintf(o.place, sizeof o.place, "%s", target->place);
        if (should_send(t, &o, &send, e) < 0)
            return -1;
        if (!send)
            continue;
        write_body(t, target->courier.kind, &body);
        if (notice_queue(t->j->store, &o, &body, e) < 0)
            return -1;
    }
    return 0;
}

static int tell(const struct telling *t, struct err *e)
{
    const struct notice_forge *forge = notice_forge_of(&t->j->targets, t->report->repo);
    if (tell_status(t, forge, e) < 0 || tell_comment(t, forge, e) < 0)
        return -1;
    return tell_others(t, e);
}

int judge_notice(const struct judge *j, int64_t job, int64_t cause, const struct spec *spec,
                 struct err *e)
{
    AUTO(report_record_done) struct report r = {0};
    AUTO(str_done) struct str markdown = STR_INIT(REPORT_MD_BYTES_MAX);
    struct job row;
    if (store_report_load(j->store, job, &r, e) < 0 ||
        store_job_get(j->store, job, &row, e) < 0)
        return -1;
    r.public_url = j->public_url;
    report_md(&r, &markdown);
    struct telling t = {
        .j = j,
        .report = &r,
        .when = spec ? spec->report.when : SPEC_REPORT_CHANGES,
        .gate = spec && spec->report.gate,
        .repo_id = row.repo_id,
        .cause = cause,
        .markdown = &markdown,
        .url = STR_INIT(2048),
    };
    if (r.public_url)
        str_addf(&t.url, "%s/jobs/%" PRId64, r.public_url, r.job);
    int told = tell(&t, e);
    str_done(&t.url);
    if (told < 0)
        return -1;
    struct outbox o = text_of(&t, OUTBOX_FILE);
    return notice_queue(j->store, &o, &markdown, e);
}
