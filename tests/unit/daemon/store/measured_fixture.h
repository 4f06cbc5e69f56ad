/* SPDX-License-Identifier: MIT */
/*
 * measured_fixture: a real database with a repository, a branch of commits and jobs that have
 * been measured, brought there by the store's own functions.
 */
#ifndef MEASURED_FIXTURE_H
#define MEASURED_FIXTURE_H

#include "record.h"
#include "store.h"

enum { FIXTURE_COMMITS_MAX = 40 };

struct fixture {
    char dir[64];
    struct store *store;
    struct spec *spec;
    int64_t spec_id, repo, branch, mr;
    int64_t commits[FIXTURE_COMMITS_MAX];
    int commits_len; /* of the branch, from position 1 or so on */
    int64_t mr_head; /* a commit that is on no branch */
};

/* What to measure: base levels are fixed, head's are these times them. */
struct fixture_result {
    double factor[METRIC_COUNT]; /* 0: 1 */
    double base_factor;          /* of all metrics on both sides; 0: 1 */
    double canary_ns;            /* gauge of every arm; 0: none */
    double scatter;              /* standard deviation of a value's logarithm; 0: 0.01 */
    double base_errors, head_errors;
    double head_slow;        /* share of head's requests that take ten times as long; */
    bool histograms;         /* deliver response times of 1,000 requests for each arm */
    int rounds, rounds_void; /* 0 rounds: 10, unless void ones are given */
    int planned;             /* rounds; 0: a runner that did not say */
    enum result_end end;
    bool identical, single, failed;
    const char *host; /* NULL: "bench-1" */
    uint64_t seed;
};

/* 'spec' is laid over a minimal one: members of the top object, e.g. "\"report\":{...}". */
void fixture_open(struct fixture *f, const char *spec);
void fixture_close(struct fixture *f);

/* A job with its result delivered: 'measured' or 'failed'. base -1: none; head -1: the merge
 * request's. 'confirm' jobs are found and delivered by fixture_deliver. */
int64_t fixture_job(struct fixture *f, enum job_kind kind, int base, int head,
                    const struct fixture_result *r);
void fixture_deliver(struct fixture *f, int64_t job, const struct fixture_result *r);
/* A queued push job; and the question of its runner after 'n' rounds that counted. Returns the
 * attempt. */
int64_t fixture_queue(struct fixture *f, int base, int head);
int fixture_look(struct fixture *f, int64_t job, int n, const struct fixture_result *r);
int64_t fixture_queued(struct fixture *f); /* the id of the next queued job; 0: none */

/* One number from the database by a question in SQL; NULL counts as -1. */
int64_t fixture_int(struct fixture *f, const char *sql);
void fixture_text(struct fixture *f, const char *sql, struct str *out);

#endif
