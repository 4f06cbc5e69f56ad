/* SPDX-License-Identifier: MIT */
/*
 * judge_parts: the parts of the judge stage, for its own files and tests.
 */
#ifndef STAGES_JUDGE_PARTS_H
#define STAGES_JUDGE_PARTS_H

#include "judge.h"
#include "spec.h"
#include "store_run.h"
#include "store_series.h"
#include "store_verdict.h"

/* --- rows (judge_rows.c): pure ------------------------------------------------------------ */

enum { JUDGE_DATE_BYTES = 11 };

struct judge_rules {
    const struct spec *spec;
    uint64_t seed;
    char today[JUDGE_DATE_BYTES]; /* YYYY-MM-DD: ignore rules end */
    int looks[SPEC_LOOKS_MAX];    /* planned; none: all rounds are judged at once */
    size_t looks_len;
    int look; /* the one at which they are judged */
};

/* Everything known about one job. */
struct judgement {
    struct job job;
    struct run run;
    struct spec *spec;
    struct judge_rules rules;
    struct job_samples samples;
    struct verdict_record verdict;
};
void judgement_done(struct judgement *g);

/* --- loading (judge.c) -------------------------------------------------------------------- */

int judge_load_spec(struct store *s, int64_t spec_id, struct spec **out, struct err *e);
/* Rules of the last look of a job that has its spec; 'planned' as the runner said. */
void judge_set_rules(struct judgement *g, int planned);
/* What cannot be judged today cannot be judged tomorrow. */
bool judge_is_permanent(const struct err *e);

/* One row per series that has a complete round; 'left_out' counts the others. Lines are in the
 * order of the series. */
int judge_rows(const struct job_samples *samples, const struct judge_rules *rules,
               struct verdict_record *out, int *left_out, struct err *e);

/* Fills out->variants: head in each combination against head in the baseline. */
int judge_variants(const struct job_samples *samples, const struct judge_rules *rules,
                   struct verdict_record *out, struct err *e);

/* Median of n >= 1 values and its 95 % interval from order statistics. Reorders 'x'. */
void judge_median(double *x, size_t n, double *median, double *lo, double *hi);

/* The error rate: base has none as a rule, so there is no ratio to look at. Slower when head
 * fails more often in so many rounds that chance would do it in a share 'level' of jobs (sign
 * test), and the median difference reaches 'margin', a share of all requests. One bad round of
 * ten is no change. */
struct judge_errors_rules {
    double margin, level; /* one-sided */
    int direction;
};
void judge_errors(const struct series_rounds *s, size_t rounds,
                  const struct judge_errors_rules *rules, struct verdict_line *line);

/* Static limits and ignore rules of the spec, over rows that are judged already. */
void judge_checks(const struct job_samples *samples, const struct judge_rules *rules,
                  struct verdict_record *v);
/* The same for a job without a base: broken limits are told in the verdict's sentence. */
void judge_checks_alone(const struct job_samples *samples, const struct judge_rules *rules,
                        struct verdict_record *v);
bool judge_ignored(const struct judge_rules *rules, const struct series_key *key,
                   const struct spec_ignore **out);

/* --- looks (judge_look.c) ----------------------------------------------------------------- */

/* Answers the oldest question of a runner. */
int judge_look(const struct judge *j, bool *worked, struct err *e);
/* The planned looks of a job of 'planned' rounds; the last is chosen. */
void judge_set_looks(const struct spec *spec, int planned, struct judge_rules *rules);
/* Which of them is at so many rounds; -1: none. */
int judge_find_look(const struct judge_rules *rules, int rounds);
/* 'first': the verdict that is to be confirmed; NULL: none. */
bool judge_may_stop(const struct verdict_record *v, const struct verdict_record *first);
/* The rounds of a document that is not stored; ids of series are numbers from 1. */
void judge_samples_of(const struct result_doc *doc, const struct spec *spec,
                      struct job_samples *out);

/* --- verdict (judge_verdict.c): pure ------------------------------------------------------ */

/* The verdict over all rows, with its sentence. 'reason' says why rounds are void; may be "".
 */
int judge_verdict(const struct job_samples *samples, const struct judge_rules *rules,
                  const char *reason, struct verdict_record *out, struct err *e);
/* Outcome and sentence from the lines that decide. */
void judge_sum_up(struct verdict_record *v);
/* Adds a clause to the sentence, or nothing where it does not fit as a whole. */
void judge_add_why(struct verdict_record *v, const char *fmt, ...) PRINTF(2, 3);

const struct verdict_line *judge_find(const struct verdict_record *v,
                                      const struct verdict_line *like);
bool judge_is_slower(const struct verdict_record *v);

/* Appends the rounds of 'more' to those of the same quantities in 'into'. */
void judge_join(struct job_samples *into, const struct job_samples *more);

/* The verdict of a job after another one has measured the same commits again. */
struct judge_second {
    const struct verdict_record *again; /* what the second job alone says */
    const struct verdict_record *both;  /* what the rounds of both say */
    int64_t job;                        /* the second one */
};
/* True when the second one agrees that it is slower. */
bool judge_reconsider(struct verdict_record *v, const struct judge_second *second);

/* --- response times (judge_shape.c) ------------------------------------------------------- */

struct judge_jobs { /* whose rounds are taken together */
    int64_t id[2];
    size_t len;
};

/* Latency rows show quantiles of all response times; a distribution that changed is told, as
 * advice, in the row's sentence and the verdict's. */
int judge_shapes(struct store *s, const struct judge_jobs *jobs, uint64_t seed,
                 struct verdict_record *v, struct err *e);

/* --- series (judge_series.c): in the caller's transaction --------------------------------- */

/* The point of the job's head in each series, and the change points of each history. Nothing
 * for a head that is not on the branch. */
int judge_points(struct store *s, const struct job *job, const struct run *run,
                 const struct job_samples *samples, const struct spec *spec, struct err *e);
/* Change points between base and head where both are on the branch. 'again': the second job's
 * verdict, which confirms those it agrees with; NULL: there is none yet. */
int judge_pair_points(struct store *s, const struct job *job, const struct verdict_record *v,
                      const struct verdict_record *again, struct err *e);

int judge_load_spec(struct store *s, int64_t spec_id, struct spec **out, struct err *e);

/* --- decisions of people (judge_decision.c) ------------------------------------------------
 */

/* The oldest that no report shows yet. */
int judge_decision(const struct judge *j, bool *worked, struct err *e);
/* Rows of scenarios that are ignored in the merge request decide nothing. mr_id 0: no change.
 */
int judge_apply_ignores(struct store *s, int64_t mr_id, struct verdict_record *v,
                        struct err *e);

/* --- causes (judge_cause.c): in the caller's transaction ---------------------------------- */

/* Alerts from the histories of the job's branch, one per cause; *queued: jobs that measure two
 * commits side by side were added. */
int judge_causes(struct store *s, const struct job *job, const struct run *run,
                 const struct judge_rules *rules, bool *queued, struct err *e);

/* --- bridges (judge_bridge.c): in the caller's transaction -------------------------------- */

/* A push that is the first of its branch in an environment: sets *queued when old commits are
 * measured there again. */
int judge_anchors(struct store *s, const struct job *job, const struct run *run, bool *queued,
                  struct err *e);
/* After such a job: the ratios of its series to those of other environments. */
int judge_bridges(struct store *s, const struct job *job, const struct job_samples *samples,
                  struct err *e);

/* --- notices (judge_notice.c): in the caller's transaction -------------------------------- */

/* Queues the report of 'job', which 'cause' (itself or its confirm job) has changed. */
int judge_notice(const struct judge *j, int64_t job, int64_t cause, const struct spec *spec,
                 struct err *e);

#endif
