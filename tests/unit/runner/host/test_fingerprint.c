/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fingerprint.h"

static const char *fact(const struct result_fact *facts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(facts[i].name, name) == 0)
            return facts[i].text;
    fail_msg("no fact '%s'", name);
    return NULL;
}

static void identity_and_state_are_sorted_and_complete(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = result_doc_new();

    fingerprint_read(r, "off");

    for (size_t i = 1; i < r->identity.len; i++)
        assert_true(strcmp(r->identity.at[i - 1].name, r->identity.at[i].name) < 0);
    for (size_t i = 1; i < r->state.len; i++)
        assert_true(strcmp(r->state.at[i - 1].name, r->state.at[i].name) < 0);
    assert_string_equal(fact(r->state.at, r->state.len, "sandbox"), "off");
    assert_int_equal(strlen(fact(r->identity.at, r->identity.len, "machine")), 16);
    assert_string_not_equal(fact(r->identity.at, r->identity.len, "cpu"), "");
    assert_true(r->host && *r->host);
    (void)state;
}

static void identity_is_the_same_each_time(void **state)
{
    unsigned char first[DIGEST_BYTES];
    unsigned char second[DIGEST_BYTES];
    AUTO(result_doc_freep) struct result_doc *a = result_doc_new();
    AUTO(result_doc_freep) struct result_doc *b = result_doc_new();

    fingerprint_read(a, "off");
    fingerprint_read(b, "bubblewrap");
    result_facts_digest(a->identity.at, a->identity.len, first);
    result_facts_digest(b->identity.at, b->identity.len, second);

    assert_memory_equal(first, second, DIGEST_BYTES);
    (void)state;
}

static void memory_of_one_machine_falls_into_one_class(void **state)
{
    int64_t whole = INT64_C(24) << 30;

    assert_int_equal(fingerprint_round_memory(whole), whole);
    assert_int_equal(fingerprint_round_memory(whole - (300 << 20)), whole);
    assert_int_equal(fingerprint_round_memory(whole + (300 << 20)), whole);
    assert_int_not_equal(fingerprint_round_memory(whole - (INT64_C(4) << 30)), whole);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_and_state_are_sorted_and_complete),
        cmocka_unit_test(identity_is_the_same_each_time),
        cmocka_unit_test(memory_of_one_machine_falls_into_one_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
