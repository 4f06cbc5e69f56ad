/* SPDX-License-Identifier: MIT */
/*
 * judge_variants: how the combinations of variants compare with each other.
 *
 * Every combination was measured in every round, so head in one and head in the baseline are
 * pairs exactly as base and head are: the same rules judge them, as one family of their own. A
 * combination that is slower is what somebody wanted to know, not a regression, so nothing of
 * this decides the job's outcome.
 */
#include <math.h>

#include "judge_parts.h"

struct crossed { /* the samples as pairs of baseline and another combination */
    struct job_samples samples;
    VEC(int64_t) baseline; /* series id, for each of them */
};

static void crossed_done(struct crossed *c)
{
    for (size_t i = 0; i < c->samples.series.len; i++)
        free(c->samples.series.at[i].again); /* all else is borrowed */
    vec_done(&c->samples.series);
    vec_done(&c->baseline);
}

static const struct series_rounds *find_baseline(const struct job_samples *samples,
                                                 const struct series_rounds *s,
                                                 const char *baseline)
{
    for (size_t i = 0; i < samples->series.len; i++) {
        const struct series_rounds *other = &samples->series.at[i];
        if (other->key.metric == s->key.metric && !other->key.endpoint[0] &&
            strcmp(other->key.scenario, s->key.scenario) == 0 &&
            strcmp(other->key.variant, baseline) == 0)
            return other;
    }
    return NULL;
}

/* The A/A noise of the baseline, laid beside its head: equal arms gave these ratios. */
static double *noise_beside(const struct series_rounds *s, size_t rounds)
{
    double *again = mem_alloc((rounds + 1) * sizeof *again);
    for (size_t i = 0; i < rounds; i++)
        again[i] = s->twin[i] > 0 ? s->head[i] * (s->again[i] / s->twin[i]) : NAN;
    return again;
}

static void cross(const struct job_samples *samples, const char *baseline, struct crossed *out)
{
    out->samples.rounds = samples->rounds;
    for (size_t i = 0; i < samples->series.len; i++) {
        const struct series_rounds *s = &samples->series.at[i];
        const struct series_rounds *from =
            s->key.endpoint[0] || strcmp(s->key.variant, baseline) == 0
                ? NULL
                : find_baseline(samples, s, baseline);
        if (!from)
            continue;
        *vec_push(&out->samples.series) =
            (struct series_rounds){.key = s->key,
                                   .base = from->head,
                                   .head = s->head,
                                   .again = noise_beside(from, samples->rounds),
                                   .twin = from->head};
        *vec_push(&out->baseline) = from->key.id;
    }
}

static int64_t baseline_of(const struct crossed *c, int64_t series_id)
{
    for (size_t i = 0; i < c->samples.series.len; i++)
        if (c->samples.series.at[i].key.id == series_id)
            return c->baseline.at[i];
    return 0;
}

int judge_variants(const struct job_samples *samples, const struct judge_rules *rules,
                   struct verdict_record *out, struct err *e)
{
    AUTO(crossed_done) struct crossed c = {0};
    AUTO(verdict_record_done) struct verdict_record v = {0};
    int left_out;
    if (rules->spec->variants_len < 2)
        return 0;
    cross(samples, rules->spec->variants[rules->spec->baseline].name, &c);
    if (c.samples.series.len == 0)
        return 0;
    if (judge_rows(&c.samples, rules, &v, &left_out, e) < 0)
        return err_ctx(e, "variants");
    for (size_t i = 0; i < v.lines.len; i++) {
        struct verdict_line *line = vec_push(&out->variants);
        *line = v.lines.at[i];
        line->baseline_id = baseline_of(&c, line->series_id);
    }
    return 0;
}
