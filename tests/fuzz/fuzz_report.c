/* SPDX-License-Identifier: MIT */
/*
 * Whatever the names of a repository are, a report stays a report: valid UTF-8, no line that a
 * forge would take for a command, no marker, no tag but ours, and no control character on a
 * terminal.
 */
#include <stdlib.h>

#include "json.h"
#include "report.h"

static struct view cut(struct view *rest)
{
    struct view part;
    (void)view_cut(*rest, '\n', &part, rest);
    return part;
}

static void set(char *to, size_t room, struct view text)
{
    size_t n = view_utf8_prefix(text, room - 1);
    memcpy(to, text.at, n);
    to[n] = '\0';
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_md(const struct report *r)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
    report_md(r, &text);
    struct view rest = str_view(&text), line;
    check(view_is_utf8(rest) && !text.cut);
    check(!strstr(str_text(&text), "<!--") && !strstr(str_text(&text), "<script"));
    while (view_line(&rest, &line))
        check(!view_starts(view_trim(line), "/"));
}

static void check_text(const struct report *r, int width)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_TEXT_BYTES_MAX);
    report_text(r, &(struct report_text_style){.width = width, .all = true}, &text);
    check(view_is_utf8(str_view(&text)));
    for (size_t i = 0; i < text.len; i++)
        check(text.at[i] == '\n' || (unsigned char)text.at[i] >= ' ');
}

static void check_json(const struct report *r)
{
    AUTO(str_done) struct str text = STR_INIT(REPORT_JSON_BYTES_MAX);
    AUTO(json_freep) struct json_doc *doc = NULL;
    report_json(r, &text);
    check(json_parse(str_view(&text), &JSON_RESULT, &doc, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    AUTO(report_record_done) struct report r = {.judged = true, .failure_side = -1};
    struct view rest = {(const char *)data, size};
    if (size < 2)
        return 0;
    int width = data[0];
    r.state = data[1] & 1 ? JOB_FAILED : JOB_JUDGED;
    r.mr = data[1] & 2 ? 7 : 0;
    r.verdict.outcome = (enum outcome)(1 + data[1] % (OUTCOME_COUNT - 1));
    rest = view_skip(rest, 2);
    set(r.branch, sizeof r.branch, cut(&rest));
    set(r.subject, sizeof r.subject, cut(&rest));
    set(r.host, sizeof r.host, cut(&rest));
    set(r.verdict.why, sizeof r.verdict.why, cut(&rest));
    for (int i = 0; i < 12 && rest.len; i++) {
        struct verdict_line *line = vec_push(&r.verdict.lines);
        line->metric = (enum metric)(i % METRIC_COUNT);
        line->primary = i % 2 == 0;
        line->outcome = (enum outcome)(1 + i % (OUTCOME_COUNT - 1));
        set(line->scenario, sizeof line->scenario, cut(&rest));
        set(line->endpoint, sizeof line->endpoint, cut(&rest));
    }
    r.failure_text = mem_strndup(rest.at ? rest.at : "", rest.len);
    check_md(&r);
    check_text(&r, width);
    check_json(&r);
    return 0;
}
