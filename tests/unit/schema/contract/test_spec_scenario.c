/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "spec.h"

/* Parses one scenario over the usual defaults. */
static int parse(const char *text, struct spec_scenario *out, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct spec_load defaults = spec_load_default();
    if (json_parse(view_z(text), &JSON_CONFIG, &doc, e) < 0)
        return -1;
    return spec_scenario_parse(doc, json_root(doc), &defaults, out, e);
}

static void good(const char *text, struct spec_scenario *out)
{
    struct err e = {0};
    if (parse(text, out, &e) < 0)
        fail_msg("%s: %s", e.text, text);
}

#define LOAD(members)     "{\"endpoints\":[{\"path\":\"/\"}],\"load\":{" members "}}"
#define ENDPOINT(members) "{\"endpoints\":[{" members "}]}"

static void defaults_fill_what_is_not_said(void **state)
{
    AUTO(spec_scenario_done) struct spec_scenario s = {0};

    good(ENDPOINT("\"path\":\"/items\""), &s);

    assert_string_equal(s.name, "GET /items");
    assert_string_equal(s.endpoints[0].name, "GET /items");
    assert_string_equal(s.endpoints[0].method, "GET");
    assert_null(s.endpoints[0].body);
    assert_int_equal(s.endpoints[0].weight, 1);
    assert_int_equal(s.endpoints[0].expect.status, 200);
    assert_false(s.endpoints[0].expect.has_sha256);
    assert_int_equal(s.load.kind, SPEC_CLOSED_LOOP);
    assert_int_equal(s.load.connections, 16);
    assert_int_equal(s.load.duration_ns, 2000000000);
    assert_int_equal(s.load.warmup_ns, 500000000);
    assert_int_equal(s.load.timeout_ns, 10000000000);
    assert_int_equal(s.load.threads, 1);
    assert_int_equal(s.load.pipeline, 1);
    assert_false(s.load.close);
    (void)state;
}

static void a_rate_makes_an_open_loop(void **state)
{
    static const struct {
        const char *text;
        enum spec_load_kind kind;
        double rate;
        bool poisson;
    } cases[] = {
        {LOAD("\"rate\":\"100/s\""), SPEC_OPEN_LOOP, 100, false},
        {LOAD("\"rate\":\"60/m\",\"arrival\":\"poisson\""), SPEC_OPEN_LOOP, 1, true},
        {LOAD("\"rate\":\"5\",\"arrival\":\"constant\",\"connections\":3"), SPEC_OPEN_LOOP, 5,
         false},
        {LOAD("\"rate\":\"0.001/s\""), SPEC_OPEN_LOOP, 0.001, false},
        {LOAD("\"rate\":\"10000000/s\""), SPEC_OPEN_LOOP, 1e7, false},
        {LOAD("\"connections\":3"), SPEC_CLOSED_LOOP, 0, false},
        {LOAD(""), SPEC_CLOSED_LOOP, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(spec_scenario_done) struct spec_scenario s = {0};

        good(cases[i].text, &s);

        assert_int_equal(s.load.kind, cases[i].kind);
        assert_true(s.load.rate_rps == cases[i].rate);
        assert_int_equal(s.load.poisson, cases[i].poisson);
    }
    (void)state;
}

static void own_load_stands_over_the_defaults(void **state)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(spec_scenario_done) struct spec_scenario a = {0}, b = {0};
    struct spec_load defaults = spec_load_default();
    defaults.kind = SPEC_OPEN_LOOP;
    defaults.rate_rps = 50;
    defaults.poisson = true;
    defaults.timeout_ns = 77000000;
    struct view text = VIEW("[" LOAD("\"rate\":\"9/s\"") "," LOAD("\"connections\":2") "]");
    assert_int_equal(json_parse(text, &JSON_MESSAGE, &doc, NULL), 0);
    const struct json *first = json_first(json_root(doc));

    assert_int_equal(spec_scenario_parse(doc, first, &defaults, &a, NULL), 0);
    assert_int_equal(spec_scenario_parse(doc, json_next(first), &defaults, &b, NULL), 0);

    assert_true(a.load.kind == SPEC_OPEN_LOOP && a.load.rate_rps == 9 && a.load.poisson);
    assert_int_equal(a.load.timeout_ns, 77000000);
    assert_true(b.load.kind == SPEC_CLOSED_LOOP && !b.load.poisson && b.load.rate_rps == 0);
    assert_int_equal(b.load.connections, 2);
    (void)state;
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const char *const cases[][2] = {
        {"1", "1:1: a scenario must be an object"},
        {"{}", "1:1: 'endpoints' is missing"},
        {"{\"endpoints\":[]}", "1:14: 'endpoints' must have 1 to 256 entries"},
        {"{\"endpoints\":[1]}", "1:15: an endpoint must be an object"},
        {"{\"endpoint\":[]}",
         "1:2: unknown key 'endpoint' in 'scenario'; did you mean 'endpoints'?"},
        {ENDPOINT(""), "1:15: 'path' is missing"},
        {ENDPOINT("\"path\":\"items\""),
         "1:23: 'path' must begin with '/' and hold no blank or control character"},
        {ENDPOINT("\"path\":\"\""),
         "1:23: 'path' must begin with '/' and hold no blank or control character"},
        {ENDPOINT("\"path\":\"/a b\""),
         "1:23: 'path' must begin with '/' and hold no blank or control character"},
        {ENDPOINT("\"path\":\"/a\\r\\n\""),
         "1:23: 'path' must begin with '/' and hold no blank or control character"},
        {ENDPOINT("\"path\":\"/\",\"method\":\"\""), "1:36: 'method' is not an HTTP method"},
        {ENDPOINT("\"path\":\"/\",\"method\":\"GE T\""),
         "1:36: 'method' is not an HTTP method"},
        {ENDPOINT("\"path\":\"/\",\"method\":\"G\xc3\xa9T\""),
         "1:36: 'method' is not an HTTP method"},
        {ENDPOINT("\"path\":\"/\",\"headers\":{\"A\":\"b\",\"A b\":\"c\"}"),
         "1:52: 'A b' is not a header that can be sent"},
        {ENDPOINT("\"path\":\"/\",\"headers\":{\"A\":\"b\\r\\nC: d\"}"),
         "1:42: 'A' is not a header that can be sent"},
        {ENDPOINT("\"path\":\"/\",\"headers\":{\"A\":1}"),
         "1:42: 'A' in 'headers' must be a string, not a number"},
        {ENDPOINT("\"path\":\"/\",\"weight\":0"),
         "1:36: 'weight' must be a whole number from 1 to 1000000"},
        {ENDPOINT("\"path\":\"/\",\"name\":\"\""),
         "1:15: an endpoint's name must have 1 to 255 bytes without control characters; give "
         "it "
         "a 'name'"},
        {ENDPOINT("\"path\":\"/\",\"name\":\"a\\nb\""),
         "1:15: an endpoint's name must have 1 to 255 bytes without control characters; give "
         "it "
         "a 'name'"},
        {ENDPOINT("\"path\":\"/\"},{\"path\":\"/\""),
         "1:28: two endpoints are named 'GET /'; give one a 'name'"},
        {ENDPOINT("\"path\":\"/\",\"expect\":{\"status\":600}"),
         "1:46: 'status' must be a whole number from 100 to 599"},
        {ENDPOINT("\"path\":\"/\",\"expect\":{\"sha256\":\"00\"}"),
         "1:46: 'sha256' must be 64 hexadecimal digits"},
        {ENDPOINT("\"path\":\"/\",\"expect\":{\"body\":\"00\"}"),
         "1:37: unknown key 'body' in 'expect'"},
        {ENDPOINT("\"path\":\"/\",\"boby\":\"\""),
         "1:27: unknown key 'boby' in 'endpoint'; did you mean 'body'?"},
        {"{\"name\":\"\",\"endpoints\":[{\"path\":\"/\"}]}",
         "1:1: a scenario's name must have 1 to 255 bytes without control characters"},
        {"{\"name\":\"a\\tb\",\"endpoints\":[{\"path\":\"/\"}]}",
         "1:1: a scenario's name must have 1 to 255 bytes without control characters"},
        {LOAD("\"rat\":\"1/s\""), "1:37: unknown key 'rat' in 'load'; did you mean 'rate'?"},
        {LOAD("\"rate\":\"0/s\""), "1:44: 'rate' must lie between 0.001/s and 10000000/s"},
        {LOAD("\"rate\":\"1e300/s\""), "1:44: 'rate' must lie between 0.001/s and 10000000/s"},
        {LOAD("\"rate\":\"1e-300/s\""), "1:44: 'rate' must lie between 0.001/s and 10000000/s"},
        {LOAD("\"rate\":100"), "1:44: 'rate' must be a string, not a number"},
        {LOAD("\"rate\":\"-1/s\""),
         "1:44: 'rate': expected a rate such as '2000/s', got '-1/s'"},
        {LOAD("\"arrival\":\"poisson\""),
         "1:47: 'arrival' needs a 'rate': a closed loop has no schedule"},
        {LOAD("\"rate\":\"1/s\",\"arrival\":\"even\""),
         "1:60: 'arrival' must be 'constant' or 'poisson'"},
        {LOAD("\"connections\":0"),
         "1:51: 'connections' must be a whole number from 1 to 50000"},
        {LOAD("\"connections\":50001"),
         "1:51: 'connections' must be a whole number from 1 to 50000"},
        {LOAD("\"duration\":\"1ms\""), "1:48: 'duration' must lie between 0.01s and 86400s"},
        {LOAD("\"warmup\":\"25h\""), "1:46: 'warmup' must lie between 0s and 86400s"},
        {LOAD("\"timeout\":\"10us\""), "1:47: 'timeout' must lie between 0.001s and 86400s"},
        {LOAD("\"threads\":65"), "1:47: 'threads' must be a whole number from 1 to 64"},
        {LOAD("\"pipeline\":0"), "1:48: 'pipeline' must be a whole number from 1 to 64"},
        {LOAD("\"close\":1"), "1:45: 'close' must be true or false, not a number"},
        {ENDPOINT("\"path\":\"/{random:9:1}\""),
         "1:23: {random:LO:HI}: expected a whole number from 9 to 9223372036854775807, got "
         "'1'"},
        {ENDPOINT("\"path\":\"/\",\"headers\":{\"A\":\"{csv:}\"}"),
         "1:42: {csv:COLUMN} names no column"},
        {ENDPOINT("\"path\":\"/\",\"body\":\"{csv:a\""),
         "1:34: '{csv:a' is not closed with '}'"},
        {"{\"data\":\"../x\",\"endpoints\":[{\"path\":\"/\"}]}",
         "1:9: 'data' must be a path inside the repository"},
        {LOAD("\"protocol\":\"http3\""),
         "1:48: 'protocol' must be 'http1', 'http2' or 'websocket'"},
        {LOAD("\"rate\":\"9/s\",\"think\":\"1s\""),
         "1:1: 'think' needs a 'session' or a closed loop: an open loop has a schedule"},
        {"{\"endpoints\":[{\"path\":\"/\"}],\"session\":[{\"path\":\"/\"}]}",
         "1:39: a scenario is either a mix of 'endpoints' or a 'session'"},
        {"{\"session\":[]}", "1:12: 'session' must have 1 to 256 entries"},
        {"{\"session\":[{\"path\":\"/\",\"weight\":2}]}",
         "1:25: unknown key 'weight' in 'step'"},
        {"{\"session\":[{\"path\":\"/\"}],\"load\":{\"pipeline\":2}}",
         "1:1: a 'session' sends one request after the other; leave 'pipeline' away"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec_scenario s = {0};
        struct err e = {0};

        int rc = parse(cases[i][0], &s, &e);

        assert_string_equal(rc < 0 ? e.text : "(read without a complaint)", cases[i][1]);
        assert_null(s.endpoints); /* untouched */
    }
    (void)state;
}

static void a_path_too_long_for_a_name_asks_for_one(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(1000);
    AUTO(spec_scenario_done) struct spec_scenario s = {0};
    struct err e = {0};
    char path[300];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';

    str_addf(&text, ENDPOINT("\"path\":\"/%s\""), path);
    assert_int_equal(parse(str_text(&text), &s, &e), -1);
    assert_non_null(strstr(e.text, "give it a 'name'"));

    str_clear(&text);
    str_addf(&text, ENDPOINT("\"path\":\"/%s\",\"name\":\"long\""), path);
    good(str_text(&text), &s);
    assert_string_equal(s.name, "long");
    (void)state;
}

static void what_is_written_reads_back_equal(void **state)
{
    static const char *const texts[] = {
        ENDPOINT("\"path\":\"/\""),
        ENDPOINT("\"path\":\"/\xc3\xa9?q=\\\"x\\\"\",\"method\":\"PATCH\",\"body\":\"\","
                 "\"headers\":{\"X-A\":\"\",\"X-B\":\"\xe2\x82\xac\\\"\"},\"weight\":1000000,"
                 "\"expect\":{\"status\":599,\"contains\":\"a\\\\\"}"),
        LOAD("\"rate\":\"0.333333333333333314829616256247/s\",\"arrival\":\"poisson\""),
        LOAD("\"rate\":\"7/h\",\"duration\":\"1234567891ns\",\"warmup\":\"0s\""),
        LOAD("\"rate\":\"9999999.999999998/s\",\"timeout\":\"90s\",\"duration\":\"1d\""),
        LOAD("\"connections\":50000,\"threads\":64,\"pipeline\":64,\"close\":true"),
        "{\"data\":\"a/b.csv\",\"endpoints\":[{\"path\":\"/{csv:a}/{seq}\"}]}",
        LOAD("\"protocol\":\"websocket\",\"think\":\"1ms\""),
        "{\"session\":[{\"path\":\"/a\",\"think\":\"5ms\"},{\"path\":\"/b\",\"think\":\"0s\"},"
        "{\"path\":\"/c\"}],\"load\":{\"rate\":\"9/s\",\"think\":\"1s\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO(spec_scenario_done) struct spec_scenario s = {0}, back = {0};
        AUTO(str_done) struct str once = STR_INIT(10000), twice = STR_INIT(10000);
        good(texts[i], &s);

        spec_scenario_write(&s, &once);
        good(str_text(&once), &back);
        spec_scenario_write(&back, &twice);

        assert_string_equal(str_text(&once), str_text(&twice));
        assert_memory_equal(&s.load.rate_rps, &back.load.rate_rps, sizeof(double));
        assert_int_equal(s.load.duration_ns, back.load.duration_ns);
        assert_int_equal(s.load.close, back.load.close);
        assert_int_equal(s.load.protocol, back.load.protocol);
        assert_int_equal(s.load.think_ns, back.load.think_ns);
        assert_int_equal(s.session, back.session);
        assert_int_equal(s.endpoints[0].think_ns, back.endpoints[0].think_ns);
        assert_int_equal(!s.endpoints[0].body, !back.endpoints[0].body);
        assert_int_equal(s.endpoints[0].body_len, back.endpoints[0].body_len);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_is_not_said),
        cmocka_unit_test(a_rate_makes_an_open_loop),
        cmocka_unit_test(own_load_stands_over_the_defaults),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(a_path_too_long_for_a_name_asks_for_one),
        cmocka_unit_test(what_is_written_reads_back_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
