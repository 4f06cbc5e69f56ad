/* SPDX-License-Identifier: MIT */
/* probe: see probe.h. */
#include "probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "opt.h"
#include "str.h"

enum { VOTES = 3, CONFIRMATIONS_MAX = 4, SEARCH_RUNS_MAX = 40, LEFT_OVER_SOCKETS = 100 };

static const double rate_max_rps = 5e6;
static const double precision = 1.02;       /* the bracket's width at which bisection ends */
static const double borderline = 1.10;      /* and at which one run does not decide any more */
static const double refuted_above = 1.05;   /* the answer times this must not be good */
static const double achieved_least = 0.999; /* of what was offered */
static const int64_t cool_down_max_ns = 10 * CLOCK_NS_PER_S;

/* --- one run ------------------------------------------------------------------------------ */

/* CPU of one process so far, in seconds; -1 when there is none to read. */
static double process_cpu_s(pid_t pid)
{
    AUTO(str_done) struct str path = STR_INIT(64);
    AUTO(str_done) struct str text = STR_INIT(4096);
    str_addf(&path, "/proc/%d/stat", (int)pid);
    if (!pid || fdio_read_file(str_text(&path), &text, NULL) < 0)
        return -1;
    const char *behind_name = strrchr(str_text(&text), ')');
    unsigned long long user, system;
    if (!behind_name ||
        sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
               &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Sockets of closed connections that the kernel still remembers (TIME_WAIT). */
static int64_t remembered_sockets(void)
{
    AUTO(str_done) struct str text = STR_INIT(4096);
    int64_t count = 0;
    if (fdio_read_file("/proc/net/sockstat", &text, NULL) < 0)
        return 0;
    const char *at = strstr(str_text(&text), " tw ");
    if (at)
        (void)sscanf(at, " tw %" SCNd64, &count);
    return count;
}

static bool stop_asked(const struct probe *p)
{
    return p->plan->stop && atomic_load_explicit(p->plan->stop, memory_order_relaxed);
}

/* Lets the machine forget the run before: its sockets, or at least ten seconds of them. */
static void cool_down(const struct probe *p, int64_t sockets_before)
{
    int64_t deadline = clock_now_ns() + cool_down_max_ns;
    while (remembered_sockets() > sockets_before + LEFT_OVER_SOCKETS && !stop_asked(p) &&
           clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + 100 * CLOCK_NS_PER_MS);
}

void probe_second_stats(const struct load_result *r, struct probe_row *row)
{
    size_t whole = (size_t)r->duration_s;
    double sum = 0;
    double squares = 0;
    row->second_min = row->second_max = row->second_mean = row->second_stddev = 0;
    if (whole > r->tally.seconds.len)
        whole = r->tally.seconds.len;
    if (!whole)
        return;
    for (size_t i = 0; i < whole; i++) {
        double n = (double)r->tally.seconds.at[i].answered;
        sum += n;
        if (i == 0 || n < row->second_min)
            row->second_min = n;
        if (n > row->second_max)
            row->second_max = n;
    }
    row->second_mean = sum / (double)whole;
    for (size_t i = 0; i < whole; i++) {
        double off = (double)r->tally.seconds.at[i].answered - row->second_mean;
        squares += off * off;
    }
    row->second_stddev = whole > 1 ? sqrt(squares / (double)(whole - 1)) : 0;
}

bool probe_goal_met(const struct probe_goal *goal, const struct load_result *r)
{
    double value = goal->quantile < 0 ? hist_mean(&r->response)
                                      : (double)hist_quantile(&r->response, goal->quantile);
    double failed = (double)(r->failed + r->tally.client_failed);
    /* What is just on its way when the window closes has not been left behind. */
    double behind = (1 - achieved_least) * (double)r->requests + 2 * r->mean_in_flight + 1;
    return r->answered > 0 && value < (double)goal->limit_ns &&
           failed <= goal->errors_share * (double)r->requests &&
           (double)r->tally.answered_in_window + behind >= (double)r->requests;
}

static int run_at(struct probe *p, double rate_rps, struct probe_row **out, struct err *e)
{
    struct load_plan plan = *p->plan;
    struct load_result *r = NULL;
    plan.load.rate_rps = rate_rps;
    plan.stages_len = 0;
    if (p->rows.len >= PROBE_ROWS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d runs", PROBE_ROWS_MAX);
    int64_t sockets = remembered_sockets();
    double cpu = process_cpu_s(p->server);
    if (load_run(&plan, &r, e) < 0)
        return err_ctx(e, "at %.6g/s", rate_rps);
    struct probe_row *row = vec_push(&p->rows);
    *row = (struct probe_row){.rate_rps = rate_rps, .result = r, .server_cpu_s = -1};
    if (cpu >= 0)
        row->server_cpu_s = process_cpu_s(p->server) - cpu;
    probe_second_stats(r, row);
    row->limited = r->health.verdict == VERDICT_GENERATOR_LIMITED;
    row->good = probe_goal_met(&p->goal, r);
    if (p->shown)
        p->shown(p, row);
    cool_down(p, sockets);
    *out = row;
    return 0;
}

/* --- sweep -------------------------------------------------------------------------------- */

int probe_sweep(struct probe *p, double from_rps, double to_rps, double step_rps, struct err *e)
{
    size_t n = (size_t)((to_rps - from_rps) / step_rps + 1e-9) + 1;
    struct probe_row *row;
    for (size_t i = 0; i < n && !stop_asked(p); i++)
        if (run_at(p, from_rps + (double)i * step_rps, &row, e) < 0)
            return -1;
    return 0;
}

/* --- search ------------------------------------------------------------------------------- */

/* One run that says something about the service. Response times hold the generator's lateness,
 * so a goal that is met in spite of it is met; one that is missed by a limited generator says
 * nothing and is tried again, a few times. */
static int telling_run(struct probe *p, double rate_rps, bool *good, struct err *e)
{
    struct probe_row *row;
    *good = false;
    for (int turn = 0; turn < VOTES; turn++) {
        if (p->rows.len >= SEARCH_RUNS_MAX) {
            p->exhausted = true;
            return 0;
        }
        if (stop_asked(p))
            return err_set(e, ERR_CONFLICT, "the search was interrupted");
        if (run_at(p, rate_rps, &row, e) < 0)
            return -1;
        *good = row->good;
        p->generator_limited = row->limited && !row->good;
        if (!p->generator_limited)
            break;
    }
    return 0;
}

/* Whether a rate is good: by one run, or by the majority of three. */
static int vote(struct probe *p, double rate_rps, int runs, bool *good, struct err *e)
{
    int yes = 0;
    int no = 0;
    while (yes <= runs / 2 && no <= runs / 2) {
        if (telling_run(p, rate_rps, good, e) < 0)
            return -1;
        yes += *good;
        no += !*good;
    }
    *good = yes > no;
    return 0;
}

/* Doubles or halves from the first rate until one is good and the next is not. */
static int bracket(struct probe *p, double first_rps, double *low, double *high, struct err *e)
{
    bool good = false;
    *low = 0;
    *high = 0;
    double rate = first_rps;
    while ((*low == 0 || *high == 0) && rate >= 1 && rate <= rate_max_rps) {
        if (vote(p, rate, 1, &good, e) < 0)
            return -1;
        if (good)
            *low = rate;
        else
            *high = rate;
        rate = good ? rate * 2 : rate / 2;
    }
    return 0;
}

static int bisect(struct probe *p, double *low, double *high, struct err *e)
{
    bool good = false;
    while (*high / *low > precision) {
        double middle = sqrt(*low * *high);
        int runs = *high / *low < borderline ? VOTES : 1;
        if (vote(p, middle, runs, &good, e) < 0)
            return -1;
        *(good ? low : high) = middle;
    }
    return 0;
}

/* A single lucky or unlucky run may have misled the bisection: go down until the answer holds
 * three times, or up while 5 % more holds as well. */
static int confirm(struct probe *p, double low, struct err *e)
{
    bool good = false;
    bool above = true;
    for (int turn = 0; turn < CONFIRMATIONS_MAX && low >= 1; turn++) {
        if (vote(p, low, VOTES, &good, e) < 0)
            return -1;
        if (!good) {
            low /= refuted_above;
            continue;
        }
        p->answer_rps = low;
        if (vote(p, low * refuted_above, VOTES, &above, e) < 0)
            return -1;
        if (!above)
            break;
        low *= refuted_above;
    }
    p->confirmed = good && !above && !p->generator_limited && !p->exhausted;
    return 0;
}

int probe_search(struct probe *p, double first_rps, struct err *e)
{
    double low, high;
    p->answer_rps = 0;
    if (bracket(p, first_rps, &low, &high, e) < 0)
        return -1;
    if (low == 0)
        return 0;
    p->answer_rps = low;
    if (high == 0)
        return 0;
    if (bisect(p, &low, &high, e) < 0)
        return -1;
    return confirm(p, low, e);
}

void probe_done(struct probe *p)
{
    for (size_t i = 0; i < p->rows.len; i++)
        load_result_freep(&p->rows.at[i].result);
    vec_done(&p->rows);
}

int probe_goal_parse(const char *text, struct probe_goal *out, struct err *e)
{
    struct view name;
    struct view limit;
    struct probe_goal goal = {.quantile = -1};
    bool split = view_cut(view_z(text), '<', &name, &limit);
    double percent = 0;
    name = view_trim(name);
    if (split && !view_eqz(name, "mean")) {
        split = view_starts(name, "p") && opt_real(view_skip(name, 1), &percent, NULL) == 0 &&
                percent > 0 && percent < 100;
        goal.quantile = percent / 100;
    }
    if (!split)
        return err_set(e, ERR_INPUT,
                       "expected a goal such as 'p99<50ms' or 'mean<2ms', got '%s'", text);
    if (opt_duration(view_trim(limit), &goal.limit_ns, e) < 0)
        return err_ctx(e, "goal '%s'", text);
    *out = goal;
    return 0;
}
