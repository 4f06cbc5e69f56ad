/* SPDX-License-Identifier: MIT */
/*
 * json: see json.h.
 *
 * The text is read twice: first by the scanner in json_scan.c, which is strict and knows
 * positions, then by cJSON, which builds the tree and cannot fail any more. Both visit values
 * in the same order, so the i-th value of the scanner is the i-th node of a walk through the
 * tree; the number i is kept in the node's 'valueint', which nothing else here uses.
 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_parts.h"
#include "mem.h"
#include "opt.h"

const struct json_rules JSON_CONFIG = {256 << 10, 32, true, false};
const struct json_rules JSON_MESSAGE = {1 << 20, 32, false, false};
const struct json_rules JSON_DELIVERY = {25 << 20, 64, false, true};
const struct json_rules JSON_RESULT = {64 << 20, 32, false, false};

/* --- the tree --------------------------------------------------------------------------------
 */

static int by_key(const void *a, const void *b)
{
    const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
    int order = strcmp(x->string, y->string);
    return order ? order : x->valueint - y->valueint; /* the later one is the one too many */
}

PRINTF(4, 5)
static int fail_at_key(const struct json_doc *doc, const cJSON *member, struct err *e,
                       const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int rc = json_fail_at(doc, doc->places.at[member->valueint].key, e, fmt, args);
    va_end(args);
    return rc;
}

/* Sorted, not compared pair by pair: a hostile object may have a million keys. */
static int refuse_twice(const struct json_doc *doc, const cJSON *object, struct err *e)
{
    VEC(cJSON *) members = {0};
    for (cJSON *m = object->child; m; m = m->next)
        *vec_push(&members) = m;
    if (members.len > 1)
        qsort(members.at, members.len, sizeof *members.at, by_key);
    int rc = 0;
    for (size_t i = 1; i < members.len && rc == 0; i++)
        if (strcmp(members.at[i - 1]->string, members.at[i]->string) == 0)
            rc = fail_at_key(doc, members.at[i], e, "key '%s' is given twice",
                             members.at[i]->string);
    vec_done(&members);
    return rc;
}

static int number_nodes(const struct json_doc *doc, cJSON *node, int *next, struct err *e)
{
    node->valueint = (*next)++;
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
        return json_fail(doc, (const struct json *)node, e, "the number is too large");
    for (cJSON *c = node->child; c; c = c->next)
        if (number_nodes(doc, c, next, e) < 0)
            return -1;
    return cJSON_IsObject(node) ? refuse_twice(doc, node, e) : 0;
}

int json_parse(struct view text, const struct json_rules *rules, struct json_doc **out,
               struct err *e)
{
    if (text.len > rules->bytes_max)
        return err_set(e, ERR_LIMIT, "1:1: the document has more than %zu bytes",
                       rules->bytes_max);

    AUTO(json_freep) struct json_doc *doc = mem_zero(1, sizeof *doc);
    doc->text = mem_strndup(text.len ? text.at : "", text.len);
    doc->given = rules->comments || rules->mends ? mem_strndup(doc->text, text.len) : doc->text;
    doc->len = text.len;
    if (json_scan(doc, rules, e) < 0)
        return -1;

    doc->root = cJSON_ParseWithLength(doc->text, doc->len);
    int next = 0;
    if (!doc->root)
        return err_set(e, ERR_INPUT, "1:1: the document cannot be read");
    if (number_nodes(doc, doc->root, &next, e) < 0)
        return -1;
    *out = STEAL(doc);
    return 0;
}

void json_freep(struct json_doc **doc)
{
    if (*doc) {
        cJSON_Delete((*doc)->root);
        vec_done(&(*doc)->places);
        if ((*doc)->given != (*doc)->text)
            free((*doc)->given);
        free((*doc)->text);
        free(*doc);
    }
    *doc = NULL;
}

const struct json *json_root(const struct json_doc *doc)
{
    return (const struct json *)doc->root;
}

static const cJSON *node_of(const struct json *v)
{
    return (const cJSON *)v;
}

enum json_type json_type(const struct json *v)
{
    const cJSON *n = node_of(v);
    return cJSON_IsObject(n)   ? JSON_OBJECT
           : cJSON_IsArray(n)  ? JSON_ARRAY
           : cJSON_IsString(n) ? JSON_STRING
           : cJSON_IsNumber(n) ? JSON_NUMBER
           : cJSON_IsBool(n)   ? JSON_BOOL
                               : JSON_NULL;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null",     "true or false", "a number",
                                        "a string", "an array",      "an object"};
    return names[type];
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || json_type(object) != JSON_OBJECT)
        return NULL;
    return (const struct json *)cJSON_GetObjectItemCaseSensitive(node_of(object), key);
}

const char *json_key(const struct json *v)
{
    return node_of(v)->string;
}

const struct json *json_first(const struct json *v)
{
    return v ? (const struct json *)node_of(v)->child : NULL;
}

const struct json *json_next(const struct json *v)
{
    return (const struct json *)node_of(v)->next;
}

size_t json_count(const struct json *v)
{
    size_t n = 0;
    for (const struct json *c = json_first(v); c; c = json_next(c))
        n++;
    return n;
}

struct view json_text(const struct json *string)
{
    return view_z(node_of(string)->valuestring);
}

double json_number(const struct json *number)
{
    return node_of(number)->valuedouble;
}

bool json_bool(const struct json *boolean)
{
    return cJSON_IsTrue(node_of(boolean));
}

/* --- complaints and readers
 * ------------------------------------------------------------------- */

int json_fail(const struct json_doc *doc, const struct json *v, struct err *e, const char *fmt,
              ...)
{
    size_t index = v ? (size_t)node_of(v)->valueint : 0;
    va_list args;
    va_start(args, fmt);
    int rc = json_fail_at(doc, doc->places.at[index].value, e, fmt, args);
    va_end(args);
    return rc;
}

int json_only_keys(const struct json_doc *doc, const struct json *object, const char *where,
                   const char *const *keys, struct err *e)
{
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        const char *near = NULL;
        int best = 4;
        bool known = false;
        for (const char *const *k = keys; *k && !known; k++) {
            int d = view_distance(view_z(json_key(m)), view_z(*k));
            known = strcmp(json_key(m), *k) == 0;
            if (d < best && d < (int)strlen(*k))
                best = d, near = *k;
        }
        if (!known)
            return fail_at_key(doc, node_of(m), e, "unknown key '%s' in '%s'%s%s%s",
                               json_key(m), where, near ? "; did you mean '" : "",
                               near ? near : "", near ? "'?" : "");
    }
    return 0;
}

int json_read_member(const struct json_doc *doc, const struct json *object, const char *key,
                     bool required, enum json_type type, const struct json **out, struct err *e)
{
    const struct json *v = json_get(object, key);
    if (!v)
        return required ? json_fail(doc, object, e, "'%s' is missing", key) : 0;
    if (json_type(v) != type)
        return json_fail(doc, v, e, "'%s' must be %s, not %s", key, json_type_name(type),
                         json_type_name(json_type(v)));
    *out = v;
    return 0;
}

int json_read_text(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, struct view *out, struct err *e)
{
    const struct json *v = NULL;
    if (json_read_member(doc, object, key, required, JSON_STRING, &v, e) < 0)
        return -1;
    if (v)
        *out = json_text(v);
    return 0;
}

/* A number written with digits only is exact in all 63 bits; one such as 1e3 is exact as far as
 * a double is. */
static bool whole_number(const struct json_doc *doc, const struct json *v, int64_t *out)
{
    const char *text = doc->text + doc->places.at[node_of(v)->valueint].value;
    double n = json_number(v);
    size_t len = strspn(text, "-0123456789");
    if (!text[len] || !strchr(".eE", text[len]))
        return opt_int((struct view){text, len}, INT64_MIN, INT64_MAX, out, NULL) == 0;
    if (n != floor(n) || fabs(n) > 0x1p53)
        return false;
    *out = (int64_t)n;
    return true;
}

int json_read_int(const struct json_doc *doc, const struct json *object, const char *key,
                  bool required, int64_t min, int64_t max, int64_t *out, struct err *e)
{
    const struct json *v = NULL;
    if (json_read_member(doc, object, key, required, JSON_NUMBER, &v, e) < 0)
        return -1;
    if (!v)
        return 0;
    int64_t n;
    if (!whole_number(doc, v, &n) || n < min || n > max)
        return json_fail(doc, v, e, "'%s' must be a whole number from %lld to %lld", key,
                         (long long)min, (long long)max);
    *out = n;
    return 0;
}

int json_read_real(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, double *out, struct err *e)
{
    const struct json *v = NULL;
    if (json_read_member(doc, object, key, required, JSON_NUMBER, &v, e) < 0)
        return -1;
    if (v)
        *out = json_number(v);
    return 0;
}

int json_read_bool(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, bool *out, struct err *e)
{
    const struct json *v = NULL;
    if (json_read_member(doc, object, key, required, JSON_BOOL, &v, e) < 0)
        return -1;
    if (v)
        *out = json_bool(v);
    return 0;
}

/* A string with a unit: finds it, lets 'parse' read it and gives its complaint a position. */
#define READ_WITH_UNIT(doc, object, key, required, out, parse, e)             \
    const struct json *v = NULL;                                              \
    struct err inner;                                                         \
    if (json_read_member(doc, object, key, required, JSON_STRING, &v, e) < 0) \
        return -1;                                                            \
    if (v && parse(json_text(v), out, &inner) < 0)                            \
    return json_fail(doc, v, e, "'%s': %s", key, inner.text)

int json_read_duration(const struct json_doc *doc, const struct json *object, const char *key,
                       bool required, int64_t min_ns, int64_t max_ns, int64_t *out_ns,
                       struct err *e)
{
    int64_t ns = *out_ns;
    READ_WITH_UNIT(doc, object, key, required, &ns, opt_duration, e);
    if (v && (ns < min_ns || ns > max_ns))
        return json_fail(doc, v, e, "'%s' must lie between %gs and %gs", key,
                         (double)min_ns / 1e9, (double)max_ns / 1e9);
    *out_ns = ns;
    return 0;
}

int json_read_size(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, int64_t *out, struct err *e)
{
    READ_WITH_UNIT(doc, object, key, required, out, opt_size, e);
    return 0;
}

int json_read_rate(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, double *out_rps, struct err *e)
{
    READ_WITH_UNIT(doc, object, key, required, out_rps, opt_rate, e);
    return 0;
}

int json_read_share(const struct json_doc *doc, const struct json *object, const char *key,
                    bool required, double *out, struct err *e)
{
    READ_WITH_UNIT(doc, object, key, required, out, opt_share, e);
    return 0;
}
