/* SPDX-License-Identifier: MIT */
/*
 * report_parts: what the renderers of this folder share.
 */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "report.h"

/* The row that the headline names: the worst slower one, else the best faster one; NULL: none.
 */
const struct verdict_line *report_worst(const struct report *r);
int report_changed_rows(const struct report *r);
bool report_is_regression(const struct report *r); /* slower, or mixed */

/* "items" or "items, GET /items/42"; foreign text, to be escaped by the renderer. */
void report_where(const struct verdict_line *line, struct str *out);
const char *
report_arrow(const struct verdict_line *line); /* of the value: up, down, or level */
void report_interval(const struct verdict_line *line, struct str *out); /* "[+29 %, +33 %]" */
void report_noise(const struct verdict_line *line, struct str *out);    /* "2.1 %" or "-" */

/* One line on what to do now; '*command' is filled when there is one to type. */
void report_next_step(const struct report *r, struct str *line, struct str *command);
void report_command(const struct report *r, struct str *out); /* that repeats the measurement */

/* "10 rounds, 1 void, seed 42, host vm, spec 3fa9.., 74 s": the footer's facts. The host's name
 * is foreign; 'host' writes it. */
void report_facts(const struct report *r, void (*host)(struct str *, struct view),
                  struct str *out);

/* The table of all combinations of variants; nothing when there are none. 'room' bytes below
 * the ceiling of 'out' stay free. */
void report_variants_text(const struct report *r, struct str *out);
void report_variants_md(const struct report *r, size_t room, struct str *out);

/* --- escaping ------------------------------------------------------------------------ */

/* Foreign text as inline code; empty text gives nothing. */
void escape_md_code(struct str *out, struct view text);
/* Our own sentences, which may quote foreign names. */
void escape_md_text(struct str *out, struct view text);
/* For a terminal: control characters and broken UTF-8 become '?', direction overrides too. */
void escape_plain(struct str *out, struct view text);

/* Takes one character off 'rest': its bytes, or U+FFFD for what is no character, a control or a
 * direction override. False at the end. */
bool escape_next(struct view *rest, struct view *out);
size_t escape_columns(struct view text); /* characters, as a terminal counts them, roughly */

#endif
