/* SPDX-License-Identifier: MIT */
/*
 * log: one line per event on standard error: a verb and its fields.
 *
 *     log_info("job measured", "job=%" PRId64 " rounds=%d", job->id, rounds);
 *     // 2026-11-24T10:15:30Z info job measured job=41 rounds=10
 *
 * error = someone must act; warn = we went on anyway, and say so; info = a job changed state;
 * debug = free. Only stages and main programs log; libraries return errors. Never a token,
 * never a body: control characters are escaped, so foreign text cannot start a line of its own.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "auto.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
const char *log_level_name(void); /* of the level in force, for programs we start */
int log_level_parse(const char *name, enum log_level *out); /* 0, or -1 for an unknown name */

void log_error(const char *event, const char *fmt, ...) PRINTF(2, 3);
void log_warn(const char *event, const char *fmt, ...) PRINTF(2, 3);
void log_info(const char *event, const char *fmt, ...) PRINTF(2, 3);
void log_debug(const char *event, const char *fmt, ...) PRINTF(2, 3);

#endif
