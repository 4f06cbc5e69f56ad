/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "result_doc.h"

static const char spec_text[] =
    "{\"start\":{\"command\":[\"./app\"]},\"scenarios\":["
    "{\"name\":\"one\",\"endpoints\":[{\"path\":\"/\"},{\"path\":\"/b\"}]},"
    "{\"name\":\"two\",\"endpoints\":[{\"path\":\"/\"}]}]}";

static struct spec *spec;

static int read_spec(void **state)
{
    (void)state;
    return spec_parse(view_z(spec_text), "spec", &spec, NULL);
}

static int free_spec(void **state)
{
    spec_freep(&spec);
    (void)state;
    return 0;
}

static void hist_freep(struct hist *h)
{
    hist_done(h);
}

static void add_hist(struct result_arm *arm, int scenario, int endpoint, int values)
{
    AUTO(hist_freep) struct hist h;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    hist_init(&h);
    for (int i = 0; i < values; i++)
        hist_record(&h, i * 1000);
    hist_pack(&h, &packed);
    size_t len = packed.len;
    *vec_push(&arm->hists) = (struct result_hist){
        .scenario = scenario,
        .endpoint = endpoint,
        .count = h.count,
        .packed_len = len,
        .packed = str_steal(&packed),
    };
}

static struct result_fact text_fact(const char *name, const char *text)
{
    return (struct result_fact){.name = mem_strdup(name), .text = mem_strdup(text)};
}

static struct result_fact gauge(const char *name, double number)
{
    return (struct result_fact){.name = mem_strdup(name), .number = number};
}

/* A round of kind aba as a runner makes it. */
static void add_round(struct result_doc *r, const char *void_reason)
{
    struct result_round *round = vec_push(&r->rounds);
    round->n = (int)r->rounds.len;
    round->kind = ROUND_ABA;
    round->void_reason = mem_strdup(void_reason);
    for (int place = 0; place < 3; place++) {
        struct result_arm *arm = vec_push(&round->arms);
        arm->place = place;
        arm->side = place == 1 ? SIDE_HEAD : SIDE_BASE;
        arm->copy = place == 2;
        *vec_push(&arm->gauges) = gauge("lateness_ns", 1234.5);
        *vec_push(&arm->gauges) = gauge("steal", NAN);
        *vec_push(&arm->samples) =
            (struct result_sample){0, -1, METRIC_CPU_PER_REQUEST, 12345.25};
        *vec_push(&arm->samples) = (struct result_sample){0, 1, METRIC_P99, 1e6 / 3};
        *vec_push(&arm->samples) = (struct result_sample){1, -1, METRIC_ERRORS, 0};
        add_hist(arm, 0, -1, 100);
        add_hist(arm, 0, 1, 0);
    }
}

static struct result_doc *measured(void)
{
    struct result_doc *r = result_doc_new();
    r->job = 41;
    r->attempt = 2;
    r->started_ms = 1764000000000;
    r->ended_ms = 1764000060000;
    r->host = mem_strdup("vm-1");
    for (int side = 0; side < SIDE_COUNT; side++) {
        r->artifact[side] = (struct result_artifact){
            .present = true, .cached = side, .bytes = 1000, .build_ns = 5000000000};
        memset(r->artifact[side].digest, 16 + side, DIGEST_BYTES);
    }
    *vec_push(&r->identity) = text_fact("cpu", "some \"CPU\"");
    *vec_push(&r->identity) = text_fact("memory", "8 GiB");
    *vec_push(&r->state) = text_fact("kernel", "6.1");
    *vec_push(&r->noise) = gauge("canary", 0.01);
    add_round(r, NULL);
    add_round(r, "the generator fell behind");
    return r;
}

static struct result_doc *read_back(const struct result_doc *r)
{
    AUTO(str_done) struct str text = STR_INIT(RESULT_DOC_BYTES_MAX);
    struct result_doc *back = NULL;
    struct err e = {0};
    result_doc_write(r, &text);
    if (result_doc_parse(str_view(&text), spec, &back, &e) < 0)
        fail_msg("%s: %s", e.text, str_text(&text));
    return back;
}

static void a_result_goes_there_and_back(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = measured();
    AUTO(str_done) struct str once = STR_INIT(1 << 20), twice = STR_INIT(1 << 20);

    AUTO(result_doc_freep) struct result_doc *back = read_back(r);
    result_doc_write(r, &once);
    result_doc_write(back, &twice);

    assert_string_equal(str_text(&once), str_text(&twice));
    assert_int_equal(back->outcome, RESULT_MEASURED);
    assert_int_equal(back->failure_side, -1);
    assert_int_equal(back->rounds.len, 2);
    assert_null(back->rounds.at[0].void_reason);
    assert_string_equal(back->rounds.at[1].void_reason, "the generator fell behind");
    const struct result_arm *arm = &back->rounds.at[1].arms.at[2];
    assert_int_equal(arm->copy, 1);
    assert_int_equal(arm->side, SIDE_BASE);
    assert_true(arm->samples.at[1].value == 1e6 / 3);
    assert_int_equal(arm->samples.at[1].endpoint, 1);
    assert_int_equal(arm->hists.at[0].count, 100);
    assert_true(isnan(arm->gauges.at[1].number));
    assert_true(back->artifact[SIDE_HEAD].cached);
    assert_true(digest_equal(back->artifact[SIDE_HEAD].digest, r->artifact[SIDE_HEAD].digest));
    assert_string_equal(back->identity.at[0].text, "some \"CPU\"");
    (void)state;
}

static void a_failure_goes_there_and_back(void **state)
{
    for (int class = FAILURE_INFRA; class < FAILURE_COUNT; class ++)
        for (int side = -1; side < SIDE_COUNT; side++) {
            AUTO(result_doc_freep) struct result_doc *r = result_doc_new();
            r->job = r->attempt = 1;
            r->outcome = RESULT_FAILED;
            r->failure = (enum failure_class) class;
            r->failure_side = side;
            r->failure_text = mem_strdup("make: *** [all] Error 2\nlast line");

            AUTO(result_doc_freep) struct result_doc *back = read_back(r);

            assert_int_equal(back->outcome, RESULT_FAILED);
            assert_int_equal(back->failure, class);
            assert_int_equal(back->failure_side, side);
            assert_string_equal(back->failure_text, r->failure_text);
            assert_string_equal(back->host, "");
            assert_false(back->artifact[SIDE_BASE].present);
        }
    (void)state;
}

static void only_build_start_and_answers_are_the_commits_fault(void **state)
{
    for (int class = FAILURE_NONE; class < FAILURE_COUNT; class ++)
        assert_int_equal(failure_is_commits_fault((enum failure_class) class),
                         class == FAILURE_BUILD || class == FAILURE_START ||
                             class == FAILURE_VERIFY);
    (void)state;
}

static void long_texts_are_cut_between_characters(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = result_doc_new();
    AUTO(str_done) struct str text = STR_INIT(3 * RESULT_TEXT_MAX);
    r->job = r->attempt = 1;
    r->outcome = RESULT_FAILED;
    r->failure = FAILURE_BUILD;
    str_addc(&text, 'x');
    while (text.len < 2 * RESULT_TEXT_MAX)
        str_addz(&text, "\xe2\x82\xac");
    r->failure_text = str_steal(&text);

    AUTO(result_doc_freep) struct result_doc *back = read_back(r);

    size_t len = strlen(back->failure_text);
    assert_in_range(len, RESULT_TEXT_MAX - 3, RESULT_TEXT_MAX);
    assert_true(view_is_utf8((struct view){back->failure_text, len}));
    (void)state;
}

/* Members of a JSON object have no order; the digest must not depend on it. */
static void fingerprints_do_not_depend_on_their_order(void **state)
{
    AUTO(result_doc_freep) struct result_doc *a = measured();
    AUTO(result_doc_freep) struct result_doc *b = measured();
    struct result_fact first = b->identity.at[0];
    b->identity.at[0] = b->identity.at[1];
    b->identity.at[1] = first;
    unsigned char x[DIGEST_BYTES], y[DIGEST_BYTES];

    AUTO(result_doc_freep) struct result_doc *back = read_back(b);
    result_facts_digest(a->identity.at, a->identity.len, x);
    result_facts_digest(back->identity.at, back->identity.len, y);

    assert_true(digest_equal(x, y));
    free(back->identity.at[0].text);
    back->identity.at[0].text = mem_strdup("another CPU");
    result_facts_digest(back->identity.at, back->identity.len, y);
    assert_false(digest_equal(x, y));
    (void)state;
}

/* --- hostile documents -----------------------------------------------------------------------
 *
 * A good document, in which one piece of text is replaced by another each time.
 */

/* Replaces the n-th occurrence (from 0). */
static bool replace(struct str *text, const char *what, const char *with, int n)
{
    AUTO(str_done) struct str changed = STR_INIT(text->max);
    const char *at = str_text(text) - 1;
    for (int i = 0; i <= n && at; i++)
        at = strstr(at + 1, what);
    if (!at)
        return false;
    str_add(&changed, (struct view){text->at, (size_t)(at - text->at)});
    str_addz(&changed, with);
    str_addz(&changed, at + strlen(what));
    str_clear(text);
    str_add(text, str_view(&changed));
    return true;
}

static const struct hostile {
    const char *what, *with;
    int n;
    const char *complaint; /* without its place; NULL: it is fine */
} hostile[] = {
    {"\"job\":41", "\"job\":42", 0, NULL},
    {"\"job\":41", "\"job\":0", 0,
     "'job' must be a whole number from 1 to 9223372036854775807"},
    {"\"job\":41", "\"jib\":41", 0, "'job' is missing"},
    {"\"attempt\":2", "\"attempt\":0", 0, "'attempt' must be a whole number from 1 to 1000"},
    {"\"measured\"", "\"slower\"", 0, "'slower' is not a known outcome"},
    {"\"measured\"", "\"failed\"", 0, "'failure' is missing"},
    {"\"failure\":null", "\"failure\":{\"class\":\"build\",\"text\":\"\"}", 0,
     "a failure, but the outcome is not 'failed'"},
    {"\"started_ms\":1", "\"started_ms\":-1", 0,
     "'started_ms' must be a whole number from 0 to 9223372036854775807"},
    {"\"host\":\"vm-1\"", "\"host\":null", 0, "'host' must be a string, not null"},
    {"\"artifacts\":{", "\"artifacts\":{},\"x\":{", 0, NULL},
    {"\"digest\":\"10", "\"digest\":\"1", 0, "'digest' is not a SHA-256"},
    {"\"digest\":\"10", "\"digest\":\"xx", 0, "'digest' is not a SHA-256"},
    {"\"cached\":true", "\"cached\":1", 0, "'cached' must be true or false, not a number"},
    {"\"base\":{\"digest\"", "\"base\":7,\"y\":{\"digest\"", 0, "'digest' is missing"},
    {"\"cpu\":\"some", "\"cpu\":1,\"x\":\"some", 0, "'cpu' in 'identity' is a number"},
    {"\"cpu\":\"some", "\"cpu\":null,\"x\":\"some", 0, "'cpu' in 'identity' is null"},
    {"\"canary\":0.01", "\"canary\":\"1\"", 0, "'canary' in 'noise' is a string"},
    {"\"canary\":0.01", "\"canary\":null", 0, NULL},
    {"\"n\":1,", "\"n\":2,", 0, "'n' must be a whole number from 1 to 1"},
    {"\"n\":2,", "\"n\":1,", 0, "'n' must be a whole number from 2 to 2"},
    {"\"kind\":\"aba\"", "\"kind\":\"abba\"", 0, "'abba' is not a known kind"},
    {"\"kind\":\"aba\"", "\"kind\":3", 0, "'kind' must be a string, not a number"},
    {"\"void\":null,", "", 0, NULL},
    {"\"void\":null", "\"void\":\"\"", 0, NULL},
    {"\"void\":null", "\"void\":true", 0, "'void' must be a string, not true or false"},
    {"\"place\":0", "\"place\":1", 0, "arms must stand in the order of 'place'"},
    {"\"place\":2", "\"place\":64", 0, "'place' must be a whole number from 0 to 63"},
    {"\"side\":\"head\"", "\"side\":\"tail\"", 0, "'tail' is not a known side"},
    {"\"side\":\"head\"", "\"side\":\"base\"", 0, "an arm stands in the round twice"},
    {"\"copy\":1", "\"copy\":0", 0, "an arm stands in the round twice"},
    {"\"copy\":1", "\"copy\":3", 0, "'copy' must be a whole number from 0 to 2"},
    {"\"head\",\"copy\":0", "\"head\",\"copy\":1", 0, "only base is measured a second time"},
    {"\"scenario\":1", "\"scenario\":2", 0, "'scenario' must be a whole number from 0 to 1"},
    {"\"scenario\":1", "\"scenario\":-1", 0, "'scenario' must be a whole number from 0 to 1"},
    {"\"scenario\":1", "\"scenario\":0.5", 0, "'scenario' must be a whole number from 0 to 1"},
    {"\"scenario\":1", "\"scenario\":1e99", 0, "'scenario' must be a whole number from 0 to 1"},
    {"\"endpoint\":1", "\"endpoint\":2", 0, "'endpoint' must be a whole number from -1 to 1"},
    {"\"endpoint\":1", "\"endpoint\":-2", 0, "'endpoint' must be a whole number from -1 to 1"},
    {"\"scenario\":0,\"endpoint\":1", "\"scenario\":1,\"endpoint\":1", 0,
     "'endpoint' must be a whole number from -1 to 0"},
    {"\"metric\":\"p99\"", "\"metric\":\"p98\"", 0, "no metric is named 'p98'"},
    {"\"value\":12345.25", "\"value\":-1", 0, "a metric cannot be below 0"},
    {"\"value\":12345.25", "\"value\":null", 0, "'value' must be a number, not null"},
    {"\"value\":12345.25", "\"value\":1e999", 0, "the number is too large"},
    {"\"endpoint\":1,\"metric\":\"p99\"", "\"endpoint\":-1,\"metric\":\"cpu_per_request\"", 0,
     "this metric is given twice in its arm"},
    {"\"endpoint\":1,\"count\"", "\"endpoint\":-1,\"count\"", 0,
     "this histogram is given twice in its arm"},
    {"\"count\":100", "\"count\":99", 0, "'count' is not that of the histogram"},
    {"\"count\":100", "\"count\":-1", 0,
     "'count' must be a whole number from 0 to 9223372036854775807"},
    {"\"hist\":\"A", "\"hist\":\"*", 0, "'hist' is not base64"},
    {"\"hist\":\"A", "\"hist\":\"", 0, "'hist' is not base64"},
    {"\"hist\":\"A", "\"hist\":\"B", 0, "histogram: unknown version"},
    {"\"hist\":\"A", "\"hist\":\"\",\"x\":\"A", 0, "histogram: unknown version"},
    {"\"hist\":\"AX", "\"hist\":\"AZ", 0, "histogram: damaged or too large"},
    {"\"samples\":[", "\"samples\":null,\"x\":[", 0, "'samples' must be an array, not null"},
    {"\"samples\":[", "\"samples\":[7,", 0, "'scenario' is missing"},
    {"\"hists\":[", "\"hists\":{},\"x\":[", 0, "'hists' must be an array, not an object"},
    {"\"arms\":[", "\"arms\":[],\"x\":[", 0, NULL},
    {"\"rounds\":[", "\"rounds\":[1,", 0, "'n' is missing"},
    {"\"rounds\":[", "\"rounds\":7,\"x\":[", 0, "'rounds' must be an array, not a number"},
    {"\"gauges\":{", "\"gauges\":[],\"x\":{", 0, "'gauges' must be an object, not an array"},
    {"\"job\":41", "\"job\":41,\"job\":41", 0, "key 'job' is given twice"},
};

static void hostile_documents_are_refused(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = measured();
    AUTO(str_done) struct str good = STR_INIT(1 << 20);
    result_doc_write(r, &good);
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        const struct hostile *h = &hostile[i];
        AUTO(str_done) struct str text = STR_INIT(1 << 20);
        AUTO(result_doc_freep) struct result_doc *back = NULL;
        struct err e = {0};
        str_add(&text, str_view(&good));
        if (!replace(&text, h->what, h->with, h->n))
            fail_msg("'%s' is not in the document", h->what);

        int rc = result_doc_parse(str_view(&text), spec, &back, &e);

        if (h->complaint) {
            assert_int_equal(rc, -1);
            assert_null(back);
            if (!strstr(e.text, h->complaint))
                fail_msg("%s -> %s: %s", h->what, h->with, e.text);
            assert_memory_equal(e.text, "result document: 1:", 19);
        } else if (rc < 0) {
            fail_msg("%s -> %s: %s", h->what, h->with, e.text);
        }
    }
    (void)state;
}

static void hostile_failures_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "'class' is missing"},
        {"[]", "'class' is missing"},
        {"{\"class\":\"none\",\"text\":\"\"}", "a failure of class 'none'"},
        {"{\"class\":\"fire\",\"text\":\"\"}", "'fire' is not a known class"},
        {"{\"class\":\"build\"}", "'text' is missing"},
        {"{\"class\":\"build\",\"text\":\"\",\"side\":0}",
         "'side' must be a string, not a number"},
        {"{\"class\":\"build\",\"text\":\"\",\"side\":\"x\"}", "'x' is not a known side"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str text = STR_INIT(10000);
        struct result_doc *back = NULL;
        struct err e = {0};
        str_addf(&text, "{\"job\":1,\"attempt\":1,\"outcome\":\"failed\",\"failure\":%s}",
                 cases[i][0]);

        assert_int_equal(result_doc_parse(str_view(&text), spec, &back, &e), -1);

        if (!strstr(e.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], e.text);
    }
    (void)state;
}

static void counts_have_ceilings(void **state)
{
    static const struct {
        const char *what, *each;
        int n;
        const char *complaint;
    } cases[] = {
        {"\"rounds\":[", "1,", 1000, "'rounds' has more than 1000 entries"},
        {"\"arms\":[", "1,", 64, "'arms' has more than 64 entries"},
        {"\"samples\":[", "1,", 65536, "'samples' has more than 65536 entries"},
        {"\"hists\":[", "1,", 16448, "'hists' has more than 16448 entries"},
        {"\"gauges\":{", "\"k%d\":1,", 256, "'gauges' has more than 256 entries"},
        {"\"identity\":{", "\"k%d\":\"\",", 256, "'identity' has more than 256 entries"},
        {"\"host\":\"", "x", 256, "'host' is too long"},
        {"\"state\":{\"", "x", 256, "' is too long"},
        {"\"kernel\":\"", "x", 4096, "'kernel' is too long"},
    };
    AUTO(result_doc_freep) struct result_doc *r = measured();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str text = STR_INIT(1 << 20), with = STR_INIT(1 << 20);
        struct result_doc *back = NULL;
        struct err e = {0};
        result_doc_write(r, &text);
        str_addz(&with, cases[i].what);
        for (int k = 0; k < cases[i].n; k++) {
            const char *number = strstr(cases[i].each, "%d");
            if (number)
                str_addf(&with, "%.*s%d%s", (int)(number - cases[i].each), cases[i].each, k,
                         number + 2);
            else
                str_addz(&with, cases[i].each);
        }
        assert_true(replace(&text, cases[i].what, str_text(&with), 0));

        assert_int_equal(result_doc_parse(str_view(&text), spec, &back, &e), -1);

        if (!strstr(e.text, cases[i].complaint))
            fail_msg("%s: %s", cases[i].what, e.text);
    }
    (void)state;
}

static void every_document_cut_short_is_refused(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = measured();
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    result_doc_write(r, &text);

    for (size_t len = 0; len < text.len; len += 7) {
        struct result_doc *back = NULL;
        assert_int_equal(result_doc_parse((struct view){text.at, len}, spec, &back, NULL), -1);
        assert_null(back);
    }
    (void)state;
}

static const char empty_run[] =
    "{\"job\":1,\"attempt\":1,\"outcome\":\"identical\",\"failure\":null,\"started_ms\":1,"
    "\"ended_ms\":2,\"host\":\"h\",\"artifacts\":{},\"identity\":{},\"state\":{},\"noise\":{},"
    "\"rounds\":[],\"notes\":%s}";

static int parse_with_notes(const char *notes, struct result_doc **out)
{
    struct err e = {0};
    AUTO(str_done) struct str text = STR_INIT(4096);
    str_addf(&text, empty_run, notes);
    return result_doc_parse(str_view(&text), spec, out, &e);
}

static void notes_come_through_and_are_bounded(void **state)
{
    AUTO(result_doc_freep) struct result_doc *r = NULL;
    struct result_doc *none = NULL;

    assert_int_equal(parse_with_notes("[\"one\",\"two\"]", &r), 0);
    assert_int_equal(r->notes.len, 2);
    assert_string_equal(r->notes.at[1], "two");
    assert_int_equal(parse_with_notes("[\"\"]", &none), -1);
    assert_int_equal(parse_with_notes("[\"line\\nbreak\"]", &none), -1);
    assert_int_equal(parse_with_notes("[1]", &none), -1);
    assert_int_equal(parse_with_notes("{}", &none), -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_come_through_and_are_bounded),
        cmocka_unit_test(a_result_goes_there_and_back),
        cmocka_unit_test(a_failure_goes_there_and_back),
        cmocka_unit_test(only_build_start_and_answers_are_the_commits_fault),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(fingerprints_do_not_depend_on_their_order),
        cmocka_unit_test(hostile_documents_are_refused),
        cmocka_unit_test(hostile_failures_are_refused),
        cmocka_unit_test(counts_have_ceilings),
        cmocka_unit_test(every_document_cut_short_is_refused),
    };
    return cmocka_run_group_tests(tests, read_spec, free_spec);
}
