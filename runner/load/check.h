/* SPDX-License-Identifier: MIT */
/*
 * check: is this answer the one that was expected?
 *
 * Status, a substring of the body and the body's SHA-256. A body that is byte for byte one that
 * has passed already passes again without being looked at: comparing is far cheaper than
 * hashing and just as exact. Bodies that arrive in pieces are checked in a stream, nothing is
 * collected.
 */
#ifndef LOAD_CHECK_H
#define LOAD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "failure.h"
#include "request.h"
#include "str.h"

enum { CHECK_MEMO_MAX = 64 << 10 };

/* Fills in what the checks of this request need before the first answer. */
void check_prepare(struct request *r);

/* The last body that passed, per endpoint and loop. */
struct check_memo {
    char *body;
    size_t len;
    bool known;
};

void check_memo_done(struct check_memo *m);

/* A body on its way; freed by check_end or check_abandon. */
struct check_stream {
    struct digest *digest; /* NULL: not asked for */
    size_t matched;        /* bytes of the substring that the body ends with so far */
    bool found;
};

struct check_stream *check_begin(const struct request *r);
void check_add(struct check_stream *s, const struct request *r, struct view piece);
void check_abandon(struct check_stream **s);

/* FAIL_CAUSES when all is as expected, else what is not. Frees the stream. */
enum fail_cause check_end(struct check_stream **s, const struct request *r);
/* The same for a body in one piece. */
enum fail_cause check_whole(struct check_memo *m, const struct request *r, struct view body);

bool check_status(const struct request *r, unsigned status);

#endif
