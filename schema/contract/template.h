/* SPDX-License-Identifier: MIT */
/*
 * template: text with places that are filled in for each request.
 *
 *     {seq}            the number of the request, or of its session: 1, 2, 3, ... in a run
 *     {random:LO:HI}   a whole number from LO to HI, both included
 *     {csv:COLUMN}     a field of the data's next row; after the last comes the first again
 *
 * Nothing else is special: any other brace stands for itself, so JSON needs no care. Where one
 * of these three is meant literally, its brace is doubled: "{{seq}" is the text "{seq}".
 *
 * What is filled in follows from the number and the seed alone, so that a request which is sent
 * again is the same, and its answer can be compared without keeping it. In a path, fields of
 * the data are escaped with % (all but letters, digits and -._~); elsewhere they are as they
 * are.
 *
 * A template is built from parts, each with its place; what does not change becomes one piece.
 */
#ifndef CONTRACT_TEMPLATE_H
#define CONTRACT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "errors.h"
#include "str.h"
#include "vec.h"

enum { TEMPLATE_BYTES_MAX = 16 << 20 };

enum template_place { TEMPLATE_PATH, TEMPLATE_HEADER, TEMPLATE_BODY };

enum template_kind { TEMPLATE_TEXT, TEMPLATE_SEQ, TEMPLATE_RANDOM, TEMPLATE_CSV };

struct template_piece {
    enum template_kind kind;
    enum template_place place;
    size_t from, len;  /* of the text, or of the column's name */
    int64_t low, high; /* random */
    size_t column;     /* csv, once bound */
};

struct template
{
    struct str text; /* of all pieces */
    VEC(struct template_piece) pieces;
};

struct template_values {
    uint64_t number; /* from 1 */
    uint64_t seed;
    const struct dataset *data; /* NULL: none */
};

#define TEMPLATE_INIT                        \
    {                                        \
        .text = {.max = TEMPLATE_BYTES_MAX } \
    }

int template_add(struct template *t, struct view text, enum template_place place,
                 struct err *e);
void template_add_plain(struct template *t, struct view text); /* braces and all */
/* Finds the columns; fails when one does not exist, or cannot stand in a header. */
int template_bind(struct template *t, const struct dataset *data, struct err *e);
void template_done(struct template *t);

/* The whole is the same each time: template_text. */
bool template_is_constant(const struct template *t);
void template_make(const struct template *t, const struct template_values *v, struct str *out);

#endif
