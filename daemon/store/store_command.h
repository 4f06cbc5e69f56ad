/* SPDX-License-Identifier: MIT */
/*
 * store_command: comments that may be commands, what they want, and what people decided.
 *
 *     new --the forge was asked--> done, refused (it was answered) or ignored (in silence)
 *
 * A comment is one command however often it is told of.
 */
#ifndef STORE_COMMAND_H
#define STORE_COMMAND_H

#include "record.h"
#include "store.h"
#include "vec.h"

enum {
    COMMAND_ID_MAX = 128,
    COMMAND_WHY_MAX = 200,
    DECISION_ROLE_MAX = 16,
};

enum command_state {
    COMMAND_NEW,
    COMMAND_DONE,
    COMMAND_REFUSED,
    COMMAND_IGNORED,
    COMMAND_STATE_COUNT,
};

struct command {
    int64_t id, repo_id, mr; /* its number */
    char repo[RECORD_NAME_MAX];
    char comment[COMMAND_ID_MAX]; /* the forge's id */
    enum command_state state;
    char verb[16];
    char who[RECORD_NAME_MAX];
    char role[DECISION_ROLE_MAX];
    char why[COMMAND_WHY_MAX]; /* of a refusal */
    int tries;
};

int store_command_add(struct store *s, int64_t repo_id, int64_t mr, const char *comment,
                      struct err *e);
/* The new one that is due for longest. */
int store_command_due(struct store *s, int64_t now_ms, struct command *out, bool *found,
                      struct err *e);
int store_command_next_ms(struct store *s, int64_t *out_ms,
                          struct err *e); /* INT64_MAX: none */
/* Leaves 'new' for c->state, with verb, who, role and why. */
int store_command_settle(struct store *s, const struct command *c, struct err *e);
/* The forge could not be asked: once more, then. */
int store_command_later(struct store *s, int64_t id, int64_t next_ms, struct err *e);
/* How many of this person on this merge request were answered since then, and how many of those
 * were refusals. */
int store_command_count(struct store *s, const struct command *like, int64_t since_ms,
                        int64_t *out_answered, int64_t *out_refused, struct err *e);

/* --- what is wanted of the job that a change leads to ------------------------------------- */

struct change_wish {
    int64_t rounds;                     /* 0: as the spec says */
    char scenario[RESULT_NAME_MAX + 1]; /* "": all */
};

int store_wish_put(struct store *s, int64_t change_id, const struct change_wish *w,
                   struct err *e);
int store_wish_get(struct store *s, int64_t change_id, struct change_wish *out, struct err *e);

/* --- decisions ---------------------------------------------------------------------------- */

enum decision_kind { DECISION_ACCEPT, DECISION_IGNORE, DECISION_KIND_COUNT };

struct decision {
    int64_t id, mr_id;
    enum decision_kind kind;
    int64_t job_id; /* accept: the job whose finding was accepted */
    char scenario[RESULT_NAME_MAX + 1];
    char reason[RECORD_REASON_MAX];
    char who[RECORD_NAME_MAX], role[DECISION_ROLE_MAX];
};

struct decision_list {
    VEC(struct decision) at; /* oldest first */
};

void decision_list_done(struct decision_list *l);
int store_decision_add(struct store *s, const struct decision *d, struct err *e);
int store_decision_list(struct store *s, int64_t mr_id, struct decision_list *out,
                        struct err *e);
/* The oldest that no report shows yet. */
int store_decision_next(struct store *s, struct decision *out, bool *found, struct err *e);
int store_decision_applied(struct store *s, int64_t id, struct err *e);

#endif
