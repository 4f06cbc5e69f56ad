/* SPDX-License-Identifier: MIT */
/*
 * forge_hook: what a forge's webhook says, once it is certain that the forge said it.
 *
 * Which forge it is comes from the configuration, never from the headers. The signature is
 * checked over the raw bytes, in constant time, before anything of them is read:
 *
 *     struct forge_delivery d = {.header = ..., .self = request, .body = body,
 *                                .now_ms = clock_wall_ms()};
 *     if (!forge_hook_verify(&hook, &d))
 *         return 401;
 *     struct forge_event event;
 *     if (forge_hook_parse(&hook, &d, &event, e) < 0)
 *         return 400;
 *     if (forge_event_asks(&event))
 *         look at the remote;
 *
 * A payload is a hint: go and look. Deliveries come late, twice, in any order or not at all, so
 * nothing of an event but its delivery id decides anything; the other members are for the log
 * and for people.
 *
 * Pure: no clock, disk or network. Nothing of an event points into the delivery.
 */
#ifndef FORGE_FORGE_HOOK_H
#define FORGE_FORGE_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "record.h"
#include "str.h"

enum {
    FORGE_HOOK_BYTES_MAX = 25 << 20, /* no forge sends more */
    FORGE_HOOK_SKEW_S = 300,         /* how far a signed time may be off */
    FORGE_DELIVERY_MAX = 128,
    FORGE_ACTION_MAX = 32,
    FORGE_SHA_MAX = 64,
    FORGE_COMMENT_ID_MAX = 64,
};

enum forge_kind {
    FORGE_GIT,    /* any server with examples/hooks/post-receive */
    FORGE_GITHUB, /* also Enterprise Server */
    FORGE_GITLAB,
    FORGE_GITEA, /* also Forgejo and Gogs */
    FORGE_BITBUCKET,
    FORGE_BITBUCKET_SERVER, /* Data Center */
    FORGE_KIND_COUNT,
};

bool forge_kind_of(const char *name, enum forge_kind *out);

struct forge_hook { /* of one repository */
    enum forge_kind kind;
    struct view key;   /* the secret; not empty */
    bool by_signature; /* GitLab: signed as Standard Webhooks says, not its plain token */
};

struct forge_delivery {
    struct view (*header)(const void *self, const char *name); /* empty: there is none */
    const void *self;
    struct view body;
    int64_t now_ms; /* wall time */
};

enum forge_event_kind {
    FORGE_OTHER, /* nothing we act upon */
    FORGE_PUSH,
    FORGE_TAG, /* made, moved or deleted */
    FORGE_BRANCH_DELETED,
    FORGE_MERGE_REQUEST,
    FORGE_COMMENT, /* on a merge request */
    FORGE_PING,
    FORGE_EVENT_COUNT,
};

extern const char *const forge_event_names[FORGE_EVENT_COUNT];

struct forge_event {
    enum forge_event_kind kind;
    char delivery[FORGE_DELIVERY_MAX + 1]; /* a second one with the same id is the same event */
    char action[FORGE_ACTION_MAX + 1];     /* the forge's own word; "" when it has none */
    char author[RECORD_NAME_MAX];
    char ref[RECORD_REF_MAX];       /* full name */
    char before[FORGE_SHA_MAX + 1]; /* "": the reference is new, or not told */
    char after[FORGE_SHA_MAX + 1];  /* "": it is gone, or not told */
    int64_t number;                 /* of the merge request */
    char comment[FORGE_COMMENT_ID_MAX +
                 1]; /* of a new one that seems to be a command; "": none */
    bool is_moved;   /* a merge request whose code, target or state may be another now */
    bool is_fork;    /* its code comes from another repository, or that is not told */
};

/* Are the headers there that a signature needs? For refusing before the body is read. */
bool forge_hook_has_signature(const struct forge_hook *hook, const struct forge_delivery *d);

/* True when whoever sent it knows the secret, and, where a time is signed, just now. */
bool forge_hook_verify(const struct forge_hook *hook, const struct forge_delivery *d);

/* ERR_INPUT: no JSON object, or without what such an event always has. */
int forge_hook_parse(const struct forge_hook *hook, const struct forge_delivery *d,
                     struct forge_event *out, struct err *e);

/* Does the event say that the remote is worth a look? Looking is not running. */
bool forge_event_asks(const struct forge_event *event);
/* Does it seem to bring a command? The comment itself is asked of the forge. */
bool forge_event_commands(const struct forge_event *event);

#endif
