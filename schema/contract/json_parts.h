/* SPDX-License-Identifier: MIT */
/*
 * json_parts: what the scanner (json_scan.c) and the tree (json.c) share. Private to this
 * folder.
 */
#ifndef CONTRACT_JSON_PARTS_H
#define CONTRACT_JSON_PARTS_H

#include <cjson/cJSON.h>
#include <stdarg.h>

#include "json.h"
#include "vec.h"

/* More values than any document of ours has; a tree needs about 100 bytes for each. */
enum { JSON_VALUES_MAX = 2 << 20 };

struct json_place {
    uint32_t key, value; /* offsets in the text; equal where there is no key */
};

struct json_doc {
    char *text;  /* comments blanked out, foreign escapes mended; same length as the original */
    char *given; /* as it came, for positions; the same as 'text' unless that may be changed */
    size_t len;
    cJSON *root;
    VEC(struct json_place) places; /* of the i-th value */
};

/* Checks the whole text, blanks what is not JSON and fills 'places'. */
int json_scan(struct json_doc *doc, const struct json_rules *rules, struct err *e);

/* Sets "line:column: ..." for an offset in the text and returns -1. */
int json_fail_at(const struct json_doc *doc, size_t offset, struct err *e, const char *fmt,
                 va_list args) PRINTF(4, 0);

#endif
