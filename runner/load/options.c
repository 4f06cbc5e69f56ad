/* SPDX-License-Identifier: MIT */
/* options: see options.h. */
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fdio.h"
#include "json.h"
#include "mem.h"
#include "opt.h"

enum { BODY_BYTES_MAX = 8 << 20, STEPS_MAX = 1000, RATE_MAX = 100000000 };

/* What was on the command line; NULL, 0 and NAN: not given. */
struct given {
    struct options *o;
    const char *scenario, *method, *body, *body_file, *data, *close_by, *unix_path, *sha256,
        *contains, *cpus;
    const char *arrival, *pacing, *engine, *sweep, *search, *errors_text, *source;
    int64_t connections, threads, duration_ns, requests, pipeline, warmup_ns, timeout_ns,
        think_ns;
    int64_t status, seed, marks_fd, count, server, check_every;
    double rate, connection_rate, errors;
    bool close, open_only, http2, ws;
    VEC(struct spec_pair) headers;
};

/* --- pieces ------------------------------------------------------------------------------- */

static int take_header(const char *value, void *out, struct err *e)
{
    struct given *g = out;
    struct view name;
    struct view rest;
    if (!view_cut(view_z(value), ':', &name, &rest) || !name.len)
        return err_set(e, ERR_INPUT, "expected 'Name: value', got '%s'", value);
    rest = view_trim(rest);
    *vec_push(&g->headers) =
        (struct spec_pair){mem_strndup(name.at, name.len), mem_strndup(rest.at, rest.len)};
    return 0;
}

static int positive_rate(struct view v, double *out, struct err *e)
{
    if (opt_rate(v, out, e) < 0)
        return -1;
    if (!(*out > 0) || *out > RATE_MAX)
        return err_set(e, ERR_INPUT, "a rate must be above 0 and at most %d/s", RATE_MAX);
    return 0;
}

static int step_stages(struct options *o, double from, double to, struct view count_text,
                       int64_t duration_ns, struct err *e)
{
    int64_t count;
    if (opt_int(count_text, 2, STEPS_MAX, &count, e) < 0)
        return -1;
    for (int64_t i = 0; i < count; i++) {
        double rate = from + (to - from) * (double)i / (double)(count - 1);
        *vec_push(&o->stages) = (struct arrival_stage){rate, rate, duration_ns / count};
    }
    return 0;
}

/* hold:RATE:TIME  linear:FROM:TO:TIME  step:FROM:TO:COUNT:TIME */
static int take_stage(const char *value, void *out, struct err *e)
{
    struct options *o = out;
    struct view field[6];
    size_t n = 0;
    struct view rest = view_z(value);
    while (rest.len && n < ARRAY_LEN(field))
        (void)view_cut(rest, ':', &field[n++], &rest);
    bool hold = n == 3 && view_eqz(field[0], "hold");
    bool linear = n == 4 && view_eqz(field[0], "linear");
    bool step = n == 5 && view_eqz(field[0], "step");
    if (!hold && !linear && !step)
        return err_set(
            e, ERR_INPUT,
            "expected hold:RATE:TIME, linear:FROM:TO:TIME or step:FROM:TO:COUNT:TIME, "
            "got '%s'",
            value);
    double from;
    double to;
    int64_t duration;
    if (positive_rate(field[1], &from, e) < 0 ||
        positive_rate(field[hold ? 1 : 2], &to, e) < 0 ||
        opt_duration(field[n - 1], &duration, e) < 0)
        return -1;
    if (duration < CLOCK_NS_PER_MS)
        return err_set(e, ERR_INPUT, "a stage must last 1ms or more");
    if (step)
        return step_stages(o, from, to, field[3], duration, e);
    *vec_push(&o->stages) = (struct arrival_stage){from, to, duration};
    return 0;
}

/* "0-3,5" */
static int parse_cpus(const char *list, cpu_set_t *out, struct err *e)
{
    struct view rest = view_z(list);
    CPU_ZERO(out);
    do {
        struct view item, low, high;
        int64_t from, to;
        (void)view_cut(rest, ',', &item, &rest);
        if (!view_cut(item, '-', &low, &high))
            high = low;
        if (opt_int(low, 0, CPU_SETSIZE - 1, &from, e) < 0 ||
            opt_int(high, from, CPU_SETSIZE - 1, &to, e) < 0)
            return err_ctx(e, "CPU list '%s'", list);
        for (; from <= to; from++)
            CPU_SET(from, out);
    } while (rest.len);
    return 0;
}

/* "FROM:TO:STEP" */
static int parse_sweep(struct options *o, const char *text, struct err *e)
{
    struct view from, to, step;
    struct view rest;
    (void)view_cut(view_z(text), ':', &from, &rest);
    (void)view_cut(rest, ':', &to, &step);
    if (positive_rate(from, &o->sweep_from_rps, e) < 0 ||
        positive_rate(to, &o->sweep_to_rps, e) < 0 ||
        positive_rate(step, &o->sweep_step_rps, e) < 0)
        return err_ctx(e, "--sweep '%s': expected FROM:TO:STEP", text);
    if (o->sweep_to_rps < o->sweep_from_rps ||
        (o->sweep_to_rps - o->sweep_from_rps) / o->sweep_step_rps >= PROBE_ROWS_MAX)
        return err_set(e, ERR_INPUT, "--sweep '%s': from 1 to %d rates", text, PROBE_ROWS_MAX);
    o->sweep = true;
    return 0;
}

/* "0" or a share such as "0.1%" */
static int parse_errors(const char *text, double *out, struct err *e)
{
    if (!text)
        return 0;
    if (strcmp(text, "0") == 0)
        *out = 0;
    else if (opt_share(view_z(text), out, e) < 0)
        return err_ctx(e, "--errors");
    return 0;
}

/* --- the table ---------------------------------------------------------------------------- */

enum { OPTIONS_MAX = 64 };

static size_t fill_table(struct given *g, struct opt table[OPTIONS_MAX])
{
    struct options *o = g->o;
    struct opt all[] = {
        {"connections", 'c', OPT_INT, "N", "connections; open loop: at most (10; 1000)",
         &g->connections, 1, SPEC_CONNECTIONS_MAX, NULL},
        {"threads", 't', OPT_INT, "N", "event loops, each on a thread (1)", &g->threads, 1,
         LOAD_THREADS_MAX, NULL},
        {"duration", 'd', OPT_DURATION, "TIME", "how long to measure (10s)", &g->duration_ns, 0,
         0, NULL},
        {"requests", 'n', OPT_INT, "N", "measure exactly N requests instead", &g->requests, 1,
         INT64_MAX / 2, NULL},
        {"rate", 0, OPT_RATE, "R", "open loop: R requests per second, whatever is answered",
         &g->rate, 0, 0, NULL},
        {"arrival", 0, OPT_TEXT, "KIND", "open loop: constant (default) or poisson gaps",
         &g->arrival, 0, 0, NULL},
        {"stage", 0, OPT_CALL, "STAGE",
         "open loop: hold:R:TIME, linear:R:R:TIME or step:R:R:N:TIME; may be repeated", o, 0, 0,
         take_stage},
        {"connection-rate", 0, OPT_RATE, "R", "R new connections per second, one request each",
         &g->connection_rate, 0, 0, NULL},
        {"close", 0, OPT_FLAG, NULL, "one connection per request", &g->close, 0, 0, NULL},
        {"close-by", 0, OPT_TEXT, "KIND",
         "--close by: announced (default), server (waited for), client or reset", &g->close_by,
         0, 0, NULL},
        {"open-only", 0, OPT_FLAG, NULL, "connect, send nothing, read to end of file",
         &g->open_only, 0, 0, NULL},
        {"pipeline", 0, OPT_INT, "N", "requests in flight on a connection (1)", &g->pipeline, 1,
         LOAD_PIPELINE_MAX, NULL},
        {"warmup", 0, OPT_DURATION, "TIME", "run so long before measuring (0s)", &g->warmup_ns,
         0, 0, NULL},
        {"steady", 0, OPT_FLAG, NULL, "end the warm-up when the service is steady",
         &o->plan.steady, 0, 0, NULL},
        {"think", 0, OPT_DURATION, "TIME",
         "closed loop: wait so long between an answer and the next request (0s)", &g->think_ns,
         0, 0, NULL},
        {"timeout", 0, OPT_DURATION, "TIME", "give a request up after (10s)", &g->timeout_ns, 0,
         0, NULL},
        {"scenario", 0, OPT_TEXT, "FILE", "endpoints and load from a scenario document",
         &g->scenario, 0, 0, NULL},
        {"method", 'X', OPT_TEXT, "NAME", "request method (GET)", &g->method, 0, 0, NULL},
        {"header", 'H', OPT_CALL, "FIELD", "'Name: value', may be repeated", g, 0, 0,
         take_header},
        {"body", 0, OPT_TEXT, "TEXT", "request body", &g->body, 0, 0, NULL},
        {"body-file", 0, OPT_TEXT, "FILE", "request body from a file", &g->body_file, 0, 0,
         NULL},
        {"data", 0, OPT_TEXT, "FILE", "the rows of {csv:COLUMN} in paths, headers and bodies",
         &g->data, 0, 0, NULL},
        {"expect-status", 0, OPT_INT, "N", "the right status (any 2xx)", &g->status, 100, 599,
         NULL},
        {"expect-contains", 0, OPT_TEXT, "TEXT", "a right body contains this", &g->contains, 0,
         0, NULL},
        {"expect-sha256", 0, OPT_TEXT, "HEX", "digest of the right body", &g->sha256, 0, 0,
         NULL},
        {"check-every", 0, OPT_INT, "N", "look into every Nth body of a connection only",
         &g->check_every, 1, INT32_MAX, NULL},
        {"source", 0, OPT_TEXT, "LIST", "connect from these addresses in turn", &g->source, 0,
         0, NULL},
        {"http2", 0, OPT_FLAG, NULL, "HTTP/2; --pipeline is the number of streams then",
         &g->http2, 0, 0, NULL},
        {"ws", 0, OPT_FLAG, NULL, "WebSocket: the body is a message that comes back", &g->ws, 0,
         0, NULL},
        {"unix", 0, OPT_TEXT, "PATH", "connect to a Unix socket; the URL gives Host and path",
         &g->unix_path, 0, 0, NULL},
        {"ca", 0, OPT_TEXT, "FILE", "https: trust these authorities instead of the system's",
         &o->plan.tls_ca, 0, 0, NULL},
        {"insecure", 'k', OPT_FLAG, NULL, "https: accept any certificate",
         &o->plan.tls_insecure, 0, 0, NULL},
        {"tls-no-resume", 0, OPT_FLAG, NULL, "https: a full handshake on every connection",
         &o->plan.tls_no_resume, 0, 0, NULL},
        {"netns", 0, OPT_TEXT, "PATH", "enter a network namespace, e.g. /proc/PID/ns/net",
         &o->netns, 0, 0, NULL},
        {"cpus", 0, OPT_TEXT, "LIST", "run on these CPUs, e.g. 2-3,6; one loop per CPU",
         &g->cpus, 0, 0, NULL},
        {"pacing", 0, OPT_TEXT, "KIND",
         "open loop: timer (default), hybrid, spin or batch waiting for due times", &g->pacing,
         0, 0, NULL},
        {"engine", 0, OPT_TEXT, "NAME", "auto (default), epoll or io_uring", &g->engine, 0, 0,
         NULL},
        {"seed", 0, OPT_INT, "N", "seed of mixes and poisson arrivals (1)", &g->seed, 0,
         INT64_MAX, NULL},
        {"sweep", 0, OPT_TEXT, "FROM:TO:STEP", "one run at each of these rates", &g->sweep, 0,
         0, NULL},
        {"count", 0, OPT_INT, "N", "of each run of a sweep: exactly N requests", &g->count, 1,
         INT64_MAX / 2, NULL},
        {"search", 0, OPT_TEXT, "GOAL",
         "find the highest rate that meets a goal such as 'p99<50ms'", &g->search, 0, 0, NULL},
        {"server-pid", 0, OPT_INT, "PID", "sweep and search: show this process's CPU too",
         &g->server, 1, INT32_MAX, NULL},
        {"errors", 0, OPT_TEXT, "SHARE", "share of failures that is accepted, e.g. 0 or 0.1%",
         &g->errors_text, 0, 0, NULL},
        {"json", 0, OPT_TEXT, "FILE", "write the result as JSON; - is standard output",
         &o->json, 0, 0, NULL},
        {"csv", 0, OPT_TEXT, "FILE", "write one line per second", &o->csv, 0, 0, NULL},
        {"hdr", 0, OPT_TEXT, "FILE", "write a HdrHistogram log, one line per second", &o->hdr,
         0, 0, NULL},
        {"svg", 0, OPT_TEXT, "FILE", "draw the latency spectrum", &o->svg, 0, 0, NULL},
        {"marks", 0, OPT_INT, "FD", "write a line of JSON when measuring starts and ends",
         &g->marks_fd, 1, 1 << 20, NULL},
        {"allow-limited", 0, OPT_FLAG, NULL, "exit with 0 although the generator was the limit",
         &o->allow_limited, 0, 0, NULL},
        {"quiet", 'q', OPT_FLAG, NULL, "no table and no progress line", &o->quiet, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "show this and exit", &o->help, 0, 0, NULL},
        {"version", 0, OPT_FLAG, NULL, "show the version and exit", &o->version, 0, 0, NULL},
    };
    _Static_assert(ARRAY_LEN(all) <= OPTIONS_MAX, "table");
    memcpy(table, all, sizeof all);
    return ARRAY_LEN(all);
}

void options_help(FILE *to)
{
    struct options o = {0};
    struct given g = {.o = &o};
    struct opt table[OPTIONS_MAX];
    size_t n = fill_table(&g, table);
    fputs("usage: pacewatch-load [options] URL\n"
          "\n"
          "Sends HTTP requests and measures the answers.\n"
          "  pacewatch-load -c 100 -d 10s http://127.0.0.1:8080/       closed loop, like wrk\n"
          "  pacewatch-load --rate 2000/s http://127.0.0.1:8080/       open loop, like wrk2\n"
          "  pacewatch-load --connection-rate 400/s -n 40000 URL       like httperf\n"
          "\n"
          "options:\n",
          to);
    opt_help(to, table, n);
    fputs("\n"
          "exit status: 0 measured, 1 could not run, 2 wrong usage, 3 the generator was the\n"
          "limit, 4 nothing was answered, 5 more failures than --errors allows.\n"
          "See pacewatch-load(1).\n",
          to);
}

/* --- from options to plan ----------------------------------------------------------------- */

static int read_scenario(struct options *o, const char *path, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct spec_load defaults = spec_load_default();
    if (fdio_read_file(path, &text, e) < 0)
        return -1;
    if (json_parse(str_view(&text), &JSON_CONFIG, &doc, e) < 0 ||
        spec_scenario_parse(doc, json_root(doc), &defaults, &o->scenario, e) < 0)
        return err_ctx(e, "%s", path);
    return 0;
}

static int read_data(struct options *o, const char *path, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(DATASET_BYTES_MAX);
    if (fdio_read_file(path, &text, e) < 0 || dataset_parse(&text, path, &o->data, e) < 0)
        return err_ctx(e, "--data");
    return 0;
}

/* Beside the scenario itself; nothing outside of its folder. */
static int read_own_data(struct options *o, const char *scenario, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(DATASET_BYTES_MAX);
    const char *slash = strrchr(scenario, '/');
    AUTO(mem_freep)
    char *folder =
        slash ? mem_strndup(scenario, (size_t)(slash - scenario) + 1) : mem_strdup(".");
    if (fdio_read_beneath(folder, o->scenario.data, &text, e) < 0 ||
        dataset_parse(&text, o->scenario.data, &o->data, e) < 0)
        return err_ctx(e, "%s: data", scenario);
    return 0;
}

/* The one endpoint that URL and options describe. */
static int plain_endpoint(struct given *g, struct err *e)
{
    struct options *o = g->o;
    struct spec_endpoint *p = mem_zero(1, sizeof *p);
    AUTO(str_done) struct str body = STR_INIT(BODY_BYTES_MAX);
    o->scenario.endpoints = p;
    o->scenario.endpoints_len = 1;
    o->scenario.load = spec_load_default();
    o->scenario.load.connections = 10;
    o->scenario.load.duration_ns = 10 * CLOCK_NS_PER_S;
    o->scenario.load.warmup_ns = 0;
    p->weight = 1;
    p->think_ns = -1;
    p->method = mem_strdup(g->method ? g->method : "GET");
    p->path = mem_strdup(o->target.path);
    AUTO(str_done) struct str name = STR_INIT(TARGET_URL_MAX + 64);
    str_addf(&name, "%s %s", p->method, p->path);
    p->name = str_steal(&name);
    p->headers.at = g->headers.at;
    p->headers.len = g->headers.len;
    g->headers.at = NULL;
    g->headers.len = 0;
    if (g->body_file && fdio_read_file(g->body_file, &body, e) < 0)
        return -1;
    if (g->body)
        str_addz(&body, g->body);
    p->body_len = body.len;
    if (g->body || g->body_file)
        p->body = str_steal(&body);
    p->expect.status = (int)g->status;
    p->expect.contains = mem_strdup(g->contains);
    p->expect.has_sha256 = g->sha256 != NULL;
    if (g->sha256 && !view_hex(view_z(g->sha256), p->expect.sha256, DIGEST_BYTES))
        return err_set(e, ERR_INPUT, "--expect-sha256: expected 64 hexadecimal digits");
    return 0;
}

static int choose(const char *given, const char *what, const char *const *names, size_t n,
                  size_t *out, struct err *e)
{
    for (size_t i = 0; given && i < n; i++)
        if (strcmp(given, names[i]) == 0) {
            *out = i;
            return 0;
        }
    return given ? err_set(e, ERR_INPUT, "%s '%s' is not known; see --help", what, given) : 0;
}

/* Sweep and search bring the rates; the rest of the plan says what each run is like. */
static int apply_probe(struct given *g, struct err *e)
{
    struct options *o = g->o;
    if (!g->sweep && !g->search)
        return g->count ? err_set(e, ERR_INPUT, "--count belongs to --sweep") : 0;
    if (g->sweep && g->search)
        return err_set(e, ERR_INPUT, "--sweep and --search exclude each other");
    if (g->requests || o->stages.len || o->csv || o->hdr || o->svg || g->marks_fd)
        return err_set(
            e, ERR_INPUT,
            "-n, --stage, --csv, --hdr, --svg and --marks do not go with --sweep or --search");
    if (g->sweep) {
        if (!isnan(g->rate) || !isnan(g->connection_rate))
            return err_set(e, ERR_INPUT, "--sweep brings its own rates; see --close");
        if (parse_sweep(o, g->sweep, e) < 0)
            return -1;
        g->rate = o->sweep_from_rps;
        g->requests = g->count;
        return 0;
    }
    o->search = true;
    if (isnan(g->rate) && isnan(g->connection_rate))
        g->rate = 100;
    if (!g->duration_ns)
        g->duration_ns = 5 * CLOCK_NS_PER_S;
    return probe_goal_parse(g->search, &o->goal, e);
}

static int apply_load(struct given *g, struct err *e)
{
    struct options *o = g->o;
    struct spec_load *l = &o->scenario.load;
    double rate = isnan(g->rate) ? g->connection_rate : g->rate;
    bool open_loop = !isnan(rate) || o->stages.len;
    if (!isnan(g->rate) && !isnan(g->connection_rate))
        return err_set(e, ERR_INPUT, "--rate and --connection-rate exclude each other");
    if (!isnan(rate) && o->stages.len)
        return err_set(e, ERR_INPUT, "--stage brings its own rates");
    if (!isnan(rate) && (!(rate > 0) || rate > RATE_MAX))
        return err_set(e, ERR_INPUT, "the rate must be above 0 and at most %d/s", RATE_MAX);
    if (g->duration_ns && o->stages.len)
        return err_set(e, ERR_INPUT, "--stage brings its own durations");
    if (g->requests && (g->duration_ns || o->stages.len))
        return err_set(e, ERR_INPUT, "-n excludes a duration and stages");
    if (open_loop) {
        l->kind = SPEC_OPEN_LOOP;
        l->rate_rps = isnan(rate) ? o->stages.at[0].from_rps : rate;
        if (!g->scenario)
            l->connections = isnan(g->connection_rate) && !g->close ? 1000 : 10000;
    }
    l->close |= g->close || g->close_by || !isnan(g->connection_rate) || g->open_only;
    l->connections = g->connections ? g->connections : l->connections;
    l->threads = g->threads ? g->threads : l->threads;
    l->duration_ns = g->duration_ns ? g->duration_ns : l->duration_ns;
    l->pipeline = g->pipeline ? g->pipeline : l->pipeline;
    l->warmup_ns = g->warmup_ns >= 0 ? g->warmup_ns : l->warmup_ns;
    l->think_ns = g->think_ns ? g->think_ns : l->think_ns;
    l->timeout_ns = g->timeout_ns ? g->timeout_ns : l->timeout_ns;

    if (g->http2 && (g->ws || o->target.websocket))
        return err_set(e, ERR_INPUT, "--http2 and WebSocket exclude each other");
    if (g->http2)
        l->protocol = SPEC_HTTP2;
    if (g->ws || o->target.websocket)
        l->protocol = SPEC_WEBSOCKET;

    static const char *const arrivals[] = {"constant", "poisson"};
    size_t arrival = l->poisson;
    if (choose(g->arrival, "arrival", arrivals, ARRAY_LEN(arrivals), &arrival, e) < 0)
        return -1;
    l->poisson = arrival == 1;
    if (g->arrival && l->kind != SPEC_OPEN_LOOP)
        return err_set(e, ERR_INPUT, "--arrival needs a rate: a closed loop has no schedule");
    return 0;
}

static int apply_rest(struct given *g, struct err *e)
{
    struct options *o = g->o;
    struct load_plan *plan = &o->plan;
    static const char *const pacings[] = {"timer", "hybrid", "spin", "batch"};
#ifdef LOAD_WITH_URING
    static const char *const engines[] = {"auto", "epoll", "io_uring"};
#else
    static const char *const engines[] = {"auto", "epoll"};
#endif
    static const char *const closes[] = {"announced", "server", "client", "reset"};
    size_t close_by = LOAD_CLOSE_ANNOUNCED;
    size_t pacing = LOAD_TIMER;
    size_t engine = LOAD_ENGINE_AUTO;
    if (choose(g->pacing, "pacing", pacings, ARRAY_LEN(pacings), &pacing, e) < 0 ||
        choose(g->close_by, "--close-by", closes, ARRAY_LEN(closes), &close_by, e) < 0 ||
        choose(g->engine, "engine", engines, ARRAY_LEN(engines), &engine, e) < 0)
        return -1;
    if (g->cpus && parse_cpus(g->cpus, &plan->cpus, e) < 0)
        return -1;
    if (g->cpus && !g->threads && !g->scenario)
        o->scenario.load.threads = CPU_COUNT(&plan->cpus);
    if (g->source && target_parse_sources(g->source, &o->sources, e) < 0)
        return err_ctx(e, "--source");
    plan->sources = o->sources.at;
    plan->sources_len = o->sources.len;
    plan->check_every = (unsigned)g->check_every;
    plan->pin = g->cpus != NULL;
    plan->close_by = (enum load_close)close_by;
    plan->pacing = (enum load_pacing)pacing;
    plan->engine = (enum load_engine)engine;
    plan->seed = (uint64_t)g->seed;
    plan->requests = g->requests;
    plan->open_only = g->open_only;
    plan->marks_fd = g->marks_fd ? (int)g->marks_fd : -1;
    plan->target = &o->target;
    plan->endpoints = o->scenario.endpoints;
    plan->endpoints_len = o->scenario.endpoints_len;
    plan->session = o->scenario.session;
    plan->data = o->data;
    plan->load = o->scenario.load;
    plan->stages = o->stages.at;
    plan->stages_len = o->stages.len;
    if (plan->load.connections < plan->load.threads)
        plan->load.threads = plan->load.connections;
    o->errors_max = isnan(g->errors) ? 2 : g->errors;
    o->goal.errors_share = isnan(g->errors) ? 0 : g->errors;
    o->server = (pid_t)g->server;
    return 0;
}

static int apply(struct given *g, const char *url, struct err *e)
{
    struct options *o = g->o;
    bool request = g->method || g->headers.len || g->body || g->body_file || g->status ||
                   g->contains || g->sha256;
    if (g->scenario && request)
        return err_set(e, ERR_INPUT,
                       "the scenario describes the requests; leave method, header, body and "
                       "expectations to it");
    if (g->body && g->body_file)
        return err_set(e, ERR_INPUT, "--body and --body-file exclude each other");
    if (target_parse(url, &o->target, e) < 0)
        return -1;
    o->target.unix_path = mem_strdup(g->unix_path);
    if ((g->scenario ? read_scenario(o, g->scenario, e) : plain_endpoint(g, e)) < 0)
        return -1;
    if (g->data ? read_data(o, g->data, e) < 0
                : o->scenario.data && read_own_data(o, g->scenario, e) < 0)
        return -1;
    if (parse_errors(g->errors_text, &g->errors, e) < 0 || apply_probe(g, e) < 0 ||
        apply_load(g, e) < 0)
        return -1;
    return apply_rest(g, e);
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
    struct given g = {
        .o = o, .rate = NAN, .connection_rate = NAN, .errors = NAN, .warmup_ns = -1, .seed = 1};
    struct opt table[OPTIONS_MAX];
    int first;
    *o = (struct options){0};
    size_t n = fill_table(&g, table);
    int rc = opt_parse(table, n, argc, argv, &first, e);
    if (rc == 0 && !o->help && !o->version) {
        if (first + 1 != argc)
            rc = err_set(e, ERR_INPUT, "expected one URL; see --help");
        else
            rc = apply(&g, argv[first], e);
    }
    for (size_t i = 0; i < g.headers.len; i++) {
        free(g.headers.at[i].name);
        free(g.headers.at[i].value);
    }
    vec_done(&g.headers);
    return rc;
}

void options_done(struct options *o)
{
    spec_scenario_done(&o->scenario);
    dataset_freep(&o->data);
    target_done(&o->target);
    vec_done(&o->stages);
    vec_done(&o->sources);
}
