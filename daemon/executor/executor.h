/* SPDX-License-Identifier: MIT */
/*
 * executor: where an attempt at a job runs.
 *
 * The seam is thin: submit by a key that is unique for ever, look at all of ours in one call,
 * cancel by key. It is about placement only. Whether an attempt began, lives and what it found
 * comes from its runner over HTTP, and a delivered result beats whatever the executor says.
 *
 * An executor is used by one thread, and the local one's children die with that thread.
 *
 * Errors of submit: ERR_INPUT it will never work, ERR_AWAY the engine is not reachable and
 * nothing happened, ERR_TIMEOUT it may have been accepted: look for the key before trying
 * again.
 */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "vec.h"

enum { EXECUTOR_KEY_MAX = 63, EXECUTOR_REF_MAX = 63, EXECUTOR_REASON_MAX = 127 };

struct executor;

enum executor_state { EXECUTOR_WAITING, EXECUTOR_RUNNING, EXECUTOR_ENDED };
enum executor_cause {
    EXECUTOR_NONE, /* has not ended */
    EXECUTOR_EXIT,
    EXECUTOR_SIGNAL,
    EXECUTOR_CANCEL, /* we asked for it */
    EXECUTOR_TIMEOUT,
    EXECUTOR_LOST,
};

struct executor_spec {
    const char *key;   /* "pw.<job>.<attempt>" */
    const char *token; /* for the runner; never in an argument list or a log */
    int64_t limit_ns;  /* wall time after which the executor ends it */
};

struct executor_info {
    char key[EXECUTOR_KEY_MAX + 1], ref[EXECUTOR_REF_MAX + 1];
    enum executor_state state;
    enum executor_cause cause;
    int code;                             /* exit status or signal */
    char reason[EXECUTOR_REASON_MAX + 1]; /* for people, "" when there is nothing to add */
};

struct executor_infos {
    VEC(struct executor_info) at;
};

struct executor_class {
    const char *name; /* "local": as in the database */
    int (*submit)(struct executor *x, const struct executor_spec *spec,
                  char out_ref[EXECUTOR_REF_MAX + 1], struct err *e);
    int (*poll)(struct executor *x, struct executor_infos *out, struct err *e);
    int (*cancel)(struct executor *x, const char *key, struct err *e);
    bool (*has_room)(struct executor *x);
    void (*stop)(struct executor *x, int64_t deadline_ns);
    void (*free)(struct executor *x);
};

struct executor { /* the start of each kind's own struct */
    const struct executor_class *class;
};

int executor_submit(struct executor *x, const struct executor_spec *spec,
                    char out_ref[EXECUTOR_REF_MAX + 1], struct err *e);
/* Everything of ours that is not over, and what ended since the last call: that once. */
int executor_poll(struct executor *x, struct executor_infos *out, struct err *e);
/* Asks for an end; the next polls tell. An unknown key is no error: it may have ended. */
int executor_cancel(struct executor *x, const char *key, struct err *e);
bool executor_has_room(struct executor *x); /* would another attempt start at once? */
/* Ends all of ours, kindly until the deadline. */
void executor_stop(struct executor *x, int64_t deadline_ns);
void executor_freep(struct executor **x);
const char *executor_name(const struct executor *x);

struct executor_local_options {
    const char *program; /* pacewatch-runner */
    const char *socket;  /* on which the daemon listens for it */
    const char *work;    /* its work folder; kept between jobs for the build cache */
    int64_t grace_ns;    /* between a kind and an unkind end; 0: 10 s */
};

/* Runs one attempt at a time, as a child of the calling thread. Copies the texts. */
int executor_local_open(const struct executor_local_options *options, struct executor **out,
                        struct err *e);

#endif
