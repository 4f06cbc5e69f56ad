/* SPDX-License-Identifier: MIT */
/*
 * load_report: results as a table for people, as JSON (load.schema.json) and as CSV.
 */
#ifndef LOAD_LOAD_REPORT_H
#define LOAD_LOAD_REPORT_H

#include "load.h"
#include "str.h"

enum { LOAD_REPORT_BYTES_MAX = 64 << 20 };

void load_report_text(const struct load_plan *plan, const struct load_result *r,
                      struct str *out);
void load_report_json(const struct load_plan *plan, const struct load_result *r,
                      struct str *out);
/* One line per second of the window; the last ones may be the draining behind it. */
void load_report_csv(const struct load_result *r, struct str *out);
/* HdrHistogram log, one line per second. */
void load_report_hdr(const struct load_result *r, struct str *out);
/* The latency spectrum as a picture. */
void load_report_svg(const struct load_plan *plan, const struct load_result *r,
                     struct str *out);

struct probe;
struct probe_row;

/* A table of runs at different rates: its head, one line, what a search came to. */
void load_report_rows_head(struct str *out);
void load_report_row(const struct probe_row *row, struct str *out);
void load_report_found(const struct probe *p, struct str *out);
void load_report_probe_json(const struct probe *p, bool search, struct str *out);

/* Pieces that both documents have. */
struct jw;
void load_report_times(struct jw *w, const char *key, const struct hist *h);
void load_report_errors(struct jw *w, const struct load_result *r);

/* "closed-loop", "open-loop" or "connection-rate". */
const char *load_report_mode(const struct load_plan *plan);

#endif
