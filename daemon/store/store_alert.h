/* SPDX-License-Identifier: MIT */
/*
 * store_alert: one alert per cause, found by one job.
 *
 *     confirming --second job agrees--> open
 *         +-------second job disagrees--> noise
 *
 * A pair alert is known by its job. A history alert is known by its change points, which carry
 * its id (store_cause.h).
 */
#ifndef STORE_ALERT_H
#define STORE_ALERT_H

#include "record.h"
#include "store.h"

enum { ALERT_TITLE_MAX = 256 };
enum alert_kind { ALERT_REGRESSION, ALERT_IMPROVEMENT, ALERT_ENVIRONMENT, ALERT_KIND_COUNT };
enum alert_state { ALERT_CONFIRMING, ALERT_OPEN, ALERT_NOISE, ALERT_STATE_COUNT };

struct alert {
    int64_t id, repo_id, branch_id, mr_id, job_id;
    int64_t commit_id;
    enum alert_kind kind;
    enum alert_state state;
    char title[ALERT_TITLE_MAX];
    char why[VERDICT_WHY_MAX]; /* one sentence with the numbers used */
    int64_t closed_ms;         /* 0: not closed */
};

/* A pair alert, by job: judging a job again changes its alert. Noise is closed at once. */
int store_alert_put(struct store *s, const struct alert *a, struct err *e);
int store_alert_by_job(struct store *s, int64_t job, struct alert *out, bool *found,
                       struct err *e);
/* Somebody has decided about what this job found; there need not be an alert. */
int store_alert_close(struct store *s, int64_t job, struct err *e);
/* A newer head of the merge request was judged by 'job': alerts of older heads are over. */
int store_alert_close_older(struct store *s, int64_t mr_id, int64_t job, struct err *e);

#endif
