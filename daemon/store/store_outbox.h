/* SPDX-License-Identifier: MIT */
/*
 * store_outbox: texts on their way out.
 *
 * A slot says what is said where ('mr/12/report'). At most one text per repository, target,
 * place and slot is pending: a newer one replaces it, since nobody wants the older. What has
 * been sent stays as history.
 *
 *     pending --delivered--> sent
 *        +----a newer text--> replaced
 *        +----too many tries--> dead
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "record.h"
#include "store.h"
#include "str.h"

enum { OUTBOX_SLOT_MAX = 128, OUTBOX_MESSAGE_ID_MAX = 64 };
enum outbox_target {
    OUTBOX_FILE,
    OUTBOX_STATUS,  /* of a commit: JSON; the slot is 'commit/<sha>/status' */
    OUTBOX_COMMENT, /* on a merge request: Markdown; the slot begins with 'mr/<number>/' */
    OUTBOX_WEBHOOK, /* these four: see forge_courier.h */
    OUTBOX_SLACK,
    OUTBOX_MATRIX,
    OUTBOX_MAIL,
    OUTBOX_TARGET_COUNT,
};
extern const char *const outbox_target_names[OUTBOX_TARGET_COUNT];

struct outbox {
    int64_t id, repo_id, job_id;
    enum outbox_target target;
    char place[RECORD_NAME_MAX]; /* which of several targets of one kind; "": the only one */
    char slot[OUTBOX_SLOT_MAX];
    char message_id[OUTBOX_MESSAGE_ID_MAX]; /* the receiver's key against doubles */
    char repo[RECORD_NAME_MAX];             /* read only */
    int attempt;                            /* tries so far */
    char *body;                             /* owned */
};

void outbox_done(struct outbox *o);

/* Queues o->body, to be sent at once. */
int store_outbox_put(struct store *s, const struct outbox *o, struct err *e);
/* The pending text that is due for longest; those for quick receivers come first: files, then
 * forges, then all others. */
int store_outbox_due(struct store *s, int64_t now_ms, struct outbox *out, bool *found,
                     struct err *e);
int store_outbox_next_ms(struct store *s, int64_t *out_ms, struct err *e); /* INT64_MAX: none */
/* Has anything ever been sent to this slot, or is it on its way? */
int store_outbox_slot_used(struct store *s, const struct outbox *o, bool *out, struct err *e);

struct outbox_try {
    int status;        /* of HTTP; 0: none */
    const char *error; /* NULL: it arrived */
    int64_t next_ms;   /* when to try again; 0: never, it is dead */
};

/* Notes a try. A text that was replaced meanwhile stays replaced. */
int store_outbox_tried(struct store *s, int64_t id, const struct outbox_try *t, struct err *e);
/* Not before that time, and this was no try: the receiver's budget is spent. */
int store_outbox_delay(struct store *s, int64_t id, int64_t next_ms, struct err *e);

/* A failed job that has never been spoken about. */
int store_outbox_silent_failure(struct store *s, int64_t *out_job, bool *found, struct err *e);
/* A job that is judged, or failed and not yet reported, all texts of which are out. */
int store_outbox_settled_job(struct store *s, int64_t *out_job, bool *found, struct err *e);

#endif
