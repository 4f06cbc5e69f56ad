/* SPDX-License-Identifier: MIT */
/* pacewatch doctor: what this host can do; the runner knows and says it. */
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"
#include "cli_parts.h"

static const char usage[] =
    "usage: pacewatch doctor\n"
    "Says whether foreign code can run in a sandbox here, which processors the service and "
    "the\n"
    "generator get, and how quiet the host is. Exit status 0 when a sandbox works, else 1.\n\n";

int cmd_doctor(int argc, char **argv)
{
    bool help = false;
    const struct opt table[] = {
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("doctor", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));

    AUTO(str_done) struct str program = STR_INIT(4096);
    child_find_program("pacewatch-runner", &program);
    execlp(str_text(&program), str_text(&program), "--check", (char *)NULL);
    err_errno(&e, "run '%s'", str_text(&program));
    return cli_failed("doctor", &e);
}
