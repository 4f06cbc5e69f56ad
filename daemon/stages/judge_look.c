/* SPDX-License-Identifier: MIT */
/*
 * Looks: a runner in the middle of its job asks whether there is anything left to find out.
 *
 * The rounds so far are judged by the rules of that look, exactly as the job will be judged
 * when it ends there. It ends when
 *
 *   - a deciding row is slower: the accusation stands, and a second job will look at it again;
 *   - every deciding row has its answer;
 *   - no open row is likely to get one by the last look (futility).
 *
 * A job that confirms another one ends early only for a row that the first one accused: it must
 * not stop at something else before that row had its chance.
 */
#include <inttypes.h>
#include <math.h>

#include "judge_parts.h"
#include "log.h"
#include "mem.h"
#include "store_job.h"
#include "store_look.h"

void judge_set_looks(const struct spec *spec, int planned, struct judge_rules *rules)
{
    rules->looks_len = spec_looks(&spec->sensitivity, rules->looks);
    rules->look = (int)rules->looks_len - 1;
    if (planned != rules->looks[rules->look]) /* alone, or by a runner that knew no looks */
        rules->looks_len = 0;
}

int judge_find_look(const struct judge_rules *rules, int rounds)
{
    for (size_t k = 0; k < rules->looks_len; k++)
        if (rules->looks[k] == rounds)
            return (int)k;
    return -1;
}

/* --- rounds of a document that is not stored ---------------------------------------------- */

static struct series_rounds *find_series(struct job_samples *js, const struct spec *spec,
                                         int variant, const struct result_sample *sample)
{
    const char *name = spec->variants[variant].name;
    const struct spec_scenario *scenario = &spec->scenarios[sample->scenario];
    const char *endpoint =
        sample->endpoint < 0 ? "" : scenario->endpoints[sample->endpoint].name;
    for (size_t i = 0; i < js->series.len; i++) {
        struct series_rounds *r = &js->series.at[i];
        if (r->key.metric == sample->metric && strcmp(r->key.scenario, scenario->name) == 0 &&
            strcmp(r->key.endpoint, endpoint) == 0 && strcmp(r->key.variant, name) == 0)
            return r;
    }
    struct series_rounds *r = vec_push(&js->series);
    r->key = (struct series_key){.id = (int64_t)js->series.len,
                                 .scenario = mem_strdup(scenario->name),
                                 .endpoint = mem_strdup(endpoint),
                                 .metric = sample->metric};
    memcpy(r->key.variant, name, strlen(name) + 1);
    series_rounds_init(r, js->rounds);
    return r;
}

void judge_samples_of(const struct result_doc *doc, const struct spec *spec,
                      struct job_samples *out)
{
    *out = (struct job_samples){0};
    for (size_t i = 0; i < doc->rounds.len; i++) {
        out->rounds += doc->rounds.at[i].void_reason == NULL;
        out->rounds_void += doc->rounds.at[i].void_reason != NULL;
    }
    size_t index = 0;
    for (size_t i = 0; i < doc->rounds.len; i++) {
        const struct result_round *round = &doc->rounds.at[i];
        if (round->void_reason)
            continue;
        for (size_t a = 0; a < round->arms.len; a++) {
            const struct result_arm *arm = &round->arms.at[a];
            for (size_t k = 0; k < arm->samples.len; k++)
                series_rounds_set(find_series(out, spec, arm->variant, &arm->samples.at[k]),
                                  index, arm->side, arm->copy, arm->samples.at[k].value);
        }
        index++;
    }
}

/* --- the answer --------------------------------------------------------------------------- */

static bool accused_again(const struct verdict_record *v, const struct verdict_record *first)
{
    for (size_t i = 0; i < v->lines.len; i++) {
        const struct verdict_line *line = &v->lines.at[i];
        const struct verdict_line *before = first ? judge_find(first, line) : line;
        if (line->primary && line->outcome == OUTCOME_SLOWER && before && before->primary &&
            before->outcome == OUTCOME_SLOWER)
            return true;
    }
    return false;
}

bool judge_may_stop(const struct verdict_record *v, const struct verdict_record *first)
{
    return v->final || accused_again(v, first);
}

static int read_look(const struct judge *j, const struct look *look, struct view body,
                     struct judgement *g, struct err *e)
{
    AUTO(result_doc_freep) struct result_doc *doc = NULL;
    if (store_job_get(j->store, look->job_id, &g->job, e) < 0 ||
        judge_load_spec(j->store, g->job.spec_id, &g->spec, e) < 0 ||
        result_doc_parse(body, g->spec, &doc, e) < 0)
        return -1;
    judge_set_rules(g, (int)doc->rounds_planned);
    judge_samples_of(doc, g->spec, &g->samples);
    g->rules.look = judge_find_look(&g->rules, look->n);
    if (g->rules.look < 0 || g->samples.rounds != (size_t)look->n)
        return err_set(e, ERR_INPUT, "a look at %zu rounds after %d of them is not planned",
                       g->samples.rounds, look->n);
    return 0;
}

static int weigh(const struct judge *j, const struct look *look, struct view body, bool *stop,
                 struct judgement *g, struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record first = {0};
    bool found = false;
    if (read_look(j, look, body, g, e) < 0 ||
        judge_verdict(&g->samples, &g->rules, "", &g->verdict, e) < 0 ||
        (g->job.confirms &&
         store_verdict_get(j->store, g->job.confirms, &first, &found, e) < 0))
        return -1;
    *stop = judge_may_stop(&g->verdict, found ? &first : NULL);
    return 0;
}

int judge_look(const struct judge *j, bool *worked, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(RESULT_DOC_BYTES_MAX);
    AUTO(judgement_done) struct judgement g = {0};
    struct look look;
    struct err why = {0};
    bool stop = false;
    if (store_look_next(j->store, &look, &body, worked, e) < 0)
        return -1;
    if (!*worked)
        return 0;
    if (weigh(j, &look, str_view(&body), &stop, &g, &why) < 0) {
        if (!judge_is_permanent(&why))
            return err_set(e, why.kind, "look at job %" PRId64 ": %s", look.job_id, why.text);
        log_warn("look not judged", "job=%" PRId64 " rounds=%d error=%s", look.job_id, look.n,
                 why.text);
    }
    if (store_look_answer(j->store, &look, stop, why.text[0] ? why.text : g.verdict.why, e) < 0)
        return -1;
    log_info("look answered", "job=%" PRId64 " rounds=%d outcome=%s stop=%d", look.job_id,
             look.n, outcome_names[g.verdict.outcome] ? outcome_names[g.verdict.outcome] : "-",
             stop);
    return 0;
}
