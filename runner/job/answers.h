/* SPDX-License-Identifier: MIT */
/*
 * answers: whether base and head say the same. Pure.
 *
 * Each side is asked twice. An answer whose body is not the same both times (a clock, a random
 * number, an order that nobody fixed) is named, and its body is not compared between the sides.
 * What a client would notice is compared: status, body, content type and how the length is
 * told. Other headers may differ as they please.
 */
#ifndef JOB_ANSWERS_H
#define JOB_ANSWERS_H

#include "ask.h"
#include "digest.h"

struct answer_seen { /* what one side answered at one endpoint */
    int status;
    int64_t bytes; /* of the body */
    enum ask_framing framing;
    char type[ASK_TYPE_MAX];
    unsigned char digest[DIGEST_BYTES]; /* of the body */
    bool varies;                        /* the second body was another one */
};

void answers_see(struct answer_seen *out, const struct ask_answer *a);
void answers_see_again(struct answer_seen *seen, const struct ask_answer *a);

enum answers { ANSWERS_ALIKE, ANSWERS_DIFFER, ANSWERS_VARY };

/* Appends in which way: "body 512 -> 498 bytes, content type 'text/html' -> 'text/plain'", or
 * "base answers differently each time". */
enum answers answers_compare(const struct answer_seen *base, const struct answer_seen *head,
                             struct str *how);

#endif
