/* SPDX-License-Identifier: MIT */
/* failure: see failure.h. */
#include "failure.h"

#include <errno.h>

static const char *const phase_names[FAIL_PHASES] = {
    [FAIL_QUEUE] = "queue",     [FAIL_CONNECT] = "connect", [FAIL_TLS] = "tls",
    [FAIL_UPGRADE] = "upgrade", [FAIL_WRITE] = "write",     [FAIL_HEAD] = "head",
    [FAIL_BODY] = "body",       [FAIL_CHECK] = "check",     [FAIL_CLIENT] = "client",
};

static const char *const cause_names[FAIL_CAUSES] = {
    [FAIL_REFUSED] = "refused",
    [FAIL_TIMEOUT] = "timeout",
    [FAIL_RESET] = "reset",
    [FAIL_UNREACHABLE] = "unreachable",
    [FAIL_EOF] = "eof",
    [FAIL_MALFORMED] = "malformed",
    [FAIL_TOO_LARGE] = "too_large",
    [FAIL_UNASKED] = "unasked_bytes",
    [FAIL_STATUS] = "status",
    [FAIL_CONTENT] = "content",
    [FAIL_CHECKSUM] = "checksum",
    [FAIL_VERIFY] = "verify",
    [FAIL_HANDSHAKE] = "handshake",
    [FAIL_STREAM] = "stream_reset",
    [FAIL_GOAWAY] = "goaway",
    [FAIL_DESCRIPTORS] = "descriptors",
    [FAIL_PORTS] = "ports",
    [FAIL_MEMORY] = "memory",
    [FAIL_OVERFLOW] = "backlog_overflow",
    [FAIL_OTHER] = "other",
};

const char *fail_phase_name(enum fail_phase phase)
{
    return phase_names[phase];
}

const char *fail_cause_name(enum fail_cause cause)
{
    return cause_names[cause];
}

enum fail_cause fail_cause_of(int number)
{
    switch (number) {
    case ECONNREFUSED:
    case ENOENT: /* a Unix socket that is not there */
        return FAIL_REFUSED;
    case ETIMEDOUT:
        return FAIL_TIMEOUT;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return FAIL_RESET;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        return FAIL_UNREACHABLE;
    case EMFILE:
    case ENFILE:
        return FAIL_DESCRIPTORS;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return FAIL_PORTS;
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: /* epoll: more watches than the user may have */
        return FAIL_MEMORY;
    default:
        return FAIL_OTHER;
    }
}

bool fail_is_client(int number)
{
    enum fail_cause cause = fail_cause_of(number);
    return cause == FAIL_DESCRIPTORS || cause == FAIL_PORTS || cause == FAIL_MEMORY;
}
