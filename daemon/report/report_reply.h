/* SPDX-License-Identifier: MIT */
/*
 * report_reply: what is answered to a command in a comment. Markdown; whatever people or the
 * repository wrote is escaped.
 */
#ifndef REPORT_REPLY_H
#define REPORT_REPLY_H

#include "report_record.h"
#include "str.h"

enum { REPORT_REPLY_BYTES_MAX = 16 << 10 };

/* "To `ada`: <sentence>." The sentence is ours and may quote foreign names. */
void report_reply(const char *who, const char *sentence, struct str *out);
/* What there is to say to us. */
void report_reply_help(struct str *out);
/* The verdict's sentence, then each row's with the numbers it used. */
void report_reply_explain(const struct report *r, struct str *out);

#endif
