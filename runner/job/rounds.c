/* SPDX-License-Identifier: MIT */
/*
 * rounds: all rounds of a job, in the plan's order.
 *
 * At a planned look the daemon gets the rounds so far and says whether there is anything left
 * to find out; this program knows no verdicts. No answer in time means: go on.
 *
 * A void round is measured once more and then counted as void, arms and all. When rounds are
 * void again and again for the same reason of one side, there is no point in going on: the
 * service cannot stand the load, or the generator cannot make it.
 */
#include <stdio.h>

#include "clock.h"
#include "duet.h"
#include "job.h"
#include "measure.h"
#include "mem.h"
#include "outside.h"

enum {
    ROUND_TRIES = 2,
    ROUNDS_VOID_MAX = 3, /* in a row, for a reason that will not go away */
    ROUNDS_ENOUGH = 5,   /* counted rounds that are worth judging when time runs out */
};

#define LOOK_WITHIN_NS     (10 * CLOCK_NS_PER_S)
#define LOOK_PAUSE_NS      (5 * CLOCK_NS_PER_MS) /* doubles with every try */
#define LOOK_PAUSE_MOST_NS (320 * CLOCK_NS_PER_MS)
#define ARM_OVERHEAD_NS    (100 * CLOCK_NS_PER_MS) /* a first guess for the ETA */

struct rounds {
    struct job *job;
    struct plan plan;
    int64_t start_ns, arms_done;
    int64_t first_end_ms; /* the end as it was expected after the first round; 0: not yet */
    size_t look;          /* the next one */
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

/* How many rounds there will be: as many as jobs like this one took, or else up to the next
 * look, since then nothing is known but that it will not end before. */
static size_t rounds_expected(const struct rounds *r, size_t round)
{
    const struct job_doc *doc = r->job->doc;
    if ((int64_t)round < doc->rounds_expected)
        return (size_t)doc->rounds_expected;
    if (r->look < doc->looks_len)
        return round + (size_t)(doc->looks[r->look] - r->counted);
    return r->plan.rounds.len;
}

/* What is left of the first 'until' rounds, at the pace so far. */
static int64_t left_ns(const struct rounds *r, size_t round, size_t until)
{
    int64_t arms_left = 0;
    for (size_t i = round; i < until && i < r->plan.rounds.len; i++)
        arms_left += r->plan.rounds.at[i].arms_len;
    int64_t arm_ns = guess_arm_ns(r->job->doc->spec);
    if (r->arms_done > 0)
        arm_ns = (clock_now_ns() - r->start_ns) / r->arms_done;
    return arms_left * arm_ns;
}

static void tell_progress(struct rounds *r, size_t round)
{
    const struct job_doc *doc = r->job->doc;
    int64_t planned = (int64_t)r->plan.rounds.len;
    int64_t left = left_ns(r, round, rounds_expected(r, round));
    int64_t eta_ms = clock_wall_ms() + left / CLOCK_NS_PER_MS;
    if ((int64_t)round < planned && r->look < doc->looks_len)
        pulse_stage(r->job->pulse, "round %zu, look at %d", round + 1, doc->looks[r->look]);
    else if ((int64_t)round < planned)
        pulse_stage(r->job->pulse, "round %zu", round + 1);
    pulse_rounds(r->job->pulse, (int64_t)round, planned, eta_ms);
    if (round == 1)
        r->first_end_ms = eta_ms;
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
    struct gate_arm gates[PLAN_ARMS_MAX];
    r->last_cause = GATE_NONE;
    for (int i = 0; i < plan->arms_len; i++)
        vec_push(&out->arms)->place = i;
    for (int i = 0; i < plan->arms_len; i += plan->at_once) {
        if (job_check_cancel(r->job) < 0 ||
            measure_arms(r->job, &plan->arms[i], (size_t)plan->at_once, plan->load_seed,
                         &out->arms.at[i], &gates[i]) < 0)
            return -1;
        r->arms_done += plan->at_once;
    }
    for (int i = 0; i < plan->arms_len && !out->void_reason; i++) {
        AUTO(str_done) struct str why = STR_INIT(RESULT_TEXT_MAX - 1);
        enum gate_cause cause = gate_judge(&gates[i], &why);
        if (cause == GATE_NONE && i + 1 == plan->arms_len)
            cause = gate_compare(gates, (size_t)plan->arms_len, &why);
        if (cause == GATE_NONE)
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

/* --- looks -----------------------------------------------------------------------------------
 */

/* Waits for the answer; LINK_LOOK_OPEN when there was none in time. */
static int await_answer(struct rounds *r, int n, enum link_look *out)
{
    struct job *j = r->job;
    int64_t deadline_ns = job_deadline(j, LOOK_WITHIN_NS), pause_ns = LOOK_PAUSE_NS;
    *out = LINK_LOOK_OPEN;
    while (*out == LINK_LOOK_OPEN && clock_now_ns() < deadline_ns) {
        struct err e = {0};
        (void)pulse_wait(j->pulse, -1, clock_now_ns() + pause_ns);
        if (job_check_cancel(j) < 0)
            return -1;
        if (link_look_answer(j->link, n, out, &e) < 0 && e.kind != ERR_AWAY) {
            job_note(j, "look after %d rounds: %s", n, e.text);
            return 0;
        }
        pause_ns = pause_ns * 2 < LOOK_PAUSE_MOST_NS ? pause_ns * 2 : LOOK_PAUSE_MOST_NS;
    }
    return 0;
}

/* Whatever goes wrong with a look is no reason to stop. */
static int take_look(struct rounds *r, bool *stop)
{
    struct job *j = r->job;
    struct err e = {0};
    enum link_look answer = LINK_LOOK_OPEN;
    AUTO(str_done) struct str text = STR_INIT(RESULT_DOC_BYTES_MAX);
    int n = j->doc->looks[r->look++];
    result_doc_write_look(j->result, &text);
    if (link_look_ask(j->link, n, str_view(&text), &e) < 0)
        job_note(j, "look after %d rounds: %s", n, e.text);
    else if (await_answer(r, n, &answer) < 0)
        return -1;
    job_note(j, "look after %d rounds: %s", n,
             answer == LINK_LOOK_STOP    ? "stop"
             : answer == LINK_LOOK_GO_ON ? "go on"
                                         : "no answer, go on");
    *stop = answer == LINK_LOOK_STOP;
    return 0;
}

static bool is_look(const struct rounds *r)
{
    const struct job_doc *doc = r->job->doc;
    return r->look < doc->looks_len && r->counted == doc->looks[r->look];
}

/* --- all of them -----------------------------------------------------------------------------
 */

static int run_out_of_time(struct rounds *r, size_t done)
{
    size_t planned = r->plan.rounds.len;
    if (r->counted < ROUNDS_ENOUGH)
        return job_fail(r->job, FAILURE_INFRA, -1,
                        "the job's time limit passed after %zu of %zu rounds", done, planned);
    job_note(r->job, "time limit: stopped after %zu of %zu rounds", done, planned);
    r->job->result->end = RESULT_END_TIME;
    return 0;
}

static int run_all(struct rounds *r)
{
    for (size_t i = 0; i < r->plan.rounds.len; i++) {
        bool stop = false;
        tell_progress(r, i);
        if (clock_now_ns() + left_ns(r, i, i + 1) > r->job->deadline_ns)
            return run_out_of_time(r, i);
        if (measure_round(r, i) < 0)
            return -1;
        if (r->void_in_row >= ROUNDS_VOID_MAX && give_up(r) < 0)
            return -1;
        if (is_look(r) && take_look(r, &stop) < 0)
            return -1;
        if (stop) {
            r->job->result->end = RESULT_END_LOOK;
            return 0;
        }
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

/* How well the end was foreseen, once a first round had shown the pace. */
static void note_estimate(const struct rounds *r)
{
    int64_t start_ms = r->job->result->started_ms, now_ms = clock_wall_ms();
    if (r->first_end_ms > 0 && now_ms > start_ms)
        job_note(r->job, "the end was foreseen %+.1f %% of the job's time off",
                 100 * (double)(r->first_end_ms - now_ms) / (double)(now_ms - start_ms));
}

static void rounds_done(struct rounds *r)
{
    plan_done(&r->plan);
}

int job_measure(struct job *j)
{
    AUTO(rounds_done) struct rounds r = {.job = j};
    const struct job_doc *doc = j->doc;
    if (job_wait_quiet(j, QUIET_ALONE) < 0 || measure_prepare(j) < 0)
        return -1;
    j->nice = cpus_raise_priority();
    if (duet_choose(j) < 0)
        return -1;
    plan_make(&r.plan, &(struct plan_wish){.rounds = doc->rounds,
                                           .aa_rounds = doc->aa_rounds,
                                           .has_base = doc->side[SIDE_BASE].present,
                                           .duet = j->duet,
                                           .variants = (int)doc->spec->variants_len,
                                           .seed = (uint64_t)doc->seed});
    j->result->rounds_planned = (int64_t)r.plan.rounds.len;
    r.start_ns = clock_now_ns();
    int rc = run_all(&r);
    sum_up_noise(j);
    outside_remark(j);
    double arms = r.arms_done ? (double)r.arms_done : 1;
    job_note(j, "%d of %zu rounds counted, %.0f ms per arm", r.counted, r.plan.rounds.len,
             (double)(clock_now_ns() - r.start_ns) / 1e6 / arms);
    note_estimate(&r);
    return rc;
}
