/* SPDX-License-Identifier: MIT */
/* loadgen: see loadgen.h. */
#include "loadgen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "hist.h"
#include "json.h"
#include "mem.h"

enum {
    LOADGEN_FD_MARKS = 3,
    LOADGEN_FD_NETNS = 4,
    LOADGEN_RESULT_MAX = 64 << 20,
    LOADGEN_WORDS_MAX = 4096,
    LOADGEN_READ_BYTES = 64 << 10,
    LOADGEN_EXIT_LIMITED = 3,
    LOADGEN_EXIT_NOTHING = 4,
    LOADGEN_EXIT_FAILURES = 5,
};

/* --- the result ------------------------------------------------------------------------------
 */

static int read_count(const struct json_doc *doc, const struct json *object, const char *key,
                      uint64_t *out, struct err *e)
{
    int64_t value = 0;
    if (json_read_int(doc, object, key, true, 0, INT64_MAX, &value, e) < 0)
        return -1;
    *out = (uint64_t)value;
    return 0;
}

static int read_times(const struct json_doc *doc, const struct json *object,
                      struct loadgen_times *out, struct err *e)
{
    const struct json *times = NULL;
    struct view hist = {0};
    if (read_count(doc, object, "requests", &out->requests, e) < 0 ||
        read_count(doc, object, "answered", &out->answered, e) < 0 ||
        read_count(doc, object, "failed", &out->failed, e) < 0 ||
        json_read_member(doc, object, "response_ns", true, JSON_OBJECT, &times, e) < 0 ||
        read_count(doc, times, "count", &out->count, e) < 0 ||
        json_read_int(doc, times, "p50", true, 0, INT64_MAX, &out->p50_ns, e) < 0 ||
        json_read_int(doc, times, "p90", true, 0, INT64_MAX, &out->p90_ns, e) < 0 ||
        json_read_int(doc, times, "p99", true, 0, INT64_MAX, &out->p99_ns, e) < 0 ||
        json_read_text(doc, object, "hist", true, &hist, e) < 0)
        return -1;
    out->packed.max = HIST_ENCODED_MAX;
    if (digest_unbase64(hist, &out->packed) < 0 || out->packed.cut)
        return json_fail(doc, json_get(object, "hist"), e, "'hist' is not a histogram");
    return 0;
}

static int read_generator(const struct json_doc *doc, const struct json *root,
                          struct loadgen_result *out, struct err *e)
{
    const struct json *generator = NULL;
    const struct json *lateness = NULL;
    struct view verdict = {0};
    struct view reason = {0};
    const struct json *member = json_get(root, "reason");
    if (json_read_member(doc, root, "generator", true, JSON_OBJECT, &generator, e) < 0 ||
        json_read_real(doc, generator, "cpu_share", false, &out->cpu_share, e) < 0 ||
        json_read_member(doc, generator, "lateness_ns", true, JSON_OBJECT, &lateness, e) < 0 ||
        json_read_real(doc, lateness, "p99", true, &out->lateness_p99_ns, e) < 0 ||
        json_read_text(doc, root, "verdict", true, &verdict, e) < 0)
        return -1;
    if (member && json_type(member) == JSON_STRING)
        reason = json_text(member);
    out->limited = view_eqz(verdict, "generator-limited");
    (void)snprintf(out->reason, sizeof out->reason, "%.*s",
                   (int)view_utf8_prefix(reason, sizeof out->reason - 1), reason.at);
    return 0;
}

static int read_engine(const struct json_doc *doc, const struct json *root,
                       char out[LOADGEN_ENGINE_BYTES], struct err *e)
{
    const struct json *setup = NULL;
    struct view name = {0};
    if (json_read_member(doc, root, "setup", true, JSON_OBJECT, &setup, e) < 0 ||
        json_read_text(doc, setup, "engine", true, &name, e) < 0)
        return -1;
    if (name.len >= LOADGEN_ENGINE_BYTES)
        return json_fail(doc, json_get(setup, "engine"), e, "'engine' is not the name of one");
    (void)snprintf(out, LOADGEN_ENGINE_BYTES, "%.*s", (int)name.len, name.at);
    return 0;
}

static int read_result(const struct json_doc *doc, struct loadgen_result *out, struct err *e)
{
    const struct json *root = json_root(doc);
    const struct json *window = NULL;
    const struct json *connections = NULL;
    const struct json *endpoints = NULL;
    if (read_times(doc, root, &out->all, e) < 0 ||
        json_read_real(doc, root, "duration_s", true, &out->duration_s, e) < 0 ||
        json_read_real(doc, root, "achieved_rps", true, &out->achieved_rps, e) < 0 ||
        read_count(doc, root, "bytes_in", &out->bytes_in, e) < 0 ||
        json_read_member(doc, root, "connections", true, JSON_OBJECT, &connections, e) < 0 ||
        read_count(doc, connections, "closed_by_peer", &out->closed_by_peer, e) < 0 ||
        json_read_member(doc, root, "window", true, JSON_OBJECT, &window, e) < 0 ||
        read_count(doc, window, "answered", &out->answered_in_window, e) < 0 ||
        json_read_real(doc, window, "warmup_ns", true, &out->warmup_ns, e) < 0 ||
        read_generator(doc, root, out, e) < 0 || read_engine(doc, root, out->engine, e) < 0 ||
        json_read_member(doc, root, "endpoints", true, JSON_ARRAY, &endpoints, e) < 0)
        return -1;
    for (const struct json *one = json_first(endpoints); one; one = json_next(one))
        if (read_times(doc, one, vec_push(&out->endpoints), e) < 0)
            return -1;
    return 0;
}

int loadgen_parse(struct view text, struct loadgen_result *out, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct loadgen_result got = {0};
    if (json_parse(text, &JSON_RESULT, &doc, e) < 0 || read_result(doc, &got, e) < 0) {
        loadgen_result_done(&got);
        return err_ctx(e, "result of pacewatch-load");
    }
    *out = got;
    return 0;
}

void loadgen_result_done(struct loadgen_result *r)
{
    str_done(&r->all.packed);
    for (size_t i = 0; i < r->endpoints.len; i++)
        str_done(&r->endpoints.at[i].packed);
    vec_done(&r->endpoints);
}

/* --- the run ---------------------------------------------------------------------------------
 */

struct pipes {
    int marks, result, words; /* our ends */
    struct str lines, text, said;
};

static void pipes_done(struct pipes *p)
{
    fdio_closep(&p->marks);
    fdio_closep(&p->result);
    fdio_closep(&p->words);
    str_done(&p->lines);
    str_done(&p->text);
    str_done(&p->said);
}

static int start(const struct loadgen_run *run, struct pipes *p, struct child *child,
                 struct err *e)
{
    char port[64];
    char seed[32];
    int marks[2];
    int result[2];
    int words[2];
    if (fdio_pipe(marks, e) < 0)
        return -1;
    p->marks = marks[0];
    AUTO(fdio_closep) int marks_end = marks[1];
    if (fdio_pipe(result, e) < 0)
        return -1;
    p->result = result[0];
    AUTO(fdio_closep) int result_end = result[1];
    if (fdio_pipe(words, e) < 0)
        return -1;
    p->words = words[0];
    AUTO(fdio_closep) int words_end = words[1];

    (void)snprintf(port, sizeof port, "http://127.0.0.1:%d", run->port);
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->seed);
    const char *argv[24] = {run->program, "--scenario", run->scenario,     "--cpus",  run->cpus,
                            "--seed",     seed,         "--marks",         "3",       "--json",
                            "-",          "--quiet",    "--allow-limited", "--steady"};
    size_t n = 14;
    struct child_pass pass[2] = {{.fd = marks_end, .as = LOADGEN_FD_MARKS}};
    size_t pass_len = 1;
    if (run->netns >= 0) {
        /* By descriptor: the number of a process could be another's by then. */
        argv[n++] = "--netns";
        argv[n++] = "/proc/self/fd/4";
        pass[pass_len++] = (struct child_pass){.fd = run->netns, .as = LOADGEN_FD_NETNS};
    }
    if (run->engine[0]) {
        argv[n++] = "--engine";
        argv[n++] = run->engine;
    }
    if (run->data) {
        argv[n++] = "--data";
        argv[n++] = run->data;
    }
    argv[n] = port;
    struct child_spec spec = {
        .argv = argv, .out = result_end, .err = words_end, .pass = pass, .pass_len = pass_len};
    return child_start(child, &spec, e);
}

/* The service's accounts are read here, first thing after the line has come. */
static void take_marks(const struct loadgen_run *run, struct pipes *p)
{
    struct view rest = str_view(&p->lines);
    struct view line;
    size_t used = 0;
    while (rest.len && memchr(rest.at, '\n', rest.len) && view_line(&rest, &line)) {
        AUTO(json_freep) struct json_doc *doc = NULL;
        struct view name = {0};
        int64_t at_ns = 0;
        used = p->lines.len - rest.len;
        if (json_parse(line, &JSON_MESSAGE, &doc, NULL) < 0 ||
            json_read_text(doc, json_root(doc), "mark", true, &name, NULL) < 0 ||
            json_read_int(doc, json_root(doc), "at_ns", true, 0, INT64_MAX, &at_ns, NULL) < 0)
            continue;
        if (view_eqz(name, "start"))
            run->mark(run->mark_arg, 0, at_ns);
        else if (view_eqz(name, "end"))
            run->mark(run->mark_arg, 1, at_ns);
    }
    memmove(p->lines.at, p->lines.at + used, p->lines.len - used);
    p->lines.len -= used;
}

/* False at the end of the pipe. */
static bool drain(int *fd, struct str *to)
{
    size_t room = str_reserve(to, LOADGEN_READ_BYTES);
    char thrown_away[4096];
    ssize_t n =
        room ? read(*fd, to->at + to->len, room) : read(*fd, thrown_away, sizeof thrown_away);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        fdio_closep(fd);
        return false;
    }
    if (room)
        to->len += (size_t)n;
    return true;
}

/* --- several at once -------------------------------------------------------------------------
 */

struct generator {
    const struct loadgen_run *run;
    struct child child;
    struct pipes pipes;
    bool over; /* it has said all, or its service is gone */
    struct loadgen_result got;
};

enum { FDS_EACH = 4 };

static void generators_done(struct generator (*all)[LOADGEN_RUNS_MAX])
{
    for (size_t i = 0; i < LOADGEN_RUNS_MAX; i++) {
        pipes_done(&(*all)[i].pipes);
        child_done(&(*all)[i].child);
        loadgen_result_done(&(*all)[i].got);
    }
}

static void generator_init(struct generator *g, const struct loadgen_run *run)
{
    *g = (struct generator){.run = run,
                            .child = CHILD_INIT,
                            .pipes = {.marks = -1,
                                      .result = -1,
                                      .words = -1,
                                      .lines.max = LOADGEN_WORDS_MAX,
                                      .text.max = LOADGEN_RESULT_MAX,
                                      .said.max = LOADGEN_WORDS_MAX},
                            .over = run == NULL};
}

static void wait_for(const struct generator *g, struct pollfd fds[FDS_EACH])
{
    const int of[FDS_EACH] = {g->pipes.marks, g->pipes.result, g->pipes.words,
                              g->over ? -1 : g->run->watch_fd};
    for (int i = 0; i < FDS_EACH; i++)
        fds[i] = (struct pollfd){.fd = g->over ? -1 : of[i], .events = POLLIN};
}

static void take(struct generator *g, const struct pollfd fds[FDS_EACH])
{
    struct pipes *p = &g->pipes;
    if (fds[0].revents && drain(&p->marks, &p->lines))
        take_marks(g->run, p);
    if (fds[1].revents)
        (void)drain(&p->result, &p->text);
    if (fds[2].revents)
        (void)drain(&p->words, &p->said);
    g->got.service_ended = fds[3].revents != 0;
    g->over = g->got.service_ended || (p->marks < 0 && p->result < 0 && p->words < 0);
}

/* Those that are over, or were never needed, have no descriptor to wait for. */
static int listen(struct generator all[LOADGEN_RUNS_MAX], struct err *e)
{
    enum { CANCEL = LOADGEN_RUNS_MAX * FDS_EACH };
    bool open = true;
    while (open) {
        struct pollfd fds[CANCEL + 1];
        int64_t deadline_ns = all[0].run->deadline_ns;
        for (size_t i = 0; i < LOADGEN_RUNS_MAX; i++)
            wait_for(&all[i], &fds[i * FDS_EACH]);
        fds[CANCEL] = (struct pollfd){.fd = pulse_fd(all[0].run->pulse), .events = POLLIN};
        int ready = poll(fds, CANCEL + 1, clock_poll_ms(deadline_ns));
        if (ready < 0 && errno == EINTR)
            continue;
        if (fds[CANCEL].revents)
            return err_set(e, ERR_CONFLICT, "cancelled");
        if (ready <= 0)
            return err_set(e, ERR_TIMEOUT, "pacewatch-load did not end in time");
        open = false;
        for (size_t i = 0; i < LOADGEN_RUNS_MAX; i++) {
            if (!all[i].over)
                take(&all[i], &fds[i * FDS_EACH]);
            open = open || !all[i].over;
        }
    }
    return 0;
}

static int finish(struct generator *g, struct err *e)
{
    int status = 0;
    if (g->got.service_ended)
        return 0;
    if (!child_wait(&g->child, g->run->deadline_ns, &status))
        return err_set(e, ERR_TIMEOUT, "pacewatch-load did not end in time");
    struct view said = view_trim(str_view(&g->pipes.said));
    if (status != 0 && status != LOADGEN_EXIT_LIMITED && status != LOADGEN_EXIT_NOTHING &&
        status != LOADGEN_EXIT_FAILURES)
        return err_set(e, ERR_SYSTEM, "pacewatch-load ended with status %d: %.*s", status,
                       (int)(said.len > 500 ? 500 : said.len), said.at);
    return loadgen_parse(str_view(&g->pipes.text), &g->got, e);
}

int loadgen_run(const struct loadgen_run *runs, size_t n, struct loadgen_result *out,
                struct err *e)
{
    AUTO(generators_done) struct generator all[LOADGEN_RUNS_MAX];
    for (size_t i = 0; i < LOADGEN_RUNS_MAX; i++)
        generator_init(&all[i], i < n ? &runs[i] : NULL);
    for (size_t i = 0; i < n; i++)
        if (start(&runs[i], &all[i].pipes, &all[i].child, e) < 0)
            return -1;
    if (listen(all, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (finish(&all[i], e) < 0)
            return -1;
    for (size_t i = 0; i < n; i++) {
        out[i] = all[i].got;
        all[i].got = (struct loadgen_result){0};
    }
    return 0;
}
