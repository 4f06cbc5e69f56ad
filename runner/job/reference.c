/* SPDX-License-Identifier: MIT */
/*
 * reference: see reference.h.
 *
 * The program is the runner's own file. A sandbox shows nothing of the host but /usr, so the
 * file is copied into a work area of the canary's own, which nobody can write.
 */
#include "reference.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "canary.h"
#include "clock.h"
#include "fdio.h"
#include "loadgen.h"
#include "mem.h"
#include "opt.h"
#include "window.h"

enum {
    REFERENCE_CONNECTIONS = 4,
    REFERENCE_TASKS = 16,
    REFERENCE_PORT_TEXT = 16,
};

#define REFERENCE_WARMUP_NS   (15 * CLOCK_NS_PER_MS)
#define REFERENCE_DURATION_NS (50 * CLOCK_NS_PER_MS)
#define REFERENCE_TIMEOUT_NS  CLOCK_NS_PER_S
#define REFERENCE_WITHIN_NS   (5 * CLOCK_NS_PER_S)
#define REFERENCE_MEMORY      (INT64_C(256) << 20)
#define REFERENCE_TMP         (INT64_C(1) << 20)

struct reference {
    struct sandbox *sandbox;
    int output;
    int port;
    int64_t since_ns; /* the first burst */
    int64_t spent_ns; /* in bursts and the start */
    bool useless;     /* it could not start or be measured: not tried again */
    char scenario[WORK_PATH_MAX];
    char engine[LOADGEN_ENGINE_BYTES]; /* of the first burst, for all others */
};

/* --- life ------------------------------------------------------------------------------------
 */

static int write_scenario(struct job *j, struct reference *r, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX - 1);
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    char name[] = "canary";
    char method[] = "GET";
    char target[] = "/";
    struct spec_endpoint endpoint = {
        .name = name, .method = method, .path = target, .weight = 1, .expect.status = 200};
    struct spec_scenario s = {
        .name = name, .endpoints = &endpoint, .endpoints_len = 1, .load = spec_load_default()};
    s.load.connections = REFERENCE_CONNECTIONS;
    s.load.warmup_ns = REFERENCE_WARMUP_NS;
    s.load.duration_ns = REFERENCE_DURATION_NS;
    s.load.timeout_ns = REFERENCE_TIMEOUT_NS;
    work_path(&j->work, "canary.json", &path);
    (void)snprintf(r->scenario, sizeof r->scenario, "%s", str_text(&path));
    spec_scenario_write(&s, &text);
    return fdio_write_file(r->scenario, str_view(&text), 0644, e);
}

/* Its first line is the port, which also says that it is ready. */
static int read_port(struct job *j, struct reference *r, struct err *e)
{
    int64_t deadline = job_deadline(j, REFERENCE_WITHIN_NS);
    char text[REFERENCE_PORT_TEXT];
    size_t len = 0;
    int64_t port;
    while (len < sizeof text && (len == 0 || text[len - 1] != '\n')) {
        if (pulse_wait(j->pulse, r->output, deadline) != PULSE_READY)
            return err_set(e, ERR_TIMEOUT, "it was not ready in time");
        ssize_t n = read(r->output, text + len, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, ERR_SYSTEM, "it ended before it was ready");
        len++;
    }
    if (opt_int(view_trim((struct view){text, len}), 1, UINT16_MAX, &port, e) < 0)
        return err_ctx(e, "its port");
    r->port = (int)port;
    return 0;
}

static int launch(struct job *j, struct reference *r, struct err *e)
{
    char dir[WORK_PATH_MAX];
    char program[PATH_MAX];
    int ends[2];
    if (work_own_program(&j->work, !j->doc->sandbox, dir, program, e) < 0 ||
        write_scenario(j, r, e) < 0 || fdio_pipe(ends, e) < 0)
        return -1;
    r->output = ends[0];
    AUTO(fdio_closep) int output_end = ends[1];
    const char *const argv[] = {program, CANARY_WORD, NULL};
    struct sandbox_spec how = {.name = "canary",
                               .argv = argv,
                               .area = dir,
                               .off = !j->doc->sandbox,
                               .memory = REFERENCE_MEMORY,
                               .tasks = REFERENCE_TASKS,
                               .tmp = REFERENCE_TMP,
                               .file = REFERENCE_TMP,
                               .cpus = j->cpus.service_list,
                               .nice = j->nice,
                               .out = output_end};
    if (sandbox_start(&j->host, &how, &r->sandbox, e) < 0)
        return -1;
    fdio_closep(&output_end);
    if (read_port(j, r, e) < 0)
        return -1;
    job_raise_sessions(j, r->sandbox);
    return 0;
}

void reference_freep(struct reference **reference)
{
    struct reference *r = STEAL(*reference);
    if (!r)
        return;
    sandbox_freep(&r->sandbox);
    fdio_closep(&r->output);
    free(r);
}

/* --- a burst ---------------------------------------------------------------------------------
 */

static int burst(struct job *j, struct reference *r, double *out_ns, struct err *e)
{
    AUTO(loadgen_result_done) struct loadgen_result got = {0};
    struct window w = {.sandbox = r->sandbox, .cpus = &j->cpus.service};
    struct loadgen_run run = {.program = j->load_program,
                              .scenario = r->scenario,
                              .cpus = j->cpus.load_list,
                              .engine = r->engine,
                              .netns = sandbox_netns(r->sandbox),
                              .port = r->port,
                              .deadline_ns = job_deadline(j, REFERENCE_WITHIN_NS),
                              .pulse = j->pulse,
                              .mark = window_mark,
                              .mark_arg = &w,
                              .watch_fd = sandbox_pidfd(r->sandbox)};
    if (loadgen_run(&run, 1, &got, e) < 0)
        return -1;
    double cpu_ns = window_cpu_ns(&w);
    if (got.service_ended || cpu_ns < 0 || got.answered_in_window == 0)
        return err_set(e, ERR_SYSTEM, "it did not answer");
    memcpy(r->engine, got.engine, sizeof got.engine);
    *out_ns = cpu_ns / (double)got.answered_in_window;
    return 0;
}

static bool is_due(const struct reference *r)
{
    double passed = (double)(clock_now_ns() - r->since_ns);
    return (double)r->spent_ns <= REFERENCE_SHARE * passed;
}

bool reference_look(struct job *j, double *out_ns)
{
    struct err e = {0};
    struct reference *r = j->reference;
    int64_t start = clock_now_ns();
    int rc = 0;
    if (!r) {
        r = j->reference = mem_zero(1, sizeof *r);
        r->output = -1;
        r->since_ns = start;
        rc = launch(j, r, &e);
    } else if (r->useless || !is_due(r)) {
        return false;
    }
    if (rc == 0)
        rc = burst(j, r, out_ns, &e);
    r->spent_ns += clock_now_ns() - start;
    r->useless = rc < 0;
    if (rc < 0 && !pulse_cancelled(j->pulse))
        job_note(j, "no reference beside the measurements: %s", e.text);
    return rc == 0;
}
