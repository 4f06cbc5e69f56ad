/* SPDX-License-Identifier: MIT */
/*
 * stage: a thread that takes rows in one state, does one thing and leaves rows in the next.
 *
 * Stages share no memory but the bells that say "look again". A step does all the work that is
 * ready and returns when it wants to look again by itself; losing a ring therefore costs time,
 * never work. A step that fails has logged it. Steps poll 'stopping' between rows.
 *
 * A test fills a table, calls the stage's step function once and reads a table.
 */
#ifndef STAGES_STAGE_H
#define STAGES_STAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bell.h"
#include "errors.h"
#include "record.h"

struct forge;

/* One bell per stage; whoever leaves work for a stage rings it. */
struct stage_bells {
    struct bell watch, commands, dispatch, judge, post;
};

int stage_bells_open(struct stage_bells *b, struct err *e);
void stage_bells_close(struct stage_bells *b);

/* What the settings say about a repository; borrowed for the life of the stages. */
struct stage_repo {
    const char *name, *url;
    char *const *branches; /* names or globs; the first is the default branch */
    size_t branches_len;
    enum mr_policy merge_requests;
    struct forge *forge; /* to be asked about merge requests and people; NULL: nobody can be */
    int64_t backfill;    /* commits of the past to measure */
    int64_t poll_ns;     /* between looks while something happens there */
    int64_t
        poll_most_ns; /* and at most, however long nothing has; below poll_ns: never longer */
    const char *spec_text, *spec_path; /* the operator's spec and its name; NULL: none */
    const char *token_file, *ssh_key, *ssh_host_key, *ca_file; /* see mirror.h; NULL: none */
};

struct stage {
    const char *name;
    void *self;
    int64_t (*step)(void *self); /* returns the monotonic time of the next look */
    void (*end)(void *self);     /* in the same thread, after the last step; NULL: nothing */
    struct bell *bell;
    atomic_bool *stopping;
    pthread_t thread;
    bool running;
};

int stage_start(struct stage *s, struct err *e);
void stage_join(struct stage *s); /* set *stopping and ring the bell first */

#endif
