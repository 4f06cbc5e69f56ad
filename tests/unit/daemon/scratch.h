/* SPDX-License-Identifier: MIT */
/*
 * scratch: a temporary folder and a shell in it, for tests with real files and repositories.
 *
 * Any failure ends the test program with the reason; the folder is removed by scratch_done.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "errors.h"
#include "fdio.h"

#define MUST(call)                                                      \
    do {                                                                \
        struct err e = {0};                                             \
        if ((call) < 0) {                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, e.text); \
            abort();                                                    \
        }                                                               \
    } while (0)

struct scratch {
    char dir[64];
};

/* Git without the user's settings and with the same ids every time. */
static inline void scratch_init(struct scratch *s)
{
    snprintf(s->dir, sizeof s->dir, "/tmp/pacewatch-unit.XXXXXX");
    if (!mkdtemp(s->dir))
        abort();
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_AUTHOR_NAME", "Ada", 1);
    setenv("GIT_AUTHOR_EMAIL", "ada@shop.example", 1);
    setenv("GIT_COMMITTER_NAME", "Ada", 1);
    setenv("GIT_COMMITTER_EMAIL", "ada@shop.example", 1);
    setenv("GIT_AUTHOR_DATE", "1764000000 +0000", 1);
    setenv("GIT_COMMITTER_DATE", "1764000000 +0000", 1);
    setenv("GIT_CEILING_DIRECTORIES", "/tmp", 1);
}

static inline void scratch_done(struct scratch *s)
{
    MUST(fdio_remove_tree(s->dir, &e));
}

/* The first line of what a script in the folder prints. The script must succeed. */
__attribute__((format(printf, 3, 4))) static inline void
scratch_ask(const struct scratch *s, char out[256], const char *fmt, ...)
{
    char script[8192], command[9000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(script, sizeof script, fmt, args);
    va_end(args);
    snprintf(command, sizeof command, "set -e; cd '%s'; %s", s->dir, script);
    FILE *f = popen(command, "re");
    if (!f)
        abort();
    out[0] = '\0';
    if (fgets(out, 256, f))
        out[strcspn(out, "\n")] = '\0';
    char rest[256];
    while (fgets(rest, sizeof rest, f))
        continue;
    if (pclose(f) != 0) {
        fprintf(stderr, "script failed: %s\n", script);
        abort();
    }
}

#define scratch_run(s, ...)                   \
    do {                                      \
        char line_[256];                      \
        scratch_ask((s), line_, __VA_ARGS__); \
    } while (0)

#endif
