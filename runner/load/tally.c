/* SPDX-License-Identifier: MIT */
/* tally: see tally.h. */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { TALLY_HISTS = 9 };

static void each_hist(struct tally *t, struct hist *out[TALLY_HISTS])
{
    struct hist *all[TALLY_HISTS] = {&t->service, &t->queue,        &t->no_connection,
                                     &t->late,    &t->connect,      &t->tls,
                                     &t->failed,  &t->pieces_first, &t->pieces_done};
    memcpy(out, all, sizeof all);
}

void tally_init(struct tally *t, size_t endpoints_len)
{
    struct hist *all[TALLY_HISTS];
    *t = (struct tally){.endpoints = mem_zero(endpoints_len, sizeof *t->endpoints),
                        .endpoints_len = endpoints_len};
    for (size_t i = 0; i < endpoints_len; i++)
        hist_init(&t->endpoints[i].response);
    each_hist(t, all);
    for (size_t i = 0; i < TALLY_HISTS; i++)
        hist_init(all[i]);
    hist_init(&t->second_response);
}

void tally_done(struct tally *t)
{
    struct hist *all[TALLY_HISTS];
    each_hist(t, all);
    for (size_t i = 0; i < TALLY_HISTS; i++)
        hist_done(all[i]);
    hist_done(&t->second_response);
    for (size_t i = 0; i < t->endpoints_len; i++)
        hist_done(&t->endpoints[i].response);
    mem_freep(&t->endpoints);
    for (size_t i = 0; i < t->seconds.len; i++)
        free(t->seconds.at[i].slots);
    vec_done(&t->seconds);
}

/* --- seconds ------------------------------------------------------------------------------ */

/* Moves a histogram into the list form and empties it. Only the span in use is looked at. */
static void hist_to_slots(struct hist *h, struct tally_second *out)
{
    if (!h->count)
        return;
    unsigned low = hist_bucket(h->min);
    unsigned high = hist_bucket(h->max);
    size_t n = 0;
    for (unsigned i = low; i <= high; i++)
        n += h->counts[i] != 0;
    out->slots = mem_alloc(n * sizeof *out->slots);
    for (unsigned i = low; i <= high; i++)
        if (h->counts[i])
            out->slots[out->slots_len++] = (struct tally_slot){(uint16_t)i, h->counts[i]};
    out->max_ns = h->max;
    uint32_t *counts = h->counts;
    memset(counts + low, 0, (high - low + 1) * sizeof *counts);
    *h = (struct hist){.counts = counts, .min = INT64_MAX};
}

void tally_roll(struct tally *t)
{
    struct tally_second *s = vec_push(&t->seconds);
    *s = t->second;
    hist_to_slots(&t->second_response, s);
    t->second = (struct tally_second){0};
}

/* Into a histogram of its own, of which only buckets, span and whether it is empty count. */
static void add_slots(struct hist *h, const struct tally_second *s)
{
    for (size_t i = 0; i < s->slots_len; i++)
        h->counts[s->slots[i].bucket] += s->slots[i].count;
    if (!s->slots_len)
        return;
    int64_t least = hist_bucket_value(s->slots[0].bucket);
    h->count += s->slots_len;
    h->min = least < h->min ? least : h->min;
    h->max = s->max_ns > h->max ? s->max_ns : h->max;
}

static void merge_second(struct tally_second *into, struct hist *open,
                         const struct tally *const *from, size_t n, size_t at)
{
    add_slots(open, into);
    free(into->slots);
    into->slots = NULL;
    into->slots_len = 0;
    for (size_t i = 0; i < n; i++) {
        if (at >= from[i]->seconds.len)
            continue;
        const struct tally_second *s = &from[i]->seconds.at[at];
        add_slots(open, s);
        into->sent += s->sent;
        into->answered += s->answered;
        into->failed += s->failed;
    }
    hist_to_slots(open, into);
}

static void merge_seconds(struct tally *into, const struct tally *const *from, size_t n)
{
    struct hist open = {0};
    hist_init(&open);
    for (size_t i = 0; i < n; i++)
        while (into->seconds.len < from[i]->seconds.len)
            (void)vec_push(&into->seconds);
    for (size_t at = 0; at < into->seconds.len; at++)
        merge_second(&into->seconds.at[at], &open, from, n, at);
    hist_done(&open);
}

int64_t tally_second_quantile(const struct tally_second *s, double q)
{
    uint64_t total = 0;
    for (size_t i = 0; i < s->slots_len; i++)
        total += s->slots[i].count;
    uint64_t rank = (uint64_t)ceil(q * (double)total);
    if (rank >= total)
        return s->max_ns;
    uint64_t seen = 0;
    for (size_t i = 0; i < s->slots_len; i++) {
        seen += s->slots[i].count;
        if (seen >= rank)
            return hist_bucket_value(s->slots[i].bucket);
    }
    return s->max_ns;
}

/* --- sums --------------------------------------------------------------------------------- */

static void merge_error(struct tally_error *into, const struct tally_error *from)
{
    if (!from->count)
        return;
    if (!into->count || from->first_ns < into->first_ns) {
        into->first_ns = from->first_ns;
        into->first_errno = from->first_errno;
    }
    into->count += from->count;
}

static void merge_counters(struct tally *into, const struct tally *from)
{
    into->client_failed += from->client_failed;
    into->sessions_completed += from->sessions_completed;
    into->sessions_broken += from->sessions_broken;
    into->answered_in_window += from->answered_in_window;
    into->bytes_in += from->bytes_in;
    into->bytes_out += from->bytes_out;
    into->connections_opened += from->connections_opened;
    into->closed_by_peer += from->closed_by_peer;
    into->retried += from->retried;
    into->tls_resumed += from->tls_resumed;
    into->in_flight_max += from->in_flight_max;
    into->backlog_max += from->backlog_max;
    into->in_flight_area += from->in_flight_area;
    into->spent += from->spent;
    into->dispatch_lag += from->dispatch_lag;
    into->cpu_user_ns += from->cpu_user_ns;
    into->cpu_system_ns += from->cpu_system_ns;
    into->involuntary += from->involuntary;
}

static void merge_one(struct tally *into, const struct tally *from)
{
    struct hist *a[TALLY_HISTS];
    struct hist *b[TALLY_HISTS];
    each_hist(into, a);
    each_hist((struct tally *)from, b);
    for (size_t i = 0; i < TALLY_HISTS; i++)
        hist_merge(a[i], b[i]);
    for (size_t i = 0; i < into->endpoints_len; i++) {
        struct tally_endpoint *x = &into->endpoints[i];
        const struct tally_endpoint *y = &from->endpoints[i];
        hist_merge(&x->response, &y->response);
        x->answered += y->answered;
        x->failed += y->failed;
        for (size_t k = 0; k < TALLY_STATUS_CLASSES; k++)
            x->status[k] += y->status[k];
    }
    for (size_t p = 0; p < FAIL_PHASES; p++)
        for (size_t c = 0; c < FAIL_CAUSES; c++)
            merge_error(&into->errors[p][c], &from->errors[p][c]);
    merge_counters(into, from);
}

void tally_merge(struct tally *into, const struct tally *const *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        merge_one(into, from[i]);
    merge_seconds(into, from, n);
}

void tally_response(const struct tally *t, struct hist *out)
{
    for (size_t i = 0; i < t->endpoints_len; i++)
        hist_merge(out, &t->endpoints[i].response);
}

void tally_first_byte(const struct tally *t, struct hist *out)
{
    hist_merge(out, &t->service);
    hist_merge(out, &t->pieces_first);
    out->count -= t->pieces_done.count;
    out->sum -= t->pieces_done.sum;
    out->beyond -= t->pieces_done.beyond;
    int64_t max = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        out->counts[i] -= t->pieces_done.counts[i];
        if (out->counts[i])
            max = hist_bucket_value(i);
    }
    if (max < out->max && t->pieces_done.count)
        out->max = max; /* The exact one belonged to an answer in pieces. */
}

uint64_t tally_answered(const struct tally *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->endpoints_len; i++)
        sum += t->endpoints[i].answered;
    return sum;
}

uint64_t tally_failed(const struct tally *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->endpoints_len; i++)
        sum += t->endpoints[i].failed;
    return sum;
}
