/* SPDX-License-Identifier: MIT */
/*
 * json_write: makes JSON text piece by piece, without a tree.
 *
 * Inside an object every call names its key; inside an array the key is NULL. Text that is not
 * UTF-8 is written with U+FFFD in place of the bad bytes, so the result is always valid.
 * Numbers are written so that they read back as the same double in any locale; NaN and
 * infinities become null, as JSON has no word for them.
 *
 *     struct jw w = jw_begin(&out);
 *     jw_object(&w, NULL);
 *     jw_text(&w, "outcome", "slower");
 *     jw_array(&w, "rows");
 *     ...
 *     jw_end(&w);
 *     jw_end(&w);
 */
#ifndef CONTRACT_JSON_WRITE_H
#define CONTRACT_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

enum { JW_DEPTH_MAX = 32 };

struct jw {
    struct str *to;
    int depth;
    bool more[JW_DEPTH_MAX]; /* a value has been written at this depth */
    char close[JW_DEPTH_MAX];
};

struct jw jw_begin(struct str *to);
void jw_object(struct jw *w, const char *key);
void jw_array(struct jw *w, const char *key);
void jw_end(struct jw *w); /* closes the innermost object or array */

void jw_text(struct jw *w, const char *key, const char *text); /* NULL text is null */
void jw_view(struct jw *w, const char *key, struct view text);
void jw_int(struct jw *w, const char *key, int64_t value);
void jw_real(struct jw *w, const char *key, double value);
void jw_bool(struct jw *w, const char *key, bool value);
void jw_null(struct jw *w, const char *key);
void jw_hex(struct jw *w, const char *key, const void *bytes, size_t len);
void jw_base64(struct jw *w, const char *key, struct view bytes);
void jw_raw(struct jw *w, const char *key, struct view json); /* already valid JSON */

#endif
