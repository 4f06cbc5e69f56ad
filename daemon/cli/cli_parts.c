/* SPDX-License-Identifier: MIT */
/* cli_parts: see cli_parts.h. */
#include "cli_parts.h"

#include <stdio.h>

#include "fdio.h"
#include "store.h"
#include "str.h"

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

int cli_open_state(const char *state_dir, struct store **out, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, "%s/pacewatch.db", state_dir);
    if (!fdio_exists(str_text(&path)))
        return err_set(e, ERR_NOT_FOUND, "no database in '%s': is it a state directory?",
                       state_dir);
    return store_open(str_text(&path), out, e);
}
