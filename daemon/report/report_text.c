/* SPDX-License-Identifier: MIT */
/*
 * The report for a terminal. Columns are as wide as what they hold; when a line would not fit
 * the terminal the name of the scenario is cut first, and on a narrow one each row becomes two
 * lines.
 */
#include <inttypes.h>

#include "report_parts.h"

enum { COLUMNS = 7, WHERE_LEAST = 12, GAP = 2, WIDTH_LEAST = 40 };
enum {
    COLUMN_WHERE,
    COLUMN_METRIC,
    COLUMN_BASE,
    COLUMN_HEAD,
    COLUMN_EFFECT,
    COLUMN_NOISE,
    COLUMN_VERDICT
};

static const char *const titles[COLUMNS] = {
    "scenario", "metric", "base", "head", "effect [95 % interval]", "noise", "verdict",
};

struct table {
    struct str (*cells)[COLUMNS];
    size_t rows;
    size_t width[COLUMNS];
};

static const char *colour_of(const struct report_text_style *style, enum outcome outcome)
{
    if (!style->colour)
        return "";
    switch (outcome) {
    case OUTCOME_SLOWER:
    case OUTCOME_MIXED:
        return "\033[31m";
    case OUTCOME_FASTER:
        return "\033[32m";
    case OUTCOME_UNDECIDED:
    case OUTCOME_NOT_COMPARABLE:
        return "\033[33m";
    default:
        return "";
    }
}

static void paint(struct str *out, const char *colour, const char *text)
{
    str_addf(out, "%s%s%s", colour, text, colour[0] ? "\033[0m" : "");
}

static void fill(struct str out[COLUMNS], const struct verdict_line *line)
{
    AUTO(str_done) struct str where = STR_INIT(1024);
    for (int i = 0; i < COLUMNS; i++)
        out[i] = (struct str)STR_INIT(2048);
    report_where(line, &where);
    escape_plain(&out[COLUMN_WHERE], str_view(&where));
    str_addz(&out[COLUMN_METRIC], metric_table[line->metric].title);
    metric_format(line->metric, line->base, &out[COLUMN_BASE]);
    metric_format(line->metric, line->head, &out[COLUMN_HEAD]);
    str_addf(&out[COLUMN_EFFECT], "%s ", report_arrow(line));
    report_effect(line->metric, line->effect, &out[COLUMN_EFFECT]);
    str_addz(&out[COLUMN_EFFECT], " ");
    report_interval(line, &out[COLUMN_EFFECT]);
    report_noise(line, &out[COLUMN_NOISE]);
    str_addf(&out[COLUMN_VERDICT], "%s%s", outcome_words[line->outcome],
             line->primary ? "" : " (advisory)");
}

static void add_cell(struct str *out, struct view text, size_t width, bool right)
{
    size_t columns = escape_columns(text), pad = width > columns ? width - columns : 0;
    if (right)
        str_addf(out, "%*s", (int)pad, "");
    if (columns <= width) {
        str_add(out, text);
    } else {
        struct view c;
        for (size_t i = 0; i + 1 < width && escape_next(&text, &c); i++)
            str_add(out, c);
        str_addz(out, "\u2026");
    }
    if (!right)
        str_addf(out, "%*s", (int)pad, "");
}

static bool right_aligned(int column)
{
    return column == COLUMN_BASE || column == COLUMN_HEAD || column == COLUMN_NOISE;
}

/* Widths, and whether a row fits one line of the terminal. */
static bool lay_out(struct table *t, size_t terminal)
{
    size_t sum = 0;
    for (int c = 0; c < COLUMNS; c++) {
        t->width[c] = escape_columns(view_z(titles[c]));
        for (size_t i = 0; i < t->rows; i++) {
            size_t own = escape_columns(str_view(&t->cells[i][c]));
            t->width[c] = own > t->width[c] ? own : t->width[c];
        }
        sum += t->width[c] + (c ? GAP : 0);
    }
    if (sum <= terminal)
        return true;
    size_t spare =
        t->width[COLUMN_WHERE] > WHERE_LEAST ? t->width[COLUMN_WHERE] - WHERE_LEAST : 0;
    if (sum - terminal > spare)
        return false;
    t->width[COLUMN_WHERE] -= sum - terminal;
    return true;
}

static void add_line(struct str *out, const struct table *t, const struct str *cells,
                     const char *colour)
{
    for (int c = 0; c < COLUMN_VERDICT; c++) {
        add_cell(out, cells ? str_view(&cells[c]) : view_z(titles[c]), t->width[c],
                 right_aligned(c));
        str_addf(out, "%*s", GAP, "");
    }
    paint(out, colour, cells ? str_text(&cells[COLUMN_VERDICT]) : titles[COLUMN_VERDICT]);
    str_addz(out, "\n");
}

/* On a narrow terminal: the scenario once, then its rows below it. */
static void add_narrow(struct str *out, const struct str *cells, const struct str *above,
                       const char *colour)
{
    if (!above || strcmp(str_text(&above[COLUMN_WHERE]), str_text(&cells[COLUMN_WHERE])) != 0)
        str_addf(out, "%s\n", str_text(&cells[COLUMN_WHERE]));
    str_addf(out, "  %s: %s -> %s, %s, noise %s, ", str_text(&cells[COLUMN_METRIC]),
             str_text(&cells[COLUMN_BASE]), str_text(&cells[COLUMN_HEAD]),
             str_text(&cells[COLUMN_EFFECT]), str_text(&cells[COLUMN_NOISE]));
    paint(out, colour, str_text(&cells[COLUMN_VERDICT]));
    str_addz(out, "\n");
}

static void add_table(const struct report *r, const struct report_text_style *style,
                      size_t width, struct str *out)
{
    size_t all = r->verdict.lines.len;
    struct table t = {.rows = style->all || all <= REPORT_TABLE_ROWS ? all : REPORT_TABLE_ROWS};
    if (!t.rows)
        return;
    t.cells = mem_zero(t.rows, sizeof *t.cells);
    for (size_t i = 0; i < t.rows; i++)
        fill(t.cells[i], &r->verdict.lines.at[i]);
    bool wide = lay_out(&t, width);
    if (wide)
        add_line(out, &t, NULL, "");
    for (size_t i = 0; i < t.rows; i++) {
        const char *colour = colour_of(style, r->verdict.lines.at[i].outcome);
        if (wide)
            add_line(out, &t, t.cells[i], colour);
        else
            add_narrow(out, t.cells[i], i ? t.cells[i - 1] : NULL, colour);
    }
    for (size_t i = 0; i < t.rows * COLUMNS; i++)
        str_done(&t.cells[i / COLUMNS][i % COLUMNS]);
    free(t.cells);
    if (t.rows < all)
        str_addf(out, "%zu more rows in the full report\n", all - t.rows);
    str_addz(out, "\n");
}

/* Adds a sentence, broken between words. */
static void add_wrapped(struct str *out, struct view text, size_t width)
{
    size_t column = 0;
    struct view word;
    while (text.len) {
        (void)view_cut(text, ' ', &word, &text);
        size_t n = escape_columns(word);
        if (column && column + 1 + n > width) {
            str_addz(out, "\n");
            column = 0;
        }
        if (column)
            str_addz(out, " ");
        column += n + (column ? 1 : 0);
        str_add(out, word);
    }
    str_addz(out, "\n");
}

static void add_verdict(const struct report *r, const struct report_text_style *style,
                        size_t width, struct str *out)
{
    AUTO(str_done) struct str words = STR_INIT(512);
    report_verdict_words(r, &words);
    enum outcome tone = r->state == JOB_FAILED ? OUTCOME_UNDECIDED : r->verdict.outcome;
    paint(out, colour_of(style, tone), str_text(&words));
    const struct verdict_line *worst = r->judged ? report_worst(r) : NULL;
    if (worst) {
        AUTO(str_done) struct str where = STR_INIT(1024);
        report_where(worst, &where);
        str_addf(out, " - %s ", metric_table[worst->metric].title);
        report_effect(worst->metric, worst->effect, out);
        str_addz(out, " ");
        report_interval(worst, out);
        str_addz(out, " in ");
        escape_plain(out, str_view(&where));
    }
    str_addz(out, "\n");
    AUTO(str_done) struct str why = STR_INIT(8192);
    if (r->state != JOB_FAILED)
        escape_plain(&why, r->judged ? view_z(r->verdict.why) : (struct view){0});
    if (why.len)
        add_wrapped(out, str_view(&why), width);
    struct view rest = view_z(r->state == JOB_FAILED ? r->failure_text : NULL), line;
    while (view_line(&rest, &line)) {
        str_addz(out, "  ");
        escape_plain(out, line);
        str_addz(out, "\n");
    }
    str_addz(out, "\n");
}

static void add_notes(const struct report *r, size_t width, struct str *out)
{
    struct view rest = view_z(r->notes), line;
    while (view_line(&rest, &line)) {
        AUTO(str_done) struct str text = STR_INIT(8192);
        str_addz(&text, "Note: ");
        escape_plain(&text, line);
        add_wrapped(out, str_view(&text), width);
    }
    if (r->notes)
        str_addz(out, "\n");
}

static void add_origin(const struct report *r, size_t width, struct str *out)
{
    AUTO(str_done) struct str line = STR_INIT(2048);
    AUTO(str_done) struct str command = STR_INIT(512);
    report_next_step(r, &line, &command);
    str_addz(out, "What now: ");
    add_wrapped(out, str_view(&line), width > 10 ? width - 10 : width);
    if (command.len)
        str_addf(out, "  %s\n", str_text(&command));
    str_clear(&line);
    if (r->base[0])
        str_addf(&line, "%.12s..%.12s", r->base, r->head);
    else
        str_addf(&line, "%.12s", r->head);
    if (r->mr && r->merge_base[0])
        str_addf(&line, ", merge base %.12s", r->merge_base);
    str_addf(&line, ", job %" PRId64 ", ", r->job);
    report_facts(r, escape_plain, &line);
    str_addz(out, "\n");
    add_wrapped(out, str_view(&line), width);
}

void report_text(const struct report *r, const struct report_text_style *style, struct str *out)
{
    size_t width = style->width <= 0            ? 80
                   : style->width < WIDTH_LEAST ? WIDTH_LEAST
                                                : (size_t)style->width;
    add_verdict(r, style, width, out);
    add_table(r, style, width, out);
    report_variants_text(r, out);
    add_notes(r, width, out);
    add_origin(r, width, out);
}
