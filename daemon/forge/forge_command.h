/* SPDX-License-Identifier: MIT */
/*
 * forge_command: what somebody asks of Pacewatch in a comment on a merge request.
 *
 *     /pacewatch bench [scenario=NAME] [rounds=N]
 *     /pacewatch confirm | cancel | explain | help
 *     /pacewatch accept REASON
 *     /pacewatch ignore SCENARIO REASON
 *
 * Only the first line counts, and only when '/pacewatch' is its first word: a command that is
 * quoted, or stands further down, is talk. Pure.
 */
#ifndef FORGE_FORGE_COMMAND_H
#define FORGE_FORGE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "result_doc.h"
#include "spec.h"
#include "str.h"

enum {
    COMMAND_REASON_MAX = 300,
    COMMAND_ROUNDS_MAX = 500,
    COMMAND_LINE_MAX = 1000, /* longer ones are refused */
};

enum command_verb {
    COMMAND_BENCH,
    COMMAND_CONFIRM,
    COMMAND_ACCEPT,
    COMMAND_IGNORE,
    COMMAND_CANCEL,
    COMMAND_EXPLAIN,
    COMMAND_HELP,
    COMMAND_VERB_COUNT,
};

extern const char *const command_verb_names[COMMAND_VERB_COUNT];

struct forge_command {
    enum command_verb verb;
    int64_t rounds;                      /* 0: as the spec says */
    char scenario[RESULT_NAME_MAX + 1];  /* "": all */
    char reason[COMMAND_REASON_MAX + 1]; /* valid UTF-8 without control characters */
};

/* Is it addressed to us at all? */
bool forge_command_is(struct view comment);

/* ERR_INPUT with what would be right; for whoever wrote it. */
int forge_command_parse(struct view comment, struct forge_command *out, struct err *e);

#endif
