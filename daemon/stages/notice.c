/* SPDX-License-Identifier: MIT */
/* notice: see notice.h. */
#include "notice.h"

#include <string.h>

#include "json_write.h"
#include "rng.h"

const struct notice_target *notice_target_next(const struct notice_targets *t, const char *repo,
                                               size_t *at)
{
    while (*at < t->len) {
        const struct notice_target *target = &t->at[(*at)++];
        if (strcmp(target->repo, repo) == 0)
            return target;
    }
    return NULL;
}

enum outbox_target notice_outbox_target(const struct notice_target *target)
{
    static const enum outbox_target targets[COURIER_KIND_COUNT] = {
        [COURIER_WEBHOOK] = OUTBOX_WEBHOOK,
        [COURIER_SLACK] = OUTBOX_SLACK,
        [COURIER_MATRIX] = OUTBOX_MATRIX,
        [COURIER_MAIL] = OUTBOX_MAIL,
    };
    return targets[target->courier.kind];
}

const struct notice_target *notice_target_of(const struct notice_targets *t,
                                             const struct outbox *o)
{
    size_t at = 0;
    const struct notice_target *target;
    while ((target = notice_target_next(t, o->repo, &at)))
        if (notice_outbox_target(target) == o->target && strcmp(target->place, o->place) == 0)
            return target;
    return NULL;
}

const struct notice_forge *notice_forge_of(const struct notice_targets *t, const char *repo)
{
    for (size_t i = 0; i < t->forges_len; i++)
        if (strcmp(t->forges[i].repo, repo) == 0)
            return &t->forges[i];
    return NULL;
}

/* --- queueing ------------------------------------------------------------------------------
 */

void notice_name_slot(struct outbox *o, const char *fmt, ...)
{
    AUTO(str_done) struct str slot = STR_INIT(OUTBOX_SLOT_MAX - 1);
    va_list args;
    va_start(args, fmt);
    str_addv(&slot, fmt, args);
    va_end(args);
    memcpy(o->slot, str_text(&slot), slot.len + 1);
}

static void name_message(struct outbox *o)
{
    unsigned char random[16];
    AUTO(str_done) struct str id = STR_INIT(OUTBOX_MESSAGE_ID_MAX - 1);
    rng_secret(random, sizeof random);
    str_addz(&id, "msg_");
    str_add_hex(&id, random, sizeof random);
    memcpy(o->message_id, str_text(&id), id.len + 1);
}

int notice_queue(struct store *s, struct outbox *o, struct str *body, struct err *e)
{
    name_message(o);
    o->body = str_steal(body);
    int r = store_outbox_put(s, o, e);
    outbox_done(o);
    return r;
}

int notice_queue_status(struct store *s, struct outbox *o, const struct notice_status *status,
                        struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    o->target = OUTBOX_STATUS;
    notice_name_slot(o, "commit/%s/status", status->sha);
    struct jw w = jw_begin(&body);
    jw_object(&w, NULL);
    jw_text(&w, "sha", status->sha);
    jw_text(&w, "state", forge_state_names[status->state]);
    jw_text(&w, "description", status->description);
    jw_text(&w, "url", status->url);
    jw_text(&w, "summary", status->summary);
    jw_end(&w);
    return notice_queue(s, o, &body, e);
}
