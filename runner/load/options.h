/* SPDX-License-Identifier: MIT */
/*
 * options: the command line of pacewatch-load, turned into a plan.
 *
 * Endpoints and load come from a scenario document, or from the URL and a few options; options
 * given beside a scenario stand above it. The caller owns the struct; the plan inside borrows
 * from it and from argv.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "errors.h"
#include "load.h"
#include "probe.h"
#include "spec.h"
#include "vec.h"

struct options {
    bool help, version, quiet, allow_limited;
    const char *json, *csv, *hdr, *svg; /* file names, "-" for standard output */
    const char *netns;
    double errors_max; /* share of failed requests that is accepted; above 1: any */

    bool sweep, search;
    double sweep_from_rps, sweep_to_rps, sweep_step_rps;
    struct probe_goal goal;
    pid_t server; /* whose CPU is shown beside ours; 0: nobody's */

    struct dataset *data; /* for templates */
    struct target target;
    struct spec_scenario scenario;
    VEC(struct arrival_stage) stages;
    struct target_sources sources;
    struct load_plan plan;
};

int options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_done(struct options *o);
void options_help(FILE *to);

#endif
