/* SPDX-License-Identifier: MIT */
/*
 * record: the rows that stages hand each other, as plain structs.
 *
 * One noun, one name: table 'job', struct job, /api/v1/jobs/41, job=41 in logs. Fixed-size
 * texts are bounded where they enter the database; longer ones are owned char pointers freed by
 * the record's own done function. Ids are 0 when there is none.
 *
 * Job states; each arrow is one transaction:
 *
 *     queued -> submitted -> running -> measured -> judged -> reported
 *        |          |           |  \                              ^
 *        |          |           |   +--> failed (reported = 1) ---+
 *        |          +-----------+------> queued   attempt lost, at most 3
 *        +----------------------------> superseded
 */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job_doc.h"
#include "result_doc.h"

enum {
    RECORD_NAME_MAX = 128, /* repository, branch, host */
    RECORD_REF_MAX = 256,
    RECORD_SUBJECT_MAX = 200, /* of a commit, cut on a character's border */
    RECORD_SHA_BYTES = 32,
    RECORD_REASON_MAX = 304, /* of a decision */
    ATTEMPTS_MAX = 3,        /* that were lost */
    ATTEMPTS_EVER_MAX = 100, /* with those that were taken back */
};

struct sha { /* raw object id; len 0: none */
    unsigned char at[RECORD_SHA_BYTES];
    uint8_t len;
};

static inline bool sha_equal(const struct sha *a, const struct sha *b)
{
    return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static inline void sha_hex(const struct sha *s, char out[JOB_SHA_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < s->len; i++) {
        out[2 * i] = digits[s->at[i] >> 4];
        out[2 * i + 1] = digits[s->at[i] & 15];
    }
    out[2 * s->len] = '\0';
}

static inline bool sha_parse(struct view hex, struct sha *out)
{
    size_t len = hex.len / 2;
    if ((len != 20 && len != 32) || !view_hex(hex, out->at, len))
        return false;
    out->len = (uint8_t)len;
    return true;
}

struct repo {
    int64_t id;
    char name[RECORD_NAME_MAX];
    char *url;
    char default_branch[RECORD_NAME_MAX];
};

struct commit {
    int64_t id, repo_id;
    struct sha sha, tree, first_parent;
    char author[RECORD_NAME_MAX];
    int64_t author_ms;
    char subject[RECORD_SUBJECT_MAX + 1];
};

struct branch {
    int64_t id, repo_id;
    char name[RECORD_NAME_MAX];
    int64_t tip; /* git_commit.id; 0: deleted, or not seen yet */
};

struct merge_request {
    int64_t id, repo_id, number;
    char target[RECORD_NAME_MAX];
    struct sha head, merge_base;
    bool open;
};

enum change_source { CHANGE_POLL, CHANGE_HOOK, CHANGE_COMPARE, CHANGE_MANUAL };

struct change {
    int64_t id, repo_id, mr_id;
    enum change_source source;
    char ref[RECORD_REF_MAX];
    struct sha head; /* len 0: the ref is gone */
    bool again;      /* to be planned although it has not moved: something else about it has */
};

/* Which merge requests run by themselves. Whatever does not waits for a member's word. */
enum mr_policy {
    MR_OWN,      /* those of the repository's own branches */
    MR_ALL,      /* forks too */
    MR_APPROVED, /* none */
    MR_NONE,     /* none, and nobody's word changes that: they are not looked at */
};

enum job_kind {
    JOB_PUSH,
    JOB_MR,
    JOB_CONFIRM,
    JOB_BACKFILL,
    JOB_BISECT,
    JOB_ANCHOR,
    JOB_AA,
    JOB_KIND_COUNT,
};

enum job_state {
    JOB_QUEUED,
    JOB_SUBMITTED,
    JOB_RUNNING,
    JOB_MEASURED,
    JOB_JUDGED,
    JOB_REPORTED,
    JOB_FAILED,
    JOB_SUPERSEDED,
    JOB_STATE_COUNT,
};

struct job {
    int64_t id, repo_id, branch_id, change_id, mr_id, confirms;
    enum job_kind kind;
    enum job_state state;
    int64_t base, head; /* git_commit.id; base 0: none */
    int64_t spec_id, seed;
    int priority;
    int attempt; /* the newest one's number, 0 before the first */
};

/* One try at running a job. Only the newest one's token may deliver. */
enum attempt_state {
    ATTEMPT_SUBMITTING, /* written before the executor is asked, so that a crash leaves a trace
                         */
    ATTEMPT_SUBMITTED,
    ATTEMPT_RUNNING,
    ATTEMPT_DELIVERED,
    ATTEMPT_LOST,
    ATTEMPT_CANCELLED,
    ATTEMPT_STATE_COUNT,
};

struct attempt {
    int64_t job_id;
    int n; /* from 1 */
    enum attempt_state state;
    char executor[16];
    int64_t beat_ms; /* 0: none yet */
    int64_t created_ms;
    enum job_state job_state;
    int64_t repo_id, spec_id; /* of the job */
};

/* The words of the database, the API and the report. */
static const char *const attempt_state_names[ATTEMPT_STATE_COUNT] = {
    "submitting", "submitted", "running", "delivered", "lost", "cancelled",
};
static const char *const job_kind_names[JOB_KIND_COUNT] = {
    "push", "mr", "confirm", "backfill", "bisect", "anchor", "aa",
};
static const char *const job_state_names[JOB_STATE_COUNT] = {
    "queued", "submitted", "running", "measured", "judged", "reported", "failed", "superseded",
};
static const char *const change_source_names[] = {"poll", "hook", "compare", "manual"};

enum outcome {
    OUTCOME_NONE, /* no verdict yet, or none possible */
    OUTCOME_NO_CHANGE,
    OUTCOME_FASTER,
    OUTCOME_SLOWER,
    OUTCOME_MIXED,
    OUTCOME_UNDECIDED,
    OUTCOME_IDENTICAL,
    OUTCOME_NOT_COMPARABLE,
    OUTCOME_COUNT,
};
static const char *const outcome_names[OUTCOME_COUNT] = {
    NULL, "no_change", "faster", "slower", "mixed", "undecided", "identical", "not_comparable",
};
static const char *const outcome_words[OUTCOME_COUNT] = {
    NULL, "no change", "faster", "slower", "mixed", "undecided", "identical", "not comparable",
};

enum { VERDICT_RULES_VERSION = 1, VERDICT_WHY_MAX = 256 };

struct series_key { /* what a stored series is, without branch and environment */
    int64_t id;
    char *scenario, *endpoint;          /* endpoint "": the whole scenario */
    char variant[SPEC_VARIANT_MAX + 1]; /* "": the spec has none */
    enum metric metric;
};

struct point { /* one commit of a branch in one series */
    int64_t series_id, pos;
    double value;  /* median of its rounds */
    double lo, hi; /* 95 % interval of that median */
    int n;
    int64_t env_state_id;
};

struct verdict_line { /* a row of the report; see tables verdict_row and variant_row */
    int64_t series_id;
    int64_t baseline_id; /* variant_row: the series of the baseline; else 0 */
    char scenario[RESULT_NAME_MAX + 1], endpoint[RESULT_NAME_MAX + 1];
    char variant[SPEC_VARIANT_MAX + 1];
    enum metric metric;
    bool primary;
    double base, head, effect, lo, hi;
    double noise; /* NaN: not known */
    double least_effect;
    double detectable; /* NaN: not known */
    int rounds;
    enum outcome outcome;
    char why[VERDICT_WHY_MAX];
};

struct verdict_record {
    int64_t id, job_id;
    enum outcome outcome;
    bool confirmed;
    char why[VERDICT_WHY_MAX];
    int rounds, rounds_void;
    bool final; /* at a look: more rounds are unlikely to decide more; not stored */
    VEC(struct verdict_line) lines;      /* worst first */
    VEC(struct verdict_line) variants;   /* by scenario, metric, combination */
    char baseline[SPEC_VARIANT_MAX + 1]; /* of those; "": there are none */
};

#endif
