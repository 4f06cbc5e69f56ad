/* SPDX-License-Identifier: MIT */
/*
 * url: the target of a request, taken apart: path segments and query parameters.
 *
 * Stricter than the standard on purpose. Refused are: a target that does not start with '/',
 * bytes outside printable ASCII, broken percent signs, anything that decodes to a control
 * character (so also %00) or to invalid UTF-8, '.' and '..' segments in any spelling, more than
 * the ceilings below. What is left can be compared, logged and bound to a statement as it is.
 *
 * Decoded texts lie inside the struct's own buffer and are followed by NUL.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "str.h"

enum { URL_BYTES_MAX = 2048, URL_SEGMENTS_MAX = 16, URL_PARAMS_MAX = 16 };

struct url_param {
    struct view name, value; /* decoded */
};

struct url {
    struct view segments[URL_SEGMENTS_MAX]; /* decoded; "/a//b/" has a, "", b, "" */
    size_t segments_len;                    /* 0 for "/" */
    struct url_param params[URL_PARAMS_MAX];
    size_t params_len;
    char text[2 * URL_BYTES_MAX]; /* decoded; segments and params point in here */
};

/* The struct must not be moved afterwards. */
int url_parse(struct view target, struct url *out, struct err *e);

/* The first parameter of that name; false when there is none. */
bool url_param(const struct url *u, const char *name, struct view *out);
/* A whole number within the range; absent: *out stays as it is. Wrong: ERR_INPUT. */
int url_param_int(const struct url *u, const char *name, int64_t min, int64_t max, int64_t *out,
                  struct err *e);

#endif
