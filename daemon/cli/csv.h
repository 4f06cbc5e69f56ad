/* SPDX-License-Identifier: MIT */
/*
 * csv: plain tables with a header: comma, no quotes, one row a line. Errors name the line.
 *
 *     struct csv table;
 *     struct view cell[3];
 *     if (csv_begin(&table, str_view(&text), "index,point,value", e) < 0) ...
 *     while ((more = csv_row(&table, cell, 3, e)) > 0) ...
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "str.h"

enum { CSV_BYTES_MAX = 512 << 20 };

struct csv {
    struct view rest;
    size_t line; /* of the row read last, from 1 */
    const char *columns;
};

int csv_begin(struct csv *c, struct view text, const char *columns, struct err *e);
int csv_row(struct csv *c, struct view *cell, size_t n,
            struct err *e); /* 1, 0 at the end, -1 */

/* Cells as numbers; the error names line and column. A real must be finite. */
int csv_int(const struct csv *c, struct view cell, const char *column, int64_t *out,
            struct err *e);
int csv_real(const struct csv *c, struct view cell, const char *column, double *out,
             struct err *e);

/* An option value: "1%" or 0.01, within [0, max). For OPT_CALL. */
int csv_share_option(const char *value, void *out, struct err *e);

#endif
