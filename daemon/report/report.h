/* SPDX-License-Identifier: MIT */
/*
 * report: what people and programs read about one job, in three forms from one record.
 *
 *     AUTO(report_record_done) struct report r = {0};
 *     AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
 *     if (store_report_load(store, job, &r, e) < 0)
 *         return -1;
 *     report_md(&r, &text);
 *
 * Order in all forms: the verdict with the worst change, a table worst first, what to do now
 * with the exact command, and where the numbers come from. The headline is never a mean over
 * rows. An error count has no ratio when base has none: its effect is a difference in
 * percentage points.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>

#include "report_record.h"
#include "str.h"

enum {
    REPORT_MD_BYTES_MAX = 64000, /* forges take 65,536 characters */
    REPORT_TEXT_BYTES_MAX = 1 << 20,
    REPORT_JSON_BYTES_MAX = 4 << 20,
    REPORT_TABLE_ROWS = 5, /* the rest is folded away */
};

/* Whatever comes from the repository is escaped: it can neither format, notify, link, start a
 * command nor forge a hidden marker. Rows that do not fit are counted, never cut silently. */
void report_md(const struct report *r, struct str *out);

struct report_text_style {
    int width;   /* columns of the terminal; 0: 80 */
    bool colour; /* by escape sequences; words and signs say the same without */
    bool all;    /* all rows instead of the first five */
};
void report_text(const struct report *r, const struct report_text_style *style,
                 struct str *out);

/* As contract/report.schema.json describes it. */
void report_json(const struct report *r, struct str *out);

/* --- shared words ---------------------------------------------------------------------- */

/* "slower (confirmed)", "undecided (noise +-2.1 %)", "could not measure: build of head". */
void report_verdict_words(const struct report *r, struct str *out);

/* The same with the worst change and how many rows changed; plain text without names from the
 * repository, for a status line or an alert's title. */
void report_headline(const struct report *r, struct str *out);

/* What failed, for people: "build of head", "start of base", "fetch". */
void report_failure_stage(const struct report *r, struct str *out);

/* "+31.2 %" or, for the error rate, "+2.10 points". */
void report_effect(enum metric m, double effect, struct str *out);

/* Exit status of 'pacewatch compare': 0 no regression, 1 regression, 2 could not measure. */
int report_exit_status(const struct report *r);

#endif
