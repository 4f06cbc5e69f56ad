/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses the rules. What the strict reader accepts must be UTF-8, keep every
 * value reachable with a place in the text, and pass through the writer and the reader again
 * unchanged.
 */
#include <stdlib.h>

#include "json.h"
#include "json_write.h"
#include "opt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the value again; returns how many values it holds. */
static size_t copy(struct jw *w, const struct json_doc *doc, const struct json *v)
{
    size_t n = 1;
    struct err e;
    if (json_fail(doc, v, &e, "here") == 0 || e.text[0] < '1' || e.text[0] > '9')
        abort();
    switch (json_type(v)) {
    case JSON_NULL:
        jw_null(w, json_key(v));
        break;
    case JSON_BOOL:
        jw_bool(w, json_key(v), json_bool(v));
        break;
    case JSON_NUMBER:
        jw_real(w, json_key(v), json_number(v));
        break;
    case JSON_STRING:
        if (!view_is_utf8(json_text(v)))
            abort();
        jw_view(w, json_key(v), json_text(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (json_type(v) == JSON_ARRAY)
            jw_array(w, json_key(v));
        else
            jw_object(w, json_key(v));
        for (const struct json *c = json_first(v); c; c = json_next(c))
            n += copy(w, doc, c);
        jw_end(w);
        break;
    }
    return n;
}

static void read_members(const struct json_doc *doc, const struct json *root)
{
    static const char *const keys[] = {"rate", "duration", "size", NULL};
    struct err e;
    double x = 0;
    if (json_type(root) != JSON_OBJECT)
        return;
    (void)json_only_keys(doc, root, "the document", keys, &e);
    for (const char *const *k = keys; *k; k++) {
        int64_t whole = 0, n = 0;
        (void)json_read_int(doc, root, *k, false, -5, 1 << 20, &whole, &e);
        (void)json_read_duration(doc, root, *k, false, 0, INT64_MAX, &n, &e);
        (void)json_read_size(doc, root, *k, false, &n, &e);
        (void)json_read_rate(doc, root, *k, false, &x, &e);
        (void)json_read_share(doc, root, *k, false, &x, &e);
        if (whole < -5 || whole > 1 << 20 || n < 0 || x < 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The writer nests one level less than the reader. */
    static const struct json_rules plain = {1 << 16, 31, false, false},
                                   config = {1 << 16, 31, true, false},
                                   foreign = {1 << 16, 31, false, true};
    if (!size)
        return 0;
    struct view text = {(const char *)data + 1, size - 1};
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(json_freep) struct json_doc *again = NULL;
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
    struct err e = {0};
    if (json_parse(text,
                   data[0] & 1   ? &config
                   : data[0] & 2 ? &foreign
                                 : &plain,
                   &doc, &e) < 0) {
        if (doc || !e.text[0])
            abort();
        return 0;
    }

    struct jw w = jw_begin(&once), w2 = jw_begin(&twice);
    size_t n = copy(&w, doc, json_root(doc));
    read_members(doc, json_root(doc));
    if (json_parse(str_view(&once), &JSON_MESSAGE, &again, &e) < 0 ||
        copy(&w2, again, json_root(again)) != n || !view_eq(str_view(&once), str_view(&twice)))
        abort();
    return 0;
}
