/* SPDX-License-Identifier: MIT */
/* errors: see errors.h. */
#include "errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks a text that did not fit, so that nobody takes the cut end for the whole message. */
static void mark_cut(char text[ERR_TEXT_MAX], int wanted)
{
    if (wanted >= ERR_TEXT_MAX)
        memcpy(text + ERR_TEXT_MAX - 4, "...", 4);
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    if (!e)
        return -1;

    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    e->kind = kind;
    mark_cut(e->text, wanted);
    return -1;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -1;

    char before[ERR_TEXT_MAX];
    memcpy(before, e->text, sizeof before);
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    if (len < 0)
        len = 0;
    if (len < ERR_TEXT_MAX)
        len += snprintf(e->text + len, sizeof e->text - (size_t)len, ": %s", before);
    mark_cut(e->text, len);
    return -1;
}

static enum err_kind kind_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return ERR_AWAY;
    default:
        return ERR_SYSTEM;
    }
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int number = errno;
    if (!e)
        return -1;

    char what[ERR_TEXT_MAX - 128]; /* leaves room for the reason, which matters more */
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    if (wanted >= (int)sizeof what)
        memcpy(what + sizeof what - 4, "...", 4);
    return err_set(e, kind_of_errno(number), "%s: %s", what, strerror(number));
}

const char *err_kind_name(enum err_kind kind)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",         [ERR_INPUT] = "input",         [ERR_SYSTEM] = "system",
        [ERR_PROTOCOL] = "protocol", [ERR_AWAY] = "away",           [ERR_TIMEOUT] = "timeout",
        [ERR_CONFLICT] = "conflict", [ERR_NOT_FOUND] = "not found", [ERR_LIMIT] = "limit",
    };
    return names[kind];
}
