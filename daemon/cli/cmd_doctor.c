/* SPDX-License-Identifier: MIT */
/* pacewatch doctor: what this host can do; the runner knows and says it. */
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"
#include "cli_parts.h"

static const char usage[] =
    "usage: pacewatch doctor [--json] [--tune | --restore]\n"
    "Lists what about this host makes measurements worse, each with the command that mends "
    "it.\n"
    "Changes nothing unless told to. Exit status 1 when no sandbox works here, else 0.\n\n";

int cmd_doctor(int argc, char **argv)
{
    bool help = false, json = false, tune = false, restore = false;
    const struct opt table[] = {
        {"json", 0, OPT_FLAG, NULL, "print the list as JSON", &json, 0, 0, NULL},
        {"tune", 0, OPT_FLAG, NULL,
         "first set governor, turbo, NMI watchdog and swappiness for steady numbers", &tune, 0,
         0, NULL},
        {"restore", 0, OPT_FLAG, NULL, "first undo what --tune has done", &restore, 0, 0, NULL},
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
    const char *words[6] = {str_text(&program), "--check"};
    size_t n = 2;
    if (json)
        words[n++] = "--json";
    if (tune)
        words[n++] = "--tune";
    if (restore)
        words[n++] = "--restore";
    execvp(words[0], (char *const *)words);
    err_errno(&e, "run '%s'", str_text(&program));
    return cli_failed("doctor", &e);
}
