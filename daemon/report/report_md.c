/* SPDX-License-Identifier: MIT */
/*
 * The report as Markdown for a merge request: at most a dozen visible lines, the rest folded.
 * Every line begins with a word or sign of ours, since a line that begins with '/' is a command
 * on some forges.
 */
#include <inttypes.h>

#include "report_parts.h"

enum { ROOM_BEHIND_ROWS = 4000, FAILURE_LINES_MAX = 6, NOTES_MAX = 3 };

static void add_code(struct str *out, const struct str *text)
{
    escape_md_code(out, str_view(text));
}

static void add_headline(const struct report *r, struct str *out)
{
    AUTO(str_done) struct str words = STR_INIT(512);
    report_verdict_words(r, &words);
    str_addz(out, "**");
    escape_md_text(out, str_view(&words));
    str_addz(out, "**");
    const struct verdict_line *worst = r->judged ? report_worst(r) : NULL;
    if (worst) {
        AUTO(str_done) struct str where = STR_INIT(1024);
        AUTO(str_done) struct str interval = STR_INIT(128);
        report_where(worst, &where);
        report_interval(worst, &interval);
        str_addf(out, " - %s %s ", metric_table[worst->metric].title, report_arrow(worst));
        report_effect(worst->metric, worst->effect, out);
        str_addz(out, " ");
        escape_md_text(out, str_view(&interval));
        str_addz(out, " in ");
        add_code(out, &where);
        str_addf(out, " - %d of %zu rows changed", report_changed_rows(r),
                 r->verdict.lines.len);
    }
    str_addz(out, "\n\n");
}

static void add_failure(const struct report *r, struct str *out)
{
    struct view rest = view_z(r->failure_text), line;
    for (int i = 0; i < FAILURE_LINES_MAX && view_line(&rest, &line);) {
        line = view_trim(line);
        if (!line.len)
            continue;
        str_addz(out, "> ");
        escape_md_code(out, (struct view){line.at, view_utf8_prefix(line, 400)});
        str_addz(out, "\n");
        i++;
    }
    str_addz(out, "\n");
}

static void add_why(const struct report *r, struct str *out)
{
    if (r->state == JOB_FAILED)
        add_failure(r, out);
    else if (r->judged && r->verdict.why[0]) {
        str_addz(out, "Why: ");
        escape_md_text(out, view_z(r->verdict.why));
        str_addz(out, ".\n\n");
    }
    if (r->accepted_by[0]) {
        str_addz(out, "Accepted by ");
        escape_md_code(out, view_z(r->accepted_by));
        str_addz(out, ": ");
        escape_md_text(out, view_z(r->accepted_why));
        str_addz(out, "\n\n");
    }
}

static void add_row(const struct verdict_line *line, struct str *out)
{
    AUTO(str_done) struct str where = STR_INIT(1024);
    AUTO(str_done) struct str interval = STR_INIT(128);
    report_where(line, &where);
    report_interval(line, &interval);
    str_addz(out, "| ");
    add_code(out, &where);
    str_addf(out, " | %s | ", metric_table[line->metric].title);
    metric_format(line->metric, line->base, out);
    str_addz(out, " | ");
    metric_format(line->metric, line->head, out);
    str_addf(out, " | %s ", report_arrow(line));
    report_effect(line->metric, line->effect, out);
    str_addz(out, " ");
    escape_md_text(out, str_view(&interval));
    str_addz(out, " | ");
    report_noise(line, out);
    str_addf(out, " | %s%s |\n", outcome_words[line->outcome],
             line->primary ? "" : " (advisory)");
}

static void add_table_head(struct str *out)
{
    str_addz(out,
             "| scenario | metric | base | head | effect \\[95 % interval\\] | noise (A/A) |"
             " verdict |\n| --- | --- | ---: | ---: | --- | ---: | --- |\n");
}

static void add_folded(const struct report *r, struct str *out)
{
    size_t all = r->verdict.lines.len, i = REPORT_TABLE_ROWS;
    str_addf(out, "\n<details><summary>%zu more rows</summary>\n\n", all - i);
    add_table_head(out);
    for (; i < all && out->len + ROOM_BEHIND_ROWS < out->max; i++)
        add_row(&r->verdict.lines.at[i], out);
    if (i < all)
        str_addf(out,
                 "\n%zu rows are left out here for their length; the report of job %" PRId64
                 " has them all.\n",
                 all - i, r->job);
    str_addz(out, "\n</details>\n");
}

static void add_table(const struct report *r, struct str *out)
{
    if (!r->verdict.lines.len)
        return;
    add_table_head(out);
    for (size_t i = 0; i < r->verdict.lines.len && i < REPORT_TABLE_ROWS; i++)
        add_row(&r->verdict.lines.at[i], out);
    if (r->verdict.lines.len > REPORT_TABLE_ROWS)
        add_folded(r, out);
    str_addz(out, "\n");
}

static void add_notes(const struct report *r, struct str *out)
{
    struct view rest = view_z(r->notes), line;
    for (int i = 0; i < NOTES_MAX && view_line(&rest, &line); i++) {
        str_addz(out, "Note: ");
        escape_md_text(out, line);
        str_addz(out, "\n\n");
    }
    if (rest.len)
        str_addf(out, "More notes are in the report of job %" PRId64 ".\n\n", r->job);
}

static void add_next_step(const struct report *r, struct str *out)
{
    AUTO(str_done) struct str line = STR_INIT(512);
    AUTO(str_done) struct str command = STR_INIT(512);
    report_next_step(r, &line, &command);
    str_addf(out, "**What now:** %s", str_text(&line));
    if (command.len) {
        str_addz(out, " ");
        add_code(out, &command);
    }
    str_addz(out, "\n\n");
}

static void add_footer(const struct report *r, struct str *out)
{
    AUTO(str_done) struct str command = STR_INIT(512);
    str_addz(out, "<sub>Pacewatch measured ");
    if (r->base[0])
        str_addf(out, "<code>%.12s..%.12s</code>", r->base, r->head);
    else
        str_addf(out, "<code>%.12s</code>", r->head);
    if (r->mr && r->merge_base[0])
        str_addf(out, ", merge base <code>%.12s</code>", r->merge_base);
    str_addf(out, ", job %" PRId64 ": ", r->job);
    report_facts(r, escape_md_code, out);
    str_addz(out, ".");
    if (r->base[0]) {
        report_command(r, &command);
        str_addf(out, " Repeat: <code>%s</code>", str_text(&command));
    }
    if (r->public_url)
        str_addf(out,
                 " [Report](%s/jobs/%" PRId64 ") - [JSON](%s/api/v1/jobs/%" PRId64
                 "/report?format=json)",
                 r->public_url, r->job, r->public_url, r->job);
    str_addz(out, "</sub>\n");
}

static void add_subject(const struct report *r, struct str *out)
{
    if (r->mr)
        str_addf(out, "Merge request %" PRId64 " for ", r->mr);
    else
        str_addz(out, "Commit on ");
    escape_md_code(out, view_z(r->branch));
    if (r->subject[0]) {
        str_addz(out, ": ");
        escape_md_code(out, view_z(r->subject));
    }
    str_addz(out, "\n\n");
}

void report_md(const struct report *r, struct str *out)
{
    add_headline(r, out);
    add_subject(r, out);
    add_why(r, out);
    add_table(r, out);
    report_variants_md(r, ROOM_BEHIND_ROWS, out);
    add_notes(r, out);
    add_next_step(r, out);
    add_footer(r, out);
}
