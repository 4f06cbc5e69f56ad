/* SPDX-License-Identifier: MIT */
/* template: see template.h. */
#include "template.h"

#include <inttypes.h>

#include "opt.h"
#include "rng.h"

static const struct {
    const char *open;
    enum template_kind kind;
} words[] = {{"{seq}", TEMPLATE_SEQ}, {"{random:", TEMPLATE_RANDOM}, {"{csv:", TEMPLATE_CSV}};

/* The place that begins here, or TEMPLATE_TEXT. */
static enum template_kind begins(struct view at)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (view_starts(at, words[i].open))
            return words[i].kind;
    return TEMPLATE_TEXT;
}

void template_add_plain(struct template *t, struct view text)
{
    struct template_piece *last = t->pieces.len ? &t->pieces.at[t->pieces.len - 1] : NULL;
    if (!text.len)
        return;
    if (last && last->kind == TEMPLATE_TEXT)
        last->len += text.len;
    else
        *vec_push(&t->pieces) = (struct template_piece){.from = t->text.len, .len = text.len};
    str_add(&t->text, text);
}

/* "{random:LO:HI}" or "{csv:COLUMN}" without its braces. */
static int add_place(struct template *t, struct view inside, struct template_piece *piece,
                     struct err *e)
{
    struct view word, rest, low, high;
    (void)view_cut(inside, ':', &word, &rest);
    if (piece->kind == TEMPLATE_CSV && !rest.len)
        return err_set(e, ERR_INPUT, "{csv:COLUMN} names no column");
    if (piece->kind == TEMPLATE_CSV) {
        piece->from = t->text.len;
        piece->len = rest.len;
        str_add(&t->text, rest);
    } else if (piece->kind == TEMPLATE_RANDOM) {
        (void)view_cut(rest, ':', &low, &high);
        if (opt_int(low, INT64_MIN, INT64_MAX, &piece->low, e) < 0 ||
            opt_int(high, piece->low, INT64_MAX, &piece->high, e) < 0)
            return err_ctx(e, "{random:LO:HI}");
    }
    *vec_push(&t->pieces) = *piece;
    return 0;
}

int template_add(struct template *t, struct view text, enum template_place place, struct err *e)
{
    size_t n = 0;
    while (n < text.len) {
        struct view at = view_skip(text, n);
        enum template_kind kind = begins(at);
        bool doubled = kind == TEMPLATE_TEXT && at.at[0] == '{' &&
                       begins(view_skip(at, 1)) != TEMPLATE_TEXT;
        if (kind == TEMPLATE_TEXT && !doubled) {
            n++;
            continue;
        }
        template_add_plain(t, (struct view){text.at, n + doubled});
        if (doubled) { /* Its second brace is skipped, and what follows is text. */
            text = view_skip(at, 2);
            n = 0;
            continue;
        }
        const char *end = memchr(at.at, '}', at.len);
        if (!end)
            return err_set(e, ERR_INPUT, "'%.20s' is not closed with '}'", at.at);
        struct template_piece piece = {.kind = kind, .place = place};
        size_t inside = (size_t)(end - at.at) - 1;
        if (add_place(t, (struct view){at.at + 1, inside}, &piece, e) < 0)
            return -1;
        text = view_skip(at, inside + 2);
        n = 0;
    }
    template_add_plain(t, text);
    return t->text.cut ? err_set(e, ERR_LIMIT, "longer than %d bytes", TEMPLATE_BYTES_MAX) : 0;
}

static int check_header(const struct dataset *data, size_t column, struct err *e)
{
    for (size_t row = 0; row < data->rows; row++) {
        struct view field = dataset_field(data, row, column);
        for (size_t i = 0; i < field.len; i++)
            if ((unsigned char)field.at[i] < 0x20 || field.at[i] == 0x7f)
                return err_set(e, ERR_INPUT,
                               "row %zu of column '%.*s' holds a control character, which a "
                               "header cannot",
                               row + 1, (int)data->fields[column].len, data->fields[column].at);
    }
    return 0;
}

int template_bind(struct template *t, const struct dataset *data, struct err *e)
{
    for (size_t i = 0; i < t->pieces.len; i++) {
        struct template_piece *p = &t->pieces.at[i];
        struct view name = {t->text.at + p->from, p->len};
        if (p->kind != TEMPLATE_CSV)
            continue;
        if (!data)
            return err_set(e, ERR_INPUT, "{csv:%.*s} needs a file of data", (int)name.len,
                           name.at);
        if (dataset_column(data, name, &p->column, e) < 0 ||
            (p->place == TEMPLATE_HEADER && check_header(data, p->column, e) < 0))
            return -1;
    }
    return 0;
}

void template_done(struct template *t)
{
    str_done(&t->text);
    vec_done(&t->pieces);
}

bool template_is_constant(const struct template *t)
{
    return t->pieces.len == 0 || (t->pieces.len == 1 && t->pieces.at[0].kind == TEMPLATE_TEXT);
}

static bool is_unreserved(char c) /* RFC 3986, section 2.3 */
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_escaped(struct str *out, struct view v)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.at[i];
        char three[] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_unreserved(v.at[i]))
            str_addc(out, v.at[i]);
        else
            str_add(out, (struct view){three, sizeof three});
    }
}

/* Every place draws by itself, whatever other places there are. */
static int64_t draw(const struct template_piece *p, size_t place,
                    const struct template_values *v)
{
    static const uint64_t golden = 0x9e3779b97f4a7c15;
    struct rng rng;
    uint64_t span = (uint64_t)p->high - (uint64_t)p->low + 1;
    rng_init(&rng, (v->seed * golden + v->number) * golden + place);
    return (int64_t)((uint64_t)p->low + (span ? rng_below(&rng, span) : rng_next(&rng)));
}

void template_make(const struct template *t, const struct template_values *v, struct str *out)
{
    for (size_t i = 0; i < t->pieces.len; i++) {
        const struct template_piece *p = &t->pieces.at[i];
        struct view field;
        switch (p->kind) {
        case TEMPLATE_TEXT:
            str_add(out, (struct view){t->text.at + p->from, p->len});
            break;
        case TEMPLATE_SEQ:
            str_addf(out, "%" PRIu64, v->number);
            break;
        case TEMPLATE_RANDOM:
            str_addf(out, "%" PRId64,
                     draw(p, i + (p->place == TEMPLATE_BODY ? 1 << 16 : 0), v));
            break;
        case TEMPLATE_CSV:
            field = dataset_field(v->data, (v->number - 1) % v->data->rows, p->column);
            if (p->place == TEMPLATE_PATH)
                add_escaped(out, field);
            else
                str_add(out, field);
            break;
        }
    }
}
