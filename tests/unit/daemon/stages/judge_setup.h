/* SPDX-License-Identifier: MIT */
/*
 * judge_setup: the judge stage over a database of measured jobs, and typical results.
 */
#ifndef TESTS_JUDGE_SETUP_H
#define TESTS_JUDGE_SETUP_H

#include "judge.h"
#include "measured_fixture.h"
#include "store_alert.h"
#include "store_verdict.h"

static const struct fixture_result calm __attribute__((unused)) = {.seed = 1};
static const struct fixture_result slow __attribute__((unused)) = {
    .factor = {[METRIC_CPU_PER_REQUEST] = 1.3, [METRIC_THROUGHPUT] = 0.77}, .seed = 2};
static const struct fixture_result fast
    __attribute__((unused)) = {.factor = {[METRIC_CPU_PER_REQUEST] = 0.7}, .seed = 3};

static const struct notice_target to_shop[] = {
    {.repo = "shop", .place = "", .courier = {.url = "https://receiver.example/"}},
};

struct setup {
    struct fixture f;
    struct stage_bells bells;
    struct judge judge;
};

static inline void open_judge(struct setup *t, const char *spec)
{
    fixture_open(&t->f, spec);
    assert_int_equal(stage_bells_open(&t->bells, NULL), 0);
    t->judge = (struct judge){.store = t->f.store, .bells = &t->bells};
}

static inline void close_judge(struct setup *t)
{
    stage_bells_close(&t->bells);
    fixture_close(&t->f);
}

static inline void with_webhook(struct setup *t)
{
    t->judge.targets = (struct notice_targets){.at = to_shop, .len = 1};
}

static inline void check_verdict(struct fixture *f, int64_t job, enum outcome outcome,
                                 bool confirmed)
{
    AUTO(verdict_record_done) struct verdict_record v = {0};
    struct err e = {0};
    bool found;
    if (store_verdict_get(f->store, job, &v, &found, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(found);
    assert_string_equal(outcome_names[v.outcome], outcome_names[outcome]);
    assert_int_equal(v.confirmed, confirmed);
}

static inline int alert_state(struct fixture *f, int64_t job)
{
    struct alert a;
    struct err e = {0};
    bool found;
    if (store_alert_by_job(f->store, job, &a, &found, &e) < 0)
        fail_msg("%s", e.text);
    return found ? (int)a.state : -1;
}

#endif
