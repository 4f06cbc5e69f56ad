/* SPDX-License-Identifier: MIT */
/*
 * To a forge: comments and commit statuses.
 *
 * A comment's way through crashes and lost answers:
 *
 *     nothing known --asked_ms is written, then POST--> id known --PATCH--> id known
 *          ^                     |                           |
 *          |                     | killed, or no clear       | edited away or deleted
 *          |                     v answer                    v
 *          |               asked, no id --marker found--> id known
 *          +-- not found --------+
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "forge_webhook.h"
#include "json.h"
#include "mem.h"
#include "opt.h"
#include "post_parts.h"

enum {
    MARKER_KEY_BYTES = 32,
    MARKER_HEX = 32,
    LOOK_BACK_MS = 600 * 1000, /* clocks differ */
    UNSURE_WAIT_MS = 10 * 1000,
    STATUS_FORBIDDEN = 403,
};

/* --- the marker ----------------------------------------------------------------------------
 */

static int make_key(const char *path, struct err *e)
{
    unsigned char random[MARKER_KEY_BYTES];
    AUTO(str_done) struct str hex = STR_INIT(2 * MARKER_KEY_BYTES);
    rng_secret(random, sizeof random);
    str_add_hex(&hex, random, sizeof random);
    return fdio_write_file(path, str_view(&hex), 0600, e);
}

/* Bitbucket may show HTML comments; a definition of a link that nobody uses is shown nowhere.
 */
int post_marker(const struct post *p, const struct outbox *o, struct str *out, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    AUTO(str_done) struct str key = STR_INIT(4096);
    AUTO(str_done) struct str text = STR_INIT(1024);
    AUTO(str_done) struct str mac = STR_INIT(256);
    const struct notice_forge *forge = notice_forge_of(&p->targets, o->repo);
    str_addf(&path, "%s/marker.key", p->state_dir);
    if (!fdio_exists(str_text(&path)) && make_key(str_text(&path), e) < 0)
        return err_ctx(e, "key of the markers");
    if (forge_secret_read_text(str_text(&path), &key, e) < 0)
        return -1;
    str_addf(&text, "%s/%s", o->repo, o->slot);
    forge_mac_hex(str_view(&key), str_view(&text), &mac);
    bool bitbucket = forge && (forge_kind(forge->forge) == FORGE_BITBUCKET ||
                               forge_kind(forge->forge) == FORGE_BITBUCKET_SERVER);
    str_addf(out, bitbucket ? "[//]: # (pacewatch:%s:%.*s)" : "<!-- pacewatch:%s:%.*s -->",
             o->slot, MARKER_HEX, str_text(&mac));
    return 0;
}

/* --- one call ------------------------------------------------------------------------------
 */

struct telling { /* one text to one forge */
    struct post *p;
    const struct outbox *o;
    const struct notice_forge *to;
    struct delivery *d;
    struct remote_object remote;
    struct forge_answer answer;
    struct str marker, text; /* of a comment */
    int64_t number;
};

static void telling_done(struct telling *t)
{
    str_done(&t->marker);
    str_done(&t->text);
}

static int note(struct telling *t, int r)
{
    const struct forge_answer *a = &t->answer;
    forge_budget_note(&post_host_of(t->p, t->o)->budget, a, clock_wall_ms());
    t->d->silent = a->silent;
    t->d->status = a->status;
    t->d->retry_after_ms = a->wait_ms;
    t->d->hopeless = r < 0 && (a->result == FORGE_GONE || a->result == FORGE_REFUSED);
    return r;
}

static int remember(struct telling *t, const char *id, int64_t asked_ms, struct err *e)
{
    if (id != t->remote.id)
        memcpy(t->remote.id, id, strlen(id) + 1);
    t->remote.asked_ms = asked_ms;
    return store_remote_put(t->p->store, &t->remote, e);
}

/* --- comments ------------------------------------------------------------------------------
 */

/* Edits the comment that is known. '*gone': it is not there any more, or not ours. */
static int edit(struct telling *t, bool *gone, struct err *e)
{
    int r = note(t, forge_comment_edit(t->to->forge, t->number, t->remote.id,
                                       str_view(&t->text), &t->answer, e));
    *gone = r < 0 && (t->answer.result == FORGE_GONE || (t->answer.result == FORGE_REFUSED &&
                                                         t->answer.status == STATUS_FORBIDDEN));
    if (!*gone)
        return r;
    t->d->hopeless = false;
    return remember(t, "", 0, e);
}

static int look(struct telling *t, struct err *e)
{
    char id[FORGE_ID_MAX + 1];
    if (note(t, forge_comment_find(t->to->forge, t->number, str_text(&t->marker),
                                   t->remote.asked_ms - LOOK_BACK_MS, id, &t->answer, e)) < 0)
        return err_ctx(e, "look for our comment");
    return id[0] ? remember(t, id, 0, e) : 0;
}

static int make(struct telling *t, struct err *e)
{
    char id[FORGE_ID_MAX + 1];
    int64_t asked = t->remote.asked_ms ? t->remote.asked_ms : clock_wall_ms();
    if (remember(t, "", asked, e) < 0)
        return -1;
    if (note(t, forge_comment_post(t->to->forge, t->number, str_view(&t->text), id, &t->answer,
                                   e)) == 0)
        return remember(t, id, 0, e);
    if (t->answer.result == FORGE_UNSURE) {
        if (t->d->retry_after_ms < UNSURE_WAIT_MS && !t->p->pause_first_ms)
            t->d->retry_after_ms = UNSURE_WAIT_MS;
        return -1;
    }
    struct err other;
    (void)remember(t, "", 0,
                   &other); /* it certainly was not made; a look too many is no harm */
    return -1;
}

static int write_comment(struct telling *t, struct err *e)
{
    if (post_marker(t->p, t->o, &t->marker, e) < 0)
        return -1;
    str_addf(&t->text, "%s\n%s\n", t->o->body, str_text(&t->marker));
    struct view slot = view_skip(view_z(t->o->slot), 3), number, rest;
    (void)view_cut(slot, '/', &number, &rest);
    if (!view_starts(view_z(t->o->slot), "mr/") ||
        opt_int(number, 1, INT64_MAX, &t->number, NULL) < 0) {
        t->d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' names no merge request", t->o->slot);
    }
    return 0;
}

static int tell_comment(struct telling *t, struct err *e)
{
    bool gone = false;
    if (write_comment(t, e) < 0)
        return -1;
    if (t->remote.asked_ms && !t->remote.id[0] && look(t, e) < 0)
        return -1;
    if (t->remote.id[0]) {
        int r = edit(t, &gone, e);
        if (!gone || r < 0)
            return r;
    }
    return make(t, e);
}

/* --- statuses ------------------------------------------------------------------------------
 */

static int read_status(const struct json_doc *doc, struct forge_status *out)
{
    const struct json *root = json_root(doc);
    const char **const texts[] = {&out->sha, &out->description, &out->url, &out->summary};
    static const char *const keys[] = {"sha", "description", "url", "summary"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct json *v = json_get(root, keys[i]);
        *texts[i] = v && json_type(v) == JSON_STRING ? json_text(v).at : NULL;
    }
    const struct json *state = json_get(root, "state");
    for (int i = 0; i < FORGE_STATE_COUNT; i++)
        if (state && view_eqz(json_text(state), forge_state_names[i])) {
            out->state = (enum forge_state)i;
            return out->sha && out->description ? 0 : -1;
        }
    return -1;
}

static int tell_status(struct telling *t, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct forge_status status = {.context = t->to->context};
    char id[FORGE_ID_MAX + 1];
    if (json_parse(view_z(t->o->body), &JSON_MESSAGE, &doc, e) < 0 ||
        read_status(doc, &status) < 0) {
        t->d->hopeless = true;
        return err_set(e, ERR_INPUT, "the status in the outbox is broken");
    }
    memcpy(id, t->remote.id, sizeof id);
    int r = note(t, forge_status_put(t->to->forge, &status, id, &t->answer, e));
    if (r == 0 && strcmp(id, t->remote.id) != 0)
        return remember(t, id, 0, e);
    return r;
}

int post_to_forge(struct post *p, const struct outbox *o, struct delivery *d, struct err *e)
{
    AUTO(telling_done)
    struct telling t = {
        .p = p,
        .o = o,
        .to = notice_forge_of(&p->targets, o->repo),
        .d = d,
        .remote = {.repo_id = o->repo_id, .target = o->target},
        .marker = STR_INIT(1024),
        .text = STR_INIT(FORGE_TEXT_MAX),
    };
    if (!t.to) {
        d->hopeless = true;
        return err_set(e, ERR_INPUT, "'%s' has no forge any more", o->repo);
    }
    memcpy(t.remote.slot, o->slot, sizeof t.remote.slot);
    if (store_remote_get(p->store, &t.remote, e) < 0)
        return -1;
    return o->target == OUTBOX_STATUS ? tell_status(&t, e) : tell_comment(&t, e);
}
