/* SPDX-License-Identifier: MIT */
/*
 * load: see load.h.
 *
 * Threads are started, open their connections and meet at a barrier; then the times are fixed
 * and all are let go. From there on this thread only watches the clock: it writes the marks,
 * shows progress, and adds up the tallies when every loop has ended.
 */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bell.h"
#include "fdio.h"
#include "mem.h"
#include "request.h"
#include "steady.h"
#include "worker.h"

enum { SPARE_DESCRIPTORS = 64 };

static const int64_t head_start_ns = 3 * CLOCK_NS_PER_MS;  /* between barrier and zero */
static const int64_t steady_lead_ns = 5 * CLOCK_NS_PER_MS; /* all loops have looked by then */

struct team {
    struct worker *workers;
    unsigned len, started;
    const struct engine_ops *ops;
    struct clockwork clockwork;
    int64_t start_ns,
        end_ns; /* of the window as this thread knows it; a steady service moves it */
    struct bell bell;
    struct request_set requests;
    struct arrival_stage *stages;
    struct arrival_plan schedule;
    struct health_sample before, after;
    cpu_set_t cpus;
};

/* --- preparation -------------------------------------------------------------------------- */

static bool is_open_loop(const struct load_plan *plan)
{
    return plan->load.kind == SPEC_OPEN_LOOP;
}

static bool thinks(const struct load_plan *plan)
{
    bool any = plan->load.think_ns > 0;
    for (size_t i = 0; i < plan->endpoints_len; i++)
        any |= plan->endpoints[i].think_ns > 0;
    return any || plan->session; /* A step is due by the answer before. */
}

static int check_session(const struct load_plan *plan, struct err *e)
{
    if (plan->session && (plan->load.pipeline > 1 || plan->open_only))
        return err_set(e, ERR_INPUT,
                       "a session sends one request after the other: leave pipelining and "
                       "opening only away");
    if (plan->session && plan->requests && is_open_loop(plan))
        return err_set(e, ERR_INPUT,
                       "-n counts requests and a rate is one of sessions: give a duration");
    if (!plan->session && is_open_loop(plan) && thinks(plan))
        return err_set(
            e, ERR_INPUT,
            "think time needs a session or a closed loop: an open loop has a schedule");
    return 0;
}

static int check_close(const struct load_plan *plan, struct err *e)
{
    if (plan->close_by == LOAD_CLOSE_SERVER &&
        (plan->load.protocol != SPEC_HTTP1 || plan->open_only))
        return err_set(e, ERR_INPUT, "only HTTP/1.1 can ask the server to close");
    return 0;
}

static bool suits_uring(const struct load_plan *plan)
{
    const struct spec_load *l = &plan->load;
    return !plan->target->tls && l->protocol == SPEC_HTTP1 &&
           !(l->pipeline > 1 && is_open_loop(plan));
}

static int check_plan(const struct load_plan *plan, struct err *e)
{
    const struct spec_load *l = &plan->load;
    if (!plan->target->address_len)
        return err_set(e, ERR_INPUT, "the target has not been resolved");
    if (!plan->endpoints_len)
        return err_set(e, ERR_INPUT, "no endpoint to send to");
    if (l->threads < 1 || l->threads > LOAD_THREADS_MAX)
        return err_set(e, ERR_INPUT, "threads: from 1 to %d", LOAD_THREADS_MAX);
    if (l->connections < l->threads || l->connections > SPEC_CONNECTIONS_MAX)
        return err_set(e, ERR_INPUT, "connections: from one per thread to %d",
                       SPEC_CONNECTIONS_MAX);
    if (l->pipeline < 1 || l->pipeline > LOAD_PIPELINE_MAX || (l->close && l->pipeline > 1))
        return err_set(e, ERR_INPUT,
                       "pipeline: from 1 to %d, and 1 with one connection per request",
                       LOAD_PIPELINE_MAX);
    if (is_open_loop(plan) && !plan->stages_len && !(l->rate_rps > 0))
        return err_set(e, ERR_INPUT, "open loop: the rate must be above 0");
    if (plan->engine == LOAD_ENGINE_URING && !suits_uring(plan))
        return err_set(e, ERR_INPUT,
                       "io_uring does neither TLS, HTTP/2, WebSocket nor pipelining in an open "
                       "loop; use epoll");
    for (size_t i = 0; i < plan->sources_len; i++)
        if (plan->sources[i].ss_family != plan->target->address.ss_family)
            return err_set(e, ERR_INPUT,
                           "source and target addresses are of different families");
    if (plan->steady && (plan->requests || plan->stages_len))
        return err_set(e, ERR_INPUT, "--steady goes with a duration, not with -n or stages");
    if (l->protocol != SPEC_HTTP1 && plan->open_only)
        return err_set(e, ERR_INPUT, "opening only needs neither HTTP/2 nor WebSocket");
    if (l->timeout_ns < CLOCK_NS_PER_MS)
        return err_set(e, ERR_INPUT, "timeout: at least 1ms");
    return check_close(plan, e) < 0 ? -1 : check_session(plan, e);
}

/* Warm-up comes first, at the rate with which the schedule begins. */
static void make_schedule(struct team *t, const struct load_plan *plan)
{
    struct arrival_stage plain = {plan->load.rate_rps, plan->load.rate_rps,
                                  plan->load.duration_ns};
    if (plan->requests)
        plain.duration_ns = CLOCK_NEVER / 4; /* The number ends it. */
    const struct arrival_stage *from = plan->stages_len ? plan->stages : &plain;
    size_t len = plan->stages_len ? plan->stages_len : 1;
    t->stages = mem_zero(len + 1, sizeof *t->stages);
    t->stages[0] =
        (struct arrival_stage){from[0].from_rps, from[0].from_rps, plan->load.warmup_ns};
    memcpy(t->stages + 1, from, len * sizeof *from);
    t->schedule = (struct arrival_plan){t->stages, len + 1, plan->load.poisson};
}

/* Connections need descriptors. Too few is an error of the plan, not of the service. */
static int raise_descriptors(int64_t connections, struct err *e)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return err_errno(e, "descriptor limit");
    rlim_t wanted = (rlim_t)connections + SPARE_DESCRIPTORS;
    if (r.rlim_cur >= wanted)
        return 0;
    rlim_t hard = r.rlim_max;
    r.rlim_cur = wanted;
    if (r.rlim_max < wanted)
        r.rlim_max = wanted; /* Only with privilege. */
    if (setrlimit(RLIMIT_NOFILE, &r) == 0)
        return 0;
    return err_set(
        e, ERR_LIMIT,
        "%" PRId64 " connections need %ju descriptors, and the hard limit of this "
        "process is %ju (RLIMIT_NOFILE): raise it with 'ulimit -Hn' or LimitNOFILE= as "
        "root, or take -c %ju",
        connections, (uintmax_t)wanted, (uintmax_t)hard,
        (uintmax_t)(hard > SPARE_DESCRIPTORS ? hard - SPARE_DESCRIPTORS : 1));
}

static int64_t share(int64_t whole, unsigned lane, unsigned lanes)
{
    return whole / lanes + (lane < whole % lanes);
}

/* By measurement: where connections are kept and answers drive the sending, io_uring needs a
 * tenth less CPU than epoll; with a connection for each request both need the same, and on a
 * schedule, with one wake-up per request, epoll needs less. Base and head are compared with
 * each other, so the choice must not depend on how quick the machine was just now: only on the
 * plan and on whether the kernel has it. */
static const struct engine_ops *choose_engine(const struct load_plan *plan)
{
#ifdef LOAD_WITH_URING
    bool better =
        suits_uring(plan) && !is_open_loop(plan) && !plan->load.close && !plan->open_only;
    if (plan->engine == LOAD_ENGINE_URING ||
        (plan->engine == LOAD_ENGINE_AUTO && better && engine_uring_works()))
        return &engine_uring;
#endif
    (void)plan;
    return &engine_epoll;
}

static int init_worker(struct team *t, unsigned lane, const struct load_plan *plan,
                       struct err *e)
{
    struct worker *w = &t->workers[lane];
    w->plan = plan;
    w->requests = &t->requests;
    w->ops = t->ops;
    w->open_loop = is_open_loop(plan);
    w->close_each = plan->load.close || plan->open_only;
    w->session = plan->session;
    w->thinks = thinks(plan);
    w->depth = (uint16_t)plan->load.pipeline;
    w->size = (uint32_t)share(plan->load.connections, lane, t->len);
    w->quota = plan->requests ? share(plan->requests, lane, t->len) : INT64_MAX;
    w->lane = lane;
    w->lanes = t->len;
    w->clockwork = &t->clockwork;
    w->bell = &t->bell;
    arrival_init(&w->arrival, &t->schedule, plan->seed, lane, t->len);
    return worker_init(w, e);
}

static int team_init(struct team *t, const struct load_plan *plan, struct err *e)
{
    *t = (struct team){
        .len = (unsigned)plan->load.threads, .ops = choose_engine(plan), .bell = {-1}};
    bool asks = plan->load.close && plan->close_by <= LOAD_CLOSE_SERVER;
    enum request_close close = !asks           ? REQUEST_CLOSES_NEVER
                               : plan->session ? REQUEST_CLOSES_LAST
                                               : REQUEST_CLOSES_EACH;
    if (request_set_init(&t->requests, plan->endpoints, plan->endpoints_len, plan->target,
                         close, (unsigned)plan->load.pipeline, e) < 0 ||
        request_set_bind(&t->requests, plan->data, plan->seed, e) < 0 ||
        raise_descriptors(plan->load.connections, e) < 0 || bell_open(&t->bell, e) < 0)
        return -1;
    make_schedule(t, plan);
    pthread_barrier_init(&t->clockwork.opened, NULL, t->len + 1);
    pthread_barrier_init(&t->clockwork.go, NULL, t->len + 1);
    if (plan->pin)
        t->cpus = plan->cpus;
    else
        (void)sched_getaffinity(0, sizeof t->cpus, &t->cpus);

    t->workers = aligned_alloc(64, t->len * sizeof *t->workers);
    if (!t->workers)
        abort();
    memset(t->workers, 0, t->len * sizeof *t->workers);
    for (unsigned i = 0; i < t->len; i++)
        if (init_worker(t, i, plan, e) < 0)
            return -1;
    return 0;
}

static void team_done(struct team *t)
{
    for (unsigned i = 0; i < t->started; i++)
        pthread_join(t->workers[i].thread, NULL);
    for (unsigned i = 0; t->workers && i < t->len; i++)
        worker_done(&t->workers[i]);
    free(t->workers);
    free(t->stages);
    request_set_done(&t->requests);
    bell_close(&t->bell);
}

/* --- the run ------------------------------------------------------------------------------ */

static bool all_ended(const struct team *t)
{
    for (unsigned i = 0; i < t->len; i++)
        if (!atomic_load(&t->workers[i].ended))
            return false;
    return true;
}

static void mark(const struct load_plan *plan, const char *name, int64_t at_ns)
{
    AUTO(str_done) struct str line = STR_INIT(128);
    if (plan->marks_fd < 0)
        return;
    str_addf(&line, "{\"mark\":\"%s\",\"at_ns\":%" PRId64 "}\n", name, at_ns);
    (void)fdio_write_all(plan->marks_fd, str_view(&line), NULL);
}

static void show(const struct team *t, const struct load_plan *plan, int64_t now_ns)
{
    uint64_t answered = 0;
    uint64_t failed = 0;
    if (!plan->progress)
        return;
    for (unsigned i = 0; i < t->len; i++) {
        answered += atomic_load_explicit(&t->workers[i].shown_answered, memory_order_relaxed);
        failed += atomic_load_explicit(&t->workers[i].shown_failed, memory_order_relaxed);
    }
    plan->progress(plan, now_ns - t->clockwork.start_ns, answered, failed);
}

/* Waits for a moment of the run or for its end, whichever is first; true for the end. */
static bool wait_for(struct team *t, const struct load_plan *plan, int64_t moment_ns)
{
    while (!all_ended(t)) {
        int64_t now = clock_now_ns();
        if (now >= moment_ns)
            return false;
        int64_t next = now + CLOCK_NS_PER_S;
        if (bell_wait(&t->bell, next < moment_ns ? next : moment_ns))
            continue;
        if (now >= t->clockwork.start_ns)
            show(t, plan, clock_now_ns());
    }
    return true;
}

struct warm { /* what the loops had answered at a moment of the warm-up */
    uint64_t answered, spent_ns;
};

static struct warm warm_now(const struct team *t)
{
    struct warm sum = {0};
    for (unsigned i = 0; i < t->len; i++) {
        const struct worker *w = &t->workers[i];
        sum.answered += atomic_load_explicit(&w->warm_answered, memory_order_relaxed);
        sum.spent_ns += atomic_load_explicit(&w->warm_spent_ns, memory_order_relaxed);
    }
    return sum;
}

/* Ends the warm-up when it is over. The loops look about once per millisecond, so the new start
 * lies a little ahead. */
static void find_steady(struct team *t, const struct load_plan *plan)
{
    double means[STEADY_WINDOWS];
    struct warm before = {0};
    size_t n = 0;
    int64_t window_ns = plan->load.warmup_ns / STEADY_WINDOWS;
    while (!steady_reached(means, n)) {
        int64_t at_ns = t->clockwork.zero_ns + (int64_t)(n + 1) * window_ns;
        if (n == STEADY_WINDOWS || at_ns + steady_lead_ns >= t->start_ns ||
            wait_for(t, plan, at_ns))
            return;
        struct warm now = warm_now(t);
        /* A window without an answer is as slow as the one before, or as all so far. */
        means[n] = n ? means[n - 1] : (double)window_ns;
        if (now.answered > before.answered)
            means[n] = (double)(now.spent_ns - before.spent_ns) /
                       (double)(now.answered - before.answered);
        before = now;
        n++;
    }
    int64_t early_ns = clock_now_ns() + steady_lead_ns;
    if (early_ns >= t->start_ns)
        return;
    atomic_store_explicit(&t->clockwork.early_ns, early_ns, memory_order_relaxed);
    t->end_ns += early_ns - t->start_ns;
    t->start_ns = early_ns;
}

static void watch(struct team *t, const struct load_plan *plan)
{
    if (plan->steady)
        find_steady(t, plan);
    if (!wait_for(t, plan, t->start_ns)) {
        health_sample(&t->cpus, &t->before);
        mark(plan, "start", t->start_ns);
    }
    (void)wait_for(t, plan, t->end_ns);
    int64_t now = clock_now_ns();
    mark(plan, "end", now < t->end_ns ? now : t->end_ns);
    health_sample(&t->cpus, &t->after);
    (void)wait_for(t, plan, CLOCK_NEVER);
}

static void set_times(struct team *t, const struct load_plan *plan)
{
    struct clockwork *k = &t->clockwork;
    k->zero_ns = clock_now_ns() + head_start_ns;
    k->start_ns = k->zero_ns + plan->load.warmup_ns;
    k->end_ns = k->start_ns + plan->load.duration_ns;
    if (plan->requests && is_open_loop(plan) && !plan->load.poisson)
        k->end_ns = k->start_ns + (int64_t)((double)plan->requests * 1e9 / plan->load.rate_rps);
    else if (plan->requests)
        k->end_ns = CLOCK_NEVER;
    else if (is_open_loop(plan))
        k->end_ns = k->zero_ns + arrival_duration_ns(&t->schedule);
    t->start_ns = k->start_ns;
    t->end_ns = k->end_ns;
    atomic_store(&k->early_ns, CLOCK_NEVER);
}

/* After everything that opens beforehand has tried: is there anybody? */
static int check_opened(const struct team *t, const struct load_plan *plan, struct err *e)
{
    const struct worker *failed = NULL;
    uint32_t opened = 0;
    for (unsigned i = 0; i < t->len; i++) {
        if (t->workers[i].broken) {
            *e = t->workers[i].err;
            return -1;
        }
        opened += t->workers[i].opened;
        if (t->workers[i].opening_failed)
            failed = &t->workers[i];
    }
    if (opened || !failed)
        return 0;
    return err_set(e, ERR_AWAY, "connect to '%s': %s: %s",
                   plan->target->unix_path ? plan->target->unix_path : plan->target->url,
                   fail_phase_name(failed->opening_phase),
                   fail_cause_name(failed->opening_cause));
}

static int team_run(struct team *t, const struct load_plan *plan, struct err *e)
{
    for (; t->started < t->len; t->started++) {
        struct worker *w = &t->workers[t->started];
        int rc = pthread_create(&w->thread, NULL, worker_main, w);
        /* The others wait at a barrier that will never be full, so there is no way back. */
        if (rc != 0)
            abort();
    }
    pthread_barrier_wait(&t->clockwork.opened);
    int rc = check_opened(t, plan, e);
    t->clockwork.cancelled = rc < 0;
    set_times(t, plan);
    pthread_barrier_wait(&t->clockwork.go);
    if (rc == 0)
        watch(t, plan);
    return rc;
}

/* --- the result --------------------------------------------------------------------------- */

/* In a closed loop with kept connections a request is due when it is sent. */
static void fill_closed_loop(struct load_result *r)
{
    hist_merge(&r->tally.service, &r->response);
    struct hist *queue = &r->tally.queue;
    if (r->response.count) {
        queue->counts[0] =
            r->response.count > UINT32_MAX ? UINT32_MAX : (uint32_t)r->response.count;
        queue->count = queue->counts[0];
        queue->min = 0;
    }
}

/* Little's law (1961): the mean number in the system is the throughput times the mean time in
 * it. Both sides are counted independently here, so a large gap means that the numbers are
 * wrong. */
static void check_little(struct load_result *r)
{
    double window = (double)(r->end_ns - r->start_ns);
    if (window <= 0)
        return;
    r->mean_in_flight = r->tally.in_flight_area / window;
    double spent = r->tally.spent - r->tally.dispatch_lag;
    r->little = r->tally.in_flight_area > 0 ? spent / r->tally.in_flight_area : 0;
}

static struct load_result *collect(struct team *t, const struct load_plan *plan)
{
    struct load_result *r = mem_zero(1, sizeof *r);
    const struct tally *tallies[LOAD_THREADS_MAX];
    tally_init(&r->tally, plan->endpoints_len);
    hist_init(&r->response);
    r->start_ns = t->start_ns;
    r->warmup_ns = t->start_ns - t->clockwork.zero_ns;
    r->end_ns = 0;
    for (unsigned i = 0; i < t->len; i++) {
        const struct worker *w = &t->workers[i];
        tallies[i] = &w->tally;
        if (w->end_ns > r->end_ns)
            r->end_ns = w->end_ns;
    }
    tally_merge(&r->tally, tallies, t->len);
    if (r->end_ns < r->start_ns)
        r->end_ns = r->start_ns; /* stopped during warm-up */
    tally_response(&r->tally, &r->response);
    r->duration_s = (double)(r->end_ns - r->start_ns) / 1e9;
    r->answered = tally_answered(&r->tally);
    r->failed = tally_failed(&r->tally);
    r->requests = r->answered + r->failed + r->tally.client_failed;
    if (r->duration_s > 0) {
        r->offered_rps = (double)r->requests / r->duration_s;
        r->achieved_rps = (double)r->tally.answered_in_window / r->duration_s;
    }
    if (!is_open_loop(plan) && !t->workers[0].close_each)
        fill_closed_loop(r);
    check_little(r);
    r->engine = t->ops->name;
    struct health_rules rules = {
        .open_loop = is_open_loop(plan),
        .dedicated = plan->pin,
        .polls = plan->pacing == LOAD_SPIN || plan->pacing == LOAD_HYBRID,
        .batch = plan->pacing == LOAD_BATCH,
        .threads = t->len,
        .duration_s = r->duration_s,
    };
    health_judge(&rules, &t->before, &t->after, &r->tally, &r->health);
    return r;
}

int load_run(const struct load_plan *plan, struct load_result **out, struct err *e)
{
    AUTO(team_done) struct team t = {.bell = {-1}};
    if (check_plan(plan, e) < 0 || team_init(&t, plan, e) < 0)
        return -1;
    if (team_run(&t, plan, e) < 0)
        return -1;
    *out = collect(&t, plan);
    return 0;
}

void load_result_freep(struct load_result **r)
{
    if (!*r)
        return;
    tally_done(&(*r)->tally);
    hist_done(&(*r)->response);
    mem_freep(r);
}

const char *load_pacing_name(enum load_pacing pacing)
{
    static const char *const names[] = {[LOAD_TIMER] = "timer",
                                        [LOAD_HYBRID] = "hybrid",
                                        [LOAD_SPIN] = "spin",
                                        [LOAD_BATCH] = "batch"};
    return names[pacing];
}
