/* SPDX-License-Identifier: MIT */
/* answers: see answers.h. */
#include "answers.h"

#include <stdio.h>
#include <string.h>

void answers_see(struct answer_seen *out, const struct ask_answer *a)
{
    *out = (struct answer_seen){
        .status = a->status, .bytes = (int64_t)a->body.len, .framing = a->framing};
    (void)snprintf(out->type, sizeof out->type, "%s", a->type);
    digest_of(str_view(&a->body), out->digest);
}

void answers_see_again(struct answer_seen *seen, const struct ask_answer *a)
{
    unsigned char digest[DIGEST_BYTES];
    digest_of(str_view(&a->body), digest);
    seen->varies = !digest_equal(seen->digest, digest);
}

static void comma(struct str *how, size_t before)
{
    if (how->len > before)
        str_addz(how, ", ");
}

static void compare_bodies(const struct answer_seen *base, const struct answer_seen *head,
                           struct str *how)
{
    if (digest_equal(base->digest, head->digest))
        return;
    if (base->bytes != head->bytes)
        str_addf(how, "body %lld -> %lld bytes", (long long)base->bytes,
                 (long long)head->bytes);
    else
        str_addf(how, "another body of the same %lld bytes", (long long)base->bytes);
}

enum answers answers_compare(const struct answer_seen *base, const struct answer_seen *head,
                             struct str *how)
{
    static const char *const framings[] = {
        [ASK_LENGTH] = "given", [ASK_CHUNKED] = "chunked", [ASK_CLOSE] = "until the end"};
    size_t before = how->len;
    bool vary = base->varies || head->varies;
    if (base->status != head->status)
        str_addf(how, "status %d -> %d", base->status, head->status);
    if (!vary) {
        comma(how, before);
        compare_bodies(base, head, how);
    }
    if (strcmp(base->type, head->type) != 0) {
        comma(how, before);
        str_addf(how, "content type '%s' -> '%s'", base->type, head->type);
    }
    if (base->framing != head->framing) {
        comma(how, before);
        str_addf(how, "length %s -> %s", framings[base->framing], framings[head->framing]);
    }
    if (how->len > before)
        return ANSWERS_DIFFER;
    if (!vary)
        return ANSWERS_ALIKE;
    str_addf(how, "%s differently each time",
             base->varies && head->varies ? "both answer"
             : base->varies               ? "base answers"
                                          : "head answers");
    return ANSWERS_VARY;
}
