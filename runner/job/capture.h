/* SPDX-License-Identifier: MIT */
/*
 * capture: what a foreign program prints, bounded however much it prints.
 *
 * A thread reads the pipe all the time, so that a program never waits for a reader of ours. The
 * first and the last bytes are kept; what stood between is counted and left out.
 *
 *     AUTO(capture_freep) struct capture *c = NULL;
 *     if (capture_new(&c, e) < 0) ...
 *     spec.out = capture_pipe(c);
 *     ... start the program, then close our copy of the pipe ...
 *     capture_started(c);
 *     ...
 *     capture_text(c, &text);        // waits for the end of the output, but not for long
 */
#ifndef JOB_CAPTURE_H
#define JOB_CAPTURE_H

#include <stdint.h>

#include "errors.h"
#include "str.h"

enum {
    CAPTURE_HEAD_MAX = 256 << 10,
    CAPTURE_TAIL_MAX = 256 << 10,
    CAPTURE_TEXT_MAX = CAPTURE_HEAD_MAX + CAPTURE_TAIL_MAX + 128,
};

struct capture;

int capture_new(struct capture **out, struct err *e);
void capture_freep(struct capture **c);

int capture_pipe(const struct capture *c); /* to write to */
void capture_started(struct capture *c);   /* gives up our own end for writing */

int64_t capture_total(struct capture *c); /* bytes printed so far */

/* Appends what was kept, with a line that says how much is left out. */
void capture_text(struct capture *c, struct str *out);

/* The last 'lines' lines that are not blank, joined by " | ", without control characters. */
void capture_last_lines(struct capture *c, int lines, struct str *out);

#endif
