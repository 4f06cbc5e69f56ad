/* SPDX-License-Identifier: MIT */
/*
 * Points and change points. A pair point comes from paired rounds of base and head and can name
 * a change at once; a history point comes from the shape of the whole series and sees slow sums
 * of small changes. Both keep their identity when a later job judges them again.
 */
#include <inttypes.h>
#include <math.h>

#include "changepoint.h"
#include "explain.h"
#include "judge_parts.h"
#include "store_repo.h"

enum { HISTORY_POINTS_MAX = 1000, HISTORY_POINTS_MIN = 10 };

/* --- history ------------------------------------------------------------------------------ */

struct history {
    struct point_list points;
    struct change_point_list known; /* of the history method, within the points */
    double *values;
};

static void history_done(struct history *h)
{
    point_list_done(&h->points);
    change_point_list_done(&h->known);
    free(h->values);
}

/* The first point at or behind a position; the last one when all are before it. */
static size_t index_of(const struct history *h, int64_t pos)
{
    size_t i = 0;
    while (i + 1 < h->points.points.len && h->points.points.at[i].pos < pos)
        i++;
    return i;
}

static int64_t pos_of(const struct history *h, size_t index)
{
    return h->points.points.at[index].pos;
}

/* A retracted point is not looked for again, only found again; one before the window is
 * settled. */
static void keep_active(struct history *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->known.at.len; i++)
        if (h->known.at.at[i].state != CHANGE_POINT_RETRACTED &&
            h->known.at.at[i].pos >= pos_of(h, 0))
            h->known.at.at[kept++] = h->known.at.at[i];
    h->known.at.len = kept;
}

static struct change_edge edge_of(const struct history *h, const struct change_point *p)
{
    return (struct change_edge){
        .index = index_of(h, p->pos),
        .effect = p->effect,
        .lo = p->lo,
        .hi = p->hi,
        .loc_lo = index_of(h, p->pos_lo),
        .loc_hi = index_of(h, p->pos_hi),
        .before = p->before,
        .after = p->after,
        .state = p->state == CHANGE_POINT_CONFIRMED ? CHANGE_CONFIRMED : CHANGE_PROVISIONAL,
    };
}

static void take_edge(const struct history *h, const struct change_edge *edge,
                      struct change_point *p)
{
    p->method = CHANGE_HISTORY;
    p->pos = pos_of(h, edge->index);
    p->after_pos = pos_of(h, edge->index - 1);
    p->pos_lo = edge->loc_lo ? pos_of(h, edge->loc_lo - 1) + 1 : pos_of(h, 0);
    p->pos_hi = pos_of(h, edge->loc_hi);
    p->before = edge->before;
    p->after = edge->after;
    p->effect = edge->effect;
    p->lo = edge->lo;
    p->hi = edge->hi;
    /* What two commits side by side have confirmed stays so, see judge_cause.c. */
    if (p->state != CHANGE_POINT_CONFIRMED || edge->state == CHANGE_CONFIRMED)
        change_why(edge, p->why);
    if (edge->state == CHANGE_CONFIRMED)
        p->state = CHANGE_POINT_CONFIRMED;
    else if (p->state == CHANGE_POINT_RETRACTED)
        p->state = CHANGE_POINT_PROVISIONAL;
}

static int write_edges(struct store *s, int64_t series_id, struct history *h,
                       const struct change_list *found, struct err *e)
{
    size_t known = h->known.at.len, room = known + found->len + 1;
    AUTO(mem_freep) struct change_edge *before = mem_zero(room, sizeof *before);
    AUTO(mem_freep) struct change_match *match = mem_zero(room, sizeof *match);
    AUTO(mem_freep) struct change_point *out = mem_zero(room, sizeof *out);
    for (size_t i = 0; i < known; i++)
        before[i] = edge_of(h, &h->known.at.at[i]);
    size_t n = change_reconcile(before, known, found->edge, found->len, h->values,
                                h->points.points.len, match);
    for (size_t i = 0; i < n; i++) {
        if (match[i].fate != CHANGE_NEW)
            out[i] = h->known.at.at[match[i].before];
        out[i].series_id = series_id;
        if (match[i].fate == CHANGE_RETRACTED) {
            out[i].state = CHANGE_POINT_RETRACTED;
            out[i].why[0] = '\0';
            explain_add(out[i].why, sizeof out[i].why, "%s", match[i].why);
        } else if (found->edge[match[i].now].index > 0) {
            take_edge(h, &found->edge[match[i].now], &out[i]);
        }
    }
    return store_change_point_put(s, out, n, e);
}

static int judge_history(struct store *s, const struct series_key *key, const struct spec *spec,
                         struct err *e)
{
    AUTO(history_done) struct history h = {0};
    AUTO(change_list_done) struct change_list found = {0};
    if (store_point_list(s, key->id, INT64_MAX, HISTORY_POINTS_MAX, &h.points, e) < 0)
        return -1;
    size_t n = h.points.points.len;
    if (n < HISTORY_POINTS_MIN)
        return 0;
    h.values = mem_alloc(n * sizeof *h.values);
    for (size_t i = 0; i < n; i++)
        h.values[i] = h.points.points.at[i].value;
    struct change_options options = {
        .min_effect = spec->sensitivity.least_effect[key->metric],
    };
    if (store_change_point_list(s, key->id, CHANGE_HISTORY, &h.known, e) < 0 ||
        change_find(h.values, n, &options, &found, e) < 0)
        return -1;
    keep_active(&h);
    return write_edges(s, key->id, &h, &found, e);
}

/* --- points ------------------------------------------------------------------------------- */

/* A bisect job looks at one suspicion, maybe long after: it fills gaps in a history and leaves
 * what was measured at the time. */
static int put_point(struct store *s, const struct series_rounds *r, size_t rounds,
                     struct point p, enum job_kind kind, struct err *e)
{
    AUTO(mem_freep) double *x = mem_alloc((rounds + 1) * sizeof *x);
    size_t n = 0;
    for (size_t i = 0; i < rounds; i++)
        if (isfinite(r->head[i]))
            x[n++] = r->head[i];
    if (!n)
        return 0;
    judge_median(x, n, &p.value, &p.lo, &p.hi);
    p.n = (int)n;
    return kind == JOB_BISECT ? store_point_add(s, &p, e) : store_point_put(s, &p, e);
}

int judge_points(struct store *s, const struct job *job, const struct run *run,
                 const struct job_samples *samples, const struct spec *spec, struct err *e)
{
    int64_t pos;
    bool live, found;
    if (store_branch_position(s, job->branch_id, job->head, &pos, &live, &found, e) < 0)
        return -1;
    if (!found)
        return 0;
    for (size_t i = 0; i < samples->series.len; i++) {
        const struct series_rounds *r = &samples->series.at[i];
        struct point p = {
            .series_id = r->key.id, .pos = pos, .env_state_id = run->env_state_id};
        if (put_point(s, r, samples->rounds, p, job->kind, e) < 0 ||
            (r->key.metric != METRIC_ERRORS && judge_history(s, &r->key, spec, e) < 0))
            return err_ctx(e, "series %" PRId64, r->key.id);
    }
    return 0;
}

/* --- pairs -------------------------------------------------------------------------------- */

struct pair_place {
    int64_t pos, after;
};

static int find_place(struct store *s, const struct job *job, struct pair_place *out,
                      bool *found, struct err *e)
{
    bool live;
    *found = false;
    if (!job->base)
        return 0;
    if (store_branch_position(s, job->branch_id, job->head, &out->pos, &live, found, e) < 0 ||
        (*found &&
         store_branch_position(s, job->branch_id, job->base, &out->after, &live, found, e) < 0))
        return -1;
    *found = *found && out->after < out->pos;
    return 0;
}

static int find_pair(struct store *s, int64_t series_id, int64_t pos, struct change_point *out,
                     bool *found, struct err *e)
{
    AUTO(change_point_list_done) struct change_point_list known = {0};
    *found = false;
    if (store_change_point_list(s, series_id, CHANGE_PAIR, &known, e) < 0)
        return -1;
    for (size_t i = 0; i < known.at.len && !*found; i++)
        if (known.at.at[i].pos == pos) {
            *out = known.at.at[i];
            *found = true;
        }
    return 0;
}

static bool changed(const struct verdict_line *line)
{
    return line->primary &&
           (line->outcome == OUTCOME_SLOWER || line->outcome == OUTCOME_FASTER);
}

static int put_pair(struct store *s, const struct verdict_line *line,
                    const struct pair_place *place, const struct verdict_record *again,
                    struct err *e)
{
    struct change_point p;
    bool known;
    if (find_pair(s, line->series_id, place->pos, &p, &known, e) < 0)
        return -1;
    if (!known && !changed(line))
        return 0;
    if (!known)
        p = (struct change_point){0};
    const struct verdict_line *twin = again ? judge_find(again, line) : NULL;
    bool agrees = twin && twin->primary && twin->outcome == line->outcome;
    p.series_id = line->series_id;
    p.method = CHANGE_PAIR;
    p.pos = p.pos_hi = place->pos;
    p.after_pos = place->after;
    p.pos_lo = place->after + 1;
    p.before = line->base;
    p.after = line->head;
    p.effect = line->effect;
    p.lo = line->lo;
    p.hi = line->hi;
    p.state = !changed(line) ? CHANGE_POINT_RETRACTED
              : agrees       ? CHANGE_POINT_CONFIRMED
                             : CHANGE_POINT_PROVISIONAL;
    p.why[0] = '\0';
    explain_add(p.why, sizeof p.why, "%s%s", agrees ? "seen by two jobs; " : "", line->why);
    return store_change_point_put(s, &p, 1, e);
}

int judge_pair_points(struct store *s, const struct job *job, const struct verdict_record *v,
                      const struct verdict_record *again, struct err *e)
{
    struct pair_place place;
    bool found;
    if (find_place(s, job, &place, &found, e) < 0)
        return -1;
    for (size_t i = 0; found && i < v->lines.len; i++)
        if (put_pair(s, &v->lines.at[i], &place, again, e) < 0)
            return -1;
    return 0;
}
