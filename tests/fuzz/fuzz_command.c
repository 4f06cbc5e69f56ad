/* SPDX-License-Identifier: MIT */
/* fuzz_command: any comment; what is taken for a command is one, and its texts are texts. */
#include <stdlib.h>

#include "forge_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_text(const char *text, size_t size)
{
    if (!memchr(text, '\0', size) || !view_is_utf8(view_z(text)))
        abort();
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view comment = {(const char *)data, size};
    struct forge_command c;
    struct err e = {0};
    if (forge_command_parse(comment, &c, &e) < 0) {
        if (e.kind != ERR_INPUT || !view_is_utf8(view_z(e.text)))
            abort();
        return 0;
    }
    if (!forge_command_is(comment) || c.verb >= COMMAND_VERB_COUNT || c.rounds < 0 ||
        c.rounds > COMMAND_ROUNDS_MAX)
        abort();
    must_be_text(c.scenario, sizeof c.scenario);
    must_be_text(c.reason, sizeof c.reason);
    if ((c.verb == COMMAND_ACCEPT || c.verb == COMMAND_IGNORE) && !c.reason[0])
        abort();
    return 0;
}
