/* SPDX-License-Identifier: MIT */
/* pacewatch check: reads a spec and says everything that is wrong with it, or what is in force.
 */
#include <stdio.h>

#include "cli.h"
#include "cli_parts.h"
#include "fdio.h"
#include "spec.h"

static const char usage[] =
    "usage: pacewatch check [--explain] [FILE]\n"
    "Checks a spec (FILE, by default " SPEC_FILE "; '-' is standard input).\n\n";

static void summary(const char *path, const struct spec *s)
{
    printf("%s: good: %zu scenario%s\n", path, s->scenarios_len,
           s->scenarios_len == 1 ? "" : "s");
    for (size_t i = 0; i < s->scenarios_len; i++) {
        const struct spec_scenario *c = &s->scenarios[i];
        printf("  %s: %zu endpoint%s, ", c->name, c->endpoints_len,
               c->endpoints_len == 1 ? "" : "s");
        if (c->load.kind == SPEC_OPEN_LOOP)
            printf("open loop at %g/s", c->load.rate_rps);
        else
            printf("closed loop over %lld connections", (long long)c->load.connections);
        printf(", %g s after %g s of warm-up\n", (double)c->load.duration_ns / 1e9,
               (double)c->load.warmup_ns / 1e9);
    }
}

int cmd_check(int argc, char **argv)
{
    bool explain = false, help = false;
    const struct opt table[] = {
        {"explain", 0, OPT_FLAG, NULL, "print every value in force, defaults included",
         &explain, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    int first;
    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0)
        return cli_bad_usage("check", &e);
    if (help)
        return cli_help(usage, table, ARRAY_LEN(table));
    if (argc - first > 1) {
        err_set(&e, ERR_INPUT, "one file at most");
        return cli_bad_usage("check", &e);
    }

    const char *path = first < argc ? argv[first] : SPEC_FILE;
    bool standard_input = strcmp(path, "-") == 0;
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    AUTO(spec_freep) struct spec *spec = NULL;
    int rc = standard_input ? fdio_read_all(0, &text, &e) : fdio_read_file(path, &text, &e);
    if (rc == 0)
        rc = spec_parse(str_view(&text), standard_input ? "<stdin>" : path, &spec, &e);
    if (rc < 0) {
        fprintf(stderr, "%s\n", e.text);
        return CLI_BAD_INPUT;
    }
    if (explain) {
        AUTO(str_done) struct str all = STR_INIT(2 * SPEC_BYTES_MAX);
        spec_explain(spec, &all);
        printf("%s\n", str_text(&all));
    } else {
        summary(path, spec);
    }
    return 0;
}
