/* SPDX-License-Identifier: MIT */
/*
 * report_record: everything a report shows about one job, so that renderers need no database.
 *
 * store_report_load fills it; report_record_done frees it. Texts that are not known are "", ids
 * 0.
 */
#ifndef RECORD_REPORT_RECORD_H
#define RECORD_REPORT_RECORD_H

#include "record.h"

enum { REPORT_SPEC_HEX = 12 };

struct report {
    int64_t job, confirms;
    int64_t confirming; /* an open job that measures the same commits again; 0: none */
    enum job_kind kind;
    enum job_state state;
    char repo[RECORD_NAME_MAX], branch[RECORD_NAME_MAX];
    int64_t mr; /* its number; 0: none */
    char base[JOB_SHA_MAX + 1], head[JOB_SHA_MAX + 1], merge_base[JOB_SHA_MAX + 1];
    char subject[RECORD_SUBJECT_MAX + 1]; /* of head */

    bool judged; /* there is a verdict */
    struct verdict_record verdict;

    char accepted_by[RECORD_NAME_MAX]; /* somebody wants it in spite of it; "": nobody */
    char accepted_why[RECORD_REASON_MAX];

    enum failure_class failure; /* of a failed job */
    int failure_side;           /* enum side, or -1 */
    char *failure_text;         /* owned; NULL: none */

    char *notes; /* owned: what the runner saw beside the numbers, a line each; NULL: nothing */

    char host[RECORD_NAME_MAX];
    char spec[REPORT_SPEC_HEX + 1]; /* start of the spec's hash */
    int64_t seed;
    int64_t started_ms, ended_ms; /* of the measuring */
    int rounds_planned;           /* 0: not known */
    enum result_end end;
    bool duet; /* both arms of a round at once */

    const char
        *public_url; /* borrowed, set by the caller: where the dashboard is; NULL: unknown */
};

static inline void report_record_done(struct report *r)
{
    vec_done(&r->verdict.lines);
    vec_done(&r->verdict.variants);
    free(r->failure_text);
    r->failure_text = NULL;
    free(r->notes);
    r->notes = NULL;
}

#endif
