/* SPDX-License-Identifier: MIT */
/* report_reply: see report_reply.h. */
#include "report_reply.h"

#include <inttypes.h>

#include "report.h"
#include "report_parts.h"

enum { EXPLAINED_ROWS = 12 };

void report_reply(const char *who, const char *sentence, struct str *out)
{
    str_addz(out, "To ");
    escape_md_code(out, view_z(who));
    str_addz(out, ": ");
    escape_md_text(out, view_z(sentence));
    str_addz(out, ".\n");
}

void report_reply_help(struct str *out)
{
    str_addz(out,
             "\n"
             "| the first line of a new comment | what happens |\n"
             "| --- | --- |\n"
             "| `/pacewatch bench [scenario=NAME] [rounds=N]` | measures the head as it is now;"
             " approves it if it comes from a fork |\n"
             "| `/pacewatch confirm` | measures the same two commits once more |\n"
             "| `/pacewatch accept REASON` | the slowdown is known and wanted: the status"
             " becomes success |\n"
             "| `/pacewatch ignore SCENARIO REASON` | that scenario decides nothing in this"
             " merge request |\n"
             "| `/pacewatch cancel` | stops what is queued or running |\n"
             "| `/pacewatch explain` | the verdict's numbers, row by row |\n"
             "\nAll of them need the right to push.\n");
}

void report_reply_explain(const struct report *r, struct str *out)
{
    AUTO(str_done) struct str words = STR_INIT(1024);
    report_headline(r, &words);
    str_addz(out, "\n**");
    escape_md_text(out, str_view(&words));
    str_addz(out, "**\n\n");
    escape_md_text(out, view_z(r->verdict.why));
    str_addz(out, "\n\n");
    for (size_t i = 0; i < r->verdict.lines.len; i++) {
        const struct verdict_line *line = &r->verdict.lines.at[i];
        AUTO(str_done) struct str where = STR_INIT(512);
        if (i == EXPLAINED_ROWS) {
            str_addf(out, "* %zu more in the report of job %" PRId64 "\n",
                     r->verdict.lines.len - i, r->job);
            return;
        }
        report_where(line, &where);
        str_addf(out, "* %s in ", metric_table[line->metric].title);
        escape_md_code(out, str_view(&where));
        str_addf(out, "%s: ", line->primary ? "" : " (advisory)");
        escape_md_text(out, view_z(line->why));
        str_addz(out, "\n");
    }
}
