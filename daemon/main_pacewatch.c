/* SPDX-License-Identifier: MIT */
/* pacewatch: the command line; each command is a file in cli/. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cli_parts.h"
#include "mirror.h"
#include "spec.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"compare", cmd_compare, "measure two commits of this repository and say which is slower"},
    {"check", cmd_check, "check a spec (" SPEC_FILE ")"},
    {"status", cmd_status, "what a daemon has measured and what it is doing"},
    {"report", cmd_report, "the report of one job or merge request"},
    {"explain", cmd_explain, "why a verdict, an alert or a change point is what it is"},
    {"doctor", cmd_doctor, "what this host can do: sandbox, processors, noise"},
    {"judge", cmd_judge, "verdict over measured rounds (CSV)"},
    {"detect", cmd_detect, "change points of a series (CSV)"},
};

static void help(FILE *to)
{
    fputs("usage: pacewatch COMMAND [OPTION...]\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\n'pacewatch COMMAND --help' tells more; the manual is pacewatch(1).\n", to);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    if (argc < 2) {
        help(stderr);
        return CLI_BAD_INPUT;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("pacewatch " PACEWATCH_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "pacewatch: unknown command '%s'\n", argv[1]);
    help(stderr);
    return CLI_BAD_INPUT;
}
