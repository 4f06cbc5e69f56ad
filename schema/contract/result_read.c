/* SPDX-License-Identifier: MIT */
/*
 * result_read: a result document into struct result_doc.
 *
 * The runner that wrote it ran next to foreign code, so everything is bounded and checked here:
 * counts, indices into the spec, names, that nothing is said twice, and that histograms unpack.
 * A document that passes can be stored without a further look.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "hist.h"
#include "json.h"
#include "result_doc.h"
#include "result_parts.h"

enum {
    FACTS_MAX = 256,
    FACT_TEXT_MAX = 4096,
    COPIES_MAX = 3,
    ARMS_MAX = (COPIES_MAX + 1) * SPEC_VARIANTS_MAX, /* and head */
    SAMPLES_MAX = 1 << 16,
    HISTS_MAX = SPEC_SCENARIOS_MAX * (SPEC_ENDPOINTS_MAX + 1),
    SLOTS = 16,
};

struct reader {
    const struct json_doc *doc;
    const struct spec *spec;
    struct err *err;
    struct hist scratch; /* to see that packed histograms unpack */
    /* Bits of what the arm at hand has already: one per scenario, endpoint (0: the whole) and
     * metric, or METRIC_COUNT for the histogram. */
    unsigned char seen[SPEC_SCENARIOS_MAX * (SPEC_ENDPOINTS_MAX + 1) * SLOTS / 8];
};

static void reader_done(struct reader *rd)
{
    hist_done(&rd->scratch);
}

/* Notes the quantity and tells whether it was there before. */
static bool is_second(struct reader *rd, int scenario, int endpoint, int slot)
{
    static_assert((int)METRIC_COUNT < (int)SLOTS,
                  "a slot for each metric and one for the histogram");
    size_t bit =
        ((size_t)scenario * (SPEC_ENDPOINTS_MAX + 1) + (size_t)(endpoint + 1)) * SLOTS +
        (size_t)slot;
    unsigned char mask = (unsigned char)(1u << bit % 8);
    bool second = rd->seen[bit / 8] & mask;
    rd->seen[bit / 8] |= mask;
    return second;
}

static int word_index(struct reader *rd, const struct json *object, const char *key,
                      const char *const *words, int n, int *out)
{
    struct view word = {0};
    if (json_read_text(rd->doc, object, key, true, &word, rd->err) < 0)
        return -1;
    for (int i = 0; i < n; i++)
        if (view_eqz(word, words[i])) {
            *out = i;
            return 0;
        }
    return json_fail(rd->doc, json_get(object, key), rd->err, "'%s' is not a known %s",
                     json_text(json_get(object, key)).at, key);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct result_fact *)a)->name, ((const struct result_fact *)b)->name);
}

/* Name and value pairs, sorted by name: texts for fingerprints, numbers for gauges. */
static int read_facts(struct reader *rd, const struct json *object, const char *key, bool texts,
                      struct result_fact **out, size_t *out_len)
{
    const struct json *map = NULL;
    if (json_read_member(rd->doc, object, key, true, JSON_OBJECT, &map, rd->err) < 0)
        return -1;
    size_t n = json_count(map);
    if (n > FACTS_MAX)
        return json_fail(rd->doc, map, rd->err, "'%s' has more than %d entries", key,
                         FACTS_MAX);
    struct result_fact *facts = *out = mem_zero(n, sizeof *facts);
    for (const struct json *v = json_first(map); v; v = json_next(v)) {
        enum json_type type = json_type(v);
        if (type != (texts ? JSON_STRING : JSON_NUMBER) && (texts || type != JSON_NULL))
            return json_fail(rd->doc, v, rd->err, "'%s' in '%s' is %s", json_key(v), key,
                             json_type_name(type));
        if (strlen(json_key(v)) > RESULT_NAME_MAX ||
            (texts && json_text(v).len > FACT_TEXT_MAX))
            return json_fail(rd->doc, v, rd->err, "'%.64s' is too long", json_key(v));
        facts[(*out_len)++] = (struct result_fact){
            .name = mem_strdup(json_key(v)),
            .text = texts ? mem_strdup(json_text(v).at) : NULL,
            .number = type == JSON_NUMBER ? json_number(v) : NAN,
        };
    }
    /* JSON members have no order, but the digest of a fingerprint needs one. */
    qsort(facts, n, sizeof *facts, by_name);
    return 0;
}

#define READ_FACTS(rd, object, key, texts, list)                                 \
    ({                                                                           \
        int rc_ = read_facts(rd, object, key, texts, &(list)->at, &(list)->len); \
        (list)->room = (list)->len;                                              \
        rc_;                                                                     \
    })

/* Indices of scenario and endpoint, which must exist in the spec; endpoint -1 is the whole. */
static int read_place(struct reader *rd, const struct json *object, int *scenario,
                      int *endpoint)
{
    int64_t s = 0, p = -1;
    if (json_read_int(rd->doc, object, "scenario", true, 0,
                      (int64_t)rd->spec->scenarios_len - 1, &s, rd->err) < 0)
        return -1;
    int64_t last = (int64_t)rd->spec->scenarios[s].endpoints_len - 1;
    if (json_read_int(rd->doc, object, "endpoint", true, -1, last, &p, rd->err) < 0)
        return -1;
    *scenario = (int)s;
    *endpoint = (int)p;
    return 0;
}

static int read_sample(struct reader *rd, const struct json *object, struct result_sample *s)
{
    struct view metric = {0};
    if (read_place(rd, object, &s->scenario, &s->endpoint) < 0 ||
        json_read_text(rd->doc, object, "metric", true, &metric, rd->err) < 0 ||
        json_read_real(rd->doc, object, "value", true, &s->value, rd->err) < 0)
        return -1;
    if (metric_by_name(metric, &s->metric) < 0)
        return json_fail(rd->doc, object, rd->err, "no metric is named '%.*s'", (int)metric.len,
                         metric.at);
    if (s->value < 0)
        return json_fail(rd->doc, object, rd->err, "a metric cannot be below 0");
    if (is_second(rd, s->scenario, s->endpoint, (int)s->metric))
        return json_fail(rd->doc, object, rd->err, "this metric is given twice in its arm");
    return 0;
}

static int read_hist(struct reader *rd, const struct json *object, struct result_hist *h)
{
    struct view text = {0};
    int64_t count = 0;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    if (read_place(rd, object, &h->scenario, &h->endpoint) < 0 ||
        json_read_int(rd->doc, object, "count", true, 0, INT64_MAX, &count, rd->err) < 0 ||
        json_read_text(rd->doc, object, "hist", true, &text, rd->err) < 0)
        return -1;
    if (is_second(rd, h->scenario, h->endpoint, METRIC_COUNT))
        return json_fail(rd->doc, object, rd->err, "this histogram is given twice in its arm");
    if (digest_unbase64(text, &packed) < 0)
        return json_fail(rd->doc, object, rd->err, "'hist' is not base64");
    struct err inner;
    if (hist_unpack(&rd->scratch, str_view(&packed), &inner) < 0)
        return json_fail(rd->doc, object, rd->err, "%s", inner.text);
    if (rd->scratch.count != (uint64_t)count)
        return json_fail(rd->doc, object, rd->err, "'count' is not that of the histogram");
    h->count = rd->scratch.count;
    h->packed_len = packed.len;
    h->packed = str_steal(&packed);
    return 0;
}

/* The member as an array with at most 'max' elements. */
static const struct json *read_array(struct reader *rd, const struct json *object,
                                     const char *key, size_t max)
{
    const struct json *array = NULL;
    if (json_read_member(rd->doc, object, key, true, JSON_ARRAY, &array, rd->err) < 0)
        return NULL;
    if (json_count(array) > max) {
        json_fail(rd->doc, array, rd->err, "'%s' has more than %zu entries", key, max);
        return NULL;
    }
    return array;
}

static int read_arm(struct reader *rd, const struct json *object, struct result_arm *arm)
{
    int64_t place = 0, copy = 0, variant = 0;
    int side = 0;
    if (json_read_int(rd->doc, object, "place", true, 0, ARMS_MAX - 1, &place, rd->err) < 0 ||
        json_read_int(rd->doc, object, "copy", true, 0, COPIES_MAX - 1, &copy, rd->err) < 0 ||
        json_read_int(rd->doc, object, "variant", false, 0, (int64_t)rd->spec->variants_len - 1,
                      &variant, rd->err) < 0 ||
        word_index(rd, object, "side", side_names, SIDE_COUNT, &side) < 0 ||
        READ_FACTS(rd, object, "gauges", false, &arm->gauges) < 0)
        return -1;
    arm->place = (int)place;
    arm->copy = (int)copy;
    arm->variant = (int)variant;
    arm->side = (enum side)side;
    if (copy && arm->side != SIDE_BASE)
        return json_fail(rd->doc, object, rd->err, "only base is measured a second time");
    memset(rd->seen, 0, sizeof rd->seen);

    const struct json *samples = read_array(rd, object, "samples", SAMPLES_MAX);
    if (!samples)
        return -1;
    for (const struct json *v = json_first(samples); v; v = json_next(v))
        if (read_sample(rd, v, vec_push(&arm->samples)) < 0)
            return -1;
    const struct json *hists = read_array(rd, object, "hists", HISTS_MAX);
    if (!hists)
        return -1;
    for (const struct json *v = json_first(hists); v; v = json_next(v))
        if (read_hist(rd, v, vec_push(&arm->hists)) < 0)
            return -1;
    return 0;
}

static int check_arms(struct reader *rd, const struct json *object,
                      const struct result_round *round)
{
    bool seen[SIDE_COUNT][COPIES_MAX][SPEC_VARIANTS_MAX] = {0};
    for (size_t i = 0; i < round->arms.len; i++) {
        const struct result_arm *arm = &round->arms.at[i];
        if (seen[arm->side][arm->copy][arm->variant])
            return json_fail(rd->doc, object, rd->err, "an arm stands in the round twice");
        seen[arm->side][arm->copy][arm->variant] = true;
    }
    return 0;
}

/* A member that is a text or null; absent is null too. */
static int read_maybe_text(struct reader *rd, const struct json *object, const char *key,
                           struct view *out)
{
    const struct json *v = json_get(object, key);
    if (!v || json_type(v) == JSON_NULL)
        return 0;
    return json_read_text(rd->doc, object, key, true, out, rd->err);
}

static int read_round(struct reader *rd, const struct json *object, int n,
                      struct result_round *round)
{
    int64_t number = 0;
    int kind = 0;
    struct view reason = {0};
    if (json_read_int(rd->doc, object, "n", true, n, n, &number, rd->err) < 0 ||
        word_index(rd, object, "kind", round_kind_names, ROUND_KIND_COUNT, &kind) < 0 ||
        read_maybe_text(rd, object, "void", &reason) < 0)
        return -1;
    if (reason.at)
        round->void_reason = mem_strndup(reason.at, view_utf8_prefix(reason, RESULT_TEXT_MAX));
    round->n = n;
    round->kind = (enum round_kind)kind;
    const struct json *arms = read_array(rd, object, "arms", ARMS_MAX);
    if (!arms)
        return -1;
    int place = 0;
    for (const struct json *v = json_first(arms); v; v = json_next(v)) {
        struct result_arm *arm = vec_push(&round->arms);
        if (read_arm(rd, v, arm) < 0)
            return -1;
        if (arm->place != place++)
            return json_fail(rd->doc, v, rd->err, "arms must stand in the order of 'place'");
    }
    return check_arms(rd, object, round);
}

static int read_artifact(struct reader *rd, const struct json *artifacts, enum side side,
                         struct result_artifact *a)
{
    const struct json *object = json_get(artifacts, side_names[side]);
    struct view hex = {0};
    if (!object || json_type(object) == JSON_NULL)
        return 0;
    if (json_read_text(rd->doc, object, "digest", true, &hex, rd->err) < 0 ||
        json_read_int(rd->doc, object, "bytes", true, 0, INT64_MAX, &a->bytes, rd->err) < 0 ||
        json_read_int(rd->doc, object, "build_ns", true, 0, INT64_MAX, &a->build_ns, rd->err) <
            0 ||
        json_read_bool(rd->doc, object, "cached", true, &a->cached, rd->err) < 0)
        return -1;
    if (!view_hex(hex, a->digest, DIGEST_BYTES))
        return json_fail(rd->doc, object, rd->err, "'digest' is not a SHA-256");
    a->present = true;
    return 0;
}

static int read_failure(struct reader *rd, const struct json *root, struct result_doc *r)
{
    const struct json *object = json_get(root, "failure");
    struct view text = {0}, side = {0};
    int class = 0;
    if (!object || json_type(object) == JSON_NULL)
        return r->outcome == RESULT_FAILED
                   ? json_fail(rd->doc, root, rd->err, "'failure' is missing")
                   : 0;
    if (r->outcome != RESULT_FAILED)
        return json_fail(rd->doc, object, rd->err,
                         "a failure, but the outcome is not 'failed'");
    if (word_index(rd, object, "class", failure_names, FAILURE_COUNT, &class) < 0 ||
        json_read_text(rd->doc, object, "text", true, &text, rd->err) < 0 ||
        read_maybe_text(rd, object, "side", &side) < 0)
        return -1;
    if (class == FAILURE_NONE)
        return json_fail(rd->doc, object, rd->err, "a failure of class 'none'");
    if (side.at && word_index(rd, object, "side", side_names, SIDE_COUNT, &r->failure_side) < 0)
        return -1;
    r->failure = (enum failure_class) class;
    r->failure_text = mem_strndup(text.at, view_utf8_prefix(text, RESULT_TEXT_MAX));
    return 0;
}

static int read_head(struct reader *rd, const struct json *root, struct result_doc *r)
{
    int outcome = 0;
    struct view host = {0};
    if (json_read_int(rd->doc, root, "job", true, 1, INT64_MAX, &r->job, rd->err) < 0 ||
        json_read_int(rd->doc, root, "attempt", true, 1, 1000, &r->attempt, rd->err) < 0 ||
        word_index(rd, root, "outcome", result_outcome_names, RESULT_OUTCOME_COUNT, &outcome) <
            0)
        return -1;
    r->outcome = (enum result_outcome)outcome;
    if (read_failure(rd, root, r) < 0 ||
        json_read_int(rd->doc, root, "started_ms", true, 0, INT64_MAX, &r->started_ms,
                      rd->err) < 0 ||
        json_read_int(rd->doc, root, "ended_ms", true, 0, INT64_MAX, &r->ended_ms, rd->err) <
            0 ||
        json_read_text(rd->doc, root, "host", true, &host, rd->err) < 0)
        return -1;
    if (host.len > RESULT_NAME_MAX)
        return json_fail(rd->doc, json_get(root, "host"), rd->err, "'host' is too long");
    r->host = mem_strndup(host.at, host.len);

    const struct json *artifacts = NULL;
    if (json_read_member(rd->doc, root, "artifacts", true, JSON_OBJECT, &artifacts, rd->err) <
        0)
        return -1;
    for (int side = 0; side < SIDE_COUNT; side++)
        if (read_artifact(rd, artifacts, (enum side)side, &r->artifact[side]) < 0)
            return -1;
    if (READ_FACTS(rd, root, "identity", true, &r->identity) < 0 ||
        READ_FACTS(rd, root, "state", true, &r->state) < 0 ||
        READ_FACTS(rd, root, "noise", false, &r->noise) < 0)
        return -1;
    return 0;
}

/* An older runner says neither: it measured what was planned. */
static int read_end(struct reader *rd, const struct json *root, struct result_doc *r)
{
    int end = RESULT_END_PLAN;
    if (json_read_int(rd->doc, root, "rounds_planned", false, 0, RESULT_ROUNDS_MAX,
                      &r->rounds_planned, rd->err) < 0 ||
        (json_get(root, "end") &&
         word_index(rd, root, "end", result_end_names, RESULT_END_COUNT, &end) < 0))
        return -1;
    r->end = (enum result_end)end;
    return 0;
}

/* Optional: an older runner has none. */
static int read_notes(struct reader *rd, const struct json *root, struct result_doc *r)
{
    const struct json *array = NULL;
    if (json_read_member(rd->doc, root, "notes", false, JSON_ARRAY, &array, rd->err) < 0)
        return -1;
    for (const struct json *v = array ? json_first(array) : NULL; v; v = json_next(v)) {
        struct view text = json_type(v) == JSON_STRING ? json_text(v) : (struct view){0};
        bool good = text.len > 0 && text.len <= RESULT_NOTE_MAX;
        for (size_t i = 0; i < text.len; i++)
            good = good && (unsigned char)text.at[i] >= ' ' && text.at[i] != 0x7f;
        if (!good || r->notes.len == RESULT_NOTES_MAX)
            return json_fail(rd->doc, v, rd->err,
                             "'notes' holds at most %d texts of 1 to %d bytes without control "
                             "characters",
                             RESULT_NOTES_MAX, RESULT_NOTE_MAX);
        *vec_push(&r->notes) = mem_strndup(text.at, text.len);
    }
    return 0;
}

int result_doc_parse(struct view text, const struct spec *spec, struct result_doc **out,
                     struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(result_doc_freep) struct result_doc *r = result_doc_new();
    if (json_parse(text, &JSON_RESULT, &doc, e) < 0)
        return err_ctx(e, "result document");

    AUTO(reader_done) struct reader rd = {.doc = doc, .spec = spec, .err = e};
    hist_init(&rd.scratch);
    const struct json *root = json_root(doc);
    if (read_head(&rd, root, r) < 0 || read_notes(&rd, root, r) < 0)
        return err_ctx(e, "result document");
    const struct json *rounds = read_array(&rd, root, "rounds", RESULT_ROUNDS_MAX);
    if (!rounds || read_end(&rd, root, r) < 0)
        return err_ctx(e, "result document");
    int n = 0;
    for (const struct json *v = json_first(rounds); v; v = json_next(v))
        if (read_round(&rd, v, ++n, vec_push(&r->rounds)) < 0)
            return err_ctx(e, "result document");
    *out = STEAL(r);
    return 0;
}
