/* SPDX-License-Identifier: MIT */
/*
 * job_doc: what the daemon hands a runner: everything needed to measure one pair of commits.
 *
 * The document names trees, not places: the runner asks for the source of a side over the same
 * connection. job.schema.json describes the JSON form.
 */
#ifndef CONTRACT_JOB_DOC_H
#define CONTRACT_JOB_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "spec.h"

enum { JOB_DOC_BYTES_MAX = 1 << 20, JOB_SHA_MAX = 64, JOB_KIND_MAX = 16 };

enum side { SIDE_BASE, SIDE_HEAD, SIDE_COUNT };
extern const char *const side_names[SIDE_COUNT]; /* "base", "head" */

struct job_side {
    bool present;              /* a branch's first commit has no base */
    char sha[JOB_SHA_MAX + 1]; /* of the commit, lower-case hexadecimal */
    char tree[JOB_SHA_MAX + 1];
};

struct job_doc {
    int64_t job, attempt;
    char kind[JOB_KIND_MAX];
    int64_t seed;
    struct job_side side[SIDE_COUNT];
    int64_t rounds;            /* planned: at most so many, with base and head */
    int64_t aa_rounds;         /* of those, how many measure base a second time */
    int looks[SPEC_LOOKS_MAX]; /* after how many counted rounds the daemon is asked whether to
                                  go on; ascending, below 'rounds' */
    size_t looks_len;
    int64_t rounds_expected; /* as earlier jobs went; for the first ETA */
    bool sandbox;            /* false only by the operator's word */
    bool build_network;      /* granted by the operator and wanted by the spec */
    int64_t beat_every_ns;
    struct spec *spec; /* owned; travels as a text member, "spec" */
};

int job_doc_parse(struct view text, struct job_doc **out, struct err *e);
void job_doc_write(const struct job_doc *j, struct str *out);
void job_doc_freep(struct job_doc **j);

#endif
