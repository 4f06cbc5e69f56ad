/* SPDX-License-Identifier: MIT */
/* check: see check.h. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void check_prepare(struct request *r)
{
    const struct spec_expect *x = &r->endpoint->expect;
    r->needle_len = x->contains ? strlen(x->contains) : 0;
    r->checks_body = r->needle_len > 0 || x->has_sha256;
    if (!r->needle_len)
        return;
    /* table[i]: length of the longest proper prefix of the needle that is a suffix of its first
     * i + 1 bytes (Knuth, Morris, Pratt 1977). */
    r->needle_table = mem_zero(r->needle_len, sizeof *r->needle_table);
    uint32_t k = 0;
    for (size_t i = 1; i < r->needle_len; i++) {
        while (k > 0 && x->contains[i] != x->contains[k])
            k = r->needle_table[k - 1];
        k += x->contains[i] == x->contains[k];
        r->needle_table[i] = k;
    }
}

bool check_status(const struct request *r, unsigned status)
{
    unsigned expected = (unsigned)r->endpoint->expect.status;
    return expected ? status == expected : status / 100 == 2;
}

void check_memo_done(struct check_memo *m)
{
    mem_freep(&m->body);
}

struct check_stream *check_begin(const struct request *r)
{
    struct check_stream *s = mem_zero(1, sizeof *s);
    if (r->endpoint->expect.has_sha256)
        s->digest = digest_new();
    return s;
}

static void search(struct check_stream *s, const struct request *r, struct view piece)
{
    const char *needle = r->endpoint->expect.contains;
    for (size_t i = 0; i < piece.len && !s->found; i++) {
        while (s->matched > 0 && piece.at[i] != needle[s->matched])
            s->matched = r->needle_table[s->matched - 1];
        s->matched += piece.at[i] == needle[s->matched];
        s->found = s->matched == r->needle_len;
    }
}

void check_add(struct check_stream *s, const struct request *r, struct view piece)
{
    if (s->digest)
        digest_add(s->digest, piece);
    if (r->needle_len && !s->found)
        search(s, r, piece);
}

void check_abandon(struct check_stream **s)
{
    if (*s)
        digest_freep(&(*s)->digest);
    mem_freep(s);
}

enum fail_cause check_end(struct check_stream **s, const struct request *r)
{
    enum fail_cause cause = FAIL_CAUSES;
    if (r->needle_len && !(*s)->found)
        cause = FAIL_CONTENT;
    if ((*s)->digest) {
        unsigned char got[DIGEST_BYTES];
        digest_end((*s)->digest, got);
        if (cause == FAIL_CAUSES && !digest_equal(got, r->endpoint->expect.sha256))
            cause = FAIL_CHECKSUM;
    }
    check_abandon(s);
    return cause;
}

static void remember(struct check_memo *m, struct view body)
{
    if (body.len > CHECK_MEMO_MAX)
        return;
    m->body = mem_resize(m->body, body.len ? body.len : 1, 1);
    memcpy(m->body, body.at, body.len);
    m->len = body.len;
    m->known = true;
}

enum fail_cause check_whole(struct check_memo *m, const struct request *r, struct view body)
{
    const struct spec_expect *x = &r->endpoint->expect;
    if (m->known && m->len == body.len && memcmp(m->body, body.at, body.len) == 0)
        return FAIL_CAUSES;
    if (r->needle_len && !memmem(body.at, body.len, x->contains, r->needle_len))
        return FAIL_CONTENT;
    if (x->has_sha256) {
        unsigned char got[DIGEST_BYTES];
        digest_of(body, got);
        if (!digest_equal(got, x->sha256))
            return FAIL_CHECKSUM;
    }
    remember(m, body);
    return FAIL_CAUSES;
}
