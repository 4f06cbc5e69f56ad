/* SPDX-License-Identifier: MIT */
/*
 * errors: what went wrong, told once, with context added on the way up.
 *
 * A function that can fail returns 0 or -1 and takes 'struct err *e' last. The lowest level
 * calls err_set, each caller that knows more calls err_ctx, and only stages and main print the
 * text:
 *
 *     if (mirror_fetch(m, e) < 0)
 *         return err_ctx(e, "watch %s", repo->name);    // "watch shop: fetch origin: ..."
 *
 * The record belongs to the caller and holds no memory. A text that does not fit is cut at its
 * end and marked "...". Passing NULL is allowed and drops the text.
 */
#ifndef BASE_ERRORS_H
#define BASE_ERRORS_H

#include "auto.h"

enum err_kind {
    ERR_NONE,
    ERR_INPUT,    /* what we were given is wrong: configuration, argument, document */
    ERR_SYSTEM,   /* the operating system refused */
    ERR_PROTOCOL, /* a peer answered something we do not understand or do not accept */
    ERR_AWAY,     /* a peer or file is not reachable; trying later may help */
    ERR_TIMEOUT,  /* a deadline passed */
    ERR_CONFLICT, /* the state of the world has moved on: superseded, cancelled, already done */
    ERR_NOT_FOUND, /* the thing asked for does not exist */
    ERR_LIMIT,     /* larger than the ceiling */
};

enum { ERR_TEXT_MAX = 1024 };

struct err {
    enum err_kind kind;
    char text[ERR_TEXT_MAX];
};

/* Both return -1, so that "return err_set(...)" reads well. err_set replaces what was there. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
int err_ctx(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* err_set with ": <text of errno>" appended; the kind follows from errno. */
int err_errno(struct err *e, const char *fmt, ...) PRINTF(2, 3);

const char *err_kind_name(enum err_kind kind);

#endif
