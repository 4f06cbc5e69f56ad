/* SPDX-License-Identifier: MIT */
/* result_doc: lifetime and the written form; result_read.c reads it. */
#include "result_doc.h"

#include <stdlib.h>

#include "json_write.h"
#include "result_parts.h"

const char *const result_outcome_names[RESULT_OUTCOME_COUNT] = {"measured", "identical",
                                                                "failed"};
const char *const failure_names[FAILURE_COUNT] = {
    "none", "infra", "config", "build", "start", "verify", "load",
};
const char *const round_kind_names[ROUND_KIND_COUNT] = {"ab", "aba", "single"};
const char *const result_end_names[RESULT_END_COUNT] = {"plan", "look", "time"};

bool failure_is_commits_fault(enum failure_class c)
{
    return c == FAILURE_BUILD || c == FAILURE_START || c == FAILURE_VERIFY;
}

struct result_doc *result_doc_new(void)
{
    struct result_doc *r = mem_zero(1, sizeof *r);
    r->failure_side = -1;
    return r;
}

static void facts_done(struct result_fact *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(facts[i].name);
        free(facts[i].text);
    }
    free(facts);
}

static void arm_done(struct result_arm *arm)
{
    for (size_t i = 0; i < arm->hists.len; i++)
        free(arm->hists.at[i].packed);
    facts_done(arm->gauges.at, arm->gauges.len);
    vec_done(&arm->samples);
    vec_done(&arm->hists);
}

void result_doc_freep(struct result_doc **result)
{
    struct result_doc *r = *result;
    *result = NULL;
    if (!r)
        return;
    for (size_t i = 0; i < r->rounds.len; i++) {
        struct result_round *round = &r->rounds.at[i];
        for (size_t k = 0; k < round->arms.len; k++)
            arm_done(&round->arms.at[k]);
        vec_done(&round->arms);
        free(round->void_reason);
    }
    vec_done(&r->rounds);
    facts_done(r->identity.at, r->identity.len);
    facts_done(r->state.at, r->state.len);
    facts_done(r->noise.at, r->noise.len);
    for (size_t i = 0; i < r->notes.len; i++)
        free(r->notes.at[i]);
    vec_done(&r->notes);
    free(r->failure_text);
    free(r->host);
    free(r);
}

/* --- writing ---------------------------------------------------------------------------------
 */

static void write_facts(struct jw *w, const char *key, const struct result_fact *facts,
                        size_t n)
{
    jw_object(w, key);
    for (size_t i = 0; i < n; i++) {
        if (facts[i].text)
            jw_text(w, facts[i].name, facts[i].text);
        else
            jw_real(w, facts[i].name, facts[i].number);
    }
    jw_end(w);
}

static void write_arm(struct jw *w, const struct result_arm *arm, bool hists)
{
    jw_object(w, NULL);
    jw_int(w, "place", arm->place);
    jw_text(w, "side", side_names[arm->side]);
    jw_int(w, "copy", arm->copy);
    if (arm->variant)
        jw_int(w, "variant", arm->variant);
    write_facts(w, "gauges", arm->gauges.at, arm->gauges.len);
    jw_array(w, "samples");
    for (size_t i = 0; i < arm->samples.len; i++) {
        const struct result_sample *s = &arm->samples.at[i];
        jw_object(w, NULL);
        jw_int(w, "scenario", s->scenario);
        jw_int(w, "endpoint", s->endpoint);
        jw_text(w, "metric", metric_table[s->metric].name);
        jw_real(w, "value", s->value);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "hists");
    for (size_t i = 0; hists && i < arm->hists.len; i++) {
        const struct result_hist *h = &arm->hists.at[i];
        jw_object(w, NULL);
        jw_int(w, "scenario", h->scenario);
        jw_int(w, "endpoint", h->endpoint);
        jw_int(w, "count", (int64_t)h->count);
        jw_base64(w, "hist", (struct view){h->packed, h->packed_len});
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void write_round(struct jw *w, const struct result_round *round, bool hists)
{
    jw_object(w, NULL);
    jw_int(w, "n", round->n);
    jw_text(w, "kind", round_kind_names[round->kind]);
    jw_text(w, "void", round->void_reason);
    jw_array(w, "arms");
    for (size_t i = 0; i < round->arms.len; i++)
        write_arm(w, &round->arms.at[i], hists);
    jw_end(w);
    jw_end(w);
}

static void write_artifact(struct jw *w, enum side side, const struct result_artifact *a)
{
    if (!a->present) {
        jw_null(w, side_names[side]);
        return;
    }
    jw_object(w, side_names[side]);
    jw_hex(w, "digest", a->digest, DIGEST_BYTES);
    jw_int(w, "bytes", a->bytes);
    jw_int(w, "build_ns", a->build_ns);
    jw_bool(w, "cached", a->cached);
    jw_end(w);
}

static void write_failure(struct jw *w, const struct result_doc *r)
{
    if (r->failure == FAILURE_NONE) {
        jw_null(w, "failure");
        return;
    }
    jw_object(w, "failure");
    jw_text(w, "class", failure_names[r->failure]);
    jw_text(w, "side", r->failure_side < 0 ? NULL : side_names[r->failure_side]);
    jw_text(w, "text", r->failure_text ? r->failure_text : "");
    jw_end(w);
}

static void write_doc(const struct result_doc *r, bool hists, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_int(&w, "job", r->job);
    jw_int(&w, "attempt", r->attempt);
    jw_text(&w, "outcome", result_outcome_names[r->outcome]);
    write_failure(&w, r);
    jw_int(&w, "started_ms", r->started_ms);
    jw_int(&w, "ended_ms", r->ended_ms);
    jw_text(&w, "host", r->host ? r->host : "");
    jw_object(&w, "artifacts");
    for (int side = 0; side < SIDE_COUNT; side++)
        write_artifact(&w, (enum side)side, &r->artifact[side]);
    jw_end(&w);
    write_facts(&w, "identity", r->identity.at, r->identity.len);
    write_facts(&w, "state", r->state.at, r->state.len);
    write_facts(&w, "noise", r->noise.at, r->noise.len);
    jw_int(&w, "rounds_planned", r->rounds_planned);
    jw_text(&w, "end", result_end_names[r->end]);
    jw_array(&w, "notes");
    for (size_t i = 0; i < r->notes.len; i++)
        jw_text(&w, NULL, r->notes.at[i]);
    jw_end(&w);
    jw_array(&w, "rounds");
    for (size_t i = 0; i < r->rounds.len; i++)
        write_round(&w, &r->rounds.at[i], hists);
    jw_end(&w);
    jw_end(&w);
}

void result_doc_write(const struct result_doc *r, struct str *out)
{
    write_doc(r, true, out);
}

void result_doc_write_look(const struct result_doc *r, struct str *out)
{
    write_doc(r, false, out);
}

void result_facts_digest(const struct result_fact *facts, size_t n,
                         unsigned char out[DIGEST_BYTES])
{
    AUTO(digest_freep) struct digest *d = digest_new();
    for (size_t i = 0; i < n; i++) {
        digest_field(d, view_z(facts[i].name));
        digest_field(d, view_z(facts[i].text ? facts[i].text : ""));
    }
    digest_end(d, out);
}
