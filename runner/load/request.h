/* SPDX-License-Identifier: MIT */
/*
 * request: the bytes of every request, made once before the run, and what to expect back. Only
 * what holds a template (template.h) is made for each request anew.
 *
 * Weighted mixes are drawn from a deck: every endpoint has as many cards as its weight, the
 * deck is shuffled with a seed and shuffled again when it is used up. Shares are exact over
 * each deck (independent draws would let them wander from round to round) and the order is
 * still random.
 */
#ifndef LOAD_REQUEST_H
#define LOAD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "rng.h"
#include "spec.h"
#include "str.h"
#include "target.h"
#include "template.h"

enum {
    REQUEST_BYTES_MAX = 16 << 20,
    REQUEST_DECK_MAX = 4096, /* heavier weights are rounded to shares of this */
};

struct request {
    const struct spec_endpoint *endpoint;
    struct str bytes; /* the whole request, unless it is made from templates */
    struct str burst; /* the same 'pipeline' times, when that is more than once */
    bool made;        /* no two requests are alike: request_make, request_body */
    struct template header, body;
    bool adds_length; /* Content-Length follows the body */
    bool head;        /* HEAD: the response has no body */
    bool checks_body;
    uint32_t *needle_table; /* of the substring check, Knuth-Morris-Pratt */
    size_t needle_len;
};

/* Which requests ask the server to close the connection. */
enum request_close { REQUEST_CLOSES_NEVER, REQUEST_CLOSES_LAST, REQUEST_CLOSES_EACH };

struct request_set {
    struct request *at;
    size_t len;
    uint16_t *cards; /* the deck in order; a loop shuffles its own copy */
    size_t cards_len;
    const struct dataset *data; /* of the templates, or NULL */
    uint64_t seed;
    bool made; /* any of them is */
};

int request_set_init(struct request_set *set, const struct spec_endpoint *endpoints, size_t len,
                     const struct target *target, enum request_close close, unsigned pipeline,
                     struct err *e);
/* Request line, Host and own fields, without the empty line behind them. */
int request_add_head(struct template *t, const struct spec_endpoint *p,
                     const struct target *target, struct err *e);

/* Adds what request 'number' of this kind is like: all of it, or its body alone. 'spare' is
 * cleared and used. */
void request_make(const struct request_set *set, const struct request *r, uint64_t number,
                  struct str *spare, struct str *out);
void request_make_body(const struct request_set *set, const struct request *r, uint64_t number,
                       struct str *out);
static inline struct template_values request_values(const struct request_set *set,
                                                    uint64_t number)
{
    return (struct template_values){number, set->seed, set->data};
}
/* Finds the columns of templates, all of which are made with this seed. */
int request_set_bind(struct request_set *set, const struct dataset *data, uint64_t seed,
                     struct err *e);
void request_set_done(struct request_set *set);

struct request_deck {
    uint16_t *cards;
    size_t len, next;
    struct rng rng;
};

void request_deck_init(struct request_deck *d, const struct request_set *set, uint64_t seed);
void request_deck_done(struct request_deck *d);
void request_deck_shuffle(struct request_deck *d);

static inline uint16_t request_deck_draw(struct request_deck *d)
{
    if (d->len == 1)
        return 0;
    if (d->next == d->len)
        request_deck_shuffle(d);
    return d->cards[d->next++];
}

#endif
