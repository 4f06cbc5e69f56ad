/* SPDX-License-Identifier: MIT */
/*
 * spec_variants: the matrix of 'variants': axes with named values, and their combinations.
 *
 * A spec without axes has exactly one combination, the product of nothing, whose name is "".
 * So whoever goes through the combinations need not ask whether there are any.
 */
#include <stdlib.h>

#include "mem.h"
#include "spec_parts.h"

enum { NAME_BYTES = 24 };

static int read_value(const struct json_doc *doc, const struct json *v, struct spec_value *out,
                      struct err *e)
{
    static const char *const keys[] = {"env", "args", NULL};
    out->name = mem_strdup(json_key(v));
    if (!spec_is_name(out->name, NAME_BYTES))
        return json_fail(doc, v, e,
                         "the name of a value has at most %d letters, digits, '_', '.', '-'",
                         NAME_BYTES);
    if (json_type(v) != JSON_OBJECT)
        return json_fail(doc, v, e, "value '%s' must be an object", out->name);
    if (json_only_keys(doc, v, "a value", keys, e) < 0 ||
        spec_read_pairs(doc, v, "env", &out->env, e) < 0)
        return -1;
    return spec_read_list(doc, v, "args", &out->args, e);
}

static int read_axis(const struct json_doc *doc, const struct json *v, struct spec_axis *out,
                     struct err *e)
{
    out->name = mem_strdup(json_key(v));
    if (!spec_is_name(out->name, NAME_BYTES))
        return json_fail(doc, v, e,
                         "the name of an axis has at most %d letters, digits, '_', '.', '-'",
                         NAME_BYTES);
    size_t n = json_type(v) == JSON_OBJECT ? json_count(v) : 0;
    if (n == 0 || n > SPEC_VALUES_MAX)
        return json_fail(doc, v, e, "axis '%s' must be an object of 1 to %d values", out->name,
                         SPEC_VALUES_MAX);
    out->values = mem_zero(n, sizeof *out->values);
    for (const struct json *one = json_first(v); one; one = json_next(one))
        if (read_value(doc, one, &out->values[out->values_len++], e) < 0)
            return -1;
    return 0;
}

/* {"axis": "value"}: which value of each axis, -1 where it is not named. */
static int read_choice(const struct json_doc *doc, const struct json *o, const struct spec *s,
                       int out[SPEC_AXES_MAX], struct err *e)
{
    for (int a = 0; a < SPEC_AXES_MAX; a++)
        out[a] = -1;
    if (json_type(o) != JSON_OBJECT || json_count(o) == 0)
        return json_fail(doc, o, e,
                         "a combination names values of axes: {\"axis\": \"value\"}");
    for (const struct json *v = json_first(o); v; v = json_next(v)) {
        size_t a = 0, k = 0;
        while (a < s->axes_len && strcmp(s->axes[a].name, json_key(v)) != 0)
            a++;
        if (a == s->axes_len)
            return json_fail(doc, v, e, "no axis is named '%s'", json_key(v));
        const struct spec_axis *axis = &s->axes[a];
        struct view name = json_type(v) == JSON_STRING ? json_text(v) : (struct view){0};
        while (k < axis->values_len && !view_eqz(name, axis->values[k].name))
            k++;
        if (k == axis->values_len)
            return json_fail(doc, v, e, "axis '%s' has no such value", axis->name);
        out[a] = (int)k;
    }
    return 0;
}

static bool fits(const int choice[SPEC_AXES_MAX], const struct spec_variant *v)
{
    for (int a = 0; a < SPEC_AXES_MAX; a++)
        if (choice[a] >= 0 && (size_t)choice[a] != v->value[a])
            return false;
    return true;
}

static int is_excluded(const struct json_doc *doc, const struct json *exclude,
                       const struct spec *s, const struct spec_variant *v, bool *out,
                       struct err *e)
{
    *out = false;
    for (const struct json *o = json_first(exclude); o; o = json_next(o)) {
        int choice[SPEC_AXES_MAX];
        if (read_choice(doc, o, s, choice, e) < 0)
            return -1;
        *out = *out || fits(choice, v);
    }
    return 0;
}

/* "extensions=on,workers=4" */
static char *name_of(const struct spec *s, const struct spec_variant *v)
{
    AUTO(str_done) struct str name = STR_INIT(SPEC_VARIANT_MAX);
    for (size_t a = 0; a < s->axes_len; a++)
        str_addf(&name, "%s%s=%s", a ? "," : "", s->axes[a].name,
                 s->axes[a].values[v->value[a]].name);
    return str_steal(&name);
}

/* The next combination in the order of the axes, the last one fastest; false behind the last.
 */
static bool step(const struct spec *s, struct spec_variant *v)
{
    for (size_t a = s->axes_len; a-- > 0;) {
        if (++v->value[a] < s->axes[a].values_len)
            return true;
        v->value[a] = 0;
    }
    return false;
}

static int combine(const struct json_doc *doc, const struct json *o, const struct json *exclude,
                   struct spec *s, struct err *e)
{
    struct spec_variant at = {0};
    do {
        bool out;
        if (is_excluded(doc, exclude, s, &at, &out, e) < 0)
            return -1;
        if (out)
            continue;
        if (s->variants_len == SPEC_VARIANTS_MAX)
            return json_fail(doc, o, e, "more than %d combinations; 'exclude' some",
                             SPEC_VARIANTS_MAX);
        struct spec_variant *v = &s->variants[s->variants_len++];
        *v = at;
        v->name = name_of(s, &at);
    } while (step(s, &at));
    return s->variants_len ? 0 : json_fail(doc, o, e, "'exclude' leaves no combination");
}

static int read_baseline(const struct json_doc *doc, const struct json *baseline,
                         struct spec *s, struct err *e)
{
    int choice[SPEC_AXES_MAX];
    if (!baseline)
        return 0;
    if (read_choice(doc, baseline, s, choice, e) < 0)
        return -1;
    for (size_t i = 0; i < s->variants_len; i++)
        if (fits(choice, &s->variants[i])) {
            s->baseline = i;
            return 0;
        }
    return json_fail(doc, baseline, e, "'baseline' is not among the combinations");
}

int spec_read_variants(const struct json_doc *doc, const struct json *root, struct spec *s,
                       struct err *e)
{
    static const char *const keys[] = {"axes", "exclude", "baseline", NULL};
    const struct json *o = NULL, *axes = NULL, *exclude = NULL, *baseline = NULL;
    s->variants = mem_zero(SPEC_VARIANTS_MAX, sizeof *s->variants);
    if (json_read_member(doc, root, "variants", false, JSON_OBJECT, &o, e) < 0)
        return -1;
    if (o && (json_only_keys(doc, o, "variants", keys, e) < 0 ||
              json_read_member(doc, o, "axes", true, JSON_OBJECT, &axes, e) < 0 ||
              json_read_member(doc, o, "exclude", false, JSON_ARRAY, &exclude, e) < 0 ||
              json_read_member(doc, o, "baseline", false, JSON_OBJECT, &baseline, e) < 0))
        return -1;
    size_t n = axes ? json_count(axes) : 0;
    if (o && (n == 0 || n > SPEC_AXES_MAX))
        return json_fail(doc, axes, e, "'axes' must have 1 to %d entries", SPEC_AXES_MAX);
    s->axes = mem_zero(n + 1, sizeof *s->axes);
    for (const struct json *v = json_first(axes); v; v = json_next(v))
        if (read_axis(doc, v, &s->axes[s->axes_len++], e) < 0)
            return -1;
    if (combine(doc, o, exclude, s, e) < 0)
        return -1;
    return read_baseline(doc, baseline, s, e);
}

void spec_variants_done(struct spec *s)
{
    for (size_t a = 0; a < s->axes_len; a++) {
        for (size_t k = 0; k < s->axes[a].values_len; k++) {
            free(s->axes[a].values[k].name);
            spec_pairs_done(&s->axes[a].values[k].env);
            spec_list_done(&s->axes[a].values[k].args);
        }
        free(s->axes[a].values);
        free(s->axes[a].name);
    }
    for (size_t i = 0; i < s->variants_len; i++)
        free(s->variants[i].name);
    free(s->axes);
    free(s->variants);
}

/* --- writing ---------------------------------------------------------------------------------
 */

static void write_choice(struct jw *w, const char *key, const struct spec *s,
                         const struct spec_variant *v)
{
    jw_object(w, key);
    for (size_t a = 0; a < s->axes_len; a++)
        jw_text(w, s->axes[a].name, s->axes[a].values[v->value[a]].name);
    jw_end(w);
}

/* The combinations that are missing, each by itself. */
static void write_excluded(struct jw *w, const struct spec *s)
{
    struct spec_variant at = {0};
    size_t next = 0;
    jw_array(w, "exclude");
    do {
        if (next < s->variants_len &&
            memcmp(at.value, s->variants[next].value, sizeof at.value) == 0)
            next++;
        else
            write_choice(w, NULL, s, &at);
    } while (step(s, &at));
    jw_end(w);
}

static void write_value(struct jw *w, const struct spec_value *v)
{
    jw_object(w, v->name);
    spec_write_pairs(w, "env", &v->env);
    spec_write_list(w, "args", &v->args);
    jw_end(w);
}

void spec_write_variants(struct jw *w, const struct spec *s)
{
    if (!s->axes_len)
        return;
    jw_object(w, "variants");
    jw_object(w, "axes");
    for (size_t a = 0; a < s->axes_len; a++) {
        jw_object(w, s->axes[a].name);
        for (size_t k = 0; k < s->axes[a].values_len; k++)
            write_value(w, &s->axes[a].values[k]);
        jw_end(w);
    }
    jw_end(w);
    write_excluded(w, s);
    write_choice(w, "baseline", s, &s->variants[s->baseline]);
    jw_end(w);
}

void spec_write_variant(struct jw *w, const struct spec *s, const struct spec_variant *v)
{
    jw_object(w, v->name);
    for (size_t a = 0; a < s->axes_len; a++)
        write_value(w, &s->axes[a].values[v->value[a]]);
    jw_end(w);
}
