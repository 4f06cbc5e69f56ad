/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include "opt.h"

int csv_begin(struct csv *c, struct view text, const char *columns, struct err *e)
{
    *c = (struct csv){.rest = text, .line = 1, .columns = columns};
    struct view header;
    if (view_starts(c->rest, "\xef\xbb\xbf")) /* byte order mark */
        c->rest = view_skip(c->rest, 3);
    if (!view_line(&c->rest, &header))
        return err_set(e, ERR_INPUT, "line 1: the table is empty; expected the header '%s'",
                       columns);
    header = view_trim(header);
    if (!view_eqz(header, columns))
        return err_set(e, ERR_INPUT, "line 1: expected the header '%s', got '%.*s'", columns,
                       (int)view_utf8_prefix(header, 80), header.at);
    return 0;
}

int csv_row(struct csv *c, struct view *cell, size_t n, struct err *e)
{
    struct view line;
    do {
        if (!view_line(&c->rest, &line))
            return 0;
        c->line++;
    } while (view_trim(line).len == 0);
    struct view rest = line;
    size_t count = 0;
    for (bool more = true; more; count++) {
        struct view head;
        more = view_cut(rest, ',', &head, &rest);
        if (count < n)
            cell[count] = view_trim(head);
    }
    if (count != n)
        return err_set(e, ERR_INPUT, "line %zu: %zu columns; expected %zu: '%s'", c->line,
                       count, n, c->columns);
    return 1;
}

int csv_int(const struct csv *c, struct view cell, const char *column, int64_t *out,
            struct err *e)
{
    if (opt_int(cell, -INT64_MAX, INT64_MAX, out, e) < 0)
        return err_ctx(e, "line %zu: %s", c->line, column);
    return 0;
}

int csv_real(const struct csv *c, struct view cell, const char *column, double *out,
             struct err *e)
{
    if (opt_real(cell, out, e) < 0)
        return err_ctx(e, "line %zu: %s must be a finite number", c->line, column);
    return 0;
}

int csv_share_option(const char *value, void *out, struct err *e)
{
    struct view v = view_z(value);
    double share;
    int rc = view_ends(v, "%") ? opt_share(v, &share, e) : opt_real(v, &share, e);
    if (rc < 0)
        return -1;
    if (!(share >= 0 && share < 1))
        return err_set(e, ERR_INPUT, "expected a share such as '1%%' or 0.01, got '%s'", value);
    *(double *)out = share;
    return 0;
}
