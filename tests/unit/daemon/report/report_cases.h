/* SPDX-License-Identifier: MIT */
/*
 * report_cases: reports to render, one for each kind of verdict, and golden files to compare
 * with.
 *
 * A golden file is what a person has looked at and found right. After a wanted change run the
 * test with PACEWATCH_GOLDEN=write, read the difference, and commit it with the change.
 */
#ifndef REPORT_CASES_H
#define REPORT_CASES_H

#include "report.h"

enum report_case {
    CASE_SLOWER,    /* confirmed, on a branch, more rows than the table shows */
    CASE_SUSPECTED, /* slower on a merge request, being measured again */
    CASE_UNDECIDED,
    CASE_IDENTICAL,
    CASE_FIRST,   /* no base */
    CASE_BROKEN,  /* head does not build */
    CASE_HOSTILE, /* every name tries to break out */
    CASE_COUNT,
};
extern const char *const report_case_names[CASE_COUNT];

void report_case_make(enum report_case which, struct report *r); /* report_record_done it */
void golden_check_file(const char *path, const struct str *text);
void golden_check(const char *name, const char *extension, const struct str *text);

#endif
