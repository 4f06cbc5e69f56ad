/* SPDX-License-Identifier: MIT */
/* job_doc: see job_doc.h. */
#include "job_doc.h"

#include <stdlib.h>

#include "clock.h"
#include "json_write.h"
#include "mem.h"

const char *const side_names[SIDE_COUNT] = {"base", "head"};

static int read_sha(const struct json_doc *doc, const struct json *object, const char *key,
                    char out[JOB_SHA_MAX + 1], struct err *e)
{
    struct view hex = {0};
    unsigned char bytes[JOB_SHA_MAX / 2];
    if (json_read_text(doc, object, key, true, &hex, e) < 0)
        return -1;
    if ((hex.len != 40 && hex.len != 64) || !view_hex(hex, bytes, hex.len / 2))
        return json_fail(doc, json_get(object, key), e, "'%s' is not an object id", key);
    AUTO(str_done) struct str lower = STR_INIT(JOB_SHA_MAX);
    str_add_hex(&lower, bytes, hex.len / 2);
    memcpy(out, lower.at, lower.len + 1);
    return 0;
}

static int read_side(const struct json_doc *doc, const struct json *root, enum side side,
                     struct job_side *out, struct err *e)
{
    const struct json *object = NULL;
    const struct json *member = json_get(root, side_names[side]);
    if (!member || json_type(member) == JSON_NULL)
        return side == SIDE_HEAD ? json_fail(doc, root, e, "'head' is missing") : 0;
    if (json_read_member(doc, root, side_names[side], true, JSON_OBJECT, &object, e) < 0 ||
        read_sha(doc, object, "sha", out->sha, e) < 0 ||
        read_sha(doc, object, "tree", out->tree, e) < 0)
        return -1;
    out->present = true;
    return 0;
}

static int read_looks(const struct json_doc *doc, const struct json *root, struct job_doc *j,
                      struct err *e)
{
    const struct json *looks = NULL;
    if (json_read_member(doc, root, "looks", false, JSON_ARRAY, &looks, e) < 0)
        return -1;
    if (looks && json_count(looks) > SPEC_LOOKS_MAX)
        return json_fail(doc, looks, e, "'looks' has more than %d entries", SPEC_LOOKS_MAX);
    int last = 0;
    for (const struct json *v = looks ? json_first(looks) : NULL; v; v = json_next(v)) {
        double n = json_type(v) == JSON_NUMBER ? json_number(v) : 0;
        if (n <= last || n >= (double)j->rounds || n != (int)n)
            return json_fail(doc, v, e, "looks must be ascending numbers below 'rounds'");
        j->looks[j->looks_len++] = last = (int)n;
    }
    j->rounds_expected = j->rounds;
    return json_read_int(doc, root, "rounds_expected", false, 1, j->rounds, &j->rounds_expected,
                         e);
}

/* The spec travels as text inside the job and is read by its own reader, so there is one place
 * that knows its keys and limits. */
static int read_spec(const struct json_doc *doc, const struct json *root, struct spec **out,
                     struct err *e)
{
    struct view text = {0};
    if (json_read_text(doc, root, "spec", true, &text, e) < 0)
        return -1;
    return spec_parse(text, "spec", out, e);
}

int job_doc_parse(struct view text, struct job_doc **out, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(job_doc_freep) struct job_doc *j = mem_zero(1, sizeof *j);
    struct view kind = {0};
    j->beat_every_ns = CLOCK_NS_PER_S;
    if (json_parse(text, &JSON_MESSAGE, &doc, e) < 0)
        return err_ctx(e, "job document");

    const struct json *root = json_root(doc);
    if (json_read_int(doc, root, "job", true, 1, INT64_MAX, &j->job, e) < 0 ||
        json_read_int(doc, root, "attempt", true, 1, 1000, &j->attempt, e) < 0 ||
        json_read_text(doc, root, "kind", true, &kind, e) < 0 ||
        json_read_int(doc, root, "seed", true, 0, INT64_MAX, &j->seed, e) < 0 ||
        read_side(doc, root, SIDE_BASE, &j->side[SIDE_BASE], e) < 0 ||
        read_side(doc, root, SIDE_HEAD, &j->side[SIDE_HEAD], e) < 0 ||
        json_read_int(doc, root, "rounds", true, 1, 1000, &j->rounds, e) < 0 ||
        json_read_int(doc, root, "aa_rounds", true, 0, j->rounds, &j->aa_rounds, e) < 0 ||
        read_looks(doc, root, j, e) < 0 ||
        json_read_bool(doc, root, "sandbox", true, &j->sandbox, e) < 0 ||
        json_read_bool(doc, root, "build_network", true, &j->build_network, e) < 0 ||
        json_read_int(doc, root, "beat_every_ns", false, CLOCK_NS_PER_MS, 60 * CLOCK_NS_PER_S,
                      &j->beat_every_ns, e) < 0 ||
        read_spec(doc, root, &j->spec, e) < 0)
        return err_ctx(e, "job document");
    if (kind.len == 0 || kind.len >= JOB_KIND_MAX) {
        json_fail(doc, json_get(root, "kind"), e, "'kind' must have 1 to %d bytes",
                  JOB_KIND_MAX - 1);
        return err_ctx(e, "job document");
    }
    memcpy(j->kind, kind.at, kind.len);
    *out = STEAL(j);
    return 0;
}

static void write_side(struct jw *w, enum side side, const struct job_side *s)
{
    if (!s->present) {
        jw_null(w, side_names[side]);
        return;
    }
    jw_object(w, side_names[side]);
    jw_text(w, "sha", s->sha);
    jw_text(w, "tree", s->tree);
    jw_end(w);
}

void job_doc_write(const struct job_doc *j, struct str *out)
{
    AUTO(str_done) struct str spec = STR_INIT(SPEC_BYTES_MAX);
    struct jw w = jw_begin(out);
    spec_explain(j->spec, &spec);
    jw_object(&w, NULL);
    jw_int(&w, "job", j->job);
    jw_int(&w, "attempt", j->attempt);
    jw_text(&w, "kind", j->kind);
    jw_int(&w, "seed", j->seed);
    write_side(&w, SIDE_BASE, &j->side[SIDE_BASE]);
    write_side(&w, SIDE_HEAD, &j->side[SIDE_HEAD]);
    jw_int(&w, "rounds", j->rounds);
    jw_int(&w, "aa_rounds", j->aa_rounds);
    jw_array(&w, "looks");
    for (size_t i = 0; i < j->looks_len; i++)
        jw_int(&w, NULL, j->looks[i]);
    jw_end(&w);
    jw_int(&w, "rounds_expected", j->rounds_expected);
    jw_bool(&w, "sandbox", j->sandbox);
    jw_bool(&w, "build_network", j->build_network);
    jw_int(&w, "beat_every_ns", j->beat_every_ns);
    jw_view(&w, "spec", str_view(&spec));
    jw_end(&w);
}

void job_doc_freep(struct job_doc **j)
{
    if (*j)
        spec_freep(&(*j)->spec);
    free(*j);
    *j = NULL;
}
