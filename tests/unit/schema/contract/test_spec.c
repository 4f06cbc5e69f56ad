/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "spec.h"

#define START               "\"start\":{\"command\":[\"./app\"]}"
#define SCENARIOS           "\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}]}]"
#define LEAST               "{" START "," SCENARIOS "}"
#define WITH(key_and_value) "{" START "," SCENARIOS "," key_and_value "}"

static struct spec *read_good(const char *text)
{
    struct spec *s = NULL;
    struct err e = {0};
    if (spec_parse(view_z(text), "spec", &s, &e) < 0)
        fail_msg("%s: %s", e.text, text);
    return s;
}

static void check_refused(const char *text, const char *complaint)
{
    struct spec *s = NULL;
    struct err e = {0};

    int rc = spec_parse(view_z(text), "spec", &s, &e);

    assert_string_equal(rc < 0 ? e.text : "(read without a complaint)", complaint);
    assert_null(s);
}

/* What is explained reads back, and is explained the same again. */
static void check_round_trip(const struct spec *s)
{
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);
    AUTO(spec_freep) struct spec *back = NULL;
    struct err e = {0};
    spec_explain(s, &once);

    if (spec_parse(str_view(&once), "explained", &back, &e) < 0)
        fail_msg("%s: %s", e.text, str_text(&once));
    spec_explain(back, &twice);

    assert_string_equal(str_text(&once), str_text(&twice));
    assert_memory_equal(&s->sensitivity, &back->sensitivity, sizeof s->sensitivity);
    assert_memory_equal(&s->limits.memory, &back->limits.memory, 2 * sizeof(int64_t));
    assert_int_equal(s->build.timeout_ns, back->build.timeout_ns);
    assert_int_equal(s->start.stop_signal, back->start.stop_signal);
    assert_int_equal(s->checks_len, back->checks_len);
    for (size_t i = 0; i < s->checks_len; i++) {
        assert_true(s->checks[i].min == back->checks[i].min);
        assert_true(s->checks[i].max == back->checks[i].max);
        assert_int_equal(s->checks[i].has_min, back->checks[i].has_min);
    }
    for (size_t i = 0; i < s->scenarios_len; i++) {
        unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
        spec_workload_digest(s, &s->scenarios[i], &s->variants[0], a);
        spec_workload_digest(back, &back->scenarios[i], &back->variants[0], b);
        assert_true(digest_equal(a, b));
        assert_true(s->scenarios[i].load.rate_rps == back->scenarios[i].load.rate_rps);
        assert_int_equal(s->scenarios[i].load.kind, back->scenarios[i].load.kind);
        assert_int_equal(s->scenarios[i].load.poisson, back->scenarios[i].load.poisson);
    }
}

static void the_least_spec_gets_every_default(void **state)
{
    AUTO(spec_freep) struct spec *s = read_good(LEAST);

    assert_string_equal(s->start.command.argv[0], "./app");
    assert_null(s->start.command.argv[1]);
    assert_int_equal(s->start.stop_signal, SIGTERM);
    assert_int_equal(s->start.grace_ns, 5000000000);
    assert_int_equal(s->build.command.argc, 0);
    assert_int_equal(s->build.timeout_ns, 900000000000);
    assert_string_equal(s->ready.http_path, "/");
    assert_int_equal(s->ready.status, 200);
    assert_int_equal(s->ready.timeout_ns, 30000000000);
    assert_int_equal(s->scenarios_len, 1);
    assert_string_equal(s->scenarios[0].name, "GET /");
    assert_int_equal(s->sensitivity.rounds_least, 10);
    assert_int_equal(s->sensitivity.rounds_most, 30);
    assert_true(s->sensitivity.max_noise == 0.5);
    for (int m = 0; m < METRIC_COUNT; m++)
        assert_true(s->sensitivity.least_effect[m] == metric_table[m].least_effect);
    assert_int_equal(s->confirm_reruns, 1);
    assert_true(s->triggers.merge_requests);
    assert_int_equal(s->report.when, SPEC_REPORT_CHANGES);
    assert_false(s->report.gate);
    assert_int_equal(s->limits.memory, 512 << 20);
    assert_int_equal(s->limits.disk, 1 << 30);
    assert_int_equal(s->limits.tasks, 128);
    assert_int_equal(s->limits.wall_ns, 3600000000000);
    assert_false(s->limits.build_network);
    check_round_trip(s);
    (void)state;
}

static const char rich[] =
    "// a spec with every key\n"
    "{\"$schema\": \"https://example.org/spec.schema.json\", \"version\": 1,\n"
    " \"build\": {\"command\": {\"sh\": [\"set -u\", \"make -j2 \\\"all\\\"\"]},\n"
    "  \"env\": {\"CC\": \"gcc\", \"EMPTY\": \"\"}, \"inputs\": [\"src/**\"],\n"
    "  \"outputs\": [\"bin/app\", \"lib/*.so\"], \"timeout\": \"90s\"},\n"
    " \"start\": {\"command\": [\"bin/app\", \"--port\", \"$PORT\"], \"env\": {\"MODE\": "
    "\"\xc3\xa9\\\"\"},\n"
    "  \"workdir\": \"run/here\", \"stop_signal\": \"INT\", \"grace\": \"0s\"},\n"
    " \"ready\": {\"http\": \"/health?x=1\", \"status\": 204, \"timeout\": \"1500ms\"},\n"
    " \"load\": {\"rate\": \"100/m\", \"arrival\": \"poisson\", \"connections\": 64,\n"
    "  \"duration\": \"3s\", \"warmup\": \"1s\", \"timeout\": \"250ms\", \"threads\": 2},\n"
    " \"scenarios\": [\n"
    "  {\"name\": \"items\", \"endpoints\": [\n"
    "   {\"path\": \"/items\", \"weight\": 9, \"expect\": {\"status\": 200, \"contains\": "
    "\"[\"}},\n"
    "   {\"name\": \"add\", \"method\": \"POST\", \"path\": \"/items\", \"body\": "
    "\"{\\\"n\\\":1}\\n\",\n"
    "    \"headers\": {\"Content-Type\": \"application/json\"},\n"
    "    \"expect\": {\"status\": 201, \"sha256\":\n"
    "     \"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\"}}]},\n"
    "  {\"name\": \"closed\", \"endpoints\": [{\"path\": \"/\"}],\n"
    "   \"load\": {\"connections\": 8, \"pipeline\": 4, \"close\": false}},\n"
    "  {\"endpoints\": [{\"path\": \"/\xc3\xa9\"}], \"load\": {\"rate\": "
    "\"0.3333333333333333/s\",\n"
    "   \"arrival\": \"constant\", \"close\": true}}],\n"
    " \"sensitivity\": {\"cpu_per_request\": \"3%\", \"p99\": \"33.3333333333333%\",\n"
    "  \"errors\": \"0.07%\", \"max_noise\": \"57%\", \"rounds\": {\"least\": 12, \"most\": "
    "40}},\n"
    " \"checks\": [{\"scenario\": \"items\", \"metric\": \"p99\", \"max\": \"5ms\"},\n"
    "  {\"metric\": \"throughput\", \"min\": \"100/m\", \"max\": \"1e6/s\"},\n"
    "  {\"metric\": \"peak_memory\", \"max\": \"100001B\"}, {\"metric\": \"errors\", \"max\": "
    "\"0%\"},\n"
    "  {\"metric\": \"start_time\", \"max\": \"0s\"}],\n"
    " \"confirm\": {\"reruns\": 0},\n"
    " \"triggers\": {\"branches\": [\"main\", \"release/*\"], \"paths\": [\"src/**\"],\n"
    "  \"skip_paths\": [\"doc/**\"], \"merge_requests\": false},\n"
    " \"report\": {\"when\": \"confirmed\", \"gate\": true},\n"
    " \"limits\": {\"memory\": \"1GiB\", \"disk\": \"1500kB\", \"tasks\": 64, \"wall\": "
    "\"30m\",\n"
    "  \"build_network\": true},\n"
    " \"ignore\": [{\"scenario\": \"items\", \"metric\": \"p50\", \"reason\": \"known\", "
    "\"until\":\n"
    "  \"2026-12-31\"}, {\"reason\": \"all of it\"}],\n"
    "}\n";

static void a_rich_spec_reads_back_as_it_is_explained(void **state)
{
    AUTO(spec_freep) struct spec *s = read_good(rich);

    assert_int_equal(s->build.command.argc, 3);
    assert_string_equal(s->build.command.argv[0], "/bin/sh");
    assert_string_equal(s->build.command.argv[1], "-ec");
    assert_string_equal(s->build.command.argv[2], "set -u\nmake -j2 \"all\"");
    assert_int_equal(s->build.env.len, 2);
    assert_string_equal(s->start.workdir, "run/here");
    assert_int_equal(s->start.stop_signal, SIGINT);
    assert_int_equal(s->start.grace_ns, 0);
    assert_int_equal(s->ready.status, 204);
    assert_int_equal(s->scenarios_len, 3);
    assert_int_equal(s->scenarios[0].load.kind, SPEC_OPEN_LOOP);
    assert_true(s->scenarios[0].load.poisson);
    assert_int_equal(s->scenarios[1].load.kind, SPEC_CLOSED_LOOP);
    assert_false(s->scenarios[1].load.poisson);
    assert_int_equal(s->scenarios[1].load.timeout_ns, 250000000);
    assert_int_equal(s->checks_len, 5);
    assert_true(s->checks[0].has_max && !s->checks[0].has_min && s->checks[0].max == 5e6);
    assert_int_equal(s->limits.disk, 1500000);
    assert_int_equal(s->ignores_len, 2);
    assert_string_equal(s->ignores[0].until, "2026-12-31");
    assert_null(s->ignores[1].metric);
    check_round_trip(s);
    (void)state;
}

static void every_stop_signal_and_report_word_survives(void **state)
{
    static const char *const signals[] = {"TERM", "INT", "QUIT", "HUP", "USR1", "KILL"};
    static const char *const whens[] = {"always", "changes", "confirmed"};
    for (size_t i = 0; i < 6; i++) {
        char text[500];
        snprintf(text, sizeof text,
                 "{\"start\":{\"command\":[\"a\"],\"stop_signal\":\"%s\"}," SCENARIOS
                 ",\"ready\":{\"tcp\":true},\"report\":{\"when\":\"%s\"}}",
                 signals[i], whens[i % 3]);

        AUTO(spec_freep) struct spec *s = read_good(text);

        assert_null(s->ready.http_path);
        assert_true(s->ready.tcp);
        assert_int_equal(s->report.when, i % 3);
        check_round_trip(s);
    }
    (void)state;
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const char *const cases[][2] = {
        {"", "spec:1:1: the text ends where a value is expected"},
        {"[]", "spec:1:1: a spec must be an object"},
        {"{}", "spec:1:1: 'start' is missing"},
        {"{" START "}", "spec:1:1: 'scenarios' is missing"},
        {"{" SCENARIOS "}", "spec:1:1: 'start' is missing"},
        {"{\"start\":{}," SCENARIOS "}", "spec:1:10: 'command' is missing"},
        {"{\"start\":[]," SCENARIOS "}", "spec:1:10: 'start' must be an object, not an array"},
        {"{\n \"strat\":{}}",
         "spec:2:2: unknown key 'strat' in 'the spec'; did you mean 'start'?"},
        {"{\"start\":{\"command\":\"./app\"}}", "spec:1:21: 'command' must be an array of "
                                                "arguments or {\"sh\": [lines]}, not a string"},
        {"{\"start\":{\"command\":[]}}", "spec:1:21: 'command' names no program"},
        {"{\"start\":{\"command\":[\"\"]}}", "spec:1:21: 'command' names no program"},
        {"{\"start\":{\"command\":[\"a\",1]}}",
         "spec:1:26: every entry of 'command' must be a string, not a number"},
        {"{\"start\":{\"command\":{\"sh\":[]}}}", "spec:1:27: 'sh' has no line"},
        {"{\"start\":{\"command\":{\"sh\":[1]}}}",
         "spec:1:28: every entry of 'sh' must be a string, not a number"},
        {"{\"start\":{\"command\":{\"shell\":[]}}}",
         "spec:1:22: unknown key 'shell' in 'command'"},
        {"{\"start\":{\"command\":[\"a\"],\"env\":{\"A=B\":\"\"}}}",
         "spec:1:40: a name in 'env' is empty or holds '='"},
        {"{\"start\":{\"command\":[\"a\"],\"env\":{\"\":\"\"}}}",
         "spec:1:37: a name in 'env' is empty or holds '='"},
        {"{\"start\":{\"command\":[\"a\"],\"env\":{\"A\":1}}}",
         "spec:1:38: 'A' in 'env' must be a string, not a number"},
        {"{\"start\":{\"command\":[\"a\"],\"workdir\":\"/tmp\"}}",
         "spec:1:37: 'workdir' must be a path inside the repository"},
        {"{\"start\":{\"command\":[\"a\"],\"workdir\":\"a/../../b\"}}",
         "spec:1:37: 'workdir' must be a path inside the repository"},
        {"{\"start\":{\"command\":[\"a\"],\"workdir\":\"..\"}}",
         "spec:1:37: 'workdir' must be a path inside the repository"},
        {"{\"start\":{\"command\":[\"a\"],\"stop_signal\":\"SIGTERM\"}}",
         "spec:1:41: 'stop_signal' must be one of TERM, INT, QUIT, HUP, USR1, KILL"},
        {"{\"start\":{\"command\":[\"a\"],\"grace\":\"2m\"}}",
         "spec:1:35: 'grace' must lie between 0s and 60s"},
        {"{" START ",\"scenarios\":[]}", "spec:1:44: 'scenarios' must have 1 to 64 entries"},
        {WITH("\"version\":2"), "spec:1:85: 'version' must be a whole number from 1 to 1"},
        {WITH("\"build\":{}"), "spec:1:83: 'command' is missing"},
        {WITH("\"build\":{\"command\":[\"a\"],\"timeout\":\"10\"}"),
         "spec:1:110: 'timeout': expected a duration such as '500ms' or '10s', got '10'"},
        {WITH("\"build\":{\"command\":[\"a\"],\"timeout\":10}"),
         "spec:1:110: 'timeout' must be a string, not a number"},
        {WITH("\"ready\":{\"http\":\"health\"}"),
         "spec:1:91: 'http' must be a path such as '/health'"},
        {WITH("\"ready\":{\"http\":\"/a b\"}"),
         "spec:1:91: 'http' must be a path such as '/health'"},
        {WITH("\"ready\":{\"http\":\"/a\\r\\nHost: b\"}"),
         "spec:1:91: 'http' must be a path such as '/health'"},
        {WITH("\"ready\":{\"http\":\"/\",\"tcp\":true}"),
         "spec:1:101: 'ready' takes 'http' or 'tcp', not both"},
        {WITH("\"ready\":{\"status\":99}"),
         "spec:1:93: 'status' must be a whole number from 100 to 599"},
        {WITH("\"sensitivity\":{\"p99\":\"0%\"}"),
         "spec:1:96: 'p99' must lie between 0.01% and 1000%"},
        {WITH("\"sensitivity\":{\"p99\":0.05}"),
         "spec:1:96: 'p99' must be a string, not a number"},
        {WITH("\"sensitivity\":{\"p98\":\"5%\"}"),
         "spec:1:90: unknown key 'p98' in 'sensitivity'; did you mean 'p90'?"},
        {WITH("\"sensitivity\":{\"rounds\":{\"least\":7}}"),
         "spec:1:108: 'least' must be a whole number from 10 to 500"},
        {WITH("\"sensitivity\":{\"rounds\":{\"least\":20,\"most\":10}}"),
         "spec:1:118: 'most' must be a whole number from 20 to 500"},
        {WITH("\"checks\":[{}]"), "spec:1:85: 'metric' is missing"},
        {WITH("\"checks\":[1]"), "spec:1:85: a check must be an object"},
        {WITH("\"checks\":[{\"metric\":\"p98\",\"max\":\"1s\"}]"),
         "spec:1:95: no metric is named 'p98'"},
        {WITH("\"checks\":[{\"metric\":\"p99\"}]"), "spec:1:85: a check needs 'min' or 'max'"},
        {WITH("\"checks\":[{\"metric\":\"p99\",\"max\":\"100/s\"}]"),
         "spec:1:107: 'max': expected a duration such as '500ms' or '10s', got '100/s'"},
        {WITH("\"checks\":[{\"metric\":\"p99\",\"min\":\"2s\",\"max\":\"1s\"}]"),
         "spec:1:85: 'min' is above 'max'"},
        {WITH("\"checks\":[{\"scenario\":\"x\",\"metric\":\"p99\",\"max\":\"1s\"}]"),
         "spec:1:97: no scenario is named 'x'"},
        {WITH("\"confirm\":{\"reruns\":4}"),
         "spec:1:95: 'reruns' must be a whole number from 0 to 3"},
        {WITH("\"triggers\":{\"branches\":\"main\"}"),
         "spec:1:98: 'branches' must be an array, not a string"},
        {WITH("\"report\":{\"when\":\"never\"}"),
         "spec:1:92: 'when' must be 'always', 'changes' or 'confirmed'"},
        {WITH("\"limits\":{\"memory\":\"512KiB\"}"),
         "spec:1:94: 'memory' and 'disk' must be at least 1MiB"},
        {WITH("\"limits\":{\"disk\":\"0B\"}"),
         "spec:1:92: 'memory' and 'disk' must be at least 1MiB"},
        {WITH("\"limits\":{\"tasks\":0}"),
         "spec:1:93: 'tasks' must be a whole number from 1 to 100000"},
        {WITH("\"ignore\":[{}]"), "spec:1:85: 'reason' is missing"},
        {WITH("\"ignore\":[{\"reason\":\"x\",\"metric\":\"y\"}]"),
         "spec:1:108: no metric is named 'y'"},
        {WITH("\"ignore\":[{\"reason\":\"x\",\"scenario\":\"y\"}]"),
         "spec:1:110: no scenario is named 'y'"},
        {WITH("\"ignore\":[{\"reason\":\"x\",\"until\":\"2026-13-01\"}]"),
         "spec:1:107: 'until' must be a date: YYYY-MM-DD"},
        {WITH("\"ignore\":[{\"reason\":\"x\",\"until\":\"2026-1-1\"}]"),
         "spec:1:107: 'until' must be a date: YYYY-MM-DD"},
        {WITH("\"start\":{\"command\":[\"b\"]}"), "spec:1:75: key 'start' is given twice"},
        {WITH("\"load\":null"), "spec:1:82: 'load' must be an object, not null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_refused(cases[i][0], cases[i][1]);
    (void)state;
}

static void lists_have_ceilings(void **state)
{
    static const struct {
        const char *before, *each, *after;
        int n;
        const char *complaint;
    } cases[] = {
        {"{\"start\":{\"command\":[\"a\"", ",\"a\"", "]}}", 256,
         "spec:1:21: 'command' has more than 256 entries"},
        {"{" START ",\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}]}",
         ",{\"endpoints\":[{\"path\":\"/\"}]}", "]}", 64,
         "spec:1:44: 'scenarios' must have 1 to 64 entries"},
        {"{" START ",\"scenarios\":[{\"endpoints\":[{\"path\":\"/\"}", ",{\"path\":\"/\"}",
         "]}]}", 256, "spec:1:58: 'endpoints' must have 1 to 256 entries"},
        {"{" START "," SCENARIOS ",\"checks\":[1", ",1", "]}", 256,
         "spec:1:84: more than 256 checks"},
        {"{" START "," SCENARIOS ",\"ignore\":[1", ",1", "]}", 256,
         "spec:1:84: more than 256 ignore rules"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str text = STR_INIT(1 << 20);
        str_addz(&text, cases[i].before);
        for (int k = 0; k < cases[i].n; k++)
            str_addz(&text, cases[i].each);
        str_addz(&text, cases[i].after);

        check_refused(str_text(&text), cases[i].complaint);
    }
    (void)state;
}

/* 9000 endpoints in 30 bytes each fit the file, but not with their defaults beside them. */
static void a_spec_too_large_to_travel_is_refused_at_once(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    str_addz(&text, "{" START ",\"scenarios\":[");
    for (int i = 0; i < 36; i++) {
        str_addf(&text, "%s{\"endpoints\":[", i ? "," : "");
        for (int k = 0; k < 250; k++)
            str_addf(&text, "%s{\"path\":\"/%d/%d\"}", k ? "," : "", i, k);
        str_addz(&text, "]}");
    }
    str_addz(&text, "]}");
    assert_false(text.cut);

    check_refused(
        str_text(&text),
        "spec:1:1: with all defaults written out the spec has more than 262144 bytes");
    (void)state;
}

static void a_caller_without_an_error_record_is_served(void **state)
{
    struct spec *s = NULL;

    assert_int_equal(spec_parse(VIEW("{"), "spec", &s, NULL), -1);
    assert_int_equal(spec_parse(VIEW("{}"), "spec", &s, NULL), -1);

    assert_null(s);
    (void)state;
}

static void digests_change_with_what_they_name(void **state)
{
    static const char *const texts[] = {
        LEAST,
        "{" START ",\"scenarios\":[{\"endpoints\":[{\"path\":\"/x\"}]}]}",
        WITH("\"load\":{\"connections\":17}"),
        WITH("\"load\":{\"rate\":\"5/s\"}"),
    };
    static const char *const builds[] = {
        WITH("\"build\":{\"command\":[\"make\"]}"),
        WITH("\"build\":{\"command\":[\"make\"],\"env\":{\"A\":\"1\"}}"),
        WITH("\"build\":{\"command\":[\"make\"],\"outputs\":[\"a\"]}"),
        WITH("\"build\":{\"command\":[\"ma\",\"ke\"]}"),
        WITH("\"build\":{\"command\":[\"make\"]},\"limits\":{\"build_network\":true}"),
    };
    unsigned char workload[ARRAY_LEN(texts)][DIGEST_BYTES],
        build[ARRAY_LEN(builds)][DIGEST_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO(spec_freep) struct spec *s = read_good(texts[i]);
        spec_workload_digest(s, &s->scenarios[0], &s->variants[0], workload[i]);
        for (size_t k = 0; k < i; k++)
            assert_false(digest_equal(workload[i], workload[k]));
    }
    for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
        AUTO(spec_freep) struct spec *s = read_good(builds[i]);
        spec_build_digest(s, build[i]);
        for (size_t k = 0; k < i; k++)
            assert_false(digest_equal(build[i], build[k]));
    }

    /* What is no part of the workload does not split its series. */
    AUTO(spec_freep)
    struct spec *s = read_good(WITH("\"report\":{\"gate\":true},\"checks\":[]"));
    unsigned char same[DIGEST_BYTES];
    spec_workload_digest(s, &s->scenarios[0], &s->variants[0], same);
    assert_true(digest_equal(same, workload[0]));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_spec_gets_every_default),
        cmocka_unit_test(a_rich_spec_reads_back_as_it_is_explained),
        cmocka_unit_test(every_stop_signal_and_report_word_survives),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(lists_have_ceilings),
        cmocka_unit_test(a_spec_too_large_to_travel_is_refused_at_once),
        cmocka_unit_test(a_caller_without_an_error_record_is_served),
        cmocka_unit_test(digests_change_with_what_they_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
