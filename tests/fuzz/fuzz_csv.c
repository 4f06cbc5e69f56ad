/* SPDX-License-Identifier: MIT */
/*
 * fuzz_csv: any bytes as the tables of 'pacewatch detect' and 'pacewatch judge'. What the
 * reader takes is finite, and the statistics of it keep their promises.
 */
#include <math.h>
#include <stdlib.h>

#include "changepoint.h"
#include "csv.h"
#include "vec.h"
#include "verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES_MAX = 300 };

struct values {
    VEC(double) at;
};

static void read_table(struct view text, const char *columns, size_t n, struct values *out)
{
    struct csv table;
    struct view cell[4];
    if (csv_begin(&table, text, columns, NULL) < 0)
        return;
    while (out->at.len < VALUES_MAX && csv_row(&table, cell, n, NULL) > 0) {
        int64_t index;
        double value;
        (void)csv_int(&table, cell[0], "index", &index, NULL);
        if (csv_real(&table, cell[n - 1], "value", &value, NULL) < 0)
            continue;
        if (!isfinite(value))
            abort();
        *vec_push(&out->at) = value;
    }
}

static void find_changes(const struct values *v)
{
    AUTO(change_list_done) struct change_list found = {0};
    if (change_find(v->at.at, v->at.len, &(struct change_options){0}, &found, NULL) < 0)
        return;
    for (size_t i = 0; i < found.len; i++)
        if (found.edge[i].index == 0 || found.edge[i].index >= v->at.len ||
            (i && found.edge[i].index <= found.edge[i - 1].index) ||
            found.edge[i].loc_lo > found.edge[i].loc_hi)
            abort();
}

/* The first half of the values against the second. */
static void judge(const struct values *v)
{
    size_t n = v->at.len / 2 < 12 ? v->at.len / 2 : 12;
    struct verdict_metric m = {"m",      -1,           true, 0.01, 0,   n,
                               v->at.at, v->at.at + n, 0,    NULL, NULL};
    struct verdict_rules rules = {.seed = 1};
    struct verdict_row row;
    struct verdict_family family;
    if (n && verdict_judge(&m, 1, &rules, &row, &family, NULL) == 0 &&
        !(row.p >= 0 && row.p <= 1))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size};
    struct values v = {0};
    read_table(text, "index,point,value", 3, &v);
    read_table(text, "round,metric,arm,value", 4, &v);
    find_changes(&v);
    judge(&v);
    vec_done(&v.at);
    return 0;
}
