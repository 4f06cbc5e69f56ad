/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json.h"
#include "report_cases.h"

static void render(enum report_case which, struct str *text)
{
    AUTO(report_record_done) struct report r;
    report_case_make(which, &r);
    report_json(&r, text);
}

static struct json_doc *parse(const struct str *text)
{
    struct json_doc *doc = NULL;
    struct err e = {0};
    if (json_parse(str_view(text), &JSON_MESSAGE, &doc, &e) < 0)
        fail_msg("%s", e.text);
    return doc;
}

static void each_report_is_valid_json(void **state)
{
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);
        render((enum report_case)i, &text);

        AUTO(json_freep) struct json_doc *doc = parse(&text);

        assert_int_equal(json_type(json_root(doc)), JSON_OBJECT);
        assert_int_equal(json_type(json_get(json_root(doc), "rows")), JSON_ARRAY);
    }
    (void)state;
}

static void a_row_carries_what_the_contract_names(void **state)
{
    static const char *const keys[] = {"scenario", "endpoint", "metric",  "base",
                                       "head",     "effect",   "lo",      "hi",
                                       "noise",    "rounds",   "outcome", NULL};
    AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);
    render(CASE_SLOWER, &text);

    AUTO(json_freep) struct json_doc *doc = parse(&text);

    const struct json *row = json_first(json_get(json_root(doc), "rows"));
    for (const char *const *key = keys; *key; key++)
        assert_non_null(json_get(row, *key));
    assert_true(json_number(json_get(row, "effect")) == .021);
    (void)state;
}

static void a_failed_job_has_no_outcome_but_a_failure(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);
    render(CASE_BROKEN, &text);

    AUTO(json_freep) struct json_doc *doc = parse(&text);

    const struct json *root = json_root(doc), *failure = json_get(root, "failure");
    assert_int_equal(json_type(json_get(root, "outcome")), JSON_NULL);
    assert_true(view_eqz(json_text(json_get(failure, "class")), "build"));
    assert_true(view_eqz(json_text(json_get(failure, "side")), "head"));
    (void)state;
}

/* The sample beside the schema is a report of this renderer, so neither can grow stale alone.
 */
static void the_sample_beside_the_schema_is_what_we_write(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);

    render(CASE_SLOWER, &text);

    golden_check_file(CONTRACT_DIR "report.sample.json", &text);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_report_is_valid_json),
        cmocka_unit_test(a_row_carries_what_the_contract_names),
        cmocka_unit_test(a_failed_job_has_no_outcome_but_a_failure),
        cmocka_unit_test(the_sample_beside_the_schema_is_what_we_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
