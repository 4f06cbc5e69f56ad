/* SPDX-License-Identifier: MIT */
/*
 * opt: command-line options from a table, and quantities with their units.
 *
 * The table is the one place that knows an option's name, type, range and help text:
 *
 *     struct opt table[] = {
 *         {"rate", 0, OPT_RATE, "R", "arrival rate, e.g. 5000/s (open loop)", &args.rate_rps},
 *         {"duration", 'd', OPT_DURATION, "TIME", "how long to measure", &args.duration_ns},
 *     };
 *     if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, e) < 0) ...
 *
 * "--name value", "--name=value", "-d value" and "-dvalue" are understood; "--" ends options
 * and options may stand behind operands. Operands are moved to the end: argv[first] is the
 * first.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "errors.h"
#include "str.h"

enum opt_type {
    OPT_FLAG,     /* bool *: no value, sets true */
    OPT_TEXT,     /* const char **: borrowed from argv */
    OPT_INT,      /* int64_t *: within min..max when max is not 0 */
    OPT_REAL,     /* double * */
    OPT_DURATION, /* int64_t *: nanoseconds */
    OPT_SIZE,     /* int64_t *: bytes */
    OPT_RATE,     /* double *: per second */
    OPT_SHARE,    /* double *: 1% is 0.01 */
    OPT_CALL,     /* 'call' gets the value and 'out'; may be given several times */
};

struct opt {
    const char *name;
    char letter; /* 0: none */
    enum opt_type type;
    const char *arg; /* name of the value in the help, NULL for flags */
    const char *help;
    void *out;
    int64_t min, max;
    int (*call)(const char *value, void *out, struct err *e);
};

int opt_parse(const struct opt *table, size_t n, int argc, char **argv, int *first,
              struct err *e);
void opt_help(FILE *to, const struct opt *table, size_t n);

/* Quantities. Each takes the whole view or fails with ERR_INPUT and what it expected. */
int opt_int(struct view v, int64_t min, int64_t max, int64_t *out, struct err *e);
int opt_real(struct view v, double *out, struct err *e);         /* finite, '.' in any locale */
int opt_duration(struct view v, int64_t *out_ns, struct err *e); /* 500us 20ms 1.5s 2m 1h */
int opt_size(struct view v, int64_t *out, struct err *e);        /* 100B 64KiB 512MiB 2GiB */
int opt_rate(struct view v, double *out_rps, struct err *e);     /* 2000/s 90/m, or bare: /s */
int opt_share(struct view v, double *out, struct err *e);        /* 1% 0.5% */

#endif
