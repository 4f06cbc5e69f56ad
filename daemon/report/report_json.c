/* SPDX-License-Identifier: MIT */
/* report_json: the report for programs; contract/report.schema.json describes it. */
#include "json_write.h"
#include "report_parts.h"

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void id_or_null(struct jw *w, const char *key, int64_t id)
{
    if (id)
        jw_int(w, key, id);
    else
        jw_null(w, key);
}

static void add_row(struct jw *w, const struct verdict_line *line)
{
    const struct metric_info *m = &metric_table[line->metric];
    jw_object(w, NULL);
    jw_text(w, "scenario", line->scenario);
    jw_text(w, "endpoint", line->endpoint);
    jw_text(w, "variant", line->variant);
    jw_text(w, "metric", m->name);
    jw_text(w, "title", m->title);
    jw_text(w, "unit", m->unit);
    jw_int(w, "direction", m->direction);
    jw_bool(w, "primary", line->primary);
    jw_real(w, "base", line->base);
    jw_real(w, "head", line->head);
    jw_real(w, "effect", line->effect);
    jw_real(w, "lo", line->lo);
    jw_real(w, "hi", line->hi);
    jw_real(w, "noise", line->noise);
    jw_real(w, "least_effect", line->least_effect);
    jw_real(w, "detectable", line->detectable);
    jw_int(w, "rounds", line->rounds);
    jw_text(w, "outcome", outcome_names[line->outcome]);
    jw_text(w, "why", line->why);
    jw_end(w);
}

static void add_failure(struct jw *w, const struct report *r)
{
    if (r->state != JOB_FAILED) {
        jw_null(w, "failure");
        return;
    }
    AUTO(str_done) struct str stage = STR_INIT(128);
    report_failure_stage(r, &stage);
    jw_object(w, "failure");
    jw_text(w, "class", r->failure == FAILURE_NONE ? NULL : failure_names[r->failure]);
    jw_text(w, "side",
            r->failure_side >= 0 && r->failure_side < SIDE_COUNT ? side_names[r->failure_side]
                                                                 : NULL);
    jw_text(w, "stage", str_text(&stage));
    jw_text(w, "text", r->failure_text);
    jw_end(w);
}

static void add_origin(struct jw *w, const struct report *r)
{
    AUTO(str_done) struct str command = STR_INIT(512);
    report_command(r, &command);
    jw_text(w, "base", text_or_null(r->base));
    jw_text(w, "head", r->head);
    jw_text(w, "merge_base", text_or_null(r->merge_base));
    jw_text(w, "subject", r->subject);
    jw_text(w, "repo", r->repo);
    jw_text(w, "branch", r->branch);
    id_or_null(w, "mr", r->mr);
    jw_int(w, "job", r->job);
    jw_text(w, "kind", job_kind_names[r->kind]);
    jw_text(w, "state", job_state_names[r->state]);
    id_or_null(w, "confirms", r->confirms);
    id_or_null(w, "confirming", r->confirming);
    jw_text(w, "host", text_or_null(r->host));
    jw_text(w, "spec", text_or_null(r->spec));
    jw_int(w, "seed", r->seed);
    jw_int(w, "started_ms", r->started_ms);
    jw_int(w, "ended_ms", r->ended_ms);
    jw_text(w, "command", str_text(&command));
}

static void add_notes(struct jw *w, const struct report *r)
{
    struct view rest = view_z(r->notes), line;
    jw_array(w, "notes");
    while (view_line(&rest, &line))
        jw_view(w, NULL, line);
    jw_end(w);
}

void report_json(const struct report *r, struct str *out)
{
    AUTO(str_done) struct str words = STR_INIT(512);
    report_verdict_words(r, &words);
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_text(&w, "outcome", r->judged ? outcome_names[r->verdict.outcome] : NULL);
    jw_bool(&w, "confirmed", r->judged && r->verdict.confirmed);
    jw_text(&w, "verdict", str_text(&words));
    jw_text(&w, "why", r->judged ? r->verdict.why : NULL);
    add_failure(&w, r);
    add_origin(&w, r);
    jw_int(&w, "rounds", r->judged ? r->verdict.rounds : 0);
    jw_int(&w, "rounds_void", r->judged ? r->verdict.rounds_void : 0);
    jw_int(&w, "rounds_planned", r->rounds_planned);
    jw_text(&w, "end", result_end_names[r->end]);
    jw_text(&w, "pairing", r->duet ? "duet" : "interleaved");
    add_notes(&w, r);
    jw_array(&w, "rows");
    for (size_t i = 0; r->judged && i < r->verdict.lines.len; i++)
        add_row(&w, &r->verdict.lines.at[i]);
    jw_end(&w);
    jw_text(&w, "baseline", text_or_null(r->verdict.baseline));
    jw_array(&w, "variants");
    for (size_t i = 0; r->judged && i < r->verdict.variants.len; i++)
        add_row(&w, &r->verdict.variants.at[i]);
    jw_end(&w);
    jw_end(&w);
    str_addz(out, "\n");
}
