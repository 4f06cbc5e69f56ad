/* SPDX-License-Identifier: MIT */
/*
 * fuzz_template: tables and templates under hostile bytes, divided by the first NUL.
 *
 * Whatever the bytes are: nothing outside them is read, every row is complete, a template makes
 * the same text twice, and a constant one makes what it holds.
 */
#include <stdlib.h>

#include "template.h"

static void fill_in(struct template *t, const struct dataset *data)
{
    for (uint64_t number = 1; number < 4; number++) {
        AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
        struct template_values values = {.number = number, .seed = 9, .data = data};
        template_make(t, &values, &once);
        template_make(t, &values, &twice);
        if (!view_eq(str_view(&once), str_view(&twice)) ||
            (template_is_constant(t) && !view_eq(str_view(&once), str_view(&t->text))))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(dataset_freep) struct dataset *table = NULL;
    AUTO(template_done) struct template t = TEMPLATE_INIT;
    struct view text, rest;
    struct str copy = STR_INIT(1 << 20);
    (void)view_cut((struct view){(const char *)data, size}, '\0', &text, &rest);
    str_add(&copy, rest);
    size_t sum = 0;
    if (dataset_parse(&copy, "fuzz", &table, NULL) == 0)
        for (size_t row = 0; row < table->rows; row++)
            for (size_t k = 0; k < table->columns; k++)
                sum += dataset_field(table, row, k).len;
    if (sum > size)
        abort();
    enum template_place place = (enum template_place)(size % 3);
    if (template_add(&t, text, place, NULL) == 0 && template_bind(&t, table, NULL) == 0)
        fill_in(&t, table);
    return 0;
}
