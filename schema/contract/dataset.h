/* SPDX-License-Identifier: MIT */
/*
 * dataset: a table from a file of comma-separated values (RFC 4180) whose first line names the
 * columns.
 *
 * Fields may stand in double quotes, and may hold commas, line ends and doubled quotes then.
 * Every line has as many fields as the first; a line without a byte is left out. The views
 * point into the table's own memory.
 */
#ifndef CONTRACT_DATASET_H
#define CONTRACT_DATASET_H

#include <stddef.h>

#include "errors.h"
#include "str.h"

enum { DATASET_BYTES_MAX = 64 << 20, DATASET_COLUMNS_MAX = 256 };

struct dataset {
    struct str text;
    struct view *fields; /* row by row; the names of the columns come first */
    size_t columns;
    size_t rows; /* without the names; at least one */
};

/* 'name' stands before the line in messages. Takes 'text' over, also when it fails. */
int dataset_parse(struct str *text, const char *name, struct dataset **out, struct err *e);
void dataset_freep(struct dataset **c);

/* The place of a column, or -1 with the names that exist. */
int dataset_column(const struct dataset *c, struct view name, size_t *out, struct err *e);

static inline struct view dataset_field(const struct dataset *c, size_t row, size_t column)
{
    return c->fields[(row + 1) * c->columns + column];
}

#endif
