/* SPDX-License-Identifier: MIT */
/* print_report: see print_report.h. */
#include "print_report.h"

#include <stdio.h>

#include "status_line.h"

void print_report(const struct report *r, const struct print_options *o)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);
    if (o->json) {
        report_json(r, &text);
    } else if (o->markdown) {
        report_md(r, &text);
    } else {
        struct report_text_style style = {.width = terminal_width(),
                                          .colour = terminal_colour()};
        report_text(r, &style, &text);
    }
    fwrite(str_text(&text), 1, text.len, stdout);
    if (text.len && text.at[text.len - 1] != '\n')
        putchar('\n');
}
