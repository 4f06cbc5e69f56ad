/* SPDX-License-Identifier: MIT */
/* service: see service.h. */
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "netns.h"

enum { SERVICE_PORT = 8080 };

#define SERVICE_TMP_BYTES     (INT64_C(256) << 20)
#define SERVICE_PAUSE_NS      CLOCK_NS_PER_MS
#define SERVICE_PAUSE_MOST_NS (20 * CLOCK_NS_PER_MS)
#define SERVICE_ANSWER_NS     (2 * CLOCK_NS_PER_S)

/* --- command line ----------------------------------------------------------------------------
 */

/* "$PORT" and "${PORT}" become the number, also inside a word. */
static char *with_port(const char *text, int port)
{
    AUTO(str_done) struct str out = STR_INIT(1 << 20);
    while (*text) {
        size_t skip = strncmp(text, "$PORT", 5) == 0     ? 5
                      : strncmp(text, "${PORT}", 7) == 0 ? 7
                                                         : 0;
        if (skip)
            str_addf(&out, "%d", port);
        else
            str_addc(&out, *text);
        text += skip ? skip : 1;
    }
    return str_steal(&out);
}

static void write_argv(const struct spec *spec, const struct spec_variant *v, int port,
                       struct words *out)
{
    for (size_t i = 0; i < spec->start.command.argc; i++)
        *vec_push(&out->at) = with_port(spec->start.command.argv[i], port);
    for (size_t a = 0; a < spec->axes_len; a++) {
        const struct spec_list *args = &spec->axes[a].values[v->value[a]].args;
        for (size_t i = 0; i < args->len; i++)
            *vec_push(&out->at) = with_port(args->at[i], port);
    }
    (void)vec_push(&out->at);
}

struct vars {
    VEC(struct sandbox_var) at;
};

static void vars_done(struct vars *v)
{
    vec_done(&v->at);
}

static void add_pairs(const struct spec_pairs *from, struct vars *out)
{
    for (size_t i = 0; i < from->len; i++)
        *vec_push(&out->at) = (struct sandbox_var){from->at[i].name, from->at[i].value};
}

/* Later ones stand over earlier ones: services, 'start', the variant's values, the port. */
static void write_env(const struct spec *spec, const struct spec_variant *v,
                      const struct services_env *beside, const char *port, struct vars *out)
{
    for (size_t i = 0; i < beside->len; i++)
        *vec_push(&out->at) = beside->vars[i];
    add_pairs(&spec->start.env, out);
    for (size_t a = 0; a < spec->axes_len; a++)
        add_pairs(&spec->axes[a].values[v->value[a]].env, out);
    *vec_push(&out->at) = (struct sandbox_var){"PORT", port};
}

/* A port that nobody uses now. Another may take it before the service does; then the start
 * fails and says so. */
static int free_port(int *out, struct err *e)
{
    AUTO(fdio_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return err_errno(e, "find a free port");
    *out = ntohs(at.sin_port);
    return 0;
}

/* --- readiness -------------------------------------------------------------------------------
 */

enum ready { READY_YES, READY_NOT_YET, READY_NEW_SOCKET };

static enum ready ask(const struct spec_ready *ready, const struct service *s, int fd,
                      int64_t deadline_ns, struct err *e)
{
    AUTO(ask_answer_done) struct ask_answer answer = {0};
    if (ask_connect(fd, s->port, deadline_ns, e) < 0)
        return e->kind == ERR_AWAY ? READY_NOT_YET : READY_NEW_SOCKET;
    if (!ready->http_path)
        return READY_YES;
    struct ask_request request = {.method = "GET", .path = ready->http_path};
    int64_t within = clock_now_ns() + SERVICE_ANSWER_NS;
    if (ask_http(fd, &request, within < deadline_ns ? within : deadline_ns, &answer, e) < 0)
        return READY_NEW_SOCKET;
    if (answer.status == ready->status)
        return READY_YES;
    (void)err_set(e, ERR_PROTOCOL, "status %d instead of %d", answer.status, ready->status);
    return READY_NEW_SOCKET;
}

/* A refused TCP socket may connect again, so one socket serves until somebody listens. */
static int wait_ready(struct job *j, struct service *s, struct err *e)
{
    const struct spec_ready *ready = &j->doc->spec->ready;
    int64_t deadline = job_deadline(j, ready->timeout_ns);
    int64_t pause_ns = SERVICE_PAUSE_NS;
    AUTO(fdio_closep) int fd = -1;
    (void)err_set(e, ERR_TIMEOUT, "nobody listens on its port");
    for (;;) {
        if (fd < 0 && netns_socket(s->netns, &fd, e) < 0)
            return -1;
        enum ready is = ask(ready, s, fd, deadline, e);
        if (is == READY_YES) {
            s->start_ns = clock_now_ns() - sandbox_started_ns(s->sandbox);
            return 0;
        }
        if (is == READY_NEW_SOCKET)
            fdio_closep(&fd);
        int64_t look = clock_now_ns() + pause_ns;
        if (look >= deadline)
            return err_ctx(e, "not ready after %.1f s", (double)ready->timeout_ns / 1e9);
        switch (pulse_wait(j->pulse, sandbox_pidfd(s->sandbox), look)) {
        case PULSE_CANCELLED:
            return err_set(e, ERR_CONFLICT, "cancelled");
        case PULSE_READY:
            return err_set(e, ERR_SYSTEM, "ended before it was ready");
        case PULSE_TIMEOUT:
            break;
        }
        if (clock_now_ns() - sandbox_started_ns(s->sandbox) > 50 * CLOCK_NS_PER_MS)
            pause_ns =
                pause_ns * 2 < SERVICE_PAUSE_MOST_NS ? pause_ns * 2 : SERVICE_PAUSE_MOST_NS;
    }
}

/* --- life ------------------------------------------------------------------------------------
 */

static int launch(struct job *j, struct service *s, struct err *e)
{
    const struct spec *spec = j->doc->spec;
    char port[16];
    struct services_env beside;
    AUTO(words_done) struct words argv = {0};
    AUTO(vars_done) struct vars vars = {0};
    services_env(j, &s->beside, &beside);
    if (!j->doc->sandbox && free_port(&s->port, e) < 0)
        return -1;
    (void)snprintf(port, sizeof port, "%d", s->port);
    write_argv(spec, s->variant, s->port, &argv);
    write_env(spec, s->variant, &beside, port, &vars);
    if (work_fresh_open(&j->work, &j->tree[s->side], spec->limits.disk,
                        s->half ? "fresh-1" : "fresh", false, &s->area, e) < 0 ||
        capture_new(&s->output, e) < 0)
        return -1;
    struct sandbox_spec how = {
        .name = s->half ? "service-1" : "service",
        .argv = (const char *const *)argv.at.at,
        .env = vars.at.at,
        .env_len = vars.at.len,
        .area = s->area.dir,
        .share = s->beside.len ? s->beside.share.dir : NULL,
        .join_netns = s->beside.netns,
        .workdir = spec->start.workdir,
        .off = !j->doc->sandbox,
        .memory = spec->limits.memory,
        .tasks = spec->limits.tasks,
        .tmp = SERVICE_TMP_BYTES,
        .file = spec->limits.disk,
        .cpus = s->cpus->service_list,
        .nice = j->nice,
        .out = capture_pipe(s->output),
    };
    int rc = sandbox_start(&j->host, &how, &s->sandbox, e);
    capture_started(s->output);
    if (rc == 0)
        s->netns = sandbox_netns(s->sandbox);
    return rc;
}

static int fail_start(struct job *j, struct service *s, const struct err *e)
{
    AUTO(str_done) struct str last = STR_INIT(JOB_WORDS_MAX);
    int status;
    if (job_check_cancel(j) < 0)
        return -1;
    /* The sandbox that could not be set up is ours; a program that ended is the commit's. */
    int64_t patience = s->netns == SANDBOX_NETNS_GONE ? CLOCK_NS_PER_S : 0;
    bool ended = s->sandbox && sandbox_wait(s->sandbox, clock_now_ns() + patience, &status);
    if (s->output)
        capture_last_lines(s->output, JOB_LAST_LINES, &last);
    const char *colon = last.len ? ": " : "";
    if (!s->sandbox)
        return job_fail(j, FAILURE_INFRA, (int)s->side, "service: %s%s%s", e->text, colon,
                        str_text(&last));
    if (ended)
        return job_fail(j, FAILURE_START, (int)s->side,
                        "service ended with status %d before it was ready%s%s", status, colon,
                        str_text(&last));
    return job_fail(j, FAILURE_START, (int)s->side, "service is %s%s%s", e->text, colon,
                    str_text(&last));
}

static int start(struct job *j, struct service *out)
{
    struct err e = {0};
    if (services_start(j, &out->beside) < 0)
        return -1;
    if (launch(j, out, &e) == 0 && wait_ready(j, out, &e) == 0) {
        job_raise_sessions(j, out->sandbox);
        return 0;
    }
    (void)fail_start(j, out, &e);
    service_stop(j, out);
    return -1;
}

int service_start(struct job *j, enum side side, int variant, struct service *out)
{
    *out = (struct service){.side = side,
                            .variant = &j->doc->spec->variants[variant],
                            .cpus = &j->cpus,
                            .port = SERVICE_PORT,
                            .netns = -1};
    return start(j, out);
}

int service_start_half(struct job *j, enum side side, int variant, int half,
                       struct service *out)
{
    *out = (struct service){.side = side,
                            .variant = &j->doc->spec->variants[variant],
                            .half = half,
                            .cpus = &j->halves[half],
                            .port = SERVICE_PORT,
                            .netns = -1};
    return start(j, out);
}

bool service_has_ended(struct service *s, int *status)
{
    return !s->sandbox || sandbox_wait(s->sandbox, 0, status);
}

void service_stop(struct job *j, struct service *s)
{
    const struct spec_start *start = &j->doc->spec->start;
    struct str *said = &j->service_said[s->side];
    struct err e = {0};
    int status;
    if (s->sandbox && !sandbox_wait(s->sandbox, 0, &status)) {
        sandbox_signal(s->sandbox, start->stop_signal);
        int64_t grace = j->grace_useless[s->side] || j->failed ? 0 : start->grace_ns;
        (void)pulse_wait(j->pulse, sandbox_pidfd(s->sandbox), clock_now_ns() + grace);
        if (grace && !sandbox_wait(s->sandbox, 0, &status)) {
            j->grace_useless[s->side] = true;
            job_note(j, "service of %s does not end when asked; it is killed from now on",
                     side_names[s->side]);
        }
    }
    if (s->sandbox && sandbox_end(s->sandbox, &s->use, &e) < 0)
        job_note(j, "service of %s: %s", side_names[s->side], e.text);
    if (s->output) {
        str_clear(said);
        capture_text(s->output, said);
    }
    service_done(s);
    services_stop(j, &s->beside);
}

void service_done(struct service *s)
{
    sandbox_freep(&s->sandbox);
    capture_freep(&s->output);
    work_fresh_close(&s->area);
}
