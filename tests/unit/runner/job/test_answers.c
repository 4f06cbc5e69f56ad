/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "answers.h"

static struct answer_seen see(const char *first, const char *second, const char *type)
{
    struct answer_seen seen;
    struct ask_answer a = {.status = 200, .body = STR_INIT(1000), .framing = ASK_LENGTH};
    snprintf(a.type, sizeof a.type, "%s", type);
    str_addz(&a.body, first);
    answers_see(&seen, &a);
    str_clear(&a.body);
    str_addz(&a.body, second);
    answers_see_again(&seen, &a);
    ask_answer_done(&a);
    return seen;
}

static void expect(const struct answer_seen *base, const struct answer_seen *head,
                   enum answers want, const char *words)
{
    AUTO(str_done) struct str how = STR_INIT(500);

    enum answers got = answers_compare(base, head, &how);

    assert_string_equal(how.len ? str_text(&how) : "", words);
    assert_int_equal(got, want);
}

static void the_same_answers_are_alike(void **state)
{
    struct answer_seen a = see("hello", "hello", "text/plain");
    struct answer_seen b = see("hello", "hello", "text/plain");

    expect(&a, &b, ANSWERS_ALIKE, "");
    (void)state;
}

static void differences_are_named(void **state)
{
    struct answer_seen a = see("hello", "hello", "text/plain");
    struct answer_seen shorter = see("hell", "hell", "text/plain");
    struct answer_seen other = see("hallo", "hallo", "text/plain");
    struct answer_seen all = see("hi", "hi", "text/html");
    all.status = 201;
    all.framing = ASK_CHUNKED;

    expect(&a, &shorter, ANSWERS_DIFFER, "body 5 -> 4 bytes");
    expect(&a, &other, ANSWERS_DIFFER, "another body of the same 5 bytes");
    expect(&a, &all, ANSWERS_DIFFER,
           "status 200 -> 201, body 5 -> 2 bytes, content type 'text/plain' -> 'text/html', "
           "length given -> chunked");
    (void)state;
}

static void bodies_that_vary_are_said_and_not_compared(void **state)
{
    struct answer_seen fixed = see("12:00:01", "12:00:01", "a/b");
    struct answer_seen clock = see("12:00:01", "12:00:02", "a/b");
    struct answer_seen typed = see("12:00:01", "12:00:02", "a/c");

    expect(&fixed, &clock, ANSWERS_VARY, "head answers differently each time");
    expect(&clock, &fixed, ANSWERS_VARY, "base answers differently each time");
    expect(&clock, &clock, ANSWERS_VARY, "both answer differently each time");
    expect(&clock, &typed, ANSWERS_DIFFER, "content type 'a/b' -> 'a/c'");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_answers_are_alike),
        cmocka_unit_test(differences_are_named),
        cmocka_unit_test(bodies_that_vary_are_said_and_not_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
