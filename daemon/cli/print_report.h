/* SPDX-License-Identifier: MIT */
/* print_report: a report on standard output, in the form that was asked for. */
#ifndef CLI_PRINT_REPORT_H
#define CLI_PRINT_REPORT_H

#include "report.h"

struct print_options {
    bool json, markdown; /* neither: text for a terminal */
};

void print_report(const struct report *r, const struct print_options *o);

#endif
