/* SPDX-License-Identifier: MIT */
/*
 * metric: the measured quantities, described once for runner, judge, report and page.
 *
 * Per scenario and endpoint, measured rounds only, warm-up excluded. An endpoint "" stands for
 * the whole scenario; CPU, memory and start-up time exist only there.
 */
#ifndef CONTRACT_METRIC_H
#define CONTRACT_METRIC_H

#include <stdbool.h>

#include "str.h"

enum metric {
    METRIC_CPU_PER_REQUEST, /* CPU time of all processes of the service / answered requests */
    METRIC_THROUGHPUT,      /* answered requests per second (closed-loop only) */
    METRIC_P50,             /* response time (done - due), nearest rank */
    METRIC_P90,
    METRIC_P99,
    METRIC_ERRORS,      /* share of requests that failed or were answered unexpectedly */
    METRIC_PEAK_MEMORY, /* largest resident memory of the service */
    METRIC_START_TIME,  /* from exec to the first good answer of the readiness probe */
    METRIC_COUNT,
};

struct metric_info {
    const char *name;  /* in documents, columns and the spec: "cpu_per_request" */
    const char *title; /* for people: "CPU time per request" */
    const char *unit;  /* of stored values: "ns", "1/s", "B", "1" */
    int direction;     /* +1: larger is better, -1: smaller is better */
    bool primary;      /* takes part in the verdict; others are shown beside it */
    bool gate; /* steady enough for its silence to be an answer: when the gates are unchanged
                  and nothing else moved, the verdict is "no change" and not "undecided" */
    bool per_endpoint;
    double least_effect; /* default of the spec's sensitivity, e.g. 0.05 */
};

extern const struct metric_info metric_table[METRIC_COUNT];

int metric_by_name(struct view name, enum metric *out); /* 0, or -1 when unknown */

/* A value for people, three significant digits and a unit: "12.3 us", "4.56 k/s", "1.23 %". */
void metric_format(enum metric m, double value, struct str *out);
/* The same for a metric known by its name and unit only (stored series). */
void metric_format_unit(const char *unit, double value, struct str *out);

#endif
