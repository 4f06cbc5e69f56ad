/* SPDX-License-Identifier: MIT */
/* cli_parts: see cli_parts.h. */
#include "cli_parts.h"

#include <stdio.h>

int cli_bad_usage(const char *command, const struct err *e)
{
    fprintf(stderr, "pacewatch %s: %s\nTry 'pacewatch %s --help'.\n", command, e->text,
            command);
    return CLI_BAD_INPUT;
}

int cli_failed(const char *command, const struct err *e)
{
    fprintf(stderr, "pacewatch %s: %s\n", command, e->text);
    return CLI_FAILED;
}

int cli_help(const char *usage, const struct opt *table, size_t n)
{
    fputs(usage, stdout);
    opt_help(stdout, table, n);
    return 0;
}
