/* SPDX-License-Identifier: MIT */
/*
 * app: see app.h.
 *
 * The order of starting is the order of the line, with two exceptions that a crash demands: the
 * attempts of an earlier daemon are given up before HTTP listens, so that no runner of theirs
 * can deliver; and HTTP listens before dispatch starts its first runner, which asks for its job
 * at once. Stopping is the reverse: first no new work, then the runners, then HTTP.
 */
#include "app.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "commands.h"
#include "dispatch.h"
#include "executor.h"
#include "fdio.h"
#include "http.h"
#include "judge.h"
#include "log.h"
#include "mem.h"
#include "post.h"
#include "stage.h"
#include "store.h"
#include "watch.h"

enum { PATH_BYTES_MAX = 4096, STOP_GRACE_S = 5, UPKEEP_EVERY_S = 300 };

enum line_stage {
    LINE_WATCH,
    LINE_COMMANDS,
    LINE_DISPATCH,
    LINE_JUDGE,
    LINE_POST,
    LINE_UPKEEP,
    LINE_COUNT
};

struct app {
    const struct settings *settings;
    int lock_fd;
    struct str db_path, socket_path;
    struct stage_repo *repos;
    struct notice_target *notices;
    size_t notices_len;
    struct notice_forge *forges;
    size_t forges_len;
    struct http_hook *hooks;
    size_t hooks_len;

    atomic_bool stopping;
    struct stage_bells bells;
    struct bell upkeep_bell;
    struct store *store[LINE_COUNT]; /* one connection per thread */
    struct stage stage[LINE_COUNT];

    struct watch *watch;
    struct executor *executor;
    struct dispatch *dispatch;
    struct commands commands;
    struct judge judge;
    struct post post;
    struct http *http;
};

/* --- upkeep: the write-ahead log grows without end under steady readers
 * ------------------------ */

static int64_t upkeep_step(void *self)
{
    struct store *store = self;
    struct err e;
    bool done;
    if (store_checkpoint(store, &done, &e) < 0)
        log_warn("checkpoint failed", "%s", e.text);
    else if (!done)
        log_debug("checkpoint postponed", "reason=readers");
    return clock_now_ns() + UPKEEP_EVERY_S * CLOCK_NS_PER_S;
}

/* --- start -----------------------------------------------------------------------------------
 */

static int take_state_dir(struct app *a, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(PATH_BYTES_MAX);
    if (fdio_make_dirs(a->settings->state_dir, 0700, e) < 0)
        return -1;
    str_addf(&path, "%s/lock", a->settings->state_dir);
    a->lock_fd = open(str_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock_fd < 0)
        return err_errno(e, "open '%s'", str_text(&path));
    if (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, ERR_CONFLICT, "another process uses '%s'", a->settings->state_dir);
    str_addf(&a->db_path, "%s/pacewatch.db", a->settings->state_dir);
    str_addf(&a->socket_path, "%s/pacewatchd.sock", a->settings->state_dir);
    return 0;
}

static void describe_notices(struct app *a, const struct settings_repo *r)
{
    for (size_t i = 0; i < r->notify_len; i++) {
        const struct settings_notify *n = &r->notify[i];
        a->notices[a->notices_len++] = (struct notice_target){
            .repo = r->name,
            .place = n->name,
            .courier = {.kind = n->kind,
                        .url = n->url,
                        .secret_file = n->secret_file,
                        .room = n->room,
                        .from = n->from,
                        .user = n->user,
                        .to = n->to,
                        .to_len = n->to_len,
                        .allow_private = n->allow_private,
                        .allow_plain = n->allow_plain,
                        .ca_file = n->ca_file},
        };
    }
}

/* Repositories that name their project on a forge that has an API. */
static int open_forges(struct app *a, struct err *e)
{
    const struct settings *s = a->settings;
    a->forges = mem_zero(s->repos_len, sizeof *a->forges);
    for (size_t i = 0; i < s->repos_len; i++) {
        const struct settings_forge *f = &s->repos[i].forge;
        struct forge_options options;
        if (!f->project || f->kind == FORGE_GIT)
            continue;
        settings_forge_options(f, &options);
        options.cancel = &a->stopping;
        struct notice_forge *forge = &a->forges[a->forges_len];
        *forge = (struct notice_forge){.repo = s->repos[i].name,
                                       .context = f->context,
                                       .comments = f->comments,
                                       .statuses = f->statuses};
        if (forge_open(&options, &forge->forge, e) < 0)
            return err_ctx(e, "forge of '%s'", s->repos[i].name);
        a->repos[i].forge = forge->forge;
        a->forges_len++;
    }
    return 0;
}

static size_t count_notices(const struct settings *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->repos_len; i++)
        n += s->repos[i].notify_len;
    return n;
}

static void describe_repos(struct app *a)
{
    const struct settings *s = a->settings;
    a->repos = mem_zero(s->repos_len, sizeof *a->repos);
    a->notices = mem_zero(count_notices(s), sizeof *a->notices);
    a->hooks = mem_zero(s->repos_len, sizeof *a->hooks);
    for (size_t i = 0; i < s->repos_len; i++) {
        const struct settings_repo *r = &s->repos[i];
        a->repos[i] = (struct stage_repo){
            .name = r->name,
            .url = r->url,
            .branches = r->branches,
            .branches_len = r->branches_len,
            .merge_requests = r->merge_requests,
            .backfill = r->backfill,
            .poll_ns = r->poll_ns,
            .poll_most_ns = r->poll_most_ns,
            .spec_text = r->spec_text,
            .spec_path = r->spec_path,
            .token_file = r->forge.token_file,
            .ssh_key = r->forge.ssh_key,
            .ssh_host_key = r->forge.ssh_host_key,
            .ca_file = r->forge.ca_file,
        };
        if (r->forge.webhook_secret_file)
            a->hooks[a->hooks_len++] = (struct http_hook){
                .repo = r->name,
                .forge = {.kind = r->forge.kind,
                          .key = str_view(&r->forge.webhook_key),
                          .by_signature = r->forge.webhook_by_signature},
            };
        describe_notices(a, r);
    }
}

static int open_executor(struct app *a, struct err *e)
{
    AUTO(str_done) struct str program = STR_INIT(PATH_BYTES_MAX);
    AUTO(str_done) struct str work = STR_INIT(PATH_BYTES_MAX);
    child_find_program("pacewatch-runner", &program);
    str_addf(&work, "%s/work", a->settings->state_dir);
    if (fdio_make_dirs(str_text(&work), 0700, e) < 0)
        return -1;
    return executor_local_open(
        &(struct executor_local_options){
            .program = str_text(&program),
            .socket = str_text(&a->socket_path),
            .work = str_text(&work),
        },
        &a->executor, e);
}

static int open_line(struct app *a, struct err *e)
{
    const struct settings *s = a->settings;
    struct notice_targets targets = {a->notices, a->notices_len, a->forges, a->forges_len};
    for (int i = 0; i < LINE_COUNT; i++)
        if (store_open(str_text(&a->db_path), &a->store[i], e) < 0)
            return -1;
    if (stage_bells_open(&a->bells, e) < 0 || bell_open(&a->upkeep_bell, e) < 0 ||
        open_executor(a, e) < 0)
        return -1;

    struct watch_options watch = {
        .store = a->store[LINE_WATCH],
        .state_dir = s->state_dir,
        .repos = a->repos,
        .repos_len = s->repos_len,
        .bells = &a->bells,
        .stopping = &a->stopping,
    };
    struct dispatch_options dispatch = {
        .store = a->store[LINE_DISPATCH],
        .executor = a->executor,
        .state_dir = s->state_dir,
        .repos = a->repos,
        .repos_len = s->repos_len,
        .sandbox = s->sandbox,
        .build_network = s->build_network,
        .bells = &a->bells,
        .stopping = &a->stopping,
    };
    if ((s->watch && watch_open(&watch, &a->watch, e) < 0) ||
        dispatch_open(&dispatch, &a->dispatch, e) < 0)
        return -1;
    a->commands = (struct commands){
        .store = a->store[LINE_COMMANDS],
        .targets = targets,
        .bells = &a->bells,
        .stopping = &a->stopping,
    };
    a->judge = (struct judge){
        .store = a->store[LINE_JUDGE],
        .bells = &a->bells,
        .stopping = &a->stopping,
        .public_url = s->public_url,
        .targets = targets,
    };
    a->post = (struct post){
        .store = a->store[LINE_POST],
        .stopping = &a->stopping,
        .state_dir = s->state_dir,
        .public_url = s->public_url,
        .targets = targets,
    };
    rng_init(&a->post.rng, rng_seed());
    return 0;
}

static int open_http(struct app *a, struct err *e)
{
    const char *listen = a->settings->listen;
    bool tcp = listen[0] && strcmp(listen, "none") != 0;
    struct http_options options = {
        .listen = tcp ? listen : NULL,
        .socket_path = str_text(&a->socket_path),
        .state_dir = a->settings->state_dir,
        .db_path = str_text(&a->db_path),
        .public_url = a->settings->public_url,
        .judge = &a->bells.judge,
        .dispatch = &a->bells.dispatch,
        .watch = &a->bells.watch,
        .commands = &a->bells.commands,
        .hooks = a->hooks,
        .hooks_len = a->hooks_len,
    };
    if (http_start(&options, &a->http, e) < 0)
        return -1;
    log_info("serving", "listen=%s port=%d socket=%s", tcp ? listen : "none",
             http_port(a->http), str_text(&a->socket_path));
    return 0;
}

static int start_stages(struct app *a, struct err *e)
{
    a->stage[LINE_WATCH] = (struct stage){
        .name = "watch", .self = a->watch, .step = watch_step, .bell = &a->bells.watch};
    a->stage[LINE_COMMANDS] = (struct stage){.name = "commands",
                                             .self = &a->commands,
                                             .step = commands_step,
                                             .bell = &a->bells.commands};
    a->stage[LINE_DISPATCH] = (struct stage){.name = "dispatch",
                                             .self = a->dispatch,
                                             .step = dispatch_step,
                                             .end = dispatch_end,
                                             .bell = &a->bells.dispatch};
    a->stage[LINE_JUDGE] = (struct stage){
        .name = "judge", .self = &a->judge, .step = judge_step, .bell = &a->bells.judge};
    a->stage[LINE_POST] = (struct stage){
        .name = "post", .self = &a->post, .step = post_step, .bell = &a->bells.post};
    a->stage[LINE_UPKEEP] = (struct stage){.name = "upkeep",
                                           .self = a->store[LINE_UPKEEP],
                                           .step = upkeep_step,
                                           .bell = &a->upkeep_bell};
    for (int i = 0; i < LINE_COUNT; i++) {
        a->stage[i].stopping = &a->stopping;
        if (a->stage[i].self && stage_start(&a->stage[i], e) < 0)
            return -1;
    }
    return 0;
}

int app_start(const struct settings *settings, struct app **out, struct err *e)
{
    struct app *a = mem_zero(1, sizeof *a);
    a->settings = settings;
    a->lock_fd = -1;
    a->db_path = (struct str)STR_INIT(PATH_BYTES_MAX);
    a->socket_path = (struct str)STR_INIT(PATH_BYTES_MAX);
    a->upkeep_bell.fd = -1;
    a->bells = (struct stage_bells){{-1}, {-1}, {-1}, {-1}, {-1}};
    if (take_state_dir(a, e) < 0) {
        app_stop(a);
        return -1;
    }
    describe_repos(a);
    if (open_forges(a, e) < 0 || open_line(a, e) < 0 || open_http(a, e) < 0 ||
        start_stages(a, e) < 0) {
        app_stop(a);
        return -1;
    }
    *out = a;
    return 0;
}

/* --- stop ------------------------------------------------------------------------------------
 */

static void join(struct stage *s)
{
    if (!s->running)
        return;
    bell_ring(s->bell);
    stage_join(s);
}

void app_stop(struct app *a)
{
    if (!a)
        return;
    atomic_store(&a->stopping, true);
    for (int i = 0; i < LINE_COUNT; i++)
        join(&a->stage[i]); /* dispatch stops its runner at its end */
    http_stop(a->http, clock_now_ns() + STOP_GRACE_S * CLOCK_NS_PER_S);
    watch_closep(&a->watch);
    dispatch_closep(&a->dispatch);
    executor_freep(&a->executor);
    stage_bells_close(&a->bells);
    bell_close(&a->upkeep_bell);
    for (int i = 0; i < LINE_COUNT; i++)
        store_closep(&a->store[i]);
    str_done(&a->db_path);
    str_done(&a->socket_path);
    free(a->repos);
    free(a->notices);
    post_done(&a->post);
    for (size_t i = 0; i < a->forges_len; i++)
        forge_closep(&a->forges[i].forge);
    free(a->forges);
    free(a->hooks);
    fdio_closep(&a->lock_fd);
    free(a);
}

const char *app_db_path(const struct app *a)
{
    return str_text(&a->db_path);
}
