/* SPDX-License-Identifier: MIT */
/* command_parts: the parts of the commands stage, for its own files. */
#ifndef STAGES_COMMAND_PARTS_H
#define STAGES_COMMAND_PARTS_H

#include "commands.h"
#include "forge.h"
#include "forge_command.h"
#include "store_command.h"

struct asking { /* one command, by somebody who may */
    const struct commands *stage;
    struct command row;
    const struct notice_forge *forge;
    struct forge_command command;
    struct forge_mr mr;      /* as the forge knows it now */
    struct str reply;        /* a sentence, without its end */
    struct str more;         /* what stands below it */
    const struct bell *ring; /* whom to wake; NULL: nobody */
};

/* command_act.c: does it, in the caller's transaction, and writes the reply. */
int command_act(struct asking *a, struct err *e);

#endif
