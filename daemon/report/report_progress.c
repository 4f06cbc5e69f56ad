/* SPDX-License-Identifier: MIT */
/* report_progress: see report_progress.h. */
#include "report_progress.h"

#include <inttypes.h>

#include "report_parts.h"

enum { MINUTE_MS = 60 * 1000 };

static void add_running(const struct report_progress *p, struct str *out)
{
    if (p->rounds_planned <= 0) {
        str_addf(out, "%s", view_starts(view_z(p->stage), "build") ? "building" : "starting");
        return;
    }
    str_addf(out, "%s, %" PRId64 " of %" PRId64 " rounds",
             p->confirms ? "measuring again" : "measuring", p->rounds_done, p->rounds_planned);
    if (p->left_ms > 0)
        str_addf(out, ", about %" PRId64 " min left", (p->left_ms + MINUTE_MS - 1) / MINUTE_MS);
}

void report_progress_words(const struct report_progress *p, struct str *out)
{
    switch (p->state) {
    case JOB_QUEUED:
        str_addz(out, p->confirms ? "queued to be measured again" : "queued");
        if (p->before)
            str_addf(out, ", %" PRId64 " %s before it", p->before,
                     p->before == 1 ? "job" : "jobs");
        return;
    case JOB_SUBMITTED:
        str_addz(out, "starting");
        return;
    case JOB_RUNNING:
        add_running(p, out);
        return;
    case JOB_SUPERSEDED:
        str_addz(out, "superseded by a newer head, not measured");
        return;
    default:
        str_addz(out, "measured, waits for its verdict");
    }
}

void report_before_md(const char *said, struct str *out)
{
    if (!said[0])
        return;
    str_addz(out, "Before: ");
    escape_md_text(out, view_z(said));
    str_addz(out, ".\n");
}

void report_progress_md(const struct report_progress *p, struct str *out)
{
    str_addz(out, "**");
    report_progress_words(p, out);
    str_addf(out, "** - <code>%.12s</code> for ", p->head);
    escape_md_code(out, view_z(p->branch));
    str_addz(out, "\n\n");
    report_before_md(p->said, out);
    str_addf(out, "\n<sub>Pacewatch edits this comment until there is a verdict; job %" PRId64,
             p->job);
    if (p->public_url)
        str_addf(out, ", [live](%s/jobs/%" PRId64 ")", p->public_url, p->job);
    str_addz(out, ".</sub>\n");
}

void report_moved_md(struct str *out)
{
    str_addz(out,
             "**A regression was confirmed**: the report is in the newer comment below.\n");
}

void report_said(const struct report *r, struct str *out)
{
    str_addf(out, "%.12s was ", r->head);
    report_headline(r, out);
}
