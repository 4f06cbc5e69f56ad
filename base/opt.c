/* SPDX-License-Identifier: MIT */
/* opt: see opt.h. */
#include "opt.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "mem.h"

enum { NUMBER_TEXT_MAX = 64 };

/* --- quantities ------------------------------------------------------------------------------
 */

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

/* Reads a plain decimal at the start of v. strtod alone would take "inf", "nan" and
 * hexadecimal. */
static int leading_real(struct view v, double *out, struct view *unit)
{
    char text[NUMBER_TEXT_MAX];
    size_t n = 0;
    while (n < v.len && n + 1 < sizeof text &&
           ((v.at[n] >= '0' && v.at[n] <= '9') || v.at[n] == '.' || v.at[n] == '-' ||
            v.at[n] == '+' || ((v.at[n] == 'e' || v.at[n] == 'E') && n > 0))) {
        text[n] = v.at[n];
        n++;
    }
    text[n] = '\0';
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_c_locale);
    char *end;
    double value = strtod_l(text, &end, c_locale);
    if (end == text || !isfinite(value))
        return -1;
    *out = value;
    *unit = view_skip(v, (size_t)(end - text));
    return 0;
}

struct unit {
    const char *name;
    double factor;
};

static int with_unit(struct view v, const struct unit *units, size_t n, const char *expected,
                     double *out, struct err *e)
{
    struct view rest;
    double value;
    if (leading_real(v, &value, &rest) == 0 && value >= 0)
        for (size_t i = 0; i < n; i++)
            if (view_eqz(rest, units[i].name)) {
                *out = value * units[i].factor;
                return 0;
            }
    return err_set(e, ERR_INPUT, "expected %s, got '%.*s'", expected, (int)v.len, v.at);
}

static int whole_with_unit(struct view v, const struct unit *units, size_t n,
                           const char *expected, int64_t *out, struct err *e)
{
    double value = 0;
    if (with_unit(v, units, n, expected, &value, e) < 0)
        return -1;
    if (value > 9e18)
        return err_set(e, ERR_INPUT, "'%.*s' is too large", (int)v.len, v.at);
    *out = (int64_t)llround(value);
    return 0;
}

int opt_int(struct view v, int64_t min, int64_t max, int64_t *out, struct err *e)
{
    char text[NUMBER_TEXT_MAX];
    char *end = text;
    /* strtoll alone would take a leading '+' and any white space. */
    bool starts_well = v.len > 0 && (v.at[0] == '-' || (v.at[0] >= '0' && v.at[0] <= '9'));
    if (starts_well && v.len < sizeof text) {
        memcpy(text, v.at, v.len);
        text[v.len] = '\0';
        errno = 0;
        long long value = strtoll(text, &end, 10);
        if (errno == 0 && end == text + v.len && value >= min && value <= max) {
            *out = value;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "expected a whole number from %lld to %lld, got '%.*s'",
                   (long long)min, (long long)max, (int)v.len, v.at);
}

int opt_real(struct view v, double *out, struct err *e)
{
    double value;
    struct view rest;
    if (leading_real(v, &value, &rest) < 0 || rest.len)
        return err_set(e, ERR_INPUT, "expected a number, got '%.*s'", (int)v.len, v.at);
    *out = value;
    return 0;
}

int opt_duration(struct view v, int64_t *out_ns, struct err *e)
{
    static const struct unit units[] = {{"ns", 1},     {"us", 1e3},   {"ms", 1e6},
                                        {"s", 1e9},    {"m", 60e9},   {"min", 60e9},
                                        {"h", 3600e9}, {"d", 86400e9}};
    return whole_with_unit(v, units, ARRAY_LEN(units), "a duration such as '500ms' or '10s'",
                           out_ns, e);
}

int opt_size(struct view v, int64_t *out, struct err *e)
{
    static const struct unit units[] = {{"B", 1},        {"KiB", 0x1p10}, {"MiB", 0x1p20},
                                        {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"kB", 1e3},
                                        {"MB", 1e6},     {"GB", 1e9}};
    return whole_with_unit(v, units, ARRAY_LEN(units), "a size such as '64KiB' or '512MiB'",
                           out, e);
}

int opt_rate(struct view v, double *out_rps, struct err *e)
{
    static const struct unit units[] = {{"", 1}, {"/s", 1}, {"/m", 1 / 60.}, {"/h", 1 / 3600.}};
    return with_unit(v, units, ARRAY_LEN(units), "a rate such as '2000/s'", out_rps, e);
}

int opt_share(struct view v, double *out, struct err *e)
{
    static const struct unit units[] = {{"%", 0.01}};
    return with_unit(v, units, ARRAY_LEN(units), "a share such as '1%'", out, e);
}

/* --- the command line ------------------------------------------------------------------------
 */

static int store_value(const struct opt *o, const char *value, struct err *e)
{
    struct view v = view_z(value);
    switch (o->type) {
    case OPT_FLAG:
        *(bool *)o->out = true;
        return 0;
    case OPT_TEXT:
        *(const char **)o->out = value;
        return 0;
    case OPT_INT:
        return opt_int(v, o->min, o->max ? o->max : INT64_MAX, o->out, e);
    case OPT_REAL:
        return opt_real(v, o->out, e);
    case OPT_DURATION:
        return opt_duration(v, o->out, e);
    case OPT_SIZE:
        return opt_size(v, o->out, e);
    case OPT_RATE:
        return opt_rate(v, o->out, e);
    case OPT_SHARE:
        return opt_share(v, o->out, e);
    case OPT_CALL:
        return o->call(value, o->out, e);
    }
    return -1;
}

static const struct opt *find_name(const struct opt *table, size_t n, struct view name)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].name && view_eqz(name, table[i].name))
            return &table[i];
    return NULL;
}

static const struct opt *find_letter(const struct opt *table, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].letter == letter)
            return &table[i];
    return NULL;
}

static int unknown(const struct opt *table, size_t n, const char *arg, struct err *e)
{
    struct view name;
    struct view rest;
    (void)view_cut(view_z(arg + 2), '=', &name, &rest);
    const char *near = NULL;
    int best = 3;
    for (size_t i = 0; arg[1] == '-' && i < n; i++) {
        int d = table[i].name ? view_distance(name, view_z(table[i].name)) : 9;
        if (d < best)
            best = d, near = table[i].name;
    }
    if (near)
        return err_set(e, ERR_INPUT, "unknown option '%s'; did you mean '--%s'?", arg, near);
    return err_set(e, ERR_INPUT, "unknown option '%s'; see --help", arg);
}

/* Handles the option at argv[*i] and its value; moves *i past both. */
static int take_option(const struct opt *table, size_t n, int argc, char **argv, int *i,
                       struct err *e)
{
    const char *arg = argv[*i];
    const struct opt *o;
    const char *value = NULL;

    if (arg[1] == '-') {
        struct view name;
        struct view rest;
        bool has_value = view_cut(view_z(arg + 2), '=', &name, &rest);
        o = find_name(table, n, name);
        if (o && has_value)
            value = rest.at;
    } else {
        o = find_letter(table, n, arg[1]);
        if (o && arg[2])
            value = arg + 2;
    }
    if (!o)
        return unknown(table, n, arg, e);
    if (o->type == OPT_FLAG && value)
        return err_set(e, ERR_INPUT, "option '%s' takes no value", arg);
    if (o->type != OPT_FLAG && !value) {
        if (*i + 1 >= argc)
            return err_set(e, ERR_INPUT, "option '%s' needs a value: %s", arg, o->arg);
        value = argv[++*i];
    }
    ++*i;
    if (store_value(o, value, e) < 0)
        return err_ctx(e, "option '%s'", arg);
    return 0;
}

int opt_parse(const struct opt *table, size_t n, int argc, char **argv, int *first,
              struct err *e)
{
    int operands = 0;
    AUTO(mem_freep) char **kept = mem_zero((size_t)argc, sizeof *kept);
    int i = 1;
    while (i < argc) {
        if (strcmp(argv[i], "--") == 0) {
            for (i++; i < argc; i++)
                kept[operands++] = argv[i];
        } else if (argv[i][0] == '-' && argv[i][1]) {
            if (take_option(table, n, argc, argv, &i, e) < 0)
                return -1;
        } else {
            kept[operands++] = argv[i++];
        }
    }
    *first = argc - operands;
    memcpy(argv + *first, kept, (size_t)operands * sizeof *kept);
    return 0;
}

void opt_help(FILE *to, const struct opt *table, size_t n)
{
    enum { COLUMN = 30 };
    for (size_t i = 0; i < n; i++) {
        const struct opt *o = &table[i];
        AUTO(str_done) struct str left = STR_INIT(256);
        str_addz(&left, "  ");
        if (o->letter)
            str_addf(&left, "-%c%s", o->letter, o->name ? ", " : "");
        if (o->name)
            str_addf(&left, "--%s", o->name);
        if (o->arg)
            str_addf(&left, " %s", o->arg);
        const char *gap = left.len < COLUMN ? "" : "\n";
        fprintf(to, "%-*s%s%*s%s\n", COLUMN, str_text(&left), gap, *gap ? COLUMN : 0, "",
                o->help);
    }
}
