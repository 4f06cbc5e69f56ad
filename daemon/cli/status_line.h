/* SPDX-License-Identifier: MIT */
/*
 * status_line: one line on a terminal that says what is going on and when it should be done.
 */
#ifndef CLI_STATUS_LINE_H
#define CLI_STATUS_LINE_H

#include <stdbool.h>

#include "store_view.h"

struct status_line {
    bool terminal; /* standard error is one; otherwise nothing is drawn */
    bool drawn;
};

struct status_line status_line_begin(void);
/* 'what' stands in front; the running job and its stage follow. */
int status_line_draw(struct status_line *p, struct store *store, const char *what,
                     struct err *e);
void status_line_clear(struct status_line *p); /* before other output */

/* Columns of the terminal on standard output; 80 when it is none. */
int terminal_width(void);
bool terminal_colour(void); /* it is a terminal and NO_COLOR is not set */

#endif
