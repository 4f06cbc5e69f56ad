/* SPDX-License-Identifier: MIT */
/*
 * Who is told what. The file of a slot always shows the newest state. A webhook is quiet when
 * nothing changed, never speaks of a suspicion that is still being measured again, and never of
 * the past that a backfill looks at. Where it has spoken once, it also takes back.
 */
#include <inttypes.h>

#include "json_write.h"
#include "judge_parts.h"
#include "report.h"
#include "rng.h"
#include "store_job.h"
#include "store_outbox.h"
#include "store_report.h"

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

static int should_send(struct store *s, const struct outbox *o, const struct report *r,
                       enum spec_report_when when, bool *out, struct err *e)
{
    bool waits = r->confirming && judge_is_slower(&r->verdict) && when != SPEC_REPORT_ALWAYS;
    *out = false;
    if ((r->kind != JOB_MR && r->kind != JOB_PUSH) || waits)
        return 0;
    if (worth_telling(r, when)) {
        *out = true;
        return 0;
    }
    return store_outbox_slot_used(s, o, out, e);
}

static void name_slot(struct outbox *o, const struct report *r)
{
    AUTO(str_done) struct str slot = STR_INIT(OUTBOX_SLOT_MAX - 1);
    if (r->mr)
        str_addf(&slot, "mr/%" PRId64 "/report", r->mr);
    else
        str_addf(&slot, "commit/%s/report", r->head);
    memcpy(o->slot, str_text(&slot), slot.len + 1);
}

static void name_message(struct outbox *o)
{
    unsigned char random[16];
    AUTO(str_done) struct str id = STR_INIT(OUTBOX_MESSAGE_ID_MAX - 1);
    rng_secret(random, sizeof random);
    str_addz(&id, "msg_");
    str_add_hex(&id, random, sizeof random);
    memcpy(o->message_id, str_text(&id), id.len + 1);
}

/* What a commit status would be. Only a repository that asked for it is stopped, and only by
 * what a second job has found again, or by a commit that cannot be measured by its own fault.
 */
static const char *conclusion(const struct report *r, bool gate)
{
    if (!r->judged)
        return gate && failure_is_commits_fault(r->failure) ? "failure" : "neutral";
    switch (r->verdict.outcome) {
    case OUTCOME_NO_CHANGE:
    case OUTCOME_FASTER:
    case OUTCOME_IDENTICAL:
        return "success";
    case OUTCOME_SLOWER:
    case OUTCOME_MIXED:
        return gate && r->verdict.confirmed ? "failure" : "neutral";
    default:
        return "neutral";
    }
}

static void write_payload(const struct report *r, bool gate, const struct str *markdown,
                          struct str *out)
{
    AUTO(str_done) struct str words = STR_INIT(512);
    AUTO(str_done) struct str url = STR_INIT(2048);
    report_headline(r, &words);
    if (r->public_url)
        str_addf(&url, "%s/jobs/%" PRId64, r->public_url, r->job);
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
    jw_text(&w, "conclusion", conclusion(r, gate));
    jw_text(&w, "summary", str_text(&words));
    jw_text(&w, "markdown", str_text(markdown));
    jw_text(&w, "url", url.len ? str_text(&url) : NULL);
    jw_end(&w);
}

static int queue(struct store *s, struct outbox *o, struct str *body, struct err *e)
{
    name_message(o);
    o->body = str_steal(body);
    int r = store_outbox_put(s, o, e);
    outbox_done(o);
    return r;
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
    struct outbox o = {.repo_id = row.repo_id, .job_id = cause, .target = OUTBOX_WEBHOOK};
    name_slot(&o, &r);
    bool send = false;
    enum spec_report_when when = spec ? spec->report.when : SPEC_REPORT_CHANGES;
    if (notice_target_of(&j->targets, r.repo) &&
        should_send(j->store, &o, &r, when, &send, e) < 0)
        return -1;
    if (send) {
        AUTO(str_done) struct str payload = STR_INIT(1 << 20);
        write_payload(&r, spec && spec->report.gate, &markdown, &payload);
        if (queue(j->store, &o, &payload, e) < 0)
            return -1;
    }
    o.target = OUTBOX_FILE;
    return queue(j->store, &o, &markdown, e);
}
