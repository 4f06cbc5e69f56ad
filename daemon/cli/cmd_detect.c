/* SPDX-License-Identifier: MIT */
/*
 * pacewatch detect: change points of series given as text. One series on standard input, or
 * many in one file. What it prints is a public interface; see pacewatch(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changepoint.h"
#include "cli.h"
#include "cli_parts.h"
#include "clock.h"
#include "csv.h"
#include "fdio.h"
#include "json_write.h"
#include "vec.h"

static const char usage[] =
    "usage: pacewatch detect [OPTIONS] < SERIES.csv        (index,point,value)\n"
    "       pacewatch detect [OPTIONS] -b FILE      (series_id,index,point,value)\n"
    "Prints the index of the first point of every new level: one a line, with -b as\n"
    "'series_id index'.\n\n";

struct detect {
    struct change_options options;
    bool json, time;
    size_t series;
    int64_t spent_ns;
};

struct series {
    VEC(double) values;
    int64_t first; /* index of the first point */
};

static void edge_json(struct jw *w, const struct change_edge *edge, int64_t first)
{
    char why[CHANGE_WHY_MAX];
    jw_object(w, NULL);
    jw_int(w, "index", first + (int64_t)edge->index);
    jw_real(w, "effect", edge->effect);
    jw_real(w, "lo", edge->lo);
    jw_real(w, "hi", edge->hi);
    jw_text(w, "state", change_state_name(edge->state));
    jw_int(w, "loc_lo", first + (int64_t)edge->loc_lo);
    jw_int(w, "loc_hi", first + (int64_t)edge->loc_hi);
    jw_real(w, "before", edge->before);
    jw_real(w, "after", edge->after);
    jw_real(w, "z", edge->z);
    jw_real(w, "p", edge->p);
    change_why(edge, why);
    jw_text(w, "why", why);
    jw_end(w);
}

static void print_json(struct view id, const struct series *s, const struct change_list *found)
{
    AUTO(str_done) struct str out = STR_INIT(CSV_BYTES_MAX);
    struct jw w = jw_begin(&out);
    jw_object(&w, NULL);
    if (id.at)
        jw_view(&w, "series", id);
    jw_int(&w, "points", (int64_t)s->values.len);
    jw_real(&w, "noise", found->noise);
    jw_real(&w, "kappa", found->kappa);
    jw_array(&w, "changes");
    for (size_t i = 0; i < found->len; i++)
        edge_json(&w, &found->edge[i], s->first);
    jw_end(&w);
    jw_end(&w);
    puts(str_text(&out));
}

static int detect_series(struct detect *d, struct view id, struct series *s, struct err *e)
{
    AUTO(change_list_done) struct change_list found = {0};
    int64_t began = clock_now_ns();
    if (change_find(s->values.at, s->values.len, &d->options, &found, e) < 0)
        return -1;
    d->spent_ns += clock_now_ns() - began;
    d->series++;
    if (d->json)
        print_json(id, s, &found);
    for (size_t i = 0; i < found.len && !d->json; i++) {
        if (id.at)
            printf("%.*s ", (int)id.len, id.at);
        printf("%lld\n", (long long)(s->first + (int64_t)found.edge[i].index));
    }
    s->values.len = 0;
    return 0;
}

/* Indices must follow each other: a gap would shift every answer behind it. */
static int add_point(const struct csv *c, struct series *s, struct view index,
                     struct view value, struct err *e)
{
    int64_t i;
    double v;
    if (csv_int(c, index, "index", &i, e) < 0 || csv_real(c, value, "value", &v, e) < 0)
        return -1;
    if (s->values.len == 0)
        s->first = i;
    int64_t want = s->first + (int64_t)s->values.len;
    if (i != want)
        return err_set(e, ERR_INPUT, "line %zu: index %lld after %lld; indices must rise by 1",
                       c->line, (long long)i, (long long)want - 1);
    if (s->values.len >= CHANGE_POINTS_MAX)
        return err_set(e, ERR_LIMIT, "line %zu: more than %d points in a series", c->line,
                       CHANGE_POINTS_MAX);
    *vec_push(&s->values) = v;
    return 0;
}

static int detect_one(struct detect *d, struct view text, struct err *e)
{
    struct csv table;
    struct view cell[3];
    struct series s = {0};
    int more = csv_begin(&table, text, "index,point,value", e);
    while (more == 0 && (more = csv_row(&table, cell, 3, e)) > 0)
        more = add_point(&table, &s, cell[0], cell[2], e);
    if (more == 0 && s.values.len < 2)
        more = err_set(e, ERR_INPUT, "line %zu: %zu point%s; a history needs at least 2",
                       table.line, s.values.len, s.values.len == 1 ? "" : "s");
    if (more == 0)
        more = detect_series(d, (struct view){0}, &s, e);
    vec_done(&s.values);
    return more;
}

static int detect_many(struct detect *d, struct view text, struct err *e)
{
    struct csv table;
    struct view cell[4], id = {0};
    struct series s = {0};
    int more = csv_begin(&table, text, "series_id,index,point,value", e);
    while (more == 0 && (more = csv_row(&table, cell, 4, e)) > 0) {
        more = 0;
        if (id.at && !view_eq(id, cell[0]))
            more = detect_series(d, id, &s, e);
        id = cell[0];
        if (more == 0)
            more = add_point(&table, &s, cell[1], cell[3], e);
    }
    if (more == 0 && !id.at)
        more = err_set(e, ERR_INPUT, "line %zu: no series follows the header", table.line);
    if (more == 0)
        more = detect_series(d, id, &s, e);
    vec_done(&s.values);
    return more;
}

int cmd_detect(int argc, char **argv)
{
    struct detect d = {0};
    const char *batch = NULL;
    bool help = false;
    const struct opt table[] = {
        {"batch", 'b', OPT_TEXT, "FILE", "many series in one file", &batch, 0, 0, NULL},
        {"json", 0, OPT_FLAG, NULL,
         "one JSON object per series: effect, interval, state, location interval", &d.json, 0,
         0, NULL},
        {"min-effect", 0, OPT_CALL, "SHARE", "smallest step to report, e.g. 2%",
         &d.options.min_effect, 0, 0, csv_share_option},
        {"deterministic", 0, OPT_FLAG, NULL,
         "the metric has no noise: any lasting change counts", &d.options.deterministic, 0, 0,
         NULL},
        {"time", 0, OPT_FLAG, NULL, "print the mean time of a series on standard error",
         &d.time, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("detect", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    if (argc > first) {
        err_set(&e, ERR_INPUT, "unexpected operand '%s'; a series is read from standard input",
                argv[first]);
        return cli_bad_usage("detect", &e);
    }

    AUTO(str_done) struct str text = STR_INIT(CSV_BYTES_MAX);
    int rc = batch ? fdio_read_file(batch, &text, &e) : fdio_read_all(0, &text, &e);
    if (rc == 0)
        rc = batch ? detect_many(&d, str_view(&text), &e) : detect_one(&d, str_view(&text), &e);
    if (rc < 0)
        return cli_failed("detect", &e);
    if (d.time && d.series)
        fprintf(stderr, "%.4f ms/series\n", (double)d.spent_ns / 1e6 / (double)d.series);
    return 0;
}
