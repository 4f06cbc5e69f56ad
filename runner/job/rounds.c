/* SPDX-License-Identifier: MIT */
/*
 * rounds: all rounds of a job, in the plan's order.
 *
 * A void round is measured once more and then counted as void, arms and all. When rounds are
 * void again and again for the same reason of one side, there is no point in going on: the
 * service cannot stand the load, or the generator cannot make it.
 */
#include <stdio.h>

#include "clock.h"
#include "job.h"
#include "measure.h"
#include "mem.h"

enum {
    ROUND_TRIES = 2,
    ROUNDS_VOID_MAX = 3, /* in a row, for a reason that will not go away */
    ROUNDS_ENOUGH = 5,   /* counted rounds that are worth judging when time runs out */
};

#define ARM_OVERHEAD_NS (100 * CLOCK_NS_PER_MS) /* a first guess for the ETA */

struct rounds {
    struct job *job;
    struct plan plan;
    int64_t start_ns, arms_done;
    int void_in_row, counted;
    enum gate_cause last_cause;
    enum side last_side;
};

static int64_t guess_arm_ns(const struct spec *spec)
{
    int64_t ns = ARM_OVERHEAD_NS;
    for (size_t i = 0; i < spec->scenarios_len; i++)
        ns += spec->scenarios[i].load.warmup_ns + spec->scenarios[i].load.duration_ns;
    return ns;
}

/* What is left, at the pace so far. */
static int64_t left_ns(const struct rounds *r, size_t round)
{
    int64_t arms_left = 0;
    for (size_t i = round; i < r->plan.rounds.len; i++)
        arms_left += r->plan.rounds.at[i].arms_len;
    int64_t arm_ns = guess_arm_ns(r->job->doc->spec);
    if (r->arms_done > 0)
        arm_ns = (clock_now_ns() - r->start_ns) / r->arms_done;
    return arms_left * arm_ns;
}

static void tell_progress(struct rounds *r, size_t round)
{
    int64_t planned = (int64_t)r->plan.rounds.len;
    int64_t eta_ms = clock_wall_ms() + left_ns(r, round) / CLOCK_NS_PER_MS;
    if ((int64_t)round < planned)
        pulse_stage(r->job->pulse, "round %zu", round + 1);
    pulse_rounds(r->job->pulse, (int64_t)round, planned, eta_ms);
}

static void arms_clear(struct result_round *round)
{
    for (size_t i = 0; i < round->arms.len; i++) {
        struct result_arm *arm = &round->arms.at[i];
        for (size_t k = 0; k < arm->gauges.len; k++)
            free(arm->gauges.at[k].name);
        for (size_t k = 0; k < arm->hists.len; k++)
            free(arm->hists.at[k].packed);
        vec_done(&arm->gauges);
        vec_done(&arm->samples);
        vec_done(&arm->hists);
    }
    vec_done(&round->arms);
    free(round->void_reason);
    round->void_reason = NULL;
}

/* One try at a round. The first cause that makes it void is its reason. */
static int try_round(struct rounds *r, const struct plan_round *plan, struct result_round *out)
{
    r->last_cause = GATE_NONE;
    for (int i = 0; i < plan->arms_len; i++) {
        struct gate_arm gate;
        AUTO(str_done) struct str why = STR_INIT(RESULT_TEXT_MAX - 1);
        struct result_arm *arm = vec_push(&out->arms);
        arm->place = i;
        if (job_check_cancel(r->job) < 0 ||
            measure_arm(r->job, &plan->arms[i], plan->load_seed, arm, &gate) < 0)
            return -1;
        r->arms_done++;
        enum gate_cause cause = gate_judge(&gate, &why);
        if (cause == GATE_NONE || out->void_reason)
            continue;
        out->void_reason = mem_strdup(str_text(&why));
        r->last_cause = cause;
        r->last_side = plan->arms[i].side;
    }
    return 0;
}

static int measure_round(struct rounds *r, size_t index)
{
    const struct plan_round *plan = &r->plan.rounds.at[index];
    struct result_round *out = vec_push(&r->job->result->rounds);
    out->n = (int)index + 1;
    out->kind = plan->kind;
    for (int i = 0; i < ROUND_TRIES; i++) {
        arms_clear(out);
        if (try_round(r, plan, out) < 0)
            return -1;
        if (!out->void_reason)
            break;
        job_note(r->job, "round %d is void%s: %s", out->n, i ? "" : " and is repeated",
                 out->void_reason);
    }
    r->counted += !out->void_reason;
    r->void_in_row = out->void_reason ? r->void_in_row + 1 : 0;
    return 0;
}

static int give_up(struct rounds *r)
{
    const char *why = r->job->result->rounds.at[r->job->result->rounds.len - 1].void_reason;
    switch (r->last_cause) {
    case GATE_ENDED:
        return job_fail(r->job, FAILURE_START, (int)r->last_side, "%s", why);
    case GATE_ANSWERS:
        return job_fail(r->job, FAILURE_VERIFY, (int)r->last_side, "%s", why);
    case GATE_NOTHING:
    case GATE_GENERATOR:
        return job_fail(r->job, FAILURE_LOAD, (int)r->last_side, "%s", why);
    case GATE_NOISE:
    case GATE_NONE:
        break;
    }
    return 0; /* a disturbed host may become quiet again */
}

static int run_all(struct rounds *r)
{
    for (size_t i = 0; i < r->plan.rounds.len; i++) {
        tell_progress(r, i);
        if (clock_now_ns() + left_ns(r, i) / (int64_t)(r->plan.rounds.len - i) >
            r->job->deadline_ns) {
            if (r->counted < ROUNDS_ENOUGH)
                return job_fail(r->job, FAILURE_INFRA, -1,
                                "the job's time limit passed after %zu of %zu rounds", i,
                                r->plan.rounds.len);
            job_note(r->job, "time limit: stopped after %zu of %zu rounds", i,
                     r->plan.rounds.len);
            return 0;
        }
        if (measure_round(r, i) < 0)
            return -1;
        if (r->void_in_row >= ROUNDS_VOID_MAX && give_up(r) < 0)
            return -1;
    }
    tell_progress(r, r->plan.rounds.len);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The job's gauges are the medians over its arms. */
static void sum_up_noise(struct job *j)
{
    static const char *const names[] = {"canary_ns", "run_delay", "psi_cpu",
                                        "psi_io",    "steal",     "foreign_cpu"};
    for (size_t g = 0; g < ARRAY_LEN(names); g++) {
        VEC(double) values = {0};
        for (size_t i = 0; i < j->result->rounds.len; i++)
            for (size_t k = 0; k < j->result->rounds.at[i].arms.len; k++) {
                const struct result_arm *arm = &j->result->rounds.at[i].arms.at[k];
                for (size_t n = 0; n < arm->gauges.len; n++)
                    if (strcmp(arm->gauges.at[n].name, names[g]) == 0)
                        *vec_push(&values) = arm->gauges.at[n].number;
            }
        if (values.len) {
            qsort(values.at, values.len, sizeof values.at[0], by_value);
            struct result_fact *f = vec_push(&j->result->noise);
            f->name = mem_strdup(names[g]);
            f->number = values.at[values.len / 2];
        }
        vec_done(&values);
    }
}

static void rounds_done(struct rounds *r)
{
    plan_done(&r->plan);
}

int job_measure(struct job *j)
{
    AUTO(rounds_done) struct rounds r = {.job = j};
    const struct job_doc *doc = j->doc;
    if (job_wait_quiet(j, true) < 0 || measure_prepare(j) < 0)
        return -1;
    plan_make(&r.plan, doc->rounds, doc->aa_rounds, doc->side[SIDE_BASE].present,
              (uint64_t)doc->seed);
    j->nice = cpus_raise_priority();
    r.start_ns = clock_now_ns();
    int rc = run_all(&r);
    sum_up_noise(j);
    double arms = r.arms_done ? (double)r.arms_done : 1;
    job_note(j, "%d of %zu rounds counted, %.0f ms per arm", r.counted, r.plan.rounds.len,
             (double)(clock_now_ns() - r.start_ns) / 1e6 / arms);
    return rc;
}
