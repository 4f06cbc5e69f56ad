/* SPDX-License-Identifier: MIT */
/* dataset: see dataset.h. Quoted fields lose their quotes in place, which only makes them
 * shorter. */
#include "dataset.h"

#include <stdlib.h>

#include "mem.h"
#include "vec.h"

struct reader {
    const char *name;
    char *at, *end;
    size_t line;
    VEC(struct view) fields;
};

/* The text behind an opening quote. */
static int quoted(struct reader *r, struct view *out, struct err *e)
{
    size_t begun = r->line;
    char *from = ++r->at;
    char *to = from;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
            break;
        r->at += *r->at == '"';
        r->line += *r->at == '\n';
        *to++ = *r->at;
    }
    if (r->at == r->end)
        return err_set(e, ERR_INPUT, "%s:%zu: a quote is not closed", r->name, begun);
    r->at++;
    *out = (struct view){from, (size_t)(to - from)};
    return 0;
}

static bool at_line_end(const struct reader *r)
{
    return r->at == r->end || *r->at == '\n' ||
           (*r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n'));
}

static int field(struct reader *r, struct err *e)
{
    struct view *out = vec_push(&r->fields);
    if (r->at < r->end && *r->at == '"') {
        if (quoted(r, out, e) < 0)
            return -1;
    } else {
        char *from = r->at;
        while (!at_line_end(r) && *r->at != ',')
            r->at++;
        *out = (struct view){from, (size_t)(r->at - from)};
    }
    if (!at_line_end(r) && *r->at != ',')
        return err_set(e, ERR_INPUT, "%s:%zu: expected ',' behind a quoted field", r->name,
                       r->line);
    return 0;
}

static int record(struct reader *r, size_t columns, struct err *e)
{
    size_t before = r->fields.len;
    size_t line = r->line;
    for (;;) {
        if (field(r, e) < 0)
            return -1;
        if (at_line_end(r))
            break;
        r->at++; /* the comma */
    }
    size_t n = r->fields.len - before;
    if (columns && n != columns)
        return err_set(e, ERR_INPUT, "%s:%zu: %zu fields, the first line has %zu", r->name,
                       line, n, columns);
    if (n > DATASET_COLUMNS_MAX)
        return err_set(e, ERR_LIMIT, "%s:%zu: more than %d columns", r->name, line,
                       DATASET_COLUMNS_MAX);
    return 0;
}

static void end_line(struct reader *r)
{
    r->at += r->at < r->end && *r->at == '\r';
    r->at += r->at < r->end;
    r->line++;
}

static int read_all(struct reader *r, struct dataset *c, struct err *e)
{
    while (r->at < r->end) {
        if (!at_line_end(r)) {
            if (record(r, c->columns, e) < 0)
                return -1;
            if (!c->columns)
                c->columns = r->fields.len;
        }
        end_line(r);
    }
    c->fields = r->fields.at;
    c->rows = c->columns ? r->fields.len / c->columns - 1 : 0;
    r->fields.at = NULL;
    return c->rows ? 0
                   : err_set(e, ERR_INPUT, "%s: expected a line of names and lines of values",
                             r->name);
}

int dataset_parse(struct str *text, const char *name, struct dataset **out, struct err *e)
{
    AUTO(dataset_freep) struct dataset *c = mem_zero(1, sizeof *c);
    c->text = *text;
    *text = (struct str)STR_INIT(text->max);
    struct reader r = {.name = name, .line = 1};
    r.at = c->text.at;
    r.end = r.at + c->text.len;
    int rc = read_all(&r, c, e);
    vec_done(&r.fields);
    if (rc == 0)
        *out = STEAL(c);
    return rc;
}

void dataset_freep(struct dataset **c)
{
    if (*c) {
        str_done(&(*c)->text);
        free((*c)->fields);
    }
    mem_freep(c);
}

int dataset_column(const struct dataset *c, struct view name, size_t *out, struct err *e)
{
    AUTO(str_done) struct str names = STR_INIT(256);
    for (size_t i = 0; i < c->columns; i++) {
        if (view_eq(c->fields[i], name)) {
            *out = i;
            return 0;
        }
        str_addf(&names, "%s'%.*s'", i ? ", " : "", (int)c->fields[i].len, c->fields[i].at);
    }
    return err_set(e, ERR_INPUT, "no column '%.*s' in the data; there are %s", (int)name.len,
                   name.at, str_text(&names));
}
