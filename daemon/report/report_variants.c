/* SPDX-License-Identifier: MIT */
/*
 * report_variants: the table of all combinations of variants, for a terminal and as Markdown.
 *
 * The rows come sorted by scenario and metric; each such group begins with the baseline, whose
 * value stands in every row of the group. Only deciding metrics are shown, the JSON has all.
 */
#include "report_parts.h"

static bool begins_group(const struct report *r, size_t i)
{
    const struct verdict_line *line = &r->verdict.variants.at[i];
    const struct verdict_line *above = i ? line - 1 : NULL;
    return !above || above->metric != line->metric ||
           strcmp(above->scenario, line->scenario) != 0;
}

static void add_effect(const struct verdict_line *line, struct str *out)
{
    str_addf(out, "%s ", report_arrow(line));
    report_effect(line->metric, line->effect, out);
    str_addz(out, " ");
    report_interval(line, out);
}

static size_t widest(const struct report *r)
{
    size_t width = strlen(r->verdict.baseline);
    for (size_t i = 0; i < r->verdict.variants.len; i++) {
        size_t n = strlen(r->verdict.variants.at[i].variant);
        width = n > width ? n : width;
    }
    return width;
}

static void add_text_row(struct str *out, size_t width, const char *variant,
                         const struct verdict_line *line, double value)
{
    AUTO(str_done) struct str shown = STR_INIT(64);
    metric_format(line->metric, value, &shown);
    str_addf(out, "  %-*s  %9s", (int)width, variant, str_text(&shown));
}

void report_variants_text(const struct report *r, struct str *out)
{
    size_t width = widest(r);
    if (!r->verdict.variants.len)
        return;
    str_addz(out, "Head in every combination, against the first one of each list:\n");
    for (size_t i = 0; i < r->verdict.variants.len; i++) {
        const struct verdict_line *line = &r->verdict.variants.at[i];
        if (!line->primary)
            continue;
        if (begins_group(r, i)) {
            str_addf(out, "%s in ", metric_table[line->metric].title);
            escape_plain(out, view_z(line->scenario));
            str_addz(out, "\n");
            add_text_row(out, width, r->verdict.baseline, line, line->base);
            str_addz(out, "\n");
        }
        add_text_row(out, width, line->variant, line, line->head);
        str_addz(out, "  ");
        add_effect(line, out);
        str_addf(out, ", %s\n", outcome_words[line->outcome]);
    }
    str_addz(out, "\n");
}

static void add_md_row(struct str *out, const char *variant, const struct verdict_line *line,
                       double value)
{
    str_addz(out, "| ");
    escape_md_code(out, view_z(line->scenario));
    str_addf(out, " | %s | ", metric_table[line->metric].title);
    escape_md_code(out, view_z(variant));
    str_addz(out, " | ");
    metric_format(line->metric, value, out);
    str_addz(out, " | ");
}

void report_variants_md(const struct report *r, size_t room, struct str *out)
{
    if (!r->verdict.variants.len)
        return;
    str_addz(out, "<details><summary>Head in every combination</summary>\n\n"
                  "| scenario | metric | combination | value | against the first "
                  "\\[95 % interval\\] | verdict |\n"
                  "| --- | --- | --- | ---: | --- | --- |\n");
    for (size_t i = 0; i < r->verdict.variants.len && out->len + room < out->max; i++) {
        const struct verdict_line *line = &r->verdict.variants.at[i];
        AUTO(str_done) struct str effect = STR_INIT(256);
        if (!line->primary)
            continue;
        if (begins_group(r, i)) {
            add_md_row(out, r->verdict.baseline, line, line->base);
            str_addz(out, "- | baseline |\n");
        }
        add_md_row(out, line->variant, line, line->head);
        add_effect(line, &effect);
        escape_md_text(out, str_view(&effect));
        str_addf(out, " | %s |\n", outcome_words[line->outcome]);
    }
    str_addz(out, "\n</details>\n\n");
}
