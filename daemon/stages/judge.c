/* SPDX-License-Identifier: MIT */
/*
 * judge: see judge.h.
 *
 * Reading and computing come first, outside any transaction; this stage alone writes points and
 * verdicts, so nothing of it can have changed when the writing begins. The move of the job
 * guards the rest: a job that is 'measured' no more makes the whole transaction fail with
 * ERR_CONFLICT.
 */
#include "judge.h"

#include <inttypes.h>

#include "clock.h"
#include "explain.h"
#include "judge_parts.h"
#include "log.h"
#include "report.h"
#include "store_alert.h"
#include "store_job.h"
#include "store_outbox.h"

#define JUDGE_LOOK_NS  (60 * CLOCK_NS_PER_S)
#define JUDGE_RETRY_NS (5 * CLOCK_NS_PER_S)

void judgement_done(struct judgement *g)
{
    spec_freep(&g->spec);
    job_samples_done(&g->samples);
    verdict_record_done(&g->verdict);
}

int judge_load_spec(struct store *s, int64_t spec_id, struct spec **out, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(SPEC_BYTES_MAX);
    if (!spec_id)
        return err_set(e, ERR_INPUT, "the job has no specification");
    if (store_spec_body(s, spec_id, &body, e) < 0)
        return -1;
    return spec_parse(str_view(&body), SPEC_FILE, out, e);
}

void judge_set_rules(struct judgement *g, int planned)
{
    char now[CLOCK_ISO_BYTES];
    clock_iso(clock_wall_ms(), now);
    g->rules = (struct judge_rules){.spec = g->spec, .seed = (uint64_t)g->job.seed};
    memcpy(g->rules.today, now, JUDGE_DATE_BYTES - 1);
    judge_set_looks(g->spec, planned, &g->rules);
}

/* A job that a look has ended is judged at that look. One that ended for another reason, all
 * rounds measured or no time left, may spend what is left of alpha on the rounds it has: that
 * reason says nothing about their values. Looks before count as spent either way. */
static void choose_look(struct judgement *g)
{
    int look = judge_find_look(&g->rules, (int)g->samples.rounds);
    if (g->run.end == RESULT_END_LOOK && look >= 0)
        g->rules.look = look;
}

static int load(struct store *s, const struct job *job, struct judgement *g, struct err *e)
{
    bool found;
    g->job = *job;
    g->verdict.job_id = job->id;
    if (store_run_by_job(s, job->id, &g->run, &found, e) < 0 ||
        store_samples_load(s, job->id, &g->samples, e) < 0)
        return -1;
    if (!found)
        return err_set(e, ERR_INPUT, "the job has no run");
    if (judge_load_spec(s, job->spec_id, &g->spec, e) < 0)
        return -1;
    judge_set_rules(g, g->run.rounds_planned);
    choose_look(g);
    return 0;
}

static int decide(struct store *s, struct judgement *g, struct err *e)
{
    AUTO(str_done) struct str reason = STR_INIT(100);
    if (g->run.identical) {
        g->verdict.outcome = OUTCOME_IDENTICAL;
        judge_add_why(&g->verdict,
                      "base and head build the same artefact; nothing was measured");
        return 0;
    }
    if (store_void_reason(s, g->job.id, &reason, e) < 0)
        return -1;
    if (judge_verdict(&g->samples, &g->rules, str_text(&reason), &g->verdict, e) < 0)
        return -1;
    struct judge_jobs alone = {.id = {g->job.id}, .len = 1};
    return judge_apply_ignores(s, g->job.mr_id, &g->verdict, e) < 0
               ? -1
               : judge_shapes(s, &alone, g->rules.seed, &g->verdict, e);
}

/* --- what follows from a verdict ---------------------------------------------------------- */

/* Keeps the title when no row changed: it then says what had been suspected. */
static void title_alert(struct alert *a, const struct verdict_record *v)
{
    AUTO(str_done) struct str title = STR_INIT(ALERT_TITLE_MAX - 1);
    for (size_t i = 0; i < v->lines.len && !title.len; i++) {
        const struct verdict_line *line = &v->lines.at[i];
        if (!line->primary ||
            (line->outcome != OUTCOME_SLOWER && line->outcome != OUTCOME_FASTER))
            continue;
        str_addf(&title, "%s ", metric_table[line->metric].title);
        report_effect(line->metric, line->effect, &title);
        str_addf(&title, " in %s%s%s", line->scenario, line->variant[0] ? " with " : "",
                 line->variant);
    }
    size_t n = view_utf8_prefix(str_view(&title), ALERT_TITLE_MAX - 1);
    if (!n)
        return;
    memcpy(a->title, str_text(&title), n);
    a->title[n] = '\0';
}

static int put_alert(struct store *s, const struct judgement *g, enum alert_state state,
                     struct err *e)
{
    struct alert a = {
        .repo_id = g->job.repo_id,
        .branch_id = g->job.branch_id,
        .mr_id = g->job.mr_id,
        .job_id = g->job.id,
        .commit_id = g->job.head,
        .kind = judge_is_slower(&g->verdict) ? ALERT_REGRESSION : ALERT_IMPROVEMENT,
        .state = state,
    };
    title_alert(&a, &g->verdict);
    explain_add(a.why, sizeof a.why, "%s", g->verdict.why);
    return store_alert_put(s, &a, e);
}

static int move_alert(struct store *s, const struct judgement *g, enum alert_state state,
                      struct err *e)
{
    struct alert a;
    bool found;
    if (store_alert_by_job(s, g->job.id, &a, &found, e) < 0)
        return -1;
    if (!found)
        return judge_is_slower(&g->verdict) ? put_alert(s, g, state, e) : 0;
    a.state = state;
    title_alert(&a, &g->verdict);
    a.why[0] = '\0';
    explain_add(a.why, sizeof a.why, "%s", g->verdict.why);
    return store_alert_put(s, &a, e);
}

static bool watched(enum job_kind kind)
{
    return kind == JOB_PUSH || kind == JOB_MR || kind == JOB_BACKFILL;
}

static int queue_confirm(struct store *s, const struct job *job, struct err *e)
{
    struct job want = {
        .repo_id = job->repo_id,
        .branch_id = job->branch_id,
        .mr_id = job->mr_id,
        .confirms = job->id,
        .kind = JOB_CONFIRM,
        .base = job->base,
        .head = job->head,
    };
    int64_t id;
    bool added;
    if (store_job_add(s, &want, &id, &added, e) < 0)
        return -1;
    if (added)
        log_info("job queued", "job=%" PRId64 " kind=confirm confirms=%" PRId64, id, job->id);
    return 0;
}

static int follow_up(struct store *s, const struct judgement *g, bool *queued, struct err *e)
{
    *queued = false;
    if (!watched(g->job.kind))
        return 0;
    if (g->job.mr_id && store_alert_close_older(s, g->job.mr_id, g->job.id, e) < 0)
        return -1;
    if (judge_is_slower(&g->verdict)) {
        *queued = g->spec->confirm_reruns > 0;
        if (*queued && queue_confirm(s, &g->job, e) < 0)
            return -1;
        return put_alert(s, g, *queued ? ALERT_CONFIRMING : ALERT_OPEN, e);
    }
    return g->verdict.outcome == OUTCOME_FASTER ? put_alert(s, g, ALERT_OPEN, e) : 0;
}

/* --- one job ------------------------------------------------------------------------------ */

static int write_verdict(struct store *s, const struct judgement *g, struct err *e)
{
    if (store_verdict_put(s, &g->verdict, e) < 0 ||
        store_job_judged(s, g->job.id, g->verdict.outcome, e) < 0)
        return -1;
    return 0;
}

/* What the histories say now that they have the points of this job. */
static int look_back(struct store *s, const struct judgement *g, bool *queued, struct err *e)
{
    bool more;
    if (judge_causes(s, &g->job, &g->run, &g->rules, &more, e) < 0 ||
        judge_anchors(s, &g->job, &g->run, queued, e) < 0 ||
        judge_bridges(s, &g->job, &g->samples, e) < 0)
        return -1;
    *queued = *queued || more;
    return 0;
}

static void wake_dispatch(const struct judge *j, bool queued)
{
    if (queued && j->bells)
        bell_ring(&j->bells->dispatch);
}

static int judge_plain(const struct judge *j, const struct judgement *g, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    bool queued;
    if (store_begin(j->store, &tx, e) < 0 || write_verdict(j->store, g, e) < 0 ||
        judge_points(j->store, &g->job, &g->run, &g->samples, g->spec, e) < 0 ||
        judge_pair_points(j->store, &g->job, &g->verdict, NULL, e) < 0 ||
        follow_up(j->store, g, &queued, e) < 0 || look_back(j->store, g, &queued, e) < 0 ||
        judge_notice(j, g->job.id, g->job.id, g->spec, e) < 0 || store_commit(&tx, e) < 0)
        return -1;
    wake_dispatch(j, queued);
    return 0;
}

static int load_first(struct store *s, int64_t job, struct judgement *g, bool *found,
                      struct err *e)
{
    struct job row;
    if (store_job_get(s, job, &row, e) < 0 || load(s, &row, g, e) < 0)
        return -1;
    verdict_record_done(&g->verdict);
    return store_verdict_get(s, job, &g->verdict, found, e);
}

/* The first job's verdict, points and alert after this one measured the same commits again. */
static int settle_first(const struct judge *j, const struct judgement *own,
                        struct judgement *first, bool *queued, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record both = {.job_id = first->job.id};
    judge_join(&first->samples, &own->samples);
    first->rules.looks_len = 0; /* the rounds of two jobs are looked at once */
    if (judge_verdict(&first->samples, &first->rules, "", &both, e) < 0 ||
        judge_apply_ignores(j->store, first->job.mr_id, &both, e) < 0)
        return -1;
    struct judge_second second = {.again = &own->verdict, .both = &both, .job = own->job.id};
    bool agreed = judge_reconsider(&first->verdict, &second);
    struct judge_jobs jobs = {.id = {first->job.id, own->job.id}, .len = 2};
    if (judge_shapes(j->store, &jobs, first->rules.seed, &first->verdict, e) < 0)
        return -1;
    bool slower = judge_is_slower(&first->verdict);
    log_info("job reconsidered", "job=%" PRId64 " by=%" PRId64 " outcome=%s confirmed=%d",
             first->job.id, own->job.id, outcome_names[first->verdict.outcome], agreed);
    if (store_verdict_put(j->store, &first->verdict, e) < 0 ||
        store_job_set_outcome(j->store, first->job.id, first->verdict.outcome, e) < 0 ||
        judge_points(j->store, &first->job, &first->run, &first->samples, first->spec, e) < 0 ||
        judge_pair_points(j->store, &first->job, &first->verdict, &own->verdict, e) < 0 ||
        move_alert(j->store, first, slower ? ALERT_OPEN : ALERT_NOISE, e) < 0)
        return -1;
    return look_back(j->store, first, queued, e);
}

static int judge_second_job(const struct judge *j, const struct judgement *own, struct err *e)
{
    AUTO(judgement_done) struct judgement first = {0};
    AUTO(store_tx_done) struct store_tx tx = {0};
    bool found, queued = false;
    if (load_first(j->store, own->job.confirms, &first, &found, e) < 0)
        return err_ctx(e, "confirmed job %" PRId64, own->job.confirms);
    if (!found)
        return judge_plain(j, own, e);
    if (store_begin(j->store, &tx, e) < 0 || write_verdict(j->store, own, e) < 0 ||
        settle_first(j, own, &first, &queued, e) < 0 ||
        judge_notice(j, first.job.id, own->job.id, first.spec, e) < 0 ||
        store_commit(&tx, e) < 0)
        return -1;
    wake_dispatch(j, queued);
    return 0;
}

/* What was delivered cannot be judged, today or ever: say so instead of trying for ever. */
static int give_up(const struct judge *j, const struct job *job, const struct err *why,
                   struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(judgement_done)
    struct judgement g = {
        .job = *job,
        .verdict = {.job_id = job->id, .outcome = OUTCOME_NOT_COMPARABLE},
    };
    judge_add_why(&g.verdict, "it cannot be judged: %s", why->text);
    log_error("job not judged", "job=%" PRId64 " error=%s", job->id, why->text);
    if (store_begin(j->store, &tx, e) < 0 || write_verdict(j->store, &g, e) < 0 ||
        judge_notice(j, job->id, job->id, NULL, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

bool judge_is_permanent(const struct err *e)
{
    return e->kind == ERR_INPUT || e->kind == ERR_LIMIT || e->kind == ERR_NOT_FOUND;
}

static int judge_measured(const struct judge *j, const struct job *job, struct err *e)
{
    AUTO(judgement_done) struct judgement g = {0};
    int r = load(j->store, job, &g, e) < 0 || decide(j->store, &g, e) < 0 ? -1 : 0;
    if (r == 0)
        r = job->kind == JOB_CONFIRM ? judge_second_job(j, &g, e) : judge_plain(j, &g, e);
    if (r < 0) {
        struct err why = *e;
        return judge_is_permanent(&why) ? give_up(j, job, &why, e) : -1;
    }
    log_info("job judged", "job=%" PRId64 " outcome=%s rounds=%d void=%d", job->id,
             outcome_names[g.verdict.outcome], g.verdict.rounds, g.verdict.rounds_void);
    return 0;
}

/* --- failed jobs -------------------------------------------------------------------------- */

/* A suspicion that could not be measured again stays one; nobody waits for it any longer. */
static int release_first(const struct judge *j, const struct job *job, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record v = {0};
    struct alert a;
    bool found, alerted;
    if (store_verdict_get(j->store, job->confirms, &v, &found, e) < 0 ||
        store_alert_by_job(j->store, job->confirms, &a, &alerted, e) < 0)
        return -1;
    if (found) {
        judge_add_why(&v, "; job %" PRId64 " could not measure it again", job->id);
        if (store_verdict_put(j->store, &v, e) < 0)
            return -1;
    }
    if (!alerted || a.state != ALERT_CONFIRMING)
        return 0;
    a.state = ALERT_OPEN;
    return store_alert_put(j->store, &a, e);
}

static int judge_failed(const struct judge *j, int64_t id, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(spec_freep) struct spec *spec = NULL;
    struct job job;
    if (store_job_get(j->store, id, &job, e) < 0)
        return -1;
    if (job.spec_id && judge_load_spec(j->store, job.spec_id, &spec, e) < 0 &&
        !judge_is_permanent(e))
        return -1;
    bool second = job.kind == JOB_CONFIRM && job.confirms;
    if (store_begin(j->store, &tx, e) < 0 || (second && release_first(j, &job, e) < 0) ||
        judge_notice(j, second ? job.confirms : job.id, job.id, spec, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

/* --- the stage ---------------------------------------------------------------------------- */

static int judge_next(const struct judge *j, bool *worked, struct err *e)
{
    struct job job;
    int64_t failed;
    /* First what somebody waits for. */
    int looked = judge_look(j, worked, e);
    if (looked < 0 || *worked)
        return looked;
    if (store_job_in_state(j->store, JOB_MEASURED, &job, worked, e) < 0)
        return -1;
    if (*worked)
        return judge_measured(j, &job, e) < 0 ? err_ctx(e, "judge job %" PRId64, job.id) : 0;
    if (judge_decision(j, worked, e) < 0)
        return -1;
    if (*worked)
        return 0;
    if (store_outbox_silent_failure(j->store, &failed, worked, e) < 0)
        return -1;
    if (*worked && judge_failed(j, failed, e) < 0)
        return err_ctx(e, "report job %" PRId64, failed);
    return 0;
}

int64_t judge_step(void *self)
{
    const struct judge *j = self;
    bool worked = true, any = false, well = true;
    while (worked && well && !(j->stopping && atomic_load(j->stopping))) {
        struct err e = {0};
        if (judge_next(j, &worked, &e) < 0) {
            well = e.kind == ERR_CONFLICT; /* the job has moved on: look for the next one */
            if (!well)
                log_error("judge stopped", "error=%s", e.text);
        } else {
            any = any || worked;
        }
    }
    if (any && j->bells)
        bell_ring(&j->bells->post);
    return clock_now_ns() + (well ? JUDGE_LOOK_NS : JUDGE_RETRY_NS);
}
