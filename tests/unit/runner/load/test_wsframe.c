/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "wsframe.h"

/* What a stream of frames comes to, shown in pieces of so many bytes: "text:hello ping:x " */
static void read_in_pieces(struct view all, size_t piece_len, struct str *out)
{
    struct wsframe p;
    AUTO(str_done) struct str message = STR_INIT(1 << 20);
    size_t from = 0;
    wsframe_begin(&p);
    while (from < all.len) {
        size_t used;
        struct view piece;
        size_t left = all.len - from;
        struct view in = {all.at + from, left < piece_len ? left : piece_len};
        while (in.len) {
            enum wsframe_step step = wsframe_step(&p, in, &used, &piece);
            assert_true(used > 0 && used <= in.len);
            in = view_skip(in, used);
            from += used;
            if (step == WSFRAME_PIECE || step == WSFRAME_DONE)
                str_add(&message, piece);
            if (step == WSFRAME_DONE) {
                str_addf(out, "%s:%s ", p.kind == WSFRAME_TEXT ? "text" : "binary",
                         str_text(&message));
                str_clear(&message);
            } else if (step == WSFRAME_PING || step == WSFRAME_PONG || step == WSFRAME_CLOSE) {
                str_addf(out, "%s:%.*s ",
                         step == WSFRAME_PING   ? "ping"
                         : step == WSFRAME_PONG ? "pong"
                                                : "close",
                         (int)piece.len, piece.at);
            } else if (step == WSFRAME_BAD || step == WSFRAME_TOO_LARGE) {
                str_addz(out, step == WSFRAME_BAD ? "bad" : "too large");
                return;
            }
        }
    }
}

static void streams_mean_the_same_however_they_are_cut(void **state)
{
    static const struct {
        struct view in;
        const char *expected;
    } cases[] = {
        {VIEW("\x81\x05hello"), "text:hello "},
        {VIEW("\x82\x00"), "binary: "},
        {VIEW("\x01\x02he\x89\x01p\x00\x00\x80\x03llo"), "ping:p text:hello "},
        {VIEW("\x8a\x00\x81\x01"
              "a"),
         "pong: text:a "},
        {VIEW("\x88\x00"), "close: "},
        {VIEW("\x88\x04\x03\xe8ok"), "close:\x03\xe8ok "},
        {VIEW("\x88\x01x"), "bad"},
        {VIEW("\x88\x04\x03\xe8\xff\xff"), "bad"},     /* a reason that is not UTF-8 */
        {VIEW("\x81\x85\0\0\0\0hello"), "bad"},        /* masked */
        {VIEW("\xc1\x05hello"), "bad"},                /* reserved bit */
        {VIEW("\x83\x05hello"), "bad"},                /* reserved opcode */
        {VIEW("\x8b\x00"), "bad"},                     /* reserved control opcode */
        {VIEW("\x81\x7e\x00\x05hello"), "bad"},        /* not the shortest length */
        {VIEW("\x81\x7f\0\0\0\0\0\0\xff\xff"), "bad"}, /* the same with eight bytes */
        {VIEW("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), "bad"}, /* the highest bit */
        {VIEW("\x81\x7f\0\0\0\x01\0\0\0\0"), "too large"},
        {VIEW("\x09\x01p"), "bad"},          /* control in pieces */
        {VIEW("\x89\x7e\x00\x7e"), "bad"},   /* control of 126 bytes */
        {VIEW("\x80\x01x"), "bad"},          /* nothing to continue */
        {VIEW("\x01\x01x\x01\x01y"), "bad"}, /* two beginnings */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece < 16; piece++) {
            AUTO(str_done) struct str out = STR_INIT(1000);

            read_in_pieces(cases[i].in, piece, &out);

            assert_string_equal(str_text(&out), cases[i].expected);
        }
    (void)state;
}

static void fragments_together_have_a_ceiling(void **state)
{
    static const char first[] = "\x02\x7f\0\0\0\0\x03\xff\xff\xff"; /* 64 MiB less one byte */
    struct wsframe p;
    size_t used;
    struct view piece;
    wsframe_begin(&p);
    assert_int_equal(wsframe_step(&p, (struct view){first, 10}, &used, &piece), WSFRAME_MORE);
    p.left = 0; /* as if the payload had come */
    p.in_payload = false;
    p.head_len = 0;

    assert_int_equal(wsframe_step(&p, VIEW("\x80\x02"), &used, &piece), WSFRAME_TOO_LARGE);
    (void)state;
}

/* Takes the mask off, so that the reader for servers' frames can read ours. */
static struct view unmask(char *at, size_t len)
{
    unsigned length = at[1] & 0x7f;
    size_t head = length == 127 ? 10 : length == 126 ? 4 : 2;
    char *key = at + head;
    assert_true(at[1] & 0x80);
    for (size_t i = head + 4; i < len; i++)
        at[i] ^= key[(i - head - 4) % 4];
    at[1] &= 0x7f;
    memmove(at + head, at + head + 4, len - head - 4);
    return (struct view){at, len - 4};
}

static void what_is_written_reads_back(void **state)
{
    static const size_t lengths[] = {0, 1, 7, 8, 9, 125, 126, 65535, 65536, 70001};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t len = lengths[i];
        char *text = malloc(len + 1);
        char *frame = malloc(len + WSFRAME_HEAD_MAX);
        AUTO(str_done) struct str out = STR_INIT(1 << 20);
        AUTO(str_done) struct str expected = STR_INIT(1 << 20);
        for (size_t k = 0; k < len; k++)
            text[k] = (char)('a' + k % 26);
        text[len] = '\0';
        str_addf(&expected, "text:%s ", text);

        size_t n = wsframe_write(frame, WSFRAME_TEXT, (struct view){text, len}, 0x9abcdef1);

        if (len > 20)
            assert_null(memmem(frame, n, text, 20)); /* masked */
        read_in_pieces(unmask(frame, n), SIZE_MAX, &out);
        assert_string_equal(str_text(&out), str_text(&expected));
        free(text);
        free(frame);
    }
    (void)state;
}

/* RFC 6455, section 5.7: a masked "Hello". */
static void the_example_of_the_standard_is_written(void **state)
{
    char frame[WSFRAME_HEAD_MAX + 5];
    uint32_t mask;
    memcpy(&mask, "\x37\xfa\x21\x3d", sizeof mask);

    size_t n = wsframe_write(frame, WSFRAME_TEXT, VIEW("Hello"), mask);

    assert_int_equal(n, 11);
    assert_memory_equal(frame, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_mean_the_same_however_they_are_cut),
        cmocka_unit_test(fragments_together_have_a_ceiling),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(the_example_of_the_standard_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
