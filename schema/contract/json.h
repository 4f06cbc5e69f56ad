/* SPDX-License-Identifier: MIT */
/*
 * json: reads JSON documents strictly and says where something is wrong.
 *
 * A pre-pass checks what the parser behind (cJSON) lets through: invalid UTF-8, raw control
 * characters, \u0000, duplicate keys, numbers such as 012 or 1e999, text after the end, depth.
 * With 'comments' it also takes // and slash-star comments and trailing commas (configuration
 * files). It remembers the offset of each value, so every complaint carries line and column:
 *
 *     AUTO(json_freep) struct json_doc *doc = NULL;
 *     if (json_parse(text, &JSON_CONFIG, &doc, e) < 0)
 *         return err_ctx(e, "%s", path);           // "pacewatchd.conf:12:7: expected ':' ..."
 *     const struct json *rate = json_get(json_root(doc), "rate");
 *     if (!rate) return json_fail(doc, json_root(doc), e, "'rate' is missing");
 *
 * Values belong to the document and are valid until it is freed. Keys are case-sensitive.
 */
#ifndef CONTRACT_JSON_H
#define CONTRACT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "str.h"

struct json;     /* one value */
struct json_doc; /* a document and its text */

struct json_rules {
    size_t bytes_max;
    int depth_max;
    bool comments;
    bool mends; /* \u0000 and halves of surrogate pairs are read as U+FFFD: others write them,
                   and one such text must not hide all the rest */
};

extern const struct json_rules JSON_CONFIG; /* 256 KiB, 32 deep, comments: files people write */
extern const struct json_rules JSON_MESSAGE;  /* 1 MiB, 32 deep: requests and answers */
extern const struct json_rules JSON_DELIVERY; /* 25 MiB, 64 deep: webhook bodies, API answers */
extern const struct json_rules JSON_RESULT;   /* 64 MiB, 32 deep: result documents */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

int json_parse(struct view text, const struct json_rules *rules, struct json_doc **out,
               struct err *e);
void json_freep(struct json_doc **doc);
const struct json *json_root(const struct json_doc *doc);

enum json_type json_type(const struct json *v);
const char *json_type_name(enum json_type type); /* "a string", "an object", ... */
const struct json *json_get(const struct json *object,
                            const char *key); /* NULL: absent, or v is
                                                 no object or NULL */
const char *json_key(const struct json *v); /* the key under which it stands, NULL in arrays */
const struct json *json_first(const struct json *v); /* of an array or object; NULL when none */
const struct json *json_next(const struct json *v);
size_t json_count(const struct json *v);

/* Values; the type must fit (ask json_type or use the readers below). */
struct view json_text(const struct json *string);
double json_number(const struct json *number);
bool json_bool(const struct json *boolean);

/* Sets "line:column: ..." for a value (NULL: the root) and returns -1. */
int json_fail(const struct json_doc *doc, const struct json *v, struct err *e, const char *fmt,
              ...) PRINTF(4, 5);

/* Fails at the first key of 'object' that is not in 'keys' (NULL-terminated) and names the
 * nearest one that is. 'where' names the object in the message: "unknown key 'rat' in 'load'".
 */
int json_only_keys(const struct json_doc *doc, const struct json *object, const char *where,
                   const char *const *keys, struct err *e);

/* Readers of a member. Absent (and not required): 0, *out untouched. Wrong type, range or unit:
 * -1 with position. 'required' absent: -1. Texts are views into the document. */
int json_read_text(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, struct view *out, struct err *e);
int json_read_int(const struct json_doc *doc, const struct json *object, const char *key,
                  bool required, int64_t min, int64_t max, int64_t *out, struct err *e);
int json_read_real(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, double *out, struct err *e);
int json_read_bool(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, bool *out, struct err *e);
/* The member must be of that type; *out stays NULL when absent. */
int json_read_member(const struct json_doc *doc, const struct json *object, const char *key,
                     bool required, enum json_type type, const struct json **out,
                     struct err *e);
/* Strings with units, by the parsers of opt.h: "10s", "512MiB", "2000/s", "1%". */
int json_read_duration(const struct json_doc *doc, const struct json *object, const char *key,
                       bool required, int64_t min_ns, int64_t max_ns, int64_t *out_ns,
                       struct err *e);
int json_read_size(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, int64_t *out, struct err *e);
int json_read_rate(const struct json_doc *doc, const struct json *object, const char *key,
                   bool required, double *out_rps, struct err *e);
int json_read_share(const struct json_doc *doc, const struct json *object, const char *key,
                    bool required, double *out, struct err *e);

#endif
