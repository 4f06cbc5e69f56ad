/* SPDX-License-Identifier: MIT */
/*
 * Response times as a whole: what a latency row shows comes from the merged histograms of all
 * rounds, since percentiles of percentiles are none; what it claims stays with the rounds. And
 * a line beside the verdict says when the distribution changed, whatever its percentiles do. It
 * decides nothing.
 */
#include <math.h>

#include "claims.h"
#include "explain.h"
#include "hist.h"
#include "judge_parts.h"
#include "mem.h"
#include "shape.h"
#include "store_histogram.h"

enum {
    COARSE_BITS = 5, /* 32 buckets per octave: 2 to 3 % wide */
    COARSE = HIST_BUCKETS >> COARSE_BITS,
    ROUNDS_MAX = 200, /* of two jobs; more are merged but not compared */
};

#define SHAPE_LEVEL .05 /* share of false lines among all, as for advisory rows */
#define SHAPE_LEAST .05 /* one request in twenty on the other side of some duration */

struct times {
    struct hist merged[SIDE_COUNT];
    uint32_t *counts[SIDE_COUNT]; /* of each round, coarse */
    bool *seen[SIDE_COUNT];
    size_t rounds;
};

static void times_init(struct times *t)
{
    t->rounds = 0;
    for (int side = 0; side < SIDE_COUNT; side++) {
        hist_init(&t->merged[side]);
        t->counts[side] = mem_zero((size_t)ROUNDS_MAX * COARSE, sizeof *t->counts[side]);
        t->seen[side] = mem_zero(ROUNDS_MAX, sizeof *t->seen[side]);
    }
}

static void times_done(struct times *t)
{
    for (int side = 0; side < SIDE_COUNT; side++) {
        hist_done(&t->merged[side]);
        free(t->counts[side]);
        free(t->seen[side]);
    }
}

static int add_arm(struct times *t, size_t first, const struct arm_histogram *arm,
                   struct err *e)
{
    AUTO(hist_done) struct hist h = {0};
    size_t round = first + arm->round;
    hist_init(&h);
    if (hist_unpack(&h, (struct view){arm->packed, arm->packed_len}, e) < 0)
        return err_ctx(e, "histogram of round %zu", round + 1);
    hist_merge(&t->merged[arm->side], &h);
    if (round >= ROUNDS_MAX)
        return 0;
    uint32_t *counts = t->counts[arm->side] + round * COARSE;
    for (size_t i = 0; i < HIST_BUCKETS; i++)
        counts[i >> COARSE_BITS] += h.counts[i];
    t->seen[arm->side][round] = true;
    t->rounds = round + 1 > t->rounds ? round + 1 : t->rounds;
    return 0;
}

static int read_times(struct store *s, const struct judge_jobs *jobs,
                      const struct series_key *key, struct times *t, struct err *e)
{
    for (size_t k = 0; k < jobs->len; k++) {
        AUTO(arm_histogram_list_done) struct arm_histogram_list arms = {0};
        size_t first = t->rounds;
        if (store_histogram_list(s, jobs->id[k], key, &arms, e) < 0)
            return -1;
        for (size_t i = 0; i < arms.at.len; i++)
            if (add_arm(t, first, &arms.at.at[i], e) < 0)
                return -1;
    }
    return 0;
}

/* --- quantiles ---------------------------------------------------------------------------- */

static double share_of(enum metric metric)
{
    switch (metric) {
    case METRIC_P50:
        return .5;
    case METRIC_P90:
        return .9;
    case METRIC_P99:
        return .99;
    default:
        return NAN;
    }
}

static void show_quantiles(const struct times *t, struct verdict_line *line)
{
    double q = share_of(line->metric);
    if (t->merged[SIDE_BASE].count && t->merged[SIDE_HEAD].count) {
        line->base = (double)hist_quantile(&t->merged[SIDE_BASE], q);
        line->head = (double)hist_quantile(&t->merged[SIDE_HEAD], q);
    }
}

/* --- shape -------------------------------------------------------------------------------- */

struct shape_line {
    size_t line; /* the first latency row of these requests */
    struct shape_test test;
    double above[SIDE_COUNT]; /* shares of requests that took longer than test.at */
};

static double share_above(const struct hist *h, double limit)
{
    uint64_t above = 0;
    for (unsigned i = hist_bucket((int64_t)limit) + 1; i < HIST_BUCKETS; i++)
        above += h->counts[i];
    return h->count ? (double)above / (double)h->count : NAN;
}

static void compare(const struct times *t, uint64_t seed, struct shape_line *out)
{
    AUTO(mem_freep) double *value = mem_alloc(COARSE * sizeof *value);
    AUTO(mem_freep) struct shape_hist *base = mem_zero(t->rounds + 1, sizeof *base);
    AUTO(mem_freep) struct shape_hist *head = mem_zero(t->rounds + 1, sizeof *head);
    const struct hist *b = &t->merged[SIDE_BASE], *h = &t->merged[SIDE_HEAD];
    out->test.p = NAN;
    if (!b->count || !h->count)
        return;
    size_t from = hist_bucket(b->min < h->min ? b->min : h->min) >> COARSE_BITS;
    size_t to = hist_bucket(b->max > h->max ? b->max : h->max) >> COARSE_BITS, n = 0;
    for (size_t i = from; i <= to; i++) /* the upper end of each bucket */
        value[i] = (double)hist_bucket_value((unsigned)(((i + 1) << COARSE_BITS) - 1));
    for (size_t r = 0; r < t->rounds; r++) {
        if (!t->seen[SIDE_BASE][r] || !t->seen[SIDE_HEAD][r])
            continue;
        base[n] = head[n] = (struct shape_hist){.value = value + from, .len = to - from + 1};
        base[n].count = t->counts[SIDE_BASE] + r * COARSE + from;
        head[n++].count = t->counts[SIDE_HEAD] + r * COARSE + from;
    }
    if (!n)
        return;
    shape_compare(base, head, n, 0, seed, &out->test);
    out->above[SIDE_BASE] = share_above(b, out->test.at);
    out->above[SIDE_HEAD] = share_above(h, out->test.at);
}

static void tell(struct verdict_record *v, const struct shape_line *s, double p)
{
    struct verdict_line *line = &v->lines.at[s->line];
    AUTO(str_done) struct str at = STR_INIT(64);
    char head[EXPLAIN_NUMBER], base[EXPLAIN_NUMBER], chance[EXPLAIN_NUMBER];
    char *told = strstr(line->why, "; the shape of response times"); /* by an earlier job */
    if (told)
        *told = '\0';
    metric_format(METRIC_P50, s->test.at, &at);
    explain_add(line->why, sizeof line->why,
                "; the shape of response times changed: %s take longer than %s, %s before "
                "(p %s)",
                explain_percent(head, s->above[SIDE_HEAD], 0), str_text(&at),
                explain_percent(base, s->above[SIDE_BASE], 0), explain_real(chance, p));
    size_t n = view_utf8_prefix(view_z(line->scenario), 40);
    judge_add_why(
        v, "; the shape of response times changed in %.*s: %s take longer than %s, %s before",
        (int)n, line->scenario, head, str_text(&at), base);
}

/* --- rows --------------------------------------------------------------------------------- */

static struct series_key key_of(struct verdict_line *line)
{
    struct series_key key = {.scenario = line->scenario, .endpoint = line->endpoint};
    memcpy(key.variant, line->variant, sizeof line->variant);
    return key;
}

static bool same_requests(const struct verdict_line *a, const struct verdict_line *b)
{
    return strcmp(a->scenario, b->scenario) == 0 && strcmp(a->endpoint, b->endpoint) == 0 &&
           strcmp(a->variant, b->variant) == 0;
}

static bool is_first(const struct verdict_record *v, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!isnan(share_of(v->lines.at[k].metric)) &&
            same_requests(&v->lines.at[k], &v->lines.at[i]))
            return false;
    return !isnan(share_of(v->lines.at[i].metric));
}

static int look_at(struct store *s, const struct judge_jobs *jobs, uint64_t seed,
                   struct verdict_record *v, struct shape_line *out, struct err *e)
{
    AUTO(times_done) struct times t;
    struct series_key key = key_of(&v->lines.at[out->line]);
    times_init(&t);
    if (read_times(s, jobs, &key, &t, e) < 0)
        return err_ctx(e, "response times of '%s'", key.scenario);
    for (size_t i = out->line; i < v->lines.len; i++)
        if (!isnan(share_of(v->lines.at[i].metric)) &&
            same_requests(&v->lines.at[i], &v->lines.at[out->line]))
            show_quantiles(&t, &v->lines.at[i]);
    compare(&t, seed, out);
    return 0;
}

int judge_shapes(struct store *s, const struct judge_jobs *jobs, uint64_t seed,
                 struct verdict_record *v, struct err *e)
{
    size_t n = 0, room = v->lines.len + 1;
    AUTO(mem_freep) struct shape_line *shapes = mem_zero(room, sizeof *shapes);
    AUTO(mem_freep) double *p = mem_alloc(room * sizeof *p);
    for (size_t i = 0; i < v->lines.len; i++) {
        if (!is_first(v, i))
            continue;
        shapes[n].line = i;
        if (look_at(s, jobs, seed, v, &shapes[n], e) < 0)
            return -1;
        p[n] = shapes[n].test.p;
        n++;
    }
    claims_by(p, n, p);
    for (size_t i = 0; i < n; i++)
        if (p[i] <= SHAPE_LEVEL && shapes[i].test.distance >= SHAPE_LEAST)
            tell(v, &shapes[i], p[i]);
    return 0;
}
