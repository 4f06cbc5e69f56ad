/* SPDX-License-Identifier: MIT */
/* hook_api: see hook_api.h. */
#include "hook_api.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <strings.h>

#include "api.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "store_hook.h"

#define TELL_EVERY_NS (60 * CLOCK_NS_PER_S)

struct door {
    const struct http_hook *hook;
    atomic_uint_least64_t refused;  /* wrong or missing signatures since the start */
    atomic_int_least64_t silent_ns; /* until then the log says nothing about them */
};

struct hooks {
    struct door *doors; /* by name */
    size_t len;
};

static int by_name(const void *a, const void *b)
{
    const struct door *x = a, *y = b;
    return strcmp(x->hook->repo, y->hook->repo);
}

struct hooks *hooks_new(const struct http_hook *hooks, size_t n)
{
    struct hooks *h = mem_zero(1, sizeof *h);
    h->doors = mem_zero(n ? n : 1, sizeof *h->doors);
    h->len = n;
    for (size_t i = 0; i < n; i++)
        h->doors[i].hook = &hooks[i];
    qsort(h->doors, n, sizeof *h->doors, by_name);
    return h;
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    free(h->doors);
    free(h);
}

static int to_name(const void *name, const void *door)
{
    const struct door *d = door;
    return strcmp(name, d->hook->repo);
}

/* 'repo' is followed by NUL, as all texts of an address. */
static struct door *find_door(struct hooks *h, struct view repo)
{
    return bsearch(repo.at, h->doors, h->len, sizeof *h->doors, to_name);
}

static struct view header_of(const void *self, const char *name)
{
    return server_header(self, name);
}

static struct forge_delivery delivery_of(const struct request *r)
{
    return (struct forge_delivery){
        .header = header_of, .self = r, .body = r->body, .now_ms = clock_wall_ms()};
}

static void refuse_signature(struct door *d, struct reply *reply)
{
    uint64_t refused = atomic_fetch_add(&d->refused, 1) + 1;
    int64_t now = clock_now_ns(), silent = atomic_load(&d->silent_ns);
    if (now >= silent &&
        atomic_compare_exchange_strong(&d->silent_ns, &silent, now + TELL_EVERY_NS))
        log_warn("webhook refused", "repo=%s reason=signature so_far=%" PRIu64, d->hook->repo,
                 refused);
    api_error(reply, 401, "this delivery is not signed with the secret");
}

static bool is_json(struct view type)
{
    struct view media, rest;
    (void)view_cut(type, ';', &media, &rest);
    media = view_trim(media);
    return media.len == 16 && strncasecmp(media.at, "application/json", 16) == 0;
}

void hook_admit(struct hooks *h, struct view repo, const struct request *r, struct reply *reply)
{
    struct door *d = find_door(h, repo);
    struct forge_delivery delivery = delivery_of(r);
    if (!d)
        api_error(reply, 404, "no such address");
    else if (!is_json(server_header(r, "Content-Type")))
        api_error(reply, 415, "only 'application/json' is taken");
    else if (!forge_hook_has_signature(&d->hook->forge, &delivery))
        refuse_signature(d, reply);
}

static void answer(struct call *c, const struct forge_event *event, const char *result)
{
    struct jw w = api_json(c);
    jw_text(&w, "event", forge_event_names[event->kind]);
    jw_text(&w, "result", result);
    api_json_end(&w);
    c->reply->status = 202;
}

int hook_receive(struct call *c, struct err *e)
{
    struct door *d = find_door(c->hooks, c->params[0]);
    struct forge_delivery delivery = delivery_of(c->request);
    struct forge_event event;
    bool added;
    if (!d)
        return err_set(e, ERR_NOT_FOUND, "no such address");
    if (!forge_hook_verify(&d->hook->forge, &delivery)) {
        refuse_signature(d, c->reply);
        return 0;
    }
    if (forge_hook_parse(&d->hook->forge, &delivery, &event, e) < 0)
        return -1;
    if (!forge_event_asks(&event) && !forge_event_commands(&event)) {
        log_debug("webhook ignored", "repo=%s event=%s action=%s", d->hook->repo,
                  forge_event_names[event.kind], event.action);
        answer(c, &event, "ignored");
        return 0;
    }
    struct hook_note note = {
        .delivery = event.delivery,
        .mr = event.kind == FORGE_MERGE_REQUEST ? event.number : 0,
        .command_mr = event.number,
        .comment = event.comment,
    };
    if (store_hook_add(c->store, d->hook->repo, &note, &added, e) < 0)
        return -1;
    if (added && c->options->watch)
        bell_ring(c->options->watch);
    if (added && note.comment[0] && c->options->commands)
        bell_ring(c->options->commands);
    log_info("webhook accepted", "repo=%s event=%s ref=%s mr=%" PRId64 " delivery=%s%s",
             d->hook->repo, forge_event_names[event.kind], event.ref, event.number,
             event.delivery, added ? "" : " known=yes");
    answer(c, &event, added ? "accepted" : "known");
    return 0;
}
