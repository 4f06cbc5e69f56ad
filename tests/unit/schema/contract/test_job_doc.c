/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "job_doc.h"
#include "rng.h"

#define SHA     "0123456789abcdef0123456789abcdef01234567"
#define SHA_256 SHA "89abcdef0123456789abcdef"
#define SPEC                                                                                  \
    "{\\\"start\\\":{\\\"command\\\":[\\\"./app\\\"]},\\\"scenarios\\\":[{\\\"endpoints\\\":" \
    "[{\\\"path\\\":\\\"/\\\"}]}]}"
#define HEAD_SIDE "\"head\":{\"sha\":\"" SHA "\",\"tree\":\"" SHA "\"}"
#define REST                                                                                  \
    "\"rounds\":10,\"aa_rounds\":3,\"sandbox\":true,\"build_network\":false,\"spec\":\"" SPEC \
    "\""
#define FIRST "\"job\":41,\"attempt\":1,\"kind\":\"push\",\"seed\":7"

static struct job_doc *read_good(const char *text)
{
    struct job_doc *j = NULL;
    struct err e = {0};
    if (job_doc_parse(view_z(text), &j, &e) < 0)
        fail_msg("%s: %s", e.text, text);
    return j;
}

static void check_round_trip(const struct job_doc *j)
{
    AUTO(str_done)
    struct str text = STR_INIT(JOB_DOC_BYTES_MAX), a = STR_INIT(1 << 20), b = STR_INIT(1 << 20);
    job_doc_write(j, &text);

    AUTO(job_doc_freep) struct job_doc *back = read_good(str_text(&text));

    assert_int_equal(j->job, back->job);
    assert_int_equal(j->attempt, back->attempt);
    assert_string_equal(j->kind, back->kind);
    assert_int_equal(j->seed, back->seed);
    assert_memory_equal(j->side, back->side, sizeof j->side);
    assert_int_equal(j->rounds, back->rounds);
    assert_int_equal(j->aa_rounds, back->aa_rounds);
    assert_int_equal(j->sandbox, back->sandbox);
    assert_int_equal(j->build_network, back->build_network);
    assert_int_equal(j->beat_every_ns, back->beat_every_ns);
    spec_explain(j->spec, &a);
    spec_explain(back->spec, &b);
    assert_string_equal(str_text(&a), str_text(&b));
}

static void a_job_goes_there_and_back(void **state)
{
    AUTO(job_doc_freep)
    struct job_doc *j =
        read_good("{" FIRST ",\"base\":{\"sha\":\"" SHA_256 "\",\"tree\":\"" SHA_256
                  "\"}," HEAD_SIDE ",\"beat_every_ns\":5000000," REST "}");

    assert_int_equal(j->job, 41);
    assert_true(j->side[SIDE_BASE].present);
    assert_string_equal(j->side[SIDE_BASE].tree, SHA_256);
    assert_string_equal(j->side[SIDE_HEAD].sha, SHA);
    assert_string_equal(j->spec->scenarios[0].name, "GET /");
    assert_int_equal(j->beat_every_ns, 5000000);
    check_round_trip(j);
    (void)state;
}

static void a_first_commit_has_no_base(void **state)
{
    static const char *const bases[] = {"", "\"base\":null,"};
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        AUTO(str_done) struct str text = STR_INIT(10000);
        str_addf(&text, "{%s%s", bases[i], FIRST "," HEAD_SIDE "," REST "}");

        AUTO(job_doc_freep) struct job_doc *j = read_good(str_text(&text));

        assert_false(j->side[SIDE_BASE].present);
        assert_int_equal(j->beat_every_ns, 1000000000);
        check_round_trip(j);
    }
    (void)state;
}

/* Seeds have 63 bits, more than a double holds. */
static void every_seed_survives(void **state)
{
    AUTO(job_doc_freep) struct job_doc *j = read_good("{" FIRST "," HEAD_SIDE "," REST "}");
    struct rng r;
    rng_init(&r, 1);

    for (int i = 0; i < 50; i++) {
        j->seed = i == 0 ? INT64_MAX : (int64_t)(rng_next(&r) >> 1);
        check_round_trip(j);
    }
    (void)state;
}

static void object_ids_are_kept_in_lower_case(void **state)
{
    AUTO(job_doc_freep)
    struct job_doc *j =
        read_good("{" FIRST ",\"head\":{\"sha\":\"0123456789ABCDEF0123456789abcdef"
                  "01234567\",\"tree\":\"" SHA "\"}," REST "}");

    assert_string_equal(j->side[SIDE_HEAD].sha, SHA);
    (void)state;
}

static void mistakes_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "1:1: the text ends where a value is expected"},
        {"[]", "1:1: 'job' is missing"},
        {"{\"job\":0}", "1:8: 'job' must be a whole number from 1 to 9223372036854775807"},
        {"{\"job\":1,\"attempt\":1001}",
         "1:20: 'attempt' must be a whole number from 1 to 1000"},
        {"{\"job\":1,\"attempt\":1,\"kind\":1}", "1:29: 'kind' must be a string, not a number"},
        {"{\"job\":1,\"attempt\":1,\"kind\":\"push\",\"seed\":-1}",
         "1:43: 'seed' must be a whole number from 0 to 9223372036854775807"},
        {"{" FIRST "}", "1:1: 'head' is missing"},
        {"{" FIRST ",\"head\":null}", "1:1: 'head' is missing"},
        {"{" FIRST ",\"head\":{}}", "1:53: 'sha' is missing"},
        {"{" FIRST ",\"head\":{\"sha\":\"12\"}}", "1:60: 'sha' is not an object id"},
        {"{" FIRST ",\"head\":{\"sha\":\"" SHA "0\"}}", "1:60: 'sha' is not an object id"},
        {"{" FIRST ",\"head\":{\"sha\":\"" SHA
         "\",\"tree\":\"../../../../../etc/passwd0000000000"
         "00000\"}}",
         "1:110: 'tree' is not an object id"},
        {"{" FIRST ",\"base\":[]," HEAD_SIDE "}",
         "1:53: 'base' must be an object, not an array"},
        {"{" HEAD_SIDE "," FIRST ",\"rounds\":0}",
         "1:163: 'rounds' must be a whole number from 1 to 1000"},
        {"{" HEAD_SIDE "," FIRST ",\"rounds\":3,\"aa_rounds\":4}",
         "1:177: 'aa_rounds' must be a whole number from 0 to 3"},
        {"{" HEAD_SIDE "," FIRST ",\"rounds\":3,\"aa_rounds\":1,\"sandbox\":1}",
         "1:189: 'sandbox' must be true or false, not a number"},
        {"{" FIRST ",\"beat_every_ns\":1," HEAD_SIDE "," REST "}",
         "1:62: 'beat_every_ns' must be a whole number from 1000000 to 60000000000"},
        {"{" HEAD_SIDE ",\"job\":1,\"attempt\":1,\"kind\":\"\",\"seed\":7," REST "}",
         "1:137: 'kind' must have 1 to 15 bytes"},
        {"{" HEAD_SIDE ",\"job\":1,\"attempt\":1,\"kind\":\"0123456789012345\",\"seed\":7," REST
         "}",
         "1:137: 'kind' must have 1 to 15 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str expected = STR_INIT(1000);
        struct job_doc *j = NULL;
        struct err e = {0};
        str_addf(&expected, "job document: %s", cases[i][1]);

        assert_int_equal(job_doc_parse(view_z(cases[i][0]), &j, &e), -1);

        assert_string_equal(e.text, str_text(&expected));
        assert_null(j);
    }
    (void)state;
}

static void a_bad_spec_inside_is_told_by_its_own_place(void **state)
{
    struct job_doc *j = NULL;
    struct err e = {0};

    assert_int_equal(
        job_doc_parse(VIEW("{" FIRST "," HEAD_SIDE
                           ",\"rounds\":1,\"aa_rounds\":0,\"sandbox\":true,"
                           "\"build_network\":false,\"spec\":\"{\\n\\\"strat\\\":1}\"}"),
                      &j, &e),
        -1);

    assert_string_equal(e.text,
                        "job document: spec:2:1: unknown key 'strat' in 'the spec'; did "
                        "you mean 'start'?");
    (void)state;
}

static void the_largest_spec_fits_into_a_job(void **state)
{
    AUTO(job_doc_freep) struct job_doc *j = read_good("{" FIRST "," HEAD_SIDE "," REST "}");
    AUTO(str_done)
    struct str spec = STR_INIT(SPEC_BYTES_MAX), text = STR_INIT(JOB_DOC_BYTES_MAX);
    struct spec *large = NULL;
    struct err e = {0};
    /* Quotes and control characters are what grows most when a text is written into a text. */
    str_addz(&spec, "{\"start\":{\"command\":[\"./app\"");
    for (int i = 0; i < 11; i++) {
        str_addz(&spec, ",\"");
        for (int k = 0; k < 11000; k++)
            str_addz(&spec, "\\\"");
        str_addz(&spec, "\"");
    }
    str_addz(&spec, "]},\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}]}]}");
    if (spec_parse(str_view(&spec), "spec", &large, &e) < 0)
        fail_msg("%s", e.text);
    spec_freep(&j->spec);
    j->spec = large;

    job_doc_write(j, &text);

    assert_false(text.cut);
    check_round_trip(j);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_goes_there_and_back),
        cmocka_unit_test(a_first_commit_has_no_base),
        cmocka_unit_test(every_seed_survives),
        cmocka_unit_test(object_ids_are_kept_in_lower_case),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(a_bad_spec_inside_is_told_by_its_own_place),
        cmocka_unit_test(the_largest_spec_fits_into_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
