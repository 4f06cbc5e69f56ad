/* SPDX-License-Identifier: MIT */
/*
 * result_doc: what a runner hands back: raw rounds with everything recorded beside them, or why
 * there are none. No verdict: that is the judge's work. result.schema.json describes the JSON.
 */
#ifndef CONTRACT_RESULT_DOC_H
#define CONTRACT_RESULT_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "job_doc.h"
#include "metric.h"
#include "vec.h"

enum {
    RESULT_DOC_BYTES_MAX = 64 << 20,
    RESULT_ROUNDS_MAX = 1000,
    RESULT_NAME_MAX = 255, /* scenario and endpoint names */
    RESULT_TEXT_MAX = 4096,
    RESULT_NOTES_MAX = 64,
    RESULT_NOTE_MAX = 1024,
};

enum result_outcome { RESULT_MEASURED, RESULT_IDENTICAL, RESULT_FAILED };

/* Whose fault: build, start, verify are the commit's; config the repository's; infra and load
 * (the generator) ours. */
enum failure_class {
    FAILURE_NONE,
    FAILURE_INFRA,
    FAILURE_CONFIG,
    FAILURE_BUILD,
    FAILURE_START,
    FAILURE_VERIFY,
    FAILURE_LOAD,
    FAILURE_COUNT,
};
extern const char *const failure_names[FAILURE_COUNT];
bool failure_is_commits_fault(enum failure_class c);

struct result_fact { /* one line of a fingerprint or one gauge */
    char *name;
    char *text;    /* fingerprint: the value; gauge: NULL */
    double number; /* gauge */
};

struct result_sample {
    int scenario, endpoint; /* indices into the spec; endpoint -1: the whole scenario */
    enum metric metric;
    double value;
};

struct result_hist {
    int scenario, endpoint;
    char *packed; /* hist_pack */
    size_t packed_len;
    uint64_t count;
};

struct result_arm {
    int place; /* order inside the round, from 0 */
    enum side side;
    int copy;    /* 1: base measured the second time (A/A); 2: beside that, in a duet */
    int variant; /* index into the spec's combinations */
    VEC(struct result_fact) gauges;
    VEC(struct result_sample) samples;
    VEC(struct result_hist) hists;
};

enum round_kind { ROUND_AB, ROUND_ABA, ROUND_SINGLE, ROUND_KIND_COUNT };
extern const char *const round_kind_names[ROUND_KIND_COUNT]; /* "ab", "aba", "single" */

struct result_round {
    int n; /* from 1 */
    enum round_kind kind;
    char *void_reason; /* NULL: it counts */
    VEC(struct result_arm) arms;
};

/* Why there are so many rounds and no more. */
enum result_end {
    RESULT_END_PLAN, /* all planned ones were measured */
    RESULT_END_LOOK, /* a look said that nothing is left to find out */
    RESULT_END_TIME, /* the job's time limit came first */
    RESULT_END_COUNT,
};
extern const char *const result_end_names[RESULT_END_COUNT]; /* "plan", "look", "time" */

struct result_artifact {
    bool present, cached;
    unsigned char digest[DIGEST_BYTES];
    int64_t bytes, build_ns;
};

struct result_doc {
    int64_t job, attempt;
    enum result_outcome outcome;
    enum failure_class failure;
    int failure_side;   /* enum side, or -1 when it belongs to neither */
    char *failure_text; /* one or two lines for people; NULL */
    int64_t started_ms, ended_ms;
    char *host;
    struct result_artifact artifact[SIDE_COUNT];
    VEC(struct result_fact) identity; /* what makes measurements comparable; sorted by name */
    VEC(struct result_fact) state;    /* what may change on the same machine; sorted by name */
    VEC(struct result_fact) noise;    /* gauges of the whole job */
    int64_t rounds_planned;           /* 0: not said */
    enum result_end end;
    VEC(char *) notes; /* sentences for people, without control characters */
    VEC(struct result_round) rounds;
};

struct result_doc *result_doc_new(void);
void result_doc_freep(struct result_doc **r);
/* 'spec' bounds the scenario and endpoint indices. */
int result_doc_parse(struct view text, const struct spec *spec, struct result_doc **out,
                     struct err *e);
void result_doc_write(const struct result_doc *r, struct str *out);
/* The same without histograms: what a look needs. */
void result_doc_write_look(const struct result_doc *r, struct str *out);

/* The digest of a sorted list of facts: identity and state hashes. */
void result_facts_digest(const struct result_fact *facts, size_t n,
                         unsigned char out[DIGEST_BYTES]);

#endif
