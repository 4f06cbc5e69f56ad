/* SPDX-License-Identifier: MIT */
/*
 * cli_parts: what the commands of 'pacewatch' share. Exit statuses are documented in
 * pacewatch(1) and mean the same in every command.
 */
#ifndef CLI_CLI_PARTS_H
#define CLI_CLI_PARTS_H

#include "errors.h"
#include "opt.h"

struct store;

enum {
    CLI_REGRESSION = 1, /* compare: a metric got worse */
    CLI_FAILED = 2,     /* could not do or measure it; detect and judge: bad input */
    CLI_BAD_INPUT = 3,  /* wrong usage, or a wrong spec */
};

/* Prints "pacewatch COMMAND: text" and a hint, returns CLI_BAD_INPUT. */
int cli_bad_usage(const char *command, const struct err *e);
/* Prints "pacewatch COMMAND: text", returns CLI_FAILED. */
int cli_failed(const char *command, const struct err *e);
int cli_help(const char *usage, const struct opt *table, size_t n); /* returns 0 */

/* The database in a daemon's state directory, which must be there. */
int cli_open_state(const char *state_dir, struct store **out, struct err *e);

#endif
