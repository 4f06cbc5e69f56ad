/* SPDX-License-Identifier: MIT */
/*
 * log: see log.h. A line is made in one buffer and written by one call, so that lines of
 * several threads and processes never mix.
 */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

enum { LOG_LINE_MAX = 4096 };

static _Atomic enum log_level level_now = LOG_INFO;
static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    atomic_store(&level_now, level);
}

const char *log_level_name(void)
{
    return level_names[atomic_load(&level_now)];
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

static void escape_controls(struct str *line, size_t from)
{
    for (size_t i = from; i < line->len; i++) {
        unsigned char c = (unsigned char)line->at[i];
        if (c < 0x20 || c == 0x7f)
            line->at[i] = c == '\n' ? '|' : '?';
    }
}

PRINTF(3, 0)
static void log_line(enum log_level level, const char *event, const char *fmt, va_list args)
{
    if (level > atomic_load(&level_now))
        return;

    char when[CLOCK_ISO_BYTES];
    clock_iso(clock_wall_ms(), when);
    AUTO(str_done) struct str line = STR_INIT(LOG_LINE_MAX);
    str_addf(&line, "%s %s %s ", when, level_names[level], event);
    size_t from = line.len;
    str_addv(&line, fmt, args);
    escape_controls(&line, from);
    if (line.cut)
        line.len = LOG_LINE_MAX - 1;
    str_addc(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.at, line.len);
    (void)written; /* There is nowhere left to report a broken log. */
}

#define LOG_FUNCTION(name, level)                      \
    void name(const char *event, const char *fmt, ...) \
    {                                                  \
        va_list args;                                  \
        va_start(args, fmt);                           \
        log_line(level, event, fmt, args);             \
        va_end(args);                                  \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
