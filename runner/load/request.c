/* SPDX-License-Identifier: MIT */
/* request: see request.h. */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "mem.h"

enum { BURST_BYTES_MAX = 1 << 20 }; /* more than that in one send does not help */

static bool clean(const char *text, bool blanks)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f || (*p == ' ' && !blanks))
            return false;
    return true;
}

static bool has_field(const struct spec_pairs *fields, const char *name)
{
    for (size_t i = 0; i < fields->len; i++)
        if (strcasecmp(fields->at[i].name, name) == 0)
            return true;
    return false;
}

static int add_fields(struct template *t, const struct spec_pairs *fields, struct err *e)
{
    for (size_t i = 0; i < fields->len; i++) {
        const struct spec_pair *f = &fields->at[i];
        if (!f->name[0] || !clean(f->name, false) || strchr(f->name, ':') ||
            !clean(f->value, true))
            return err_set(e, ERR_INPUT, "header '%s' holds characters that HTTP forbids",
                           f->name);
        template_add_plain(t, view_z(f->name));
        template_add_plain(t, VIEW(": "));
        if (template_add(t, view_z(f->value), TEMPLATE_HEADER, e) < 0)
            return err_ctx(e, "header '%s'", f->name);
        template_add_plain(t, VIEW("\r\n"));
    }
    return 0;
}

int request_add_head(struct template *t, const struct spec_endpoint *p,
                     const struct target *target, struct err *e)
{
    if (!clean(p->method, false) || !p->method[0])
        return err_set(e, ERR_INPUT, "method '%s' is not one", p->method);
    if (p->path[0] != '/' || !clean(p->path, false))
        return err_set(e, ERR_INPUT, "path '%s' must start with '/' and hold no blanks",
                       p->path);
    template_add_plain(t, view_z(p->method));
    template_add_plain(t, VIEW(" "));
    if (template_add(t, view_z(p->path), TEMPLATE_PATH, e) < 0)
        return err_ctx(e, "path");
    template_add_plain(t, VIEW(" HTTP/1.1\r\n"));
    if (!has_field(&p->headers, "host")) {
        template_add_plain(t, VIEW("Host: "));
        template_add_plain(t, view_z(target->authority));
        template_add_plain(t, VIEW("\r\n"));
    }
    return add_fields(t, &p->headers, e);
}

static int build(struct request *r, const struct target *target, bool close, struct err *e)
{
    const struct spec_endpoint *p = r->endpoint;
    if (request_add_head(&r->header, p, target, e) < 0)
        return -1;
    if (p->body &&
        template_add(&r->body, (struct view){p->body, p->body_len}, TEMPLATE_BODY, e) < 0)
        return err_ctx(e, "body");
    r->adds_length = p->body && !has_field(&p->headers, "content-length");
    if (close)
        template_add_plain(&r->header, VIEW("Connection: close\r\n"));
    r->made = !template_is_constant(&r->header) || !template_is_constant(&r->body);
    r->head = strcmp(p->method, "HEAD") == 0;
    return 0;
}

void request_make_body(const struct request_set *set, const struct request *r, uint64_t number,
                       struct str *out)
{
    struct template_values values = request_values(set, number);
    template_make(&r->body, &values, out);
}

void request_make(const struct request_set *set, const struct request *r, uint64_t number,
                  struct str *spare, struct str *out)
{
    struct template_values values = request_values(set, number);
    str_clear(spare);
    template_make(&r->body, &values, spare);
    template_make(&r->header, &values, out);
    if (r->adds_length)
        str_addf(out, "Content-Length: %zu\r\n", spare->len);
    str_addz(out, "\r\n");
    str_add(out, str_view(spare));
}

int request_set_bind(struct request_set *set, const struct dataset *data, uint64_t seed,
                     struct err *e)
{
    set->data = data;
    set->seed = seed;
    for (size_t i = 0; i < set->len; i++) {
        struct request *r = &set->at[i];
        if (template_bind(&r->header, data, e) < 0 || template_bind(&r->body, data, e) < 0)
            return err_ctx(e, "endpoint '%s'", r->endpoint->name);
    }
    return 0;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

static void build_cards(struct request_set *set)
{
    int64_t sum = 0;
    int64_t divisor = 0;
    for (size_t i = 0; i < set->len; i++) {
        sum += set->at[i].endpoint->weight;
        divisor = common_divisor(divisor, set->at[i].endpoint->weight);
    }
    bool exact = sum / divisor <= REQUEST_DECK_MAX;
    set->cards = mem_zero(REQUEST_DECK_MAX + set->len, sizeof *set->cards);
    for (size_t i = 0; i < set->len; i++) {
        int64_t weight = set->at[i].endpoint->weight;
        double share = (double)weight / (double)sum;
        int64_t cards = exact ? weight / divisor : (int64_t)(share * REQUEST_DECK_MAX + 0.5);
        for (int64_t n = cards > 0 ? cards : 1; n > 0; n--)
            set->cards[set->cards_len++] = (uint16_t)i;
    }
}

int request_set_init(struct request_set *set, const struct spec_endpoint *endpoints, size_t len,
                     const struct target *target, enum request_close close, unsigned pipeline,
                     struct err *e)
{
    AUTO(str_done) struct str spare = STR_INIT(REQUEST_BYTES_MAX);
    *set = (struct request_set){.at = mem_zero(len, sizeof *set->at), .len = len};
    for (size_t i = 0; i < len; i++) {
        struct request *r = &set->at[i];
        *r = (struct request){.endpoint = &endpoints[i],
                              .header = TEMPLATE_INIT,
                              .body = TEMPLATE_INIT,
                              .bytes = STR_INIT(REQUEST_BYTES_MAX),
                              .burst = STR_INIT(BURST_BYTES_MAX)};
        if (endpoints[i].weight < 1)
            return err_set(e, ERR_INPUT, "endpoint '%s': weight must be 1 or more",
                           endpoints[i].name);
        bool closes =
            close == REQUEST_CLOSES_EACH || (close == REQUEST_CLOSES_LAST && i + 1 == len);
        if (build(r, target, closes, e) < 0)
            return err_ctx(e, "endpoint '%s'", endpoints[i].name);
        set->made |= r->made;
        if (!r->made)
            request_make(set, r, 0, &spare, &r->bytes);
        if (r->bytes.cut)
            return err_set(e, ERR_LIMIT, "endpoint '%s': longer than %d bytes",
                           endpoints[i].name, REQUEST_BYTES_MAX);
        for (unsigned n = 0; !r->made && pipeline > 1 && n < pipeline; n++)
            str_add(&r->burst, str_view(&r->bytes));
        if (r->burst.cut)
            str_done(&r->burst);
        check_prepare(r);
    }
    build_cards(set);
    return 0;
}

void request_set_done(struct request_set *set)
{
    for (size_t i = 0; i < set->len; i++) {
        str_done(&set->at[i].bytes);
        str_done(&set->at[i].burst);
        template_done(&set->at[i].header);
        template_done(&set->at[i].body);
        free(set->at[i].needle_table);
    }
    mem_freep(&set->at);
    mem_freep(&set->cards);
}

void request_deck_init(struct request_deck *d, const struct request_set *set, uint64_t seed)
{
    *d =
        (struct request_deck){.cards = mem_dup(set->cards, set->cards_len * sizeof *set->cards),
                              .len = set->cards_len};
    rng_init(&d->rng, seed);
    request_deck_shuffle(d);
}

void request_deck_shuffle(struct request_deck *d)
{
    if (d->len > 1)
        rng_shuffle(&d->rng, d->cards, d->len, sizeof *d->cards);
    d->next = 0;
}

void request_deck_done(struct request_deck *d)
{
    mem_freep(&d->cards);
}
