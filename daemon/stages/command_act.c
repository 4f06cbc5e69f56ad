/* SPDX-License-Identifier: MIT */
/* command_act: what each command does; see commands.h. */
#include <inttypes.h>
#include <stdio.h>

#include "command_parts.h"
#include "report_reply.h"
#include "store_alert.h"
#include "store_approval.h"
#include "store_change.h"
#include "store_job.h"
#include "store_report.h"
#include "store_verdict.h"

static void say(struct asking *a, const char *fmt, ...) PRINTF(2, 3);

static void say(struct asking *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str_clear(&a->reply);
    str_addv(&a->reply, fmt, args);
    va_end(args);
}

static void ring(struct asking *a, const struct bell *bell)
{
    a->ring = a->stage->bells ? bell : NULL;
}

#define BELL(a, name) ((a)->stage->bells ? &(a)->stage->bells->name : NULL)

/* --- bench -------------------------------------------------------------------------------- */

static void name_ref(const struct asking *a, char out[RECORD_REF_MAX])
{
    enum forge_kind kind = forge_kind(a->forge->forge);
    const char *folder = kind == FORGE_GITLAB             ? "merge-requests"
                         : kind == FORGE_BITBUCKET_SERVER ? "pull-requests"
                                                          : "pull";
    (void)snprintf(out, RECORD_REF_MAX, "refs/%s/%" PRId64 "/%s", folder, a->row.mr,
                   kind == FORGE_BITBUCKET_SERVER ? "from" : "head");
}

/* The head that the forge names now and no other: a push that comes later needs another word.
 */
static int approve(const struct asking *a, const struct sha *head, struct err *e)
{
    struct approval approval = {
        .repo_id = a->row.repo_id, .mr = a->row.mr, .sha = *head, .how = APPROVAL_COMMENT};
    memcpy(approval.who, a->row.who, sizeof approval.who);
    memcpy(approval.role, a->row.role, sizeof approval.role);
    return store_approval_add(a->stage->store, &approval, e);
}

static int act_bench(struct asking *a, struct err *e)
{
    struct change c = {.repo_id = a->row.repo_id, .source = CHANGE_MANUAL};
    struct change_wish wish = {.rounds = a->command.rounds};
    int64_t id;
    bool added;
    if (!a->mr.open) {
        say(a, "the merge request is closed, so nothing is measured");
        return 0;
    }
    if (forge_kind(a->forge->forge) == FORGE_BITBUCKET) {
        say(a, "Bitbucket Cloud keeps no reference of a merge request by which its head could "
               "be fetched, so it cannot be measured");
        return 0;
    }
    if (!sha_parse(view_z(a->mr.head), &c.head))
        return err_set(e, ERR_PROTOCOL, "the forge names no complete head");
    name_ref(a, c.ref);
    (void)snprintf(wish.scenario, sizeof wish.scenario, "%s", a->command.scenario);
    if (approve(a, &c.head, e) < 0 || store_change_add(a->stage->store, &c, &id, &added, e) < 0)
        return -1;
    if (added && (wish.rounds || wish.scenario[0]) &&
        store_wish_put(a->stage->store, id, &wish, e) < 0)
        return -1;
    say(a, "%.12s will be measured", a->mr.head);
    ring(a, BELL(a, watch));
    return 0;
}

/* --- what was measured before ------------------------------------------------------------- */

/* The newest judged job; *found false has been answered. */
static int find_judged(struct asking *a, struct merge_request *mr, struct job *job, bool *found,
                       struct err *e)
{
    struct store *s = a->stage->store;
    if (store_mr_by_number(s, a->row.repo_id, a->row.mr, mr, found, e) < 0 ||
        (*found && store_job_mr_judged(s, mr->id, job, found, e) < 0))
        return -1;
    if (!*found)
        say(a, "nothing of this merge request has been judged yet");
    return 0;
}

static int act_confirm(struct asking *a, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record v = {0};
    struct merge_request mr;
    struct job job;
    int64_t id;
    bool found, added;
    if (find_judged(a, &mr, &job, &found, e) < 0 ||
        (found && store_verdict_get(a->stage->store, job.id, &v, &found, e) < 0))
        return -1;
    if (!found)
        return 0;
    if ((v.outcome != OUTCOME_SLOWER && v.outcome != OUTCOME_MIXED) || v.confirmed) {
        say(a, v.confirmed
                   ? "a second job has confirmed it already"
                   : "there is no slowdown to confirm; '/pacewatch bench' measures anew");
        return 0;
    }
    struct job want = {.repo_id = job.repo_id,
                       .branch_id = job.branch_id,
                       .mr_id = job.mr_id,
                       .confirms = job.id,
                       .kind = JOB_CONFIRM,
                       .base = job.base,
                       .head = job.head};
    if (store_job_add(a->stage->store, &want, &id, &added, e) < 0)
        return -1;
    say(a,
        added ? "job %" PRId64 " measures both once more"
              : "job %" PRId64 " is about to measure both once more",
        id);
    ring(a, BELL(a, dispatch));
    return 0;
}

static int decide(struct asking *a, const struct merge_request *mr, int64_t job,
                  enum decision_kind kind, struct err *e)
{
    struct decision d = {.mr_id = mr->id, .kind = kind, .job_id = job};
    (void)snprintf(d.scenario, sizeof d.scenario, "%s",
                   kind == DECISION_IGNORE ? a->command.scenario : "");
    (void)snprintf(d.reason, sizeof d.reason, "%s", a->command.reason);
    memcpy(d.who, a->row.who, sizeof d.who);
    memcpy(d.role, a->row.role, sizeof d.role);
    ring(a, BELL(a, judge));
    return store_decision_add(a->stage->store, &d, e);
}

static int act_accept(struct asking *a, struct err *e)
{
    struct merge_request mr;
    struct alert alert;
    struct job job;
    bool found;
    if (find_judged(a, &mr, &job, &found, e) < 0)
        return -1;
    if (!found)
        return 0;
    if (store_alert_by_job(a->stage->store, job.id, &alert, &found, e) < 0)
        return -1;
    if (!found || alert.kind != ALERT_REGRESSION || alert.closed_ms) {
        say(a, "there is no slowdown to accept");
        return 0;
    }
    say(a, "accepted: %s", a->command.reason);
    return decide(a, &mr, job.id, DECISION_ACCEPT, e);
}

static bool has_scenario(const struct verdict_record *v, const char *name)
{
    for (size_t i = 0; i < v->lines.len; i++)
        if (strcmp(v->lines.at[i].scenario, name) == 0)
            return true;
    return false;
}

static int act_ignore(struct asking *a, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record v = {0};
    struct merge_request mr;
    struct job job;
    bool found;
    if (find_judged(a, &mr, &job, &found, e) < 0 ||
        (found && store_verdict_get(a->stage->store, job.id, &v, &found, e) < 0))
        return -1;
    if (!found)
        return 0;
    if (!has_scenario(&v, a->command.scenario)) {
        say(a, "nothing was measured in a scenario '%s'", a->command.scenario);
        return 0;
    }
    say(a, "scenario '%s' decides nothing in this merge request any more: %s",
        a->command.scenario, a->command.reason);
    return decide(a, &mr, job.id, DECISION_IGNORE, e);
}

static int act_cancel(struct asking *a, struct err *e)
{
    struct merge_request mr;
    int running = 0;
    bool found;
    if (store_mr_by_number(a->stage->store, a->row.repo_id, a->row.mr, &mr, &found, e) < 0 ||
        (found && store_job_supersede(a->stage->store, mr.id, 0, &running, e) < 0))
        return -1;
    say(a, running ? "what was running is being stopped" : "nothing is queued any more");
    ring(a, BELL(a, dispatch));
    return 0;
}

static int act_explain(struct asking *a, struct err *e)
{
    AUTO(report_record_done) struct report r = {0};
    struct merge_request mr;
    struct job job;
    bool found;
    if (find_judged(a, &mr, &job, &found, e) < 0)
        return -1;
    if (!found)
        return 0;
    if (store_report_load(a->stage->store, job.id, &r, e) < 0)
        return -1;
    say(a, "this is what job %" PRId64 " found", job.id);
    report_reply_explain(&r, &a->more);
    return 0;
}

static int act_help(struct asking *a, struct err *e)
{
    (void)e;
    say(a, "this is what can be asked");
    report_reply_help(&a->more);
    return 0;
}

int command_act(struct asking *a, struct err *e)
{
    static int (*const acts[COMMAND_VERB_COUNT])(struct asking *, struct err *) = {
        [COMMAND_BENCH] = act_bench,   [COMMAND_CONFIRM] = act_confirm,
        [COMMAND_ACCEPT] = act_accept, [COMMAND_IGNORE] = act_ignore,
        [COMMAND_CANCEL] = act_cancel, [COMMAND_EXPLAIN] = act_explain,
        [COMMAND_HELP] = act_help,
    };
    return acts[a->command.verb](a, e);
}
