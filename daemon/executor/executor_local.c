/* SPDX-License-Identifier: MIT */
/*
 * executor_local: the runner as a child of this thread, one at a time.
 *
 *     idle --submit--> running --its end--> ended --told by poll--> idle
 *                        |  cancel or limit: SIGTERM
 *                        +--> stopping --grace over: SIGKILL--> its end
 */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "executor.h"
#include "fdio.h"
#include "log.h"

enum { TOKEN_FD = 3, ENV_MAX = 16 };

#define GRACE_NS (10 * CLOCK_NS_PER_S)

struct local {
    struct executor base;
    char *program, *socket, *work;
    int64_t grace_ns;

    struct child child; /* pid 0: idle */
    struct executor_info info;
    int64_t limit_at_ns; /* the attempt's wall time is over */
    int64_t kill_at_ns;  /* CLOCK_NEVER until it was asked to end */
};

/* --- start -------------------------------------------------------------------------------- */

/* The runner gets no more of our environment than it needs: ours may hold secrets. */
static size_t make_env(const char *out[ENV_MAX])
{
    static const char *const names[] = {"PATH",         "HOME",         "LANG",
                                        "TMPDIR",       "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                        "TSAN_OPTIONS", "PACEWATCH_LOG"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        struct str word = STR_INIT(64 << 10);
        if (!value)
            continue;
        str_addf(&word, "%s=%s", names[i], value);
        out[n++] = str_steal(&word);
    }
    out[n] = NULL;
    return n;
}

/* The token is shorter than a pipe is long, so writing it before anybody reads does not block.
 */
static int token_pipe(const char *token, int *out, struct err *e)
{
    int ends[2];
    if (strlen(token) >= PIPE_BUF)
        return err_set(e, ERR_INPUT, "the token is too long");
    if (fdio_pipe(ends, e) < 0)
        return -1;
    AUTO(fdio_closep) int read_end = ends[0];
    AUTO(fdio_closep) int write_end = ends[1];
    if (fdio_write_all(write_end, view_z(token), e) < 0)
        return -1;
    *out = STEAL_FD(read_end);
    return 0;
}

static int start(struct local *x, const char *token, struct err *e)
{
    const char *argv[] = {x->program, "--socket", x->socket, "--token-fd",     "3",
                          "--work",   x->work,    "--log",   log_level_name(), NULL};
    const char *envp[ENV_MAX];
    AUTO(fdio_closep) int fd = -1;
    if (token_pipe(token, &fd, e) < 0)
        return -1;
    struct child_pass pass = {.fd = fd, .as = TOKEN_FD};
    size_t n = make_env(envp);
    int rc = child_start(&x->child,
                         &(struct child_spec){
                             .argv = argv,
                             .envp = envp,
                             .out = STDERR_FILENO, /* its log lines stand among ours */
                             .err = STDERR_FILENO,
                             .pass = &pass,
                             .pass_len = 1,
                         },
                         e);
    for (size_t i = 0; i < n; i++)
        free((char *)envp[i]);
    return rc;
}

static int local_submit(struct executor *base, const struct executor_spec *spec,
                        char out_ref[EXECUTOR_REF_MAX + 1], struct err *e)
{
    struct local *x = (struct local *)base;
    if (x->info.key[0])
        return err_set(e, ERR_AWAY, "'%s' still runs", x->info.key);
    if (strlen(spec->key) > EXECUTOR_KEY_MAX)
        return err_set(e, ERR_INPUT, "the key is too long");
    if (start(x, spec->token, e) < 0)
        return -1;
    x->info = (struct executor_info){.state = EXECUTOR_RUNNING};
    (void)snprintf(x->info.key, sizeof x->info.key, "%s", spec->key);
    (void)snprintf(x->info.ref, sizeof x->info.ref, "%ld", (long)x->child.pid);
    memcpy(out_ref, x->info.ref, sizeof x->info.ref);
    x->limit_at_ns = spec->limit_ns > 0 ? clock_now_ns() + spec->limit_ns : CLOCK_NEVER;
    x->kill_at_ns = CLOCK_NEVER;
    return 0;
}

/* --- look and end ------------------------------------------------------------------------- */

static void ask_to_end(struct local *x, enum executor_cause cause)
{
    if (x->child.pid <= 0 || x->kill_at_ns != CLOCK_NEVER)
        return;
    child_signal(&x->child, SIGTERM);
    x->info.cause = cause;
    x->kill_at_ns = clock_now_ns() + x->grace_ns;
}

static void note_end(struct local *x, int status)
{
    struct executor_info *i = &x->info;
    i->state = EXECUTOR_ENDED;
    i->code = status > 128 ? status - 128 : status;
    if (i->cause == EXECUTOR_NONE)
        i->cause = status > 128 ? EXECUTOR_SIGNAL : EXECUTOR_EXIT;
    if (i->cause == EXECUTOR_TIMEOUT)
        (void)snprintf(i->reason, sizeof i->reason, "the runner took longer than its limit");
    else if (status > 128)
        (void)snprintf(i->reason, sizeof i->reason, "the runner was ended by signal %d",
                       i->code);
    else
        (void)snprintf(i->reason, sizeof i->reason, "the runner ended with status %d", status);
}

static int local_poll(struct executor *base, struct executor_infos *out, struct err *e)
{
    struct local *x = (struct local *)base;
    int64_t now = clock_now_ns();
    int status;
    (void)e;
    if (!x->info.key[0])
        return 0;
    if (now >= x->limit_at_ns)
        ask_to_end(x, EXECUTOR_TIMEOUT);
    if (now >= x->kill_at_ns)
        child_signal(&x->child, SIGKILL);
    if (child_wait(&x->child, now, &status))
        note_end(x, status);
    *vec_push(&out->at) = x->info;
    if (x->info.state == EXECUTOR_ENDED)
        x->info = (struct executor_info){0};
    return 0;
}

static int local_cancel(struct executor *base, const char *key, struct err *e)
{
    struct local *x = (struct local *)base;
    (void)e;
    if (strcmp(x->info.key, key) == 0)
        ask_to_end(x, EXECUTOR_CANCEL);
    return 0;
}

static bool local_has_room(struct executor *base)
{
    return !((struct local *)base)->info.key[0];
}

static void local_stop(struct executor *base, int64_t deadline_ns)
{
    struct local *x = (struct local *)base;
    (void)child_stop(&x->child, deadline_ns);
    x->info = (struct executor_info){0};
}

static void local_free(struct executor *base)
{
    struct local *x = (struct local *)base;
    child_done(&x->child);
    free(x->program);
    free(x->socket);
    free(x->work);
    free(x);
}

int executor_local_open(const struct executor_local_options *options, struct executor **out,
                        struct err *e)
{
    static const struct executor_class class = {
        .name = "local",
        .submit = local_submit,
        .poll = local_poll,
        .cancel = local_cancel,
        .has_room = local_has_room,
        .stop = local_stop,
        .free = local_free,
    };
    if (fdio_make_dirs(options->work, 0700, e) < 0)
        return -1;
    struct local *x = mem_zero(1, sizeof *x);
    *x = (struct local){
        .base = {.class = &class},
        .program = mem_strdup(options->program),
        .socket = mem_strdup(options->socket),
        .work = mem_strdup(options->work),
        .grace_ns = options->grace_ns > 0 ? options->grace_ns : GRACE_NS,
        .child = CHILD_INIT,
        .kill_at_ns = CLOCK_NEVER,
    };
    *out = &x->base;
    return 0;
}
