/* SPDX-License-Identifier: MIT */
/*
 * verdict: base against head of one job: which metrics changed, by how much, how sure.
 *
 * Pure: numbers in, verdict out. For each metric d_i = ln(head_i / base_i) of round i is looked
 * at; when not all values are positive, (head_i - base_i) / median |value| takes its place.
 *
 *   slower/faster   primary metrics: a family-wise test over all of them says that the change
 * is larger than 'least_effect' (signflip.h, one-sided at alpha / 2), and its estimate stands 3
 * A/A noises away from nothing. Other metrics: the false-discovery rate is kept at 5 %
 * (Benjamini, Yekutieli 2001); advisory. no change       two one-sided exact signed-rank tests
 * put the change inside the margin on both sides (TOST; Schuirmann 1987). undecided neither;
 * 'detectable' says what could have been seen.
 *
 * "slower" always means worse for the user: for throughput it is a smaller value.
 *
 *     struct verdict_rules rules = {.alpha = .01, .seed = job->seed};
 *     if (verdict_judge(metrics, n, &rules, rows, &family, e) < 0) ...
 *
 * All arrays belong to the caller; rows has n elements. Equal input gives equal output,
 * whatever the locale or the number of threads; the order of the metrics does not matter.
 */
#ifndef STATS_VERDICT_H
#define STATS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

enum stats_outcome {
    STATS_NO_CHANGE,
    STATS_FASTER,
    STATS_SLOWER,
    STATS_UNDECIDED,
    STATS_MIXED, /* of a family: primary metrics went both ways */
};

const char *stats_outcome_name(enum stats_outcome outcome); /* "no_change", "slower", ... */

/* A claim needs at least this many rounds at alpha .01: the smallest two-sided p is 2 / 2^N. */
enum { VERDICT_ROUNDS_MIN = 8, VERDICT_METRICS_MAX = 1024, VERDICT_ROUNDS_MAX = 4096 };

struct verdict_metric {
    const char *name;
    int direction;       /* +1: larger is better, -1: smaller is better */
    bool primary;        /* takes part in the family; others are advisory */
    double least_effect; /* relative; what the user wants reported; 0: anything */
    double max_noise;    /* A/A noise above which 'undecided' replaces a claim; 0: no limit */
    size_t rounds;
    const double *base, *head; /* paired by round; NaN = missing. Round i of all metrics is one
                                  round of the job: missing values stay in place as NaN */
    size_t aa_rounds;
    const double *aa_first, *aa_second; /* base measured twice in one round; may be NULL */
};

struct verdict_rules {
    double alpha;     /* family-wise; .01 when 0 */
    const int *looks; /* planned numbers of rounds, ascending; empty: one look */
    size_t looks_len;
    int look; /* which of them this is, from 0 */
    uint64_t seed;
};

struct verdict_row {
    enum stats_outcome outcome;
    double base, head;     /* medians */
    double effect, lo, hi; /* relative change of the value itself: Hodges-Lehmann estimate and
                              its interval; -.1 = the value fell by 10 % */
    double level;          /* coverage of the interval: 1 - alpha, or what N allows */
    double noise;          /* relative standard error of the estimate between two equal arms */
    double least_effect;   /* the margin really used: max(user's, 3 * noise with A/A rounds) */
    double detectable;     /* smallest effect that would have been claimed in 95 of 100 jobs */
    double p;              /* two-sided, adjusted for the family (or for BY when advisory) */
    double p_same;         /* of TOST; no change when <= alpha (of this look) */
    int rounds;            /* pairs used */
    bool advisory;         /* not primary: never decides the family */
    enum stats_outcome leaning; /* ignoring the margin: surely slower or faster at all? */
    bool deterministic;         /* no scatter at all: judged by comparison, not by chance */
    bool futile;                /* more rounds up to the last look are unlikely to decide */
    char why[256];              /* one sentence with the numbers */
};

struct verdict_family {
    enum stats_outcome
        outcome; /* over primary metrics; mixed when some slower and some faster */
    int worst;   /* row with the largest claimed change for the worse, else for the
                    better; -1 when nothing is claimed */
    bool final;  /* no further look is needed: decided, last look, or futile */
    bool futile;
    int slower, faster, same, undecided; /* primary rows of each outcome */
    double spent;                        /* alpha spent up to this look */
    double serial; /* autocorrelation of the rounds' differences when there is any, else 0 */
    char why[256];
};

/* ERR_INPUT for impossible rules (alpha outside (0, .5), unsorted looks, look out of range,
 * more than the ceilings); odd numbers in the data are not errors: NaN and infinities are
 * missing. */
int verdict_judge(const struct verdict_metric *metrics, size_t n,
                  const struct verdict_rules *rules, struct verdict_row *rows,
                  struct verdict_family *family, struct err *e);

#endif
