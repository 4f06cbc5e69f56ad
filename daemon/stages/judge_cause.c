/* SPDX-License-Identifier: MIT */
/*
 * From the edges of a branch's histories to causes: one alert for all edges that may come from
 * the same push.
 *
 *     new --machine moved--> environment
 *      |--better------------> open
 *      +--worse--> confirming --bisect job: slower-----> open
 *                     |  ^----- not measured yet
 *                     +--------bisect job: no change--> environment, noise
 *
 * The machine is to blame when the canary steps there too, or when a third of the scenarios, at
 * least five, step the same way; and when the two commits, measured side by side, do not
 * differ. Everything is computed anew from the database each time, so judging a job twice
 * changes nothing. Change points carry the id of their alert: as long as one of them is found
 * again, the alert stays the same.
 */
#include <inttypes.h>
#include <math.h>

#include "alerts.h"
#include "changepoint.h"
#include "epochs.h"
#include "explain.h"
#include "judge_parts.h"
#include "log.h"
#include "report.h"
#include "store_cause.h"
#include "store_job.h"
#include "vec.h"

enum { CANARY_POINTS_MAX = 1000 };

struct causes {
    struct store *store;
    const struct job *job;
    const struct judge_rules *rules;
    int64_t environment_id;
    bool queued;
    struct cause_edge_list edges; /* all, retracted ones too */
    size_t *which;                /* of them that are judged: index in edges */
    struct alert_edge *judged;
    size_t *group_of;
    struct alert_group *groups;
    size_t judged_len, groups_len;
};

static void causes_done(struct causes *c)
{
    cause_edge_list_done(&c->edges);
    free(c->which);
    free(c->judged);
    free(c->group_of);
    free(c->groups);
}

/* --- edges and the machine ---------------------------------------------------------------- */

static int direction_of(const struct cause_edge *edge)
{
    return metric_table[edge->series.metric].direction;
}

/* +1: the level got worse, whatever the metric. */
static int worse_of(const struct cause_edge *edge)
{
    return edge->point.effect * direction_of(edge) < 0 ? 1 : -1;
}

static bool decides(const struct causes *c, const struct cause_edge *edge)
{
    return edge->point.state != CHANGE_POINT_RETRACTED &&
           metric_table[edge->series.metric].primary &&
           !judge_ignored(c->rules, &edge->series, NULL);
}

static void take_edges(struct causes *c)
{
    size_t room = c->edges.at.len + 1;
    c->which = mem_alloc(room * sizeof *c->which);
    c->judged = mem_zero(room, sizeof *c->judged);
    c->group_of = mem_zero(room, sizeof *c->group_of);
    c->groups = mem_zero(room, sizeof *c->groups);
    for (size_t i = 0; i < c->edges.at.len; i++) {
        const struct cause_edge *edge = &c->edges.at.at[i];
        if (!decides(c, edge))
            continue;
        c->which[c->judged_len] = i;
        c->judged[c->judged_len++] = (struct alert_edge){
            .series = (size_t)edge->point.series_id,
            .position = edge->point.pos,
            .loc_lo = edge->point.pos_lo,
            .loc_hi = edge->point.pos_hi,
            .effect = edge->point.effect,
            .direction = direction_of(edge),
            .confirmed = edge->point.state == CHANGE_POINT_CONFIRMED,
        };
    }
}

static const struct cause_edge *edge_of(const struct causes *c, size_t judged)
{
    return &c->edges.at.at[c->which[judged]];
}

/* The scenario is the witness, named by its first edge: its metrics and endpoints share one
 * code path, so that together they count once. */
static size_t witness_of(const struct causes *c, size_t judged)
{
    size_t i = 0;
    while (strcmp(edge_of(c, i)->series.scenario, edge_of(c, judged)->series.scenario) != 0)
        i++;
    return i;
}

static int add_canary(struct causes *c, struct epoch_step *steps, size_t *n, struct err *e)
{
    AUTO(point_list_done) struct point_list canary = {0};
    AUTO(change_list_done) struct change_list found = {0};
    if (store_cause_canary(c->store, c->job->branch_id, c->environment_id, CANARY_POINTS_MAX,
                           &canary, e) < 0)
        return -1;
    size_t len = canary.points.len;
    AUTO(mem_freep) double *values = mem_alloc((len + 1) * sizeof *values);
    for (size_t i = 0; i < len; i++)
        values[i] = canary.points.at[i].value;
    if (change_find(values, len, &(struct change_options){0}, &found, e) < 0)
        return -1;
    for (size_t i = 0; i < found.len; i++)
        steps[(*n)++] = (struct epoch_step){
            .series = SIZE_MAX,
            .position = canary.points.at[found.edge[i].index].pos,
            .direction = found.edge[i].effect > 0 ? 1 : -1,
            .canary = true,
        };
    return 0;
}

/* Marks the edges that a move of the machine explains. */
static int ask_witnesses(struct causes *c, struct err *e)
{
    size_t room = c->judged_len + CANARY_POINTS_MAX + 1, n = c->judged_len;
    AUTO(mem_freep) struct epoch_step *steps = mem_zero(room, sizeof *steps);
    AUTO(mem_freep) struct epoch_move *moves = mem_zero(room, sizeof *moves);
    AUTO(mem_freep) size_t *by_move = mem_alloc(room * sizeof *by_move);
    for (size_t i = 0; i < c->judged_len; i++)
        steps[i] = (struct epoch_step){.series = witness_of(c, i),
                                       .position = c->judged[i].position,
                                       .direction = worse_of(edge_of(c, i))};
    if (c->judged_len == 0 || add_canary(c, steps, &n, e) < 0)
        return c->judged_len ? -1 : 0;
    (void)epochs_moves(steps, n, c->rules->spec->scenarios_len, moves, by_move);
    for (size_t i = 0; i < c->judged_len; i++)
        c->judged[i].environment = by_move[i] != SIZE_MAX;
    return 0;
}

/* --- jobs --------------------------------------------------------------------------------- */

static int queue_bisect(struct causes *c, int64_t base, int64_t head, struct err *e)
{
    struct job want = {
        .repo_id = c->job->repo_id,
        .branch_id = c->job->branch_id,
        .kind = JOB_BISECT,
        .base = base,
        .head = head,
    };
    int64_t id;
    bool added;
    if (store_job_add(c->store, &want, &id, &added, e) < 0)
        return -1;
    c->queued = c->queued || added;
    if (added)
        log_info("job queued", "job=%" PRId64 " kind=bisect base=%" PRId64 " head=%" PRId64, id,
                 base, head);
    return 0;
}

/* Commits between the two that nobody has measured: the middle one is next. Its point moves the
 * edge, and the next look at the history halves what is left. */
static int narrow(struct causes *c, const struct change_point *p, int64_t base, struct err *e)
{
    struct cause_job known;
    int64_t middle;
    if (store_cause_between(c->store, c->job->branch_id, p->after_pos, p->pos, &middle, e) < 0)
        return -1;
    if (!middle)
        return 0;
    if (store_cause_job(c->store, c->job->branch_id, base, middle, &known, e) < 0)
        return -1;
    return known.id ? 0 : queue_bisect(c, base, middle, e);
}

static int confirm_point(struct causes *c, struct change_point *p, int64_t job, struct err *e)
{
    char why[VERDICT_WHY_MAX];
    if (p->state == CHANGE_POINT_CONFIRMED)
        return 0;
    memcpy(why, p->why, sizeof why);
    p->state = CHANGE_POINT_CONFIRMED;
    p->why[0] = '\0';
    explain_add(p->why, sizeof p->why, "job %" PRId64 " saw it side by side; %s", job, why);
    return store_change_point_put(c->store, p, 1, e);
}

/* What the two commits say when they are measured side by side. */
static int settle(struct causes *c, struct change_point *p, struct alert *a, struct err *e)
{
    struct cause_job job;
    int64_t base;
    char why[VERDICT_WHY_MAX];
    if (store_cause_commit(c->store, c->job->branch_id, p->after_pos, &base, e) < 0)
        return -1;
    if (!base || c->rules->spec->confirm_reruns <= 0)
        return 0;
    if (store_cause_job(c->store, c->job->branch_id, base, a->commit_id, &job, e) < 0)
        return -1;
    a->state = ALERT_CONFIRMING;
    if (!job.id)
        return queue_bisect(c, base, a->commit_id, e);
    if (!job.over)
        return 0;
    memcpy(why, a->why, sizeof why);
    a->why[0] = '\0';
    switch (job.outcome) {
    case OUTCOME_SLOWER:
    case OUTCOME_MIXED:
        a->state = ALERT_OPEN;
        explain_add(a->why, sizeof a->why, "job %" PRId64 " saw it side by side; %s", job.id,
                    why);
        return confirm_point(c, p, job.id, e) < 0 ? -1 : narrow(c, p, base, e);
    case OUTCOME_NO_CHANGE:
    case OUTCOME_IDENTICAL:
        a->state = ALERT_NOISE;
        a->kind = ALERT_ENVIRONMENT;
        explain_add(a->why, sizeof a->why,
                    "job %" PRId64 " measured both side by side and they do not differ: the "
                    "machine changed; %s",
                    job.id, why);
        return 0;
    default:
        if (p->state == CHANGE_POINT_CONFIRMED)
            a->state = ALERT_OPEN;
        explain_add(a->why, sizeof a->why, "job %" PRId64 " could not decide; %s", job.id, why);
        return 0;
    }
}

/* --- alerts ------------------------------------------------------------------------------- */

static void title_of(const struct causes *c, const struct alert_group *g, struct alert *a)
{
    AUTO(str_done) struct str title = STR_INIT(ALERT_TITLE_MAX - 1);
    const struct cause_edge *worst = edge_of(c, g->worst);
    str_addf(&title, "%s%s ", g->environment ? "the machine: " : "",
             metric_table[worst->series.metric].title);
    report_effect(worst->series.metric, worst->point.effect, &title);
    str_addf(&title, " in %s", worst->series.scenario);
    if (g->edges > 1)
        str_addf(&title, " and %zu more", g->edges - 1);
    size_t n = view_utf8_prefix(str_view(&title), ALERT_TITLE_MAX - 1);
    memcpy(a->title, str_text(&title), n);
    a->title[n] = '\0';
}

/* The alert that any edge of the group carries already, or that of a pair of commits at the
 * same place. */
static int known_alert(struct causes *c, size_t group, int64_t *out, struct err *e)
{
    const struct change_point *worst = &edge_of(c, c->groups[group].worst)->point;
    *out = 0;
    for (size_t i = 0; i < c->judged_len && !*out; i++)
        if (c->group_of[i] == group)
            *out = edge_of(c, i)->alert_id;
    return *out ? 0
                : store_cause_pair_alert(c->store, c->job->branch_id, worst->pos_lo,
                                         worst->pos_hi, out, e);
}

static int link_edges(struct causes *c, size_t group, int64_t alert, struct err *e)
{
    for (size_t i = 0; i < c->judged_len; i++)
        if (c->group_of[i] == group && edge_of(c, i)->alert_id != alert &&
            store_cause_link(c->store, edge_of(c, i)->point.id, alert, e) < 0)
            return -1;
    return 0;
}

static int raise_alert(struct causes *c, size_t group, struct err *e)
{
    const struct alert_group *g = &c->groups[group];
    struct change_point worst = edge_of(c, g->worst)->point;
    struct alert a = {
        .repo_id = c->job->repo_id,
        .branch_id = c->job->branch_id,
        .job_id = c->job->id,
        .kind = g->environment                       ? ALERT_ENVIRONMENT
                : worse_of(edge_of(c, g->worst)) > 0 ? ALERT_REGRESSION
                                                     : ALERT_IMPROVEMENT,
        .state = worst.state == CHANGE_POINT_CONFIRMED ? ALERT_OPEN : ALERT_CONFIRMING,
    };
    bool history = true;
    if (known_alert(c, group, &a.id, e) < 0 ||
        (a.id && store_cause_is_history(c->store, a.id, &history, e) < 0) ||
        store_cause_commit(c->store, c->job->branch_id, worst.pos, &a.commit_id, e) < 0)
        return -1;
    if (!a.commit_id) /* replaced by a force-push */
        return 0;
    title_of(c, g, &a);
    explain_add(a.why, sizeof a.why, "%s%s",
                g->environment ? "other scenarios or the canary moved with it: " : "",
                worst.why);
    if (history && ((a.kind == ALERT_REGRESSION && settle(c, &worst, &a, e) < 0) ||
                    store_cause_alert_put(c->store, &a, e) < 0))
        return -1;
    return link_edges(c, group, a.id, e);
}

static bool is_alive(const struct causes *c, int64_t alert)
{
    for (size_t i = 0; i < c->edges.at.len; i++)
        if (c->edges.at.at[i].alert_id == alert &&
            c->edges.at.at[i].point.state != CHANGE_POINT_RETRACTED)
            return true;
    return false;
}

/* Alerts none of whose change points is left say why. */
static int take_back(struct causes *c, struct err *e)
{
    for (size_t i = 0; i < c->edges.at.len; i++) {
        const struct cause_edge *edge = &c->edges.at.at[i];
        if (edge->point.state == CHANGE_POINT_RETRACTED && !is_alive(c, edge->alert_id) &&
            store_cause_retract(c->store, edge->alert_id, edge->point.why, e) < 0)
            return -1;
    }
    return 0;
}

int judge_causes(struct store *s, const struct job *job, const struct run *run,
                 const struct judge_rules *rules, bool *queued, struct err *e)
{
    AUTO(causes_done)
    struct causes c = {
        .store = s, .job = job, .rules = rules, .environment_id = run->environment_id};
    *queued = false;
    if (store_cause_edges(s, job->branch_id, run->environment_id, &c.edges, e) < 0)
        return -1;
    take_edges(&c);
    if (ask_witnesses(&c, e) < 0)
        return -1;
    c.groups_len = alerts_group(c.judged, c.judged_len, c.group_of, c.groups);
    for (size_t g = 0; g < c.groups_len; g++)
        if (raise_alert(&c, g, e) < 0)
            return -1;
    *queued = c.queued;
    return take_back(&c, e);
}
