/* SPDX-License-Identifier: MIT */
/*
 * Rows of a verdict: stats judges what has a ratio, the error rate is judged here, then the
 * spec's limits and ignore rules are laid over them.
 *
 * An ignored row is still judged and shown; it only decides nothing. A limit turns a row slower
 * when head breaks it and base does not: a limit that was broken before says nothing about this
 * change. Head must break it with its whole interval, or a value near the limit would flap.
 */
#include <math.h>

#include "explain.h"
#include "judge_parts.h"
#include "looks.h"
#include "pair.h"
#include "rank.h"
#include "summary.h"
#include "verdict.h"

#define INTERVAL_ALPHA 0.05
#define CLAIM_ALPHA    0.01 /* two-sided, over all looks */

void judge_median(double *x, size_t n, double *median, double *lo, double *hi)
{
    summary_sort(x, n);
    *median = n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
    /* [x_(k+1), x_(n-k)] covers the median but for 2 P(Bin(n, 1/2) <= k); below n = 6 the range
     * has to do. */
    double below = pow(0.5, (double)n), term = below;
    size_t k = 0;
    while (2 * (k + 1) < n) {
        term *= (double)(n - k) / (double)(k + 1);
        if (below + term > INTERVAL_ALPHA / 2)
            break;
        below += term;
        k++;
    }
    bool covered = n >= 6 && pow(0.5, (double)n) <= INTERVAL_ALPHA / 2;
    *lo = x[covered ? k : 0];
    *hi = x[n - 1 - (covered ? k : 0)];
}

static size_t drop_missing(const double *x, size_t n, double *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            out[kept++] = x[i];
    return kept;
}

static void median_of(const double *x, size_t n, double *median, double *lo, double *hi)
{
    AUTO(mem_freep) double *good = mem_alloc((n + 1) * sizeof *good);
    size_t kept = drop_missing(x, n, good);
    *median = *lo = *hi = NAN;
    if (kept)
        judge_median(good, kept, median, lo, hi);
}

/* --- the error rate ----------------------------------------------------------------------- */

/* P(at least 'more' of 'n' fair coins): the one-sided sign test (Arbuthnot 1710). */
static double sign_test(size_t more, size_t n)
{
    double p = 0, term = pow(0.5, (double)n);
    for (size_t k = 0; k <= n; k++) {
        if (k >= more)
            p += term;
        term *= (double)(n - k) / (double)(k + 1);
    }
    return fmin(1, p);
}

struct differences {
    double *d;
    size_t n, above, below;
};

static struct differences compare(const double *from, const double *to, size_t rounds)
{
    struct differences c = {.d = mem_alloc((rounds + 1) * sizeof *c.d)};
    for (size_t i = 0; i < rounds; i++) {
        if (!isfinite(from[i]) || !isfinite(to[i]))
            continue;
        c.d[c.n++] = to[i] - from[i];
        c.above += to[i] > from[i];
        c.below += to[i] < from[i];
    }
    return c;
}

static void explain_errors(struct verdict_line *line, const struct differences *c)
{
    char base[EXPLAIN_NUMBER], head[EXPLAIN_NUMBER], margin[EXPLAIN_NUMBER];
    explain_percent(base, line->base, 0);
    explain_percent(head, line->head, 0);
    explain_percent(margin, line->least_effect, 0);
    line->why[0] = '\0';
    explain_add(line->why, sizeof line->why,
                "%s: base %s, head %s of requests failed; more at head in %zu of %zu rounds, "
                "fewer in %zu; least difference %s",
                outcome_words[line->outcome], base, head, c->above, c->n, c->below, margin);
}

void judge_errors(const struct series_rounds *s, size_t rounds,
                  const struct judge_errors_rules *rules, struct verdict_line *line)
{
    double margin = rules->margin;
    struct differences c = compare(s->base, s->head, rounds);
    struct differences aa = compare(s->twin, s->again, rounds);
    double lo, hi;
    median_of(s->base, rounds, &line->base, &lo, &hi);
    median_of(s->head, rounds, &line->head, &lo, &hi);
    median_of(c.d, c.n, &line->effect, &line->lo, &line->hi);
    line->noise = aa.n > 1 ? summary_mad(aa.d, aa.n, 0) : NAN;
    line->detectable = NAN;
    line->least_effect = margin;
    line->rounds = (int)c.n;
    size_t worse = rules->direction < 0 ? c.above : c.below, better = c.above + c.below - worse;
    bool large = fabs(line->effect) >= margin;
    line->outcome = OUTCOME_UNDECIDED;
    if (large && sign_test(worse, worse + better) <= rules->level)
        line->outcome = OUTCOME_SLOWER;
    else if (large && sign_test(better, worse + better) <= rules->level)
        line->outcome = OUTCOME_FASTER;
    else if ((line->lo > -margin && line->hi < margin) || !(worse + better))
        line->outcome = OUTCOME_NO_CHANGE;
    explain_errors(line, &c);
    free(c.d);
    free(aa.d);
}

/* --- rows of stats ------------------------------------------------------------------------ */

struct work { /* what goes to stats, and which series each entry is */
    struct verdict_metric *metrics;
    struct verdict_row *rows;
    size_t *series;
    char (*names)[VERDICT_WHY_MAX];
    size_t n;
};

static void work_done(struct work *w)
{
    free(w->metrics);
    free(w->rows);
    free(w->series);
    free(w->names);
}

static bool has_pair(const struct series_rounds *s, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++)
        if (isfinite(s->base[i]) && isfinite(s->head[i]))
            return true;
    return false;
}

/* Throughput of one endpoint is a fixed share of the scenario's, so it would only count twice.
 */
static bool decides(const struct series_key *key, const struct judge_rules *rules)
{
    const struct metric_info *info = &metric_table[key->metric];
    return info->primary && !judge_ignored(rules, key, NULL) &&
           !(key->endpoint[0] && key->metric == METRIC_THROUGHPUT);
}

static void add_work(struct work *w, const struct job_samples *samples, size_t i,
                     const struct judge_rules *rules)
{
    const struct series_rounds *s = &samples->series.at[i];
    const struct metric_info *info = &metric_table[s->key.metric];
    explain_add(w->names[w->n], sizeof w->names[w->n], "%s %s %s", s->key.scenario,
                s->key.endpoint, info->name);
    w->series[w->n] = i;
    w->metrics[w->n] = (struct verdict_metric){
        .name = w->names[w->n],
        .direction = info->direction,
        .primary = decides(&s->key, rules),
        .least_effect = rules->spec->sensitivity.least_effect[s->key.metric],
        .max_noise = rules->spec->sensitivity.max_noise,
        .rounds = samples->rounds,
        .base = s->base,
        .head = s->head,
        .aa_rounds = samples->rounds,
        .aa_first = s->twin,
        .aa_second = s->again,
    };
    w->n++;
}

static void name_line(struct verdict_line *line, const struct series_key *key)
{
    line->series_id = key->id;
    line->metric = key->metric;
    size_t n = view_utf8_prefix(view_z(key->scenario), RESULT_NAME_MAX);
    memcpy(line->scenario, key->scenario, n);
    n = view_utf8_prefix(view_z(key->endpoint), RESULT_NAME_MAX);
    memcpy(line->endpoint, key->endpoint, n);
    memcpy(line->variant, key->variant, sizeof line->variant);
}

static enum outcome outcome_of(enum stats_outcome o)
{
    static const enum outcome map[] = {
        [STATS_NO_CHANGE] = OUTCOME_NO_CHANGE, [STATS_FASTER] = OUTCOME_FASTER,
        [STATS_SLOWER] = OUTCOME_SLOWER,       [STATS_UNDECIDED] = OUTCOME_UNDECIDED,
        [STATS_MIXED] = OUTCOME_MIXED,
    };
    return map[o];
}

/* Claims are made at 1 %, intervals are shown at 95 % throughout. */
static void show_interval(struct verdict_line *line, const struct verdict_metric *m)
{
    struct pair pair;
    struct rank_interval range;
    pair_init(&pair, m);
    rank_location(pair.good, pair.n, INTERVAL_ALPHA, &range);
    if (pair.n && !pair.deterministic) {
        line->effect = pair_relative(&pair, range.estimate);
        line->lo = pair_relative(&pair, range.lo);
        line->hi = pair_relative(&pair, range.hi);
    }
    pair_done(&pair);
}

/* stats asks for equality at the level of its claims, 1 %. Where the interval that everybody
 * can read lies inside the margin that was asked for, 'undecided' beside it would not be
 * understood; this is the same test (TOST by signed ranks) at 2.5 % on each side. */
static void accept_equal(struct verdict_line *line, const struct verdict_metric *m)
{
    double margin = m->least_effect;
    if (line->outcome != OUTCOME_UNDECIDED || line->rounds < VERDICT_ROUNDS_MIN ||
        (m->max_noise > 0 && !(line->noise <= m->max_noise)) ||
        line->lo <= -margin / (1 + margin) || line->hi >= margin)
        return;
    char text[EXPLAIN_NUMBER];
    line->outcome = OUTCOME_NO_CHANGE;
    line->least_effect = margin;
    line->why[0] = '\0';
    explain_add(line->why, sizeof line->why,
                "no change: the 95 %% interval of %d rounds lies within %s", line->rounds,
                explain_percent(text, margin, 0));
}

static void take_row(const struct work *w, size_t i, const struct job_samples *samples,
                     struct verdict_record *out)
{
    const struct verdict_row *row = &w->rows[i];
    struct verdict_line *line = vec_push(&out->lines);
    name_line(line, &samples->series.at[w->series[i]].key);
    line->primary = w->metrics[i].primary;
    line->base = row->base;
    line->head = row->head;
    line->effect = row->effect;
    line->lo = row->lo;
    line->hi = row->hi;
    line->noise = isfinite(row->noise) ? row->noise : NAN;
    line->least_effect = row->least_effect;
    line->detectable = isfinite(row->detectable) ? row->detectable : NAN;
    line->rounds = row->rounds;
    line->outcome = outcome_of(row->outcome);
    explain_add(line->why, sizeof line->why, "%s", row->why);
    show_interval(line, &w->metrics[i]);
    accept_equal(line, &w->metrics[i]);
}

/* What this look may spend on one side: its own share of alpha, so that the shares of all looks
 * add up to alpha (union bound). A job that ended before its last look has that look's. */
static double errors_level(const struct judge_rules *rules, size_t rounds)
{
    if (!rules->looks_len)
        return CLAIM_ALPHA / 2;
    size_t last = (size_t)rules->looks[rules->looks_len - 1];
    double before = 0;
    for (int k = 0; k < rules->look; k++)
        if ((size_t)rules->looks[k] < rounds)
            before = looks_spent(CLAIM_ALPHA, (size_t)rules->looks[k], last);
    return (looks_spent(CLAIM_ALPHA, (size_t)rules->looks[rules->look], last) - before) / 2;
}

static void take_errors(const struct series_rounds *s, const struct job_samples *samples,
                        const struct judge_rules *rules, struct verdict_record *out)
{
    struct verdict_line *line = vec_push(&out->lines);
    name_line(line, &s->key);
    line->primary = decides(&s->key, rules);
    judge_errors(s, samples->rounds,
                 &(struct judge_errors_rules){
                     .margin = rules->spec->sensitivity.least_effect[METRIC_ERRORS],
                     .level = errors_level(rules, samples->rounds),
                     .direction = metric_table[METRIC_ERRORS].direction},
                 line);
}

int judge_rows(const struct job_samples *samples, const struct judge_rules *rules,
               struct verdict_record *out, int *left_out, struct err *e)
{
    size_t all = samples->series.len;
    AUTO(work_done)
    struct work w = {
        .metrics = mem_zero(all + 1, sizeof *w.metrics),
        .rows = mem_zero(all + 1, sizeof *w.rows),
        .series = mem_zero(all + 1, sizeof *w.series),
        .names = mem_zero(all + 1, sizeof *w.names),
    };
    *left_out = 0;
    for (size_t i = 0; i < all; i++) {
        const struct series_rounds *s = &samples->series.at[i];
        if (!has_pair(s, samples->rounds) || w.n == VERDICT_METRICS_MAX)
            ++*left_out;
        else if (s->key.metric != METRIC_ERRORS)
            add_work(&w, samples, i, rules);
        else
            take_errors(s, samples, rules, out);
    }
    struct verdict_family family;
    struct verdict_rules stats = {.alpha = CLAIM_ALPHA,
                                  .seed = rules->seed,
                                  .looks = rules->looks,
                                  .looks_len = rules->looks_len,
                                  .look = rules->looks_len ? rules->look : 0};
    if (verdict_judge(w.metrics, w.n, &stats, w.rows, &family, e) < 0)
        return -1;
    /* What is open about failed requests only more rounds can tell. */
    out->final = family.final;
    for (size_t i = 0; i < out->lines.len; i++)
        out->final = out->final && !(out->lines.at[i].primary &&
                                     out->lines.at[i].outcome == OUTCOME_UNDECIDED);
    for (size_t i = 0; i < w.n; i++)
        take_row(&w, i, samples, out);
    return 0;
}

/* --- the spec's limits and ignore rules --------------------------------------------------- */

static bool fits(const char *pattern, const char *name)
{
    return !pattern || strcmp(pattern, name) == 0;
}

bool judge_ignored(const struct judge_rules *rules, const struct series_key *key,
                   const struct spec_ignore **out)
{
    for (size_t i = 0; i < rules->spec->ignores_len; i++) {
        const struct spec_ignore *rule = &rules->spec->ignores[i];
        bool over = rule->until && strcmp(rule->until, rules->today) < 0;
        if (over || !fits(rule->scenario, key->scenario) ||
            !fits(rule->metric, metric_table[key->metric].name))
            continue;
        if (out)
            *out = rule;
        return true;
    }
    return false;
}

static bool beyond(const struct spec_check *c, double lo, double hi)
{
    return (c->has_max && lo > c->max) || (c->has_min && hi < c->min);
}

/* "12.3 ms is above 5.00 ms" */
static void describe_breach(const struct spec_check *c, double head, double lo, struct str *out)
{
    bool above = c->has_max && lo > c->max;
    metric_format(c->metric, head, out);
    str_addz(out, above ? " is above " : " is below ");
    metric_format(c->metric, above ? c->max : c->min, out);
}

static void check_line(const struct spec_check *c, const struct series_rounds *s, size_t rounds,
                       bool ignored, struct verdict_line *line)
{
    double head, lo, hi;
    median_of(s->head, rounds, &head, &lo, &hi);
    if (!isfinite(head) || !beyond(c, lo, hi))
        return;
    bool before = beyond(c, line->base, line->base);
    AUTO(str_done) struct str text = STR_INIT(VERDICT_WHY_MAX - 1);
    str_addz(&text, before ? "limit broken, as base did: " : "limit broken: ");
    describe_breach(c, head, lo, &text);
    str_addf(&text, "; %s", line->why);
    if (!before) {
        line->outcome = OUTCOME_SLOWER;
        line->primary = !ignored;
    }
    line->why[0] = '\0';
    explain_add(line->why, sizeof line->why, "%s", str_text(&text));
}

void judge_checks_alone(const struct job_samples *samples, const struct judge_rules *rules,
                        struct verdict_record *v)
{
    for (size_t i = 0; i < samples->series.len * rules->spec->checks_len; i++) {
        const struct series_rounds *s = &samples->series.at[i / rules->spec->checks_len];
        const struct spec_check *c = &rules->spec->checks[i % rules->spec->checks_len];
        AUTO(str_done) struct str text = STR_INIT(VERDICT_WHY_MAX);
        double head, lo, hi;
        if (s->key.endpoint[0] || s->key.metric != c->metric ||
            !fits(c->scenario, s->key.scenario) || judge_ignored(rules, &s->key, NULL))
            continue;
        median_of(s->head, samples->rounds, &head, &lo, &hi);
        if (!isfinite(head) || !beyond(c, lo, hi))
            continue;
        describe_breach(c, head, lo, &text);
        judge_add_why(v, "; limit broken: %s %s", metric_table[c->metric].title,
                      str_text(&text));
    }
}

static const struct series_rounds *series_of(const struct job_samples *samples,
                                             const struct verdict_line *line)
{
    for (size_t i = 0; i < samples->series.len; i++)
        if (samples->series.at[i].key.id == line->series_id)
            return &samples->series.at[i];
    return NULL;
}

static void mark_ignored(const struct spec_ignore *rule, struct verdict_line *line)
{
    AUTO(str_done) struct str text = STR_INIT(VERDICT_WHY_MAX - 1);
    str_addf(&text, "ignored%s%s: %.100s; %s", rule->until ? " until " : "",
             rule->until ? rule->until : "", rule->reason ? rule->reason : "by rule",
             line->why);
    line->why[0] = '\0';
    explain_add(line->why, sizeof line->why, "%s", str_text(&text));
}

void judge_checks(const struct job_samples *samples, const struct judge_rules *rules,
                  struct verdict_record *v)
{
    for (size_t i = 0; i < v->lines.len; i++) {
        struct verdict_line *line = &v->lines.at[i];
        const struct series_rounds *s = series_of(samples, line);
        const struct spec_ignore *rule;
        if (!s)
            continue;
        bool ignored = judge_ignored(rules, &s->key, &rule);
        for (size_t c = 0; c < rules->spec->checks_len; c++) {
            const struct spec_check *check = &rules->spec->checks[c];
            if (!line->endpoint[0] && check->metric == line->metric &&
                fits(check->scenario, line->scenario))
                check_line(check, s, samples->rounds, ignored, line);
        }
        if (ignored)
            mark_ignored(rule, line);
    }
}
