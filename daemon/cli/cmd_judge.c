/* SPDX-License-Identifier: MIT */
/*
 * pacewatch judge: the verdict over rounds given as text. One JSON object per metric, then one
 * for the family. What it prints is a public interface; see pacewatch(1).
 *
 * With --looks the rounds are judged as they would have been during the measurement: at each
 * planned number of rounds, until the family is decided.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_parts.h"
#include "csv.h"
#include "fdio.h"
#include "json_write.h"
#include "vec.h"
#include "verdict.h"

static const char usage[] =
    "usage: pacewatch judge [OPTIONS] < ROUNDS.csv         (round,metric,arm,value)\n"
    "arm is 'base' or 'head'; 'aa1' and 'aa2' are base measured twice in one round. A metric "
    "named\n"
    "'NAME+' is better when larger.\n\n";

enum { LOOKS_MAX = 16, NAME_MAX_BYTES = 200, ARMS = 4 };

static const char *const arm_names[ARMS] = {"base", "head", "aa1", "aa2"};

struct metric_rows {
    char *name;
    bool larger_is_better;
    size_t line;         /* where it was named first */
    double *value[ARMS]; /* by round index, NaN = missing */
    double *aa[2];       /* complete A/A pairs, packed */
    size_t aa_len;
};

struct judge_input {
    VEC(int64_t) rounds; /* numbers as given, sorted, unique */
    VEC(struct metric_rows) metrics;
};

struct raw_row {
    int64_t round;
    size_t metric, line;
    int arm;
    double value;
};

struct judge_options {
    double alpha, min_effect, max_noise;
    int looks[LOOKS_MAX];
    size_t looks_len;
    int64_t seed;
};

static void input_done(struct judge_input *in)
{
    for (size_t i = 0; i < in->metrics.len; i++) {
        struct metric_rows *m = &in->metrics.at[i];
        free(m->name);
        free(m->value[0]);
        free(m->aa[0]);
    }
    vec_done(&in->metrics);
    vec_done(&in->rounds);
}

static int parse_looks(const char *text, void *out, struct err *e)
{
    struct judge_options *o = out;
    struct view rest = view_z(text), head;
    o->looks_len = 0;
    for (bool more = true; more;) {
        int64_t n;
        more = view_cut(rest, ',', &head, &rest);
        if (opt_int(view_trim(head), 1, VERDICT_ROUNDS_MAX, &n, e) < 0)
            return -1;
        if (o->looks_len == LOOKS_MAX)
            return err_set(e, ERR_INPUT, "at most %d looks", LOOKS_MAX);
        if (o->looks_len && n <= o->looks[o->looks_len - 1])
            return err_set(e, ERR_INPUT, "looks must rise, e.g. 10,15,20,30");
        o->looks[o->looks_len++] = (int)n;
    }
    return 0;
}

/* Finds or adds the metric; 'p99+' and 'p99' are the same name with different directions. */
static int find_metric(struct judge_input *in, struct view name, size_t line, size_t *out,
                       struct err *e)
{
    bool larger = view_ends(name, "+");
    if (larger)
        name.len--;
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return err_set(e, ERR_INPUT, "line %zu: metric names have 1 to %d bytes", line,
                       NAME_MAX_BYTES);
    for (size_t i = in->metrics.len; i-- > 0;) {
        struct metric_rows *m = &in->metrics.at[i];
        if (!view_eqz(name, m->name))
            continue;
        if (m->larger_is_better != larger)
            return err_set(e, ERR_INPUT,
                           "line %zu: metric '%s' is named with and without '+' (see line %zu)",
                           line, m->name, m->line);
        *out = i;
        return 0;
    }
    if (in->metrics.len == VERDICT_METRICS_MAX)
        return err_set(e, ERR_LIMIT, "line %zu: more than %d metrics", line,
                       VERDICT_METRICS_MAX);
    *out = in->metrics.len;
    *vec_push(&in->metrics) = (struct metric_rows){
        .name = mem_strndup(name.at, name.len), .larger_is_better = larger, .line = line};
    return 0;
}

static int parse_row(const struct csv *c, struct judge_input *in, const struct view *cell,
                     struct raw_row *out, struct err *e)
{
    *out = (struct raw_row){.line = c->line, .arm = -1};
    if (csv_int(c, cell[0], "round", &out->round, e) < 0 ||
        csv_real(c, cell[3], "value", &out->value, e) < 0 ||
        find_metric(in, cell[1], c->line, &out->metric, e) < 0)
        return -1;
    for (int arm = 0; arm < ARMS; arm++)
        if (view_eqz(cell[2], arm_names[arm]))
            out->arm = arm;
    if (out->arm < 0)
        return err_set(e, ERR_INPUT,
                       "line %zu: arm must be base or head (or aa1, aa2), got '%.*s'", c->line,
                       (int)view_utf8_prefix(cell[2], 40), cell[2].at);
    return 0;
}

static int compare_rounds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t round_index(const struct judge_input *in, int64_t round)
{
    int64_t *at = bsearch(&round, in->rounds.at, in->rounds.len, sizeof round, compare_rounds);
    return (size_t)(at - in->rounds.at);
}

static void sort_rounds(struct judge_input *in)
{
    size_t kept = 0;
    qsort(in->rounds.at, in->rounds.len, sizeof *in->rounds.at, compare_rounds);
    for (size_t i = 0; i < in->rounds.len; i++)
        if (i == 0 || in->rounds.at[i] != in->rounds.at[kept - 1])
            in->rounds.at[kept++] = in->rounds.at[i];
    in->rounds.len = kept;
}

/* Every round that has one arm of a metric must have the other. */
static int check_arms(const struct judge_input *in, struct err *e)
{
    for (size_t i = 0; i < in->metrics.len; i++) {
        const struct metric_rows *m = &in->metrics.at[i];
        for (size_t r = 0; r < in->rounds.len; r++)
            for (int arm = 0; arm < ARMS; arm++)
                if (isnan(m->value[arm][r]) && !isnan(m->value[arm ^ 1][r]))
                    return err_set(e, ERR_INPUT,
                                   "line %zu: metric '%s' has no '%s' in round %lld", m->line,
                                   m->name, arm_names[arm], (long long)in->rounds.at[r]);
    }
    return 0;
}

static int fill(struct judge_input *in, const struct raw_row *rows, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        *vec_push(&in->rounds) = rows[i].round;
    sort_rounds(in);
    size_t len = in->rounds.len;
    if (len > VERDICT_ROUNDS_MAX)
        return err_set(e, ERR_LIMIT, "%zu rounds; at most %d", len, VERDICT_ROUNDS_MAX);
    for (size_t i = 0; i < in->metrics.len; i++) {
        struct metric_rows *m = &in->metrics.at[i];
        m->value[0] = mem_alloc(ARMS * len * sizeof **m->value);
        for (int arm = 1; arm < ARMS; arm++)
            m->value[arm] = m->value[0] + (size_t)arm * len;
        for (size_t k = 0; k < ARMS * len; k++)
            m->value[0][k] = NAN;
    }
    for (size_t i = 0; i < n; i++) {
        double *at =
            &in->metrics.at[rows[i].metric].value[rows[i].arm][round_index(in, rows[i].round)];
        if (!isnan(*at))
            return err_set(e, ERR_INPUT,
                           "line %zu: a second value of metric '%s', arm '%s', round %lld",
                           rows[i].line, in->metrics.at[rows[i].metric].name,
                           arm_names[rows[i].arm], (long long)rows[i].round);
        *at = rows[i].value;
    }
    return check_arms(in, e);
}

static int read_rows(struct view text, struct judge_input *in, struct err *e)
{
    struct csv table;
    struct view cell[4];
    VEC(struct raw_row) rows = {0};
    int more = csv_begin(&table, text, "round,metric,arm,value", e);
    while (more == 0 && (more = csv_row(&table, cell, 4, e)) > 0)
        more = parse_row(&table, in, cell, vec_push(&rows), e);
    if (more == 0 && rows.len == 0)
        more = err_set(e, ERR_INPUT, "line %zu: no rounds follow the header", table.line);
    if (more == 0)
        more = fill(in, rows.at, rows.len, e);
    vec_done(&rows);
    return more;
}

/* The first 'rounds' rounds as the judge wants them. */
static void as_metrics(struct judge_input *in, size_t rounds, const struct judge_options *o,
                       struct verdict_metric *out)
{
    for (size_t i = 0; i < in->metrics.len; i++) {
        struct metric_rows *m = &in->metrics.at[i];
        if (!m->aa[0]) {
            m->aa[0] = mem_alloc(2 * in->rounds.len * sizeof **m->aa);
            m->aa[1] = m->aa[0] + in->rounds.len;
        }
        m->aa_len = 0;
        for (size_t r = 0; r < rounds; r++)
            if (!isnan(m->value[2][r])) {
                m->aa[0][m->aa_len] = m->value[2][r];
                m->aa[1][m->aa_len++] = m->value[3][r];
            }
        out[i] = (struct verdict_metric){.name = m->name,
                                         .direction = m->larger_is_better ? 1 : -1,
                                         .primary = true,
                                         .least_effect = o->min_effect,
                                         .max_noise = o->max_noise,
                                         .rounds = rounds,
                                         .base = m->value[0],
                                         .head = m->value[1],
                                         .aa_rounds = m->aa_len,
                                         .aa_first = m->aa[0],
                                         .aa_second = m->aa[1]};
    }
}

static int judge_looks(struct judge_input *in, const struct judge_options *o,
                       struct verdict_metric *metrics, struct verdict_row *rows,
                       struct verdict_family *family, struct err *e)
{
    struct verdict_rules rules = {.alpha = o->alpha,
                                  .looks = o->looks,
                                  .looks_len = o->looks_len,
                                  .seed = (uint64_t)o->seed};
    size_t all = in->rounds.len;
    if (o->looks_len == 0) {
        as_metrics(in, all, o, metrics);
        return verdict_judge(metrics, in->metrics.len, &rules, rows, family, e);
    }
    if ((size_t)o->looks[0] > all)
        return err_set(e, ERR_INPUT, "%zu rounds; the first look is at %d", all, o->looks[0]);
    for (; (size_t)rules.look < o->looks_len && (size_t)o->looks[rules.look] <= all;
         rules.look++) {
        as_metrics(in, (size_t)o->looks[rules.look], o, metrics);
        if (verdict_judge(metrics, in->metrics.len, &rules, rows, family, e) < 0)
            return -1;
        if (family->final)
            break;
    }
    return 0;
}

static void print_row(const char *name, const struct verdict_row *row)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    struct jw w = jw_begin(&out);
    jw_object(&w, NULL);
    jw_text(&w, "metric", name);
    jw_text(&w, "outcome", stats_outcome_name(row->outcome));
    jw_text(&w, "leaning", stats_outcome_name(row->leaning));
    jw_real(&w, "base", row->base);
    jw_real(&w, "head", row->head);
    jw_real(&w, "effect", row->effect);
    jw_real(&w, "lo", row->lo);
    jw_real(&w, "hi", row->hi);
    jw_real(&w, "level", row->level);
    jw_real(&w, "p", row->p);
    jw_real(&w, "p_same", row->p_same);
    jw_real(&w, "noise", row->noise);
    jw_real(&w, "least_effect", row->least_effect);
    jw_real(&w, "detectable", row->detectable);
    jw_int(&w, "rounds", row->rounds);
    jw_text(&w, "why", row->why);
    jw_end(&w);
    puts(str_text(&out));
}

static void print_family(const struct judge_input *in, const struct verdict_family *f)
{
    AUTO(str_done) struct str out = STR_INIT(4096);
    struct jw w = jw_begin(&out);
    jw_object(&w, NULL);
    jw_bool(&w, "family", true);
    jw_text(&w, "outcome", stats_outcome_name(f->outcome));
    jw_text(&w, "worst", f->worst >= 0 ? in->metrics.at[f->worst].name : NULL);
    jw_bool(&w, "final", f->final);
    jw_bool(&w, "futile", f->futile);
    jw_int(&w, "slower", f->slower);
    jw_int(&w, "faster", f->faster);
    jw_int(&w, "no_change", f->same);
    jw_int(&w, "undecided", f->undecided);
    jw_real(&w, "alpha_spent", f->spent);
    jw_text(&w, "why", f->why);
    jw_end(&w);
    puts(str_text(&out));
}

static int judge_text(struct view text, const struct judge_options *o, struct err *e)
{
    AUTO(input_done) struct judge_input in = {0};
    struct verdict_family family;
    if (read_rows(text, &in, e) < 0)
        return -1;
    AUTO(mem_freep) struct verdict_metric *metrics = mem_zero(in.metrics.len, sizeof *metrics);
    AUTO(mem_freep) struct verdict_row *rows = mem_zero(in.metrics.len, sizeof *rows);
    if (judge_looks(&in, o, metrics, rows, &family, e) < 0)
        return -1;
    for (size_t i = 0; i < in.metrics.len; i++)
        print_row(in.metrics.at[i].name, &rows[i]);
    print_family(&in, &family);
    return 0;
}

int cmd_judge(int argc, char **argv)
{
    struct judge_options o = {.alpha = 0.01, .seed = 1};
    bool help = false;
    const struct opt table[] = {
        {"alpha", 0, OPT_CALL, "SHARE", "chance of any false claim in the family (1%)",
         &o.alpha, 0, 0, csv_share_option},
        {"min-effect", 0, OPT_CALL, "SHARE",
         "least change worth reporting, e.g. 2%; without it any sure change is reported",
         &o.min_effect, 0, 0, csv_share_option},
        {"max-noise", 0, OPT_CALL, "SHARE", "above this noise nothing is claimed", &o.max_noise,
         0, 0, csv_share_option},
        {"looks", 0, OPT_CALL, "N,N,...", "planned numbers of rounds, e.g. 10,15,20,30", &o, 0,
         0, parse_looks},
        {"seed", 0, OPT_INT, "N", "of the randomisation test", &o.seed, 0, INT64_MAX, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("judge", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    if (argc > first) {
        err_set(&e, ERR_INPUT, "unexpected operand '%s'; rounds are read from standard input",
                argv[first]);
        return cli_bad_usage("judge", &e);
    }
    if (o.alpha <= 0 || o.alpha >= 0.5) {
        err_set(&e, ERR_INPUT, "--alpha must lie between 0 and 0.5");
        return cli_bad_usage("judge", &e);
    }

    AUTO(str_done) struct str text = STR_INIT(CSV_BYTES_MAX);
    if (fdio_read_all(0, &text, &e) < 0 || judge_text(str_view(&text), &o, &e) < 0)
        return cli_failed("judge", &e);
    return 0;
}
