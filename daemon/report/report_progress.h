/* SPDX-License-Identifier: MIT */
/*
 * report_progress: what is told of a job before it has a verdict.
 */
#ifndef REPORT_REPORT_PROGRESS_H
#define REPORT_REPORT_PROGRESS_H

#include "report.h"

struct report_progress {
    enum job_state state;
    bool confirms;     /* it measures a suspicion again */
    const char *stage; /* what the runner said last */
    int64_t before;    /* jobs that go first while it is queued */
    int64_t rounds_done, rounds_planned;
    int64_t left_ms; /* until it should be done; 0: not known */

    int64_t job;
    const char *head, *branch; /* foreign text */
    const char *said;          /* the verdict told before; "": none */
    const char *public_url;    /* NULL: unknown */
};

/* "measuring, 4 of 10 rounds, about 5 min left"; the word before the first comma is the phase.
 */
void report_progress_words(const struct report_progress *p, struct str *out);
/* The comment on a merge request in the meantime. */
void report_progress_md(const struct report_progress *p, struct str *out);

/* In place of a report that a newer comment has taken over from. */
void report_moved_md(struct str *out);
/* One line below a report that is not the first: what had been told before. */
void report_before_md(const char *said, struct str *out);
/* What is remembered of a report for that line. */
void report_said(const struct report *r, struct str *out);

#endif
