/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "hist.h"
#include "loadgen.h"

/* A result as pacewatch-load writes it, with one packed histogram in both places. */
static void write_result(struct str *out, const char *verdict)
{
    struct hist h;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    AUTO(str_done) struct str text = STR_INIT(HIST_ENCODED_MAX);
    hist_init(&h);
    for (int i = 1; i <= 100; i++)
        hist_record(&h, i * 1000);
    hist_pack(&h, &packed);
    digest_base64(str_view(&packed), &text);
    hist_done(&h);
    const char *times = "\"requests\":101,\"answered\":100,\"failed\":1,\"response_ns\":{"
                        "\"count\":100,\"p50\":50000,\"p90\":90000,\"p99\":99000}";
    str_addf(out,
             "{%s,\"hist\":\"%s\",\"duration_s\":0.5,\"achieved_rps\":200,\"bytes_in\":1234,"
             "\"connections\":{\"opened\":9,\"closed_by_peer\":5},"
             "\"window\":{\"start_ns\":1,\"end_ns\":2,\"answered\":98,\"warmup_ns\":7},"
             "\"endpoints\":[{\"name\":\"GET /\",%s,\"hist\":\"%s\"}],"
             "\"setup\":{\"engine\":\"io_uring\"},"
             "\"generator\":{\"cpu_share\":0.4,\"lateness_ns\":{\"p99\":1500}},"
             "\"verdict\":\"%s\",\"reason\":\"why not\"}",
             times, str_text(&text), times, str_text(&text), verdict);
}

static void numbers_and_histograms_come_through(void **state)
{
    struct err e = {0};
    struct hist h;
    AUTO(str_done) struct str text = STR_INIT(4 << 20);
    AUTO(loadgen_result_done) struct loadgen_result r = {0};
    write_result(&text, "valid");

    if (loadgen_parse(str_view(&text), &r, &e) < 0)
        fail_msg("%s", e.text);

    assert_int_equal(r.all.requests, 101);
    assert_int_equal(r.all.failed, 1);
    assert_int_equal(r.answered_in_window, 98);
    assert_int_equal(r.bytes_in, 1234);
    assert_int_equal(r.closed_by_peer, 5);
    assert_true(r.warmup_ns == 7);
    assert_int_equal(r.all.p99_ns, 99000);
    assert_int_equal(r.endpoints.len, 1);
    assert_false(r.limited);
    assert_string_equal(r.engine, "io_uring");
    hist_init(&h);
    assert_int_equal(hist_unpack(&h, str_view(&r.endpoints.at[0].packed), NULL), 0);
    assert_int_equal(h.count, 100);
    hist_done(&h);
    (void)state;
}

static void limited_generator_says_so(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(4 << 20);
    AUTO(loadgen_result_done) struct loadgen_result r = {0};
    write_result(&text, "generator-limited");

    assert_int_equal(loadgen_parse(str_view(&text), &r, NULL), 0);

    assert_true(r.limited);
    assert_string_equal(r.reason, "why not");
    (void)state;
}

static void broken_results_are_errors(void **state)
{
    static const char *const texts[] = {"", "{}", "[]", "{\"requests\":-1}", "not json"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e = {0};
        struct loadgen_result r = {0};

        assert_int_equal(loadgen_parse(view_z(texts[i]), &r, &e), -1);

        assert_true(view_starts(view_z(e.text), "result of pacewatch-load"));
    }
    (void)state;
}

static void result_that_is_cut_anywhere_is_an_error(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(4 << 20);
    write_result(&text, "valid");
    for (size_t len = 0; len < text.len; len += 7) {
        struct loadgen_result r = {0};

        assert_int_equal(loadgen_parse((struct view){text.at, len}, &r, NULL), -1);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_histograms_come_through),
        cmocka_unit_test(limited_generator_says_so),
        cmocka_unit_test(broken_results_are_errors),
        cmocka_unit_test(result_that_is_cut_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
