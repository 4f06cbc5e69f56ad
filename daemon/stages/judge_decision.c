/* SPDX-License-Identifier: MIT */
/*
 * judge_decision: what people decided about a merge request, shown in verdict and report.
 *
 * An accepted slowdown stays what it is; only its alert is closed and the status of the commit
 * is good. A scenario that is to be ignored is still measured and shown, and decides nothing,
 * now and in later jobs of the same merge request.
 */
#include <inttypes.h>

#include "judge_parts.h"
#include "log.h"
#include "store_alert.h"
#include "store_command.h"
#include "store_job.h"

static void ignore(struct verdict_record *v, const struct decision *d)
{
    for (size_t i = 0; i < v->lines.len; i++) {
        struct verdict_line *line = &v->lines.at[i];
        if (!line->primary || strcmp(line->scenario, d->scenario) != 0)
            continue;
        AUTO(str_done) struct str why = STR_INIT(1024);
        line->primary = false;
        str_addf(&why, "ignored by %.60s: %.100s; %s", d->who, d->reason, line->why);
        size_t n = view_utf8_prefix(str_view(&why), sizeof line->why - 1);
        memcpy(line->why, str_text(&why), n);
        line->why[n] = '\0';
    }
}

int judge_apply_ignores(struct store *s, int64_t mr_id, struct verdict_record *v, struct err *e)
{
    AUTO(decision_list_done) struct decision_list list = {0};
    bool any = false;
    if (!mr_id)
        return 0;
    if (store_decision_list(s, mr_id, &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.at.len; i++) {
        if (list.at.at[i].kind != DECISION_IGNORE)
            continue;
        ignore(v, &list.at.at[i]);
        any = true;
    }
    if (any && v->lines.len)
        judge_sum_up(v);
    return 0;
}

static int apply_ignore(struct store *s, const struct decision *d, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record v = {0};
    bool found;
    if (store_verdict_get(s, d->job_id, &v, &found, e) < 0)
        return -1;
    if (!found)
        return 0;
    if (judge_apply_ignores(s, d->mr_id, &v, e) < 0 || store_verdict_put(s, &v, e) < 0 ||
        store_job_set_outcome(s, d->job_id, v.outcome, e) < 0)
        return -1;
    return judge_is_slower(&v) ? 0 : store_alert_close(s, d->job_id, e);
}

static int apply(const struct judge *j, const struct decision *d, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(spec_freep) struct spec *spec = NULL;
    struct job job;
    if (store_job_get(j->store, d->job_id, &job, e) < 0 ||
        judge_load_spec(j->store, job.spec_id, &spec, e) < 0)
        return -1;
    int rc = store_begin(j->store, &tx, e);
    if (rc == 0)
        rc = d->kind == DECISION_ACCEPT ? store_alert_close(j->store, d->job_id, e)
                                        : apply_ignore(j->store, d, e);
    if (rc < 0 || judge_notice(j, job.id, job.id, spec, e) < 0 ||
        store_decision_applied(j->store, d->id, e) < 0)
        return -1;
    log_info("decision applied", "job=%" PRId64 " kind=%s by=%s", job.id,
             d->kind == DECISION_ACCEPT ? "accept" : "ignore", d->who);
    return store_commit(&tx, e);
}

int judge_decision(const struct judge *j, bool *worked, struct err *e)
{
    struct decision d;
    if (store_decision_next(j->store, &d, worked, e) < 0)
        return -1;
    if (!*worked)
        return 0;
    return apply(j, &d, e) < 0 ? err_ctx(e, "decision %" PRId64, d.id) : 0;
}
