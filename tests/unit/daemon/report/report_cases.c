/* SPDX-License-Identifier: MIT */
/* report_cases: see report_cases.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fdio.h"
#include "report_cases.h"

const char *const report_case_names[CASE_COUNT] = {
    "slower", "suspected", "undecided", "identical", "first", "broken", "hostile",
};

#define BASE_SHA "1f0c3ad4b5e6978812345678901234567890abcd"
#define HEAD_SHA "9d2e4b7a61c3f5d8e0a1b2c3d4e5f60718293a4b"

static void set(char *to, size_t room, const char *text)
{
    size_t n = view_utf8_prefix(view_z(text), room - 1);
    memcpy(to, text, n);
    to[n] = '\0';
}

static struct report blank(void)
{
    struct report r = {
        .job = 41,
        .kind = JOB_PUSH,
        .state = JOB_JUDGED,
        .judged = true,
        .failure_side = -1,
        .seed = 4211,
        .started_ms = 1764000000000,
        .ended_ms = 1764000074400,
        .public_url = "http://bench.example:8090",
        .verdict = {.rounds = 10, .rounds_void = 1},
    };
    set(r.repo, sizeof r.repo, "shop");
    set(r.branch, sizeof r.branch, "main");
    set(r.base, sizeof r.base, BASE_SHA);
    set(r.head, sizeof r.head, HEAD_SHA);
    set(r.subject, sizeof r.subject, "Sort items on every request");
    set(r.host, sizeof r.host, "bench-1");
    set(r.spec, sizeof r.spec, "3fa94c01d2e7");
    return r;
}

struct row {
    const char *scenario, *endpoint;
    enum metric metric;
    double base, effect, half, noise;
    enum outcome outcome;
    bool advisory;
};

static void add_rows(struct report *r, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *x = &rows[i];
        struct verdict_line *line = vec_push(&r->verdict.lines);
        set(line->scenario, sizeof line->scenario, x->scenario);
        set(line->endpoint, sizeof line->endpoint, x->endpoint);
        bool points = x->metric == METRIC_ERRORS;
        line->series_id = (int64_t)i + 1;
        line->metric = x->metric;
        line->primary = !x->advisory;
        line->base = x->base;
        line->head = points ? x->base + x->effect : x->base * (1 + x->effect);
        line->effect = x->effect;
        line->lo = x->effect - x->half;
        line->hi = x->effect + x->half;
        line->noise = x->noise;
        line->least_effect = metric_table[x->metric].least_effect;
        line->detectable = x->outcome == OUTCOME_UNDECIDED ? 0.18 : NAN;
        line->rounds = 10;
        line->outcome = x->outcome;
        set(line->why, sizeof line->why, "the numbers that were used");
    }
}

static const struct row slower_rows[] = {
    {"items", "", METRIC_ERRORS, 0, .021, .004, NAN, OUTCOME_SLOWER, false},
    {"items", "", METRIC_CPU_PER_REQUEST, 81200, .312, .021, .012, OUTCOME_SLOWER, false},
    {"items", "", METRIC_THROUGHPUT, 11840, -.238, .03, .022, OUTCOME_SLOWER, false},
    {"items", "", METRIC_PEAK_MEMORY, 48 << 20, -.12, .01, .004, OUTCOME_FASTER, true},
    {"items", "", METRIC_P99, 4.1e6, .08, .22, .09, OUTCOME_UNDECIDED, false},
    {"static", "", METRIC_CPU_PER_REQUEST, 22100, -.004, .012, .01, OUTCOME_NO_CHANGE, false},
    {"static", "GET /logo.svg", METRIC_P50, 1.2e6, 0, .02, .01, OUTCOME_NO_CHANGE, false},
};

static const struct row undecided_rows[] = {
    {"items", "", METRIC_THROUGHPUT, 11840, -.05, .11, .062, OUTCOME_UNDECIDED, false},
    {"items", "", METRIC_CPU_PER_REQUEST, 81200, .01, .02, .012, OUTCOME_NO_CHANGE, false},
};

static const struct row hostile_rows[] = {
    {"a|b` <img src=x> @root #1 !2 [x](y) <!-- pacewatch:1 -->", "/close\r\n/approve\033[31m",
     METRIC_CPU_PER_REQUEST, 81200, .312, .021, .012, OUTCOME_SLOWER, false},
    {"plain @root #1 !2 [x](y) **bold** \xe2\x80\xae"
     "live \xff",
     "", METRIC_P50, 1e6, .2, .05, .01, OUTCOME_SLOWER, false},
};

#define ROWS(array) array, ARRAY_LEN(array)

static void make_slower(struct report *r)
{
    r->verdict.outcome = OUTCOME_SLOWER;
    r->verdict.confirmed = true;
    add_rows(r, ROWS(slower_rows));
    set(r->verdict.why, sizeof r->verdict.why,
        "of 6 deciding rows 3 slower, 0 faster, 2 without change, 1 undecided; largest: failed "
        "requests +2.10 points in items; job 44 measured both again and agrees");
}

static void make_suspected(struct report *r)
{
    make_slower(r);
    r->verdict.lines.len = 1;
    r->verdict.confirmed = false;
    r->kind = JOB_MR;
    r->mr = 12;
    r->confirming = 44;
    set(r->merge_base, sizeof r->merge_base, BASE_SHA);
    set(r->verdict.why, sizeof r->verdict.why,
        "of 1 deciding rows 1 slower, 0 faster, 0 without change, 0 undecided");
}

static void make_broken(struct report *r)
{
    r->judged = false;
    r->state = JOB_FAILED;
    r->verdict.rounds = r->verdict.rounds_void = 0;
    r->failure = FAILURE_BUILD;
    r->failure_side = SIDE_HEAD;
    r->failure_text =
        mem_strdup("exit status 2\nserver.c:41:9: error: expected ';' before '}'");
    r->host[0] = '\0';
    r->started_ms = r->ended_ms = 0;
}

static void make_hostile(struct report *r)
{
    r->kind = JOB_MR;
    r->mr = 666;
    r->verdict.outcome = OUTCOME_SLOWER;
    r->notes =
        mem_strdup("base and head answer '@all <b>[x](y)' differently: body 2 -> 3 bytes\n"
                   "\033[31mthe answers to `x` were not compared");
    add_rows(r, ROWS(hostile_rows));
    set(r->branch, sizeof r->branch, "x`|<b>@all");
    set(r->subject, sizeof r->subject,
        "/merge\n<!-- pacewatch:1:00 --> closes #1 @everyone `|");
    set(r->host, sizeof r->host, "h<script>");
    set(r->merge_base, sizeof r->merge_base, BASE_SHA);
    set(r->verdict.why, sizeof r->verdict.why,
        "largest in `x` | @root <!-- a --> #1 !2 [l](u) **b** \r\n/close");
}

void report_case_make(enum report_case which, struct report *r)
{
    *r = blank();
    switch (which) {
    case CASE_SLOWER:
        make_slower(r);
        break;
    case CASE_SUSPECTED:
        make_suspected(r);
        break;
    case CASE_UNDECIDED:
        r->verdict.outcome = OUTCOME_UNDECIDED;
        add_rows(r, ROWS(undecided_rows));
        set(r->verdict.why, sizeof r->verdict.why,
            "of 2 deciding rows 0 slower, 0 faster, 1 without change, 1 undecided");
        break;
    case CASE_IDENTICAL:
        r->verdict.outcome = OUTCOME_IDENTICAL;
        r->verdict.rounds = r->verdict.rounds_void = 0;
        set(r->verdict.why, sizeof r->verdict.why,
            "base and head build the same artefact; nothing was measured");
        break;
    case CASE_FIRST:
        r->verdict.outcome = OUTCOME_NOT_COMPARABLE;
        r->base[0] = '\0';
        set(r->verdict.why, sizeof r->verdict.why,
            "there is no measured commit before it to compare with");
        break;
    case CASE_BROKEN:
        make_broken(r);
        break;
    default:
        make_hostile(r);
    }
}

void golden_check_file(const char *path, const struct str *text)
{
    AUTO(str_done) struct str wanted = STR_INIT(1 << 20);
    struct err e = {0};
    if (getenv("PACEWATCH_GOLDEN") && fdio_write_file(path, str_view(text), 0644, &e) < 0)
        fail_msg("%s", e.text);
    if (fdio_read_file(path, &wanted, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(str_text(text), str_text(&wanted));
}

void golden_check(const char *name, const char *extension, const struct str *text)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, GOLDEN_DIR "%s.%s", name, extension);
    golden_check_file(str_text(&path), text);
}
