/* SPDX-License-Identifier: MIT */
/* measure: see measure.h. */
#include "measure.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dataset.h"
#include "fdio.h"
#include "loadgen.h"
#include "mem.h"
#include "noise.h"
#include "outside.h"
#include "reference.h"
#include "service.h"
#include "window.h"

#define LOAD_EXTRA_NS (10 * CLOCK_NS_PER_S) /* beside warm-up, duration and one request */

/* --- writing down ----------------------------------------------------------------------------
 */

static void add_gauge(struct result_arm *arm, const char *name, double value)
{
    /* Of several scenarios the worst is kept. */
    for (size_t i = 0; i < arm->gauges.len; i++) {
        struct result_fact *g = &arm->gauges.at[i];
        if (strcmp(g->name, name) == 0) {
            g->number = value > g->number ? value : g->number;
            return;
        }
    }
    struct result_fact *g = vec_push(&arm->gauges);
    g->name = mem_strdup(name);
    g->number = value;
}

static void add_sample(struct result_arm *arm, int scenario, int endpoint, enum metric metric,
                       double value)
{
    *vec_push(&arm->samples) = (struct result_sample){
        .scenario = scenario, .endpoint = endpoint, .metric = metric, .value = value};
}

static void add_hist(struct result_arm *arm, int scenario, int endpoint,
                     const struct loadgen_times *t)
{
    *vec_push(&arm->hists) =
        (struct result_hist){.scenario = scenario,
                             .endpoint = endpoint,
                             .packed = mem_dup(t->packed.at, t->packed.len),
                             .packed_len = t->packed.len,
                             .count = t->count};
}

static void add_times(struct result_arm *arm, int scenario, int endpoint, bool closed_loop,
                      const struct loadgen_times *t, double duration_s)
{
    if (t->requests > 0)
        add_sample(arm, scenario, endpoint, METRIC_ERRORS,
                   (double)t->failed / (double)t->requests);
    if (t->answered == 0)
        return;
    if (closed_loop && duration_s > 0)
        add_sample(arm, scenario, endpoint, METRIC_THROUGHPUT,
                   (double)t->answered / duration_s);
    add_sample(arm, scenario, endpoint, METRIC_P50, (double)t->p50_ns);
    add_sample(arm, scenario, endpoint, METRIC_P90, (double)t->p90_ns);
    add_sample(arm, scenario, endpoint, METRIC_P99, (double)t->p99_ns);
    add_hist(arm, scenario, endpoint, t);
}

static void add_noise(struct result_arm *arm, const struct noise_gauges *g)
{
    add_gauge(arm, "run_delay", g->run_delay);
    add_gauge(arm, "psi_cpu", g->psi_cpu);
    add_gauge(arm, "psi_memory", g->psi_memory);
    add_gauge(arm, "psi_io", g->psi_io);
    add_gauge(arm, "steal", g->steal);
    add_gauge(arm, "foreign_cpu", g->foreign_cpu);
    add_gauge(arm, "throttled", g->throttled);
    if (g->mhz > 0)
        add_gauge(arm, "cpu_mhz", g->mhz);
    add_gauge(arm, "switches_per_s", g->switches_per_s);
    add_gauge(arm, "involuntary_per_s", g->involuntary_per_s);
}

/* What outside.h compares. A connection that the load itself ends says nothing. */
static void add_connections(struct result_arm *arm, const struct spec_load *load,
                            const struct loadgen_result *r)
{
    if (r->answered_in_window == 0)
        return;
    double answered = (double)r->answered_in_window;
    add_gauge(arm, "answer_bytes", (double)r->bytes_in / answered);
    if (load->protocol == SPEC_HTTP1 && !load->close)
        add_gauge(arm, "closed_per_request", (double)r->closed_by_peer / answered);
}

static void write_down(struct job *j, int index, const struct window *w,
                       const struct loadgen_result *r, struct result_arm *arm,
                       struct gate_arm *gate)
{
    const struct spec_scenario *s = &j->doc->spec->scenarios[index];
    bool closed_loop = s->load.kind == SPEC_CLOSED_LOOP;
    double cpu_ns = window_cpu_ns(w);
    struct noise_gauges noise;
    window_noise(w, &noise);
    add_noise(arm, &noise);
    add_gauge(arm, "runner_cpu", window_own_share(w));
    add_gauge(arm, "warmup_ns", r->warmup_ns);
    add_gauge(arm, "load_cpu", r->cpu_share);
    add_gauge(arm, "load_late_p99_ns", r->lateness_p99_ns);
    add_gauge(arm, "load_limited", r->limited);
    if (cpu_ns >= 0 && r->answered_in_window > 0)
        add_sample(arm, index, -1, METRIC_CPU_PER_REQUEST,
                   cpu_ns / (double)r->answered_in_window);
    if (j->doc->spec->services_len && r->answered_in_window > 0)
        add_gauge(arm, "services_cpu_per_request",
                  window_beside_ns(w) / (double)r->answered_in_window);
    add_connections(arm, &s->load, r);
    add_times(arm, index, -1, closed_loop, &r->all, r->duration_s);
    for (size_t i = 0; s->endpoints_len > 1 && i < r->endpoints.len && i < s->endpoints_len;
         i++)
        add_times(arm, index, (int)i, closed_loop, &r->endpoints.at[i], r->duration_s);

    gate->requests += r->all.requests;
    gate->answered += r->all.answered;
    gate->failed += r->all.failed;
    if (w->shared) /* the generator beside it is no stranger */
        noise.foreign_cpu = fmax(0, noise.foreign_cpu - r->cpu_share);
    gate_add_noise(gate, &noise, r->duration_s, CPU_COUNT(w->cpus));
    if (j->answers_alike[index] && r->answered_in_window >= GATE_COMPARED_LEAST)
        gate->answer_bytes[index] = (double)r->bytes_in / (double)r->answered_in_window;
    gate->open_loop = gate->open_loop || !closed_loop;
    if (r->limited && !closed_loop) {
        gate->generator_limited = true;
        (void)snprintf(gate->generator_reason, sizeof gate->generator_reason, "%s", r->reason);
    }
}

/* --- one arm ---------------------------------------------------------------------------------
 */

static void scenario_path(const struct job *j, size_t index, struct str *out)
{
    char name[64];
    (void)snprintf(name, sizeof name, "scenario-%zu.json", index);
    work_path(&j->work, name, out);
}

static void data_path(const struct job *j, size_t index, struct str *out)
{
    char name[64];
    (void)snprintf(name, sizeof name, "data-%zu.csv", index);
    work_path(&j->work, name, out);
}

/* The base tree's for both sides, as the spec is, and a copy: what is measured cannot change
 * it. */
static int copy_data(struct job *j, size_t index)
{
    const char *data = j->doc->spec->scenarios[index].data;
    struct err e = {0};
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    AUTO(str_done) struct str text = STR_INIT(DATASET_BYTES_MAX);
    if (!data)
        return 0;
    data_path(j, index, &path);
    if (fdio_read_beneath(j->tree[SIDE_BASE].dir, data, &text, &e) < 0)
        return job_fail(j, FAILURE_CONFIG, SIDE_BASE, "data: %s", e.text);
    if (fdio_write_file(str_text(&path), str_view(&text), 0644, &e) < 0)
        return job_fail(j, FAILURE_INFRA, -1, "data: %s", e.text);
    return 0;
}

int measure_prepare(struct job *j)
{
    const struct spec *spec = j->doc->spec;
    for (size_t i = 0; i < spec->scenarios_len; i++) {
        struct err e = {0};
        AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
        AUTO(str_done) struct str text = STR_INIT(64 << 20);
        scenario_path(j, i, &path);
        spec_scenario_write(&spec->scenarios[i], &text);
        if (fdio_write_file(str_text(&path), str_view(&text), 0644, &e) < 0)
            return job_fail(j, FAILURE_INFRA, -1, "scenario: %s", e.text);
        if (copy_data(j, i) < 0)
            return -1;
    }
    return 0;
}

/* One arm while it is measured. */
struct running {
    struct service service;
    struct window window;
    struct result_arm *out;
    struct gate_arm *gate;
};

/* Of a scenario, for the generator. */
struct files {
    struct str scenario, data;
};

static void files_done(struct files *f)
{
    str_done(&f->scenario);
    str_done(&f->data);
}

static void prepare_run(struct job *j, int index, uint64_t seed, const struct files *files,
                        struct running *a, struct loadgen_run *out)
{
    const struct spec_load *load = &j->doc->spec->scenarios[index].load;
    struct service *s = &a->service;
    a->window = (struct window){.sandbox = s->sandbox,
                                .beside = &s->beside,
                                .cpus = &s->cpus->service,
                                .shared = s->cpus->shared};
    *out = (struct loadgen_run){
        .program = j->load_program,
        .scenario = str_text(&files->scenario),
        .data = j->doc->spec->scenarios[index].data ? str_text(&files->data) : NULL,
        .cpus = s->cpus->load_list,
        .engine = j->load_engine[index],
        .netns = s->netns,
        .port = s->port,
        .seed = seed,
        .deadline_ns = job_deadline(j, load->warmup_ns + load->duration_ns + load->timeout_ns +
                                           LOAD_EXTRA_NS),
        .pulse = j->pulse,
        .mark = window_mark,
        .mark_arg = &a->window,
        .watch_fd = sandbox_pidfd(s->sandbox),
    };
}

static int run_scenario(struct job *j, int index, uint64_t seed, struct running *arms, size_t n)
{
    struct err e = {0};
    AUTO(files_done)
    struct files files = {STR_INIT(WORK_PATH_MAX), STR_INIT(WORK_PATH_MAX)};
    struct loadgen_run runs[MEASURE_AT_ONCE_MAX];
    struct loadgen_result results[MEASURE_AT_ONCE_MAX] = {0};
    scenario_path(j, (size_t)index, &files.scenario);
    data_path(j, (size_t)index, &files.data);
    for (size_t i = 0; i < n; i++)
        prepare_run(j, index, seed, &files, &arms[i], &runs[i]);
    if (loadgen_run(runs, n, results, &e) < 0) {
        if (job_check_cancel(j) < 0)
            return -1;
        return job_fail(j, FAILURE_LOAD, n > 1 ? -1 : (int)arms[0].service.side, "%s", e.text);
    }
    for (size_t i = 0; i < n; i++) {
        arms[i].gate->service_ended = results[i].service_ended;
        if (!results[i].service_ended) {
            memcpy(j->load_engine[index], results[i].engine, sizeof results[i].engine);
            write_down(j, index, &arms[i].window, &results[i], arms[i].out, arms[i].gate);
        }
        loadgen_result_done(&results[i]);
    }
    return 0;
}

/* What the service's processes held at most, each at its own time: a bound that does not count
 * the page cache, which depends on who read a file first. */
static int64_t resident_peak(const struct service *s)
{
    struct noise_snap snap;
    pid_t pids[SANDBOX_PIDS_MAX];
    size_t n = sandbox_pids(s->sandbox, pids, SANDBOX_PIDS_MAX);
    noise_snap(&snap, &s->cpus->service, pids, n);
    return snap.resident_peak;
}

/* " with status 9: last line" */
static void tell_end(const struct job *j, struct service *s, struct gate_arm *gate)
{
    int status = 0;
    AUTO(str_done) struct str last = STR_INIT(sizeof gate->ended_how - 64);
    if (!sandbox_wait(s->sandbox, clock_now_ns() + CLOCK_NS_PER_S, &status))
        return;
    (void)sandbox_end(s->sandbox, &s->use, NULL);
    if (s->use.oom_kills > 0) {
        (void)snprintf(gate->ended_how, sizeof gate->ended_how,
                       ", out of memory (limit %lld MiB)",
                       (long long)j->doc->spec->limits.memory >> 20);
        return;
    }
    capture_last_lines(s->output, JOB_LAST_LINES, &last);
    (void)snprintf(gate->ended_how, sizeof gate->ended_how, ", with %s %d%s%.*s",
                   status > 128 ? "signal" : "status", status > 128 ? status - 128 : status,
                   last.len ? ": " : "",
                   (int)view_utf8_prefix(str_view(&last), sizeof gate->ended_how - 64),
                   str_text(&last));
}

/* A service that lost its database may well go on and answer errors. */
static bool tell_beside_end(struct service *s, struct gate_arm *gate)
{
    AUTO(str_done) struct str how = STR_INIT(sizeof gate->ended_how - 1);
    if (!services_ended(&s->beside, &how))
        return false;
    (void)snprintf(gate->ended_how, sizeof gate->ended_how, "%.*s",
                   (int)view_utf8_prefix(str_view(&how), sizeof gate->ended_how - 1),
                   str_text(&how));
    return true;
}

static void add_backlog(struct job *j, struct running *a)
{
    struct err e = {0};
    int64_t backlog;
    if (outside_backlog(a->service.netns, a->service.port, job_deadline(j, CLOCK_NS_PER_S),
                        &backlog, &e) == 0)
        add_gauge(a->out, "listen_backlog", (double)backlog);
    else
        job_note(j, "listen backlog of %s: %s", side_names[a->service.side], e.text);
}

/* What is known of the service once all its load is over. */
static void look_back(struct job *j, struct running *a)
{
    if (tell_beside_end(&a->service, a->gate)) {
        a->gate->service_ended = true;
    } else if (a->gate->service_ended) {
        tell_end(j, &a->service, a->gate);
    } else {
        int64_t peak = resident_peak(&a->service);
        if (peak > 0)
            add_sample(a->out, 0, -1, METRIC_PEAK_MEMORY, (double)peak);
        add_sample(a->out, 0, -1, METRIC_START_TIME, (double)a->service.start_ns);
        add_backlog(j, a);
    }
}

static bool any_ended(const struct running *arms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (arms[i].gate->service_ended)
            return true;
    return false;
}

static int start_service(struct job *j, const struct plan_arm *arm, size_t place, size_t n,
                         struct service *out)
{
    return n > 1 ? service_start_half(j, arm->side, arm->variant, (int)place, out)
                 : service_start(j, arm->side, arm->variant, out);
}

int measure_arms(struct job *j, const struct plan_arm *arms, size_t n, uint64_t load_seed,
                 struct result_arm *out, struct gate_arm *gates)
{
    const struct spec *spec = j->doc->spec;
    struct running running[MEASURE_AT_ONCE_MAX];
    double canary_ns;
    size_t started = 0;
    int rc = 0;
    if (reference_look(j, &canary_ns))
        add_gauge(&out[0], "canary_ns", canary_ns);
    for (; rc == 0 && started < n; started += rc == 0) {
        struct running *a = &running[started];
        *a = (struct running){.out = &out[started], .gate = &gates[started]};
        *a->gate =
            (struct gate_arm){.side = arms[started].side, .variant = arms[started].variant};
        a->out->side = arms[started].side;
        a->out->copy = arms[started].copy;
        a->out->variant = arms[started].variant;
        rc = start_service(j, &arms[started], started, n, &a->service);
    }
    for (size_t i = 0; rc == 0 && i < spec->scenarios_len && !any_ended(running, n); i++)
        rc = run_scenario(j, (int)i, load_seed, running, n);
    for (size_t i = 0; i < started; i++) {
        if (rc == 0)
            look_back(j, &running[i]);
        service_stop(j, &running[i].service);
    }
    return rc;
}
