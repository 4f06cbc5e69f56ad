/* SPDX-License-Identifier: MIT */
/*
 * job: one attempt at measuring one pair of commits, and the phases that it goes through.
 *
 *     main_runner.c    fetch, build, compare, verify, measure, deliver: the phases on one page
 *     work.c           folders, trees and fresh copies; cache.c finished builds
 *     build.c          source and build of each side; artefact.c names what came out
 *     foreign.c        one foreign program to its end
 *     services.c       what stands beside the service under test; postgres.c a database
 *     service.c        starts the service under test and ends it; ask.c asks it one question
 *     verify.c         right answers of both sides, before any load
 *     plan.c           rounds and their order, from the seed
 *     measure.c        one arm; window.c its accounts; rounds.c all of them; gate.c which count
 *     outside.c        what the service does with connections
 *     reference.c      the canary beside them
 *     loadgen.c        pacewatch-load as a child
 *     pulse.c       beats to the daemon, and every wait
 *
 * A phase returns 0 or -1. Before -1 it has called job_fail, which says whose fault it was; the
 * first failure stays.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "capture.h"
#include "cpus.h"
#include "link.h"
#include "loadgen.h"
#include "pulse.h"
#include "quiet.h"
#include "result_doc.h"
#include "sandbox.h"
#include "work.h"

struct job {
    struct link *link;
    struct pulse *pulse;
    struct job_doc *doc;
    struct result_doc *result;
    struct sandbox_host host;
    struct cpus cpus;
    struct cpus halves[2]; /* of the machine, for a duet */
    bool duet;
    struct work work;
    struct tree tree[SIDE_COUNT];
    struct tree template;    /* of the database beside the service, when there is one */
    char load_program[4096]; /* pacewatch-load */
    bool
        answers_alike[SPEC_SCENARIOS_MAX]; /* each side gave the same answers before any load */
    /* What the first measurement of each scenario was done with; all others must use it too. */
    char load_engine[SPEC_SCENARIOS_MAX][LOADGEN_ENGINE_BYTES];
    struct reference *reference; /* the canary; NULL before the first measured arm */
    int quiet_fd;
    int nice;                            /* priority of what is measured */
    int64_t deadline_ns;                 /* of the whole job */
    struct str journal;                  /* the 'runner' log of the job, for people */
    struct str service_said[SIDE_COUNT]; /* last output of each side's service */
    struct str services_said;            /* last output of what stood beside it */
    bool grace_useless[SIDE_COUNT]; /* its service does not end when asked: do not wait again */
    bool failed;
};

enum {
    JOB_JOURNAL_MAX = 256 << 10,
    JOB_LAST_LINES = 3,
    JOB_WORDS_MAX = 800, /* of a program's last lines in a message */
};

/* 'side' -1: neither. Returns -1. Only the first failure of a job is kept. */
int job_fail(struct job *j, enum failure_class class, int side, const char *fmt, ...)
    PRINTF(4, 5);
/* A line for the job's own log. */
void job_note(struct job *j, const char *fmt, ...) PRINTF(2, 3);

/* A fact about what runs here, for the fingerprint's state: 'service_NAME'. */
void job_note_state(struct job *j, const char *service, const char *text);
/* The same, and for whoever reads the report: one sentence, at most RESULT_NOTES_MAX of them.
 */
void job_remark(struct job *j, const char *fmt, ...) PRINTF(2, 3);

/* Sends what a stage printed. Trouble is noted, never fatal. */
void job_post_log(struct job *j, const char *stage, struct view text);

/* The smaller of a stage's limit from now and the job's own. */
int64_t job_deadline(const struct job *j, int64_t within_ns);

/* -1 after a cancel, with the failure set to say so. */
int job_check_cancel(struct job *j);

/* Gives the sessions of what runs in a sandbox the priority of what is measured. */
void job_raise_sessions(const struct job *j, const struct sandbox *s);

/* The quiet lock: alone to measure, with others to build. Both hold until the other is asked
 * for or the job ends. */
int job_wait_quiet(struct job *j, enum quiet how);

/* --- phases ----------------------------------------------------------------------------------
 */

int job_build(struct job *j);
bool job_is_identical(const struct job *j);
int job_verify(struct job *j);
int job_measure(struct job *j);

#endif
