/* SPDX-License-Identifier: MIT */
/*
 * The verdict over all rows of a job, and what becomes of it when a second job has measured the
 * same commits again. The headline is the worst deciding row, never a mean.
 */
#include <inttypes.h>
#include <math.h>

#include "explain.h"
#include "judge_parts.h"
#include "report.h"

/* Worst first, as the store gives them back: changes by size, then what is open, then the rest.
 */
static int rank_of(const struct verdict_line *line)
{
    switch (line->outcome) {
    case OUTCOME_SLOWER:
        return 0;
    case OUTCOME_FASTER:
        return 1;
    case OUTCOME_UNDECIDED:
        return 2;
    default:
        return 3;
    }
}

static int by_weight(const void *left, const void *right)
{
    const struct verdict_line *a = left, *b = right;
    if (rank_of(a) != rank_of(b))
        return rank_of(a) - rank_of(b);
    if (a->primary != b->primary)
        return b->primary - a->primary;
    int errors = (b->metric == METRIC_ERRORS) - (a->metric == METRIC_ERRORS);
    if (errors)
        return errors;
    double x = fabs(a->effect), y = fabs(b->effect);
    return (x < y) - (x > y);
}

void judge_add_why(struct verdict_record *v, const char *fmt, ...)
{
    va_list args;
    AUTO(str_done) struct str text = STR_INIT(1024);
    str_addz(&text, v->why);
    va_start(args, fmt);
    str_addv(&text, fmt, args);
    va_end(args);
    size_t n = view_utf8_prefix(str_view(&text), sizeof v->why - 1);
    if (n < text.len && v->why[0]) /* half a clause would say something else */
        return;
    memcpy(v->why, str_text(&text), n);
    v->why[n] = '\0';
}

static void name_worst(struct verdict_record *v, const struct verdict_line *worst)
{
    AUTO(str_done) struct str effect = STR_INIT(64);
    size_t n = view_utf8_prefix(view_z(worst->scenario), 60);
    report_effect(worst->metric, worst->effect, &effect);
    judge_add_why(v, "; largest: %s %s in %.*s", metric_table[worst->metric].title,
                  str_text(&effect), (int)n, worst->scenario);
    if (worst->variant[0])
        judge_add_why(v, " with %.80s", worst->variant);
}

/* What an undecided job could not have seen: the largest such effect of its deciding rows. */
static void name_limit(struct verdict_record *v)
{
    double seen = NAN;
    for (size_t i = 0; i < v->lines.len; i++) {
        const struct verdict_line *line = &v->lines.at[i];
        if (line->primary && line->outcome == OUTCOME_UNDECIDED && isfinite(line->detectable))
            seen = isnan(seen) ? line->detectable : fmax(seen, line->detectable);
    }
    char text[EXPLAIN_NUMBER];
    if (isfinite(seen))
        judge_add_why(v, "; a change above %s would have been seen in each",
                      explain_percent(text, seen, 0));
}

void judge_sum_up(struct verdict_record *v)
{
    int count[OUTCOME_COUNT] = {0}, all = 0;
    int gates = 0, gates_same = 0;
    const struct verdict_line *worst = NULL;
    if (v->lines.len)
        qsort(v->lines.at, v->lines.len, sizeof *v->lines.at, by_weight);
    for (size_t i = 0; i < v->lines.len; i++) {
        const struct verdict_line *line = &v->lines.at[i];
        if (!line->primary)
            continue;
        count[line->outcome]++;
        all++;
        gates += metric_table[line->metric].gate;
        gates_same += metric_table[line->metric].gate && line->outcome == OUTCOME_NO_CHANGE;
        if (!worst && (line->outcome == OUTCOME_SLOWER || line->outcome == OUTCOME_FASTER))
            worst = line;
    }
    int slower = count[OUTCOME_SLOWER], faster = count[OUTCOME_FASTER];
    int same = count[OUTCOME_NO_CHANGE], open = all - slower - faster - same;
    bool steady = open == 0 || (gates > 0 && gates_same == gates);
    v->outcome = slower && faster ? OUTCOME_MIXED
                 : slower         ? OUTCOME_SLOWER
                 : faster         ? OUTCOME_FASTER
                 : same && steady ? OUTCOME_NO_CHANGE
                                  : OUTCOME_UNDECIDED;
    v->why[0] = '\0';
    judge_add_why(v,
                  "of %d deciding rows %d slower, %d faster, %d without change, %d undecided",
                  all, slower, faster, same, open);
    if (worst)
        name_worst(v, worst);
    if (v->outcome == OUTCOME_UNDECIDED)
        name_limit(v);
}

static bool any_base(const struct job_samples *samples)
{
    for (size_t i = 0; i < samples->series.len; i++)
        for (size_t k = 0; k < samples->rounds; k++)
            if (isfinite(samples->series.at[i].base[k]))
                return true;
    return false;
}

int judge_verdict(const struct job_samples *samples, const struct judge_rules *rules,
                  const char *reason, struct verdict_record *out, struct err *e)
{
    int left_out = 0;
    out->rounds = (int)samples->rounds;
    out->rounds_void = samples->rounds_void;
    if (!samples->rounds) {
        out->outcome = OUTCOME_UNDECIDED;
        judge_add_why(out, "none of %d rounds counted%s%s", samples->rounds_void,
                      reason[0] ? ": " : "", reason);
        return 0;
    }
    if (judge_variants(samples, rules, out, e) < 0)
        return -1;
    if (!any_base(samples)) {
        out->outcome = OUTCOME_NOT_COMPARABLE;
        judge_add_why(out, "there is no measured commit before it to compare with");
        judge_checks_alone(samples, rules, out);
        return 0;
    }
    if (judge_rows(samples, rules, out, &left_out, e) < 0)
        return -1;
    judge_checks(samples, rules, out);
    judge_sum_up(out);
    if (left_out)
        judge_add_why(out, "; %d quantities were not seen on both sides", left_out);
    return 0;
}

bool judge_is_slower(const struct verdict_record *v)
{
    return v->outcome == OUTCOME_SLOWER || v->outcome == OUTCOME_MIXED;
}

const struct verdict_line *judge_find(const struct verdict_record *v,
                                      const struct verdict_line *like)
{
    for (size_t i = 0; i < v->lines.len; i++) {
        const struct verdict_line *line = &v->lines.at[i];
        if (line->metric == like->metric && strcmp(line->scenario, like->scenario) == 0 &&
            strcmp(line->endpoint, like->endpoint) == 0 &&
            strcmp(line->variant, like->variant) == 0)
            return line;
    }
    return NULL;
}

/* --- two jobs ----------------------------------------------------------------------------- */

static void append(double **column, size_t had, const double *more, size_t n)
{
    *column = mem_resize(*column, had + n + 1, sizeof **column);
    for (size_t i = 0; i < n; i++)
        (*column)[had + i] = more ? more[i] : NAN;
}

void judge_join(struct job_samples *into, const struct job_samples *more)
{
    for (size_t i = 0; i < into->series.len; i++) {
        struct series_rounds *s = &into->series.at[i];
        const struct series_rounds *twin = NULL;
        for (size_t k = 0; k < more->series.len && !twin; k++) {
            const struct series_rounds *other = &more->series.at[k];
            if (other->key.metric == s->key.metric &&
                strcmp(other->key.scenario, s->key.scenario) == 0 &&
                strcmp(other->key.endpoint, s->key.endpoint) == 0 &&
                strcmp(other->key.variant, s->key.variant) == 0)
                twin = other;
        }
        append(&s->base, into->rounds, twin ? twin->base : NULL, more->rounds);
        append(&s->head, into->rounds, twin ? twin->head : NULL, more->rounds);
        append(&s->again, into->rounds, twin ? twin->again : NULL, more->rounds);
        append(&s->twin, into->rounds, twin ? twin->twin : NULL, more->rounds);
    }
    into->rounds += more->rounds;
    into->rounds_void += more->rounds_void;
}

static bool deciding(const struct verdict_line *line, enum outcome outcome)
{
    return line && line->primary && line->outcome == outcome;
}

/* All rows take what the rounds of both jobs together say; more rounds, narrower intervals. A
 * row that both found slower stays so, whatever the noise limit makes of the two together. */
static void take_both(struct verdict_record *v, const struct judge_second *second)
{
    struct verdict_record first = *v;
    memset(&v->lines, 0, sizeof v->lines);
    memset(&v->variants, 0, sizeof v->variants);
    for (size_t i = 0; i < second->both->variants.len; i++)
        *vec_push(&v->variants) = second->both->variants.at[i];
    for (size_t i = 0; i < second->both->lines.len; i++) {
        const struct verdict_line *both = &second->both->lines.at[i];
        const struct verdict_line *own = judge_find(&first, both);
        bool twice = deciding(own, OUTCOME_SLOWER) &&
                     deciding(judge_find(second->again, both), OUTCOME_SLOWER);
        *vec_push(&v->lines) = twice && !deciding(both, OUTCOME_SLOWER) ? *own : *both;
    }
    verdict_record_done(&first);
}

bool judge_reconsider(struct verdict_record *v, const struct judge_second *second)
{
    bool agreed = false;
    for (size_t i = 0; i < v->lines.len; i++)
        agreed =
            agreed || (deciding(&v->lines.at[i], OUTCOME_SLOWER) &&
                       deciding(judge_find(second->again, &v->lines.at[i]), OUTCOME_SLOWER));
    const char *was = outcome_words[v->outcome];
    v->confirmed = agreed;
    v->rounds = second->both->rounds;
    v->rounds_void = second->both->rounds_void;
    take_both(v, second);
    judge_sum_up(v);
    if (agreed)
        judge_add_why(v, "; job %" PRId64 " measured both again and agrees", second->job);
    else
        judge_add_why(v, "; was %s, which job %" PRId64 " did not see again", was, second->job);
    return agreed;
}
