/* SPDX-License-Identifier: MIT */
/* forge_command: see forge_command.h. */
#include "forge_command.h"

#include <string.h>

#include "auto.h"
#include "opt.h"

#define WORD "/pacewatch"

const char *const command_verb_names[COMMAND_VERB_COUNT] = {
    "bench", "confirm", "accept", "ignore", "cancel", "explain", "help",
};

static struct view first_line(struct view comment)
{
    struct view line = {0};
    (void)view_line(&comment, &line);
    return view_trim(line);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the next word off; empty when there is none. */
static struct view next_word(struct view *rest)
{
    struct view v = view_trim(*rest);
    size_t n = 0;
    while (n < v.len && !is_blank(v.at[n]))
        n++;
    *rest = view_trim(view_skip(v, n));
    return (struct view){v.at, n};
}

bool forge_command_is(struct view comment)
{
    struct view line;
    /* What stands first must be the word itself: four blanks before it are a block of code. */
    if (!view_starts(comment, WORD))
        return false;
    line = first_line(comment);
    return view_eqz(next_word(&line), WORD);
}

/* One line of text for people: valid, without control characters. */
static int take_text(struct view text, char *out, size_t size, const char *what, struct err *e)
{
    if (!text.len)
        return err_set(e, ERR_INPUT, "%s is missing", what);
    if (text.len >= size)
        return err_set(e, ERR_INPUT, "%s is longer than %zu bytes", what, size - 1);
    if (!view_is_utf8(text))
        return err_set(e, ERR_INPUT, "%s is not valid UTF-8", what);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return err_set(e, ERR_INPUT, "%s has control characters", what);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return 0;
}

static int read_options(struct view rest, struct forge_command *out, struct err *e)
{
    for (struct view word = next_word(&rest); word.len; word = next_word(&rest)) {
        struct view key, value;
        struct err own = {0};
        (void)view_cut(word, '=', &key, &value);
        if (view_eqz(key, "scenario")) {
            if (take_text(value, out->scenario, sizeof out->scenario, "the scenario", e) < 0)
                return -1;
        } else if (view_eqz(key, "rounds")) {
            if (opt_int(value, SPEC_ROUNDS_LEAST, COMMAND_ROUNDS_MAX, &out->rounds, &own) < 0)
                return err_set(e, ERR_INPUT, "rounds is a number from %d to %d",
                               SPEC_ROUNDS_LEAST, COMMAND_ROUNDS_MAX);
        } else {
            return err_set(e, ERR_INPUT, "bench takes 'scenario=NAME' and 'rounds=N'");
        }
    }
    return 0;
}

static int read_verb(struct view word, enum command_verb *out, struct err *e)
{
    for (int i = 0; i < COMMAND_VERB_COUNT; i++) {
        if (view_eqz(word, command_verb_names[i])) {
            *out = (enum command_verb)i;
            return 0;
        }
    }
    for (int i = 0; i < COMMAND_VERB_COUNT; i++)
        if (word.len && view_distance(word, view_z(command_verb_names[i])) <= 2)
            return err_set(e, ERR_INPUT, "there is no such command; did you mean '%s'?",
                           command_verb_names[i]);
    return err_set(e, ERR_INPUT, "there is no such command");
}

int forge_command_parse(struct view comment, struct forge_command *out, struct err *e)
{
    struct view rest = first_line(comment);
    struct forge_command c = {.verb = COMMAND_HELP};
    if (rest.len > COMMAND_LINE_MAX)
        return err_set(e, ERR_INPUT, "the command is longer than %d bytes", COMMAND_LINE_MAX);
    if (!forge_command_is(comment))
        return err_set(e, ERR_INPUT, "a command begins with '" WORD "'");
    (void)next_word(&rest);
    struct view verb = next_word(&rest);
    if (verb.len && read_verb(verb, &c.verb, e) < 0)
        return -1;
    if (c.verb == COMMAND_BENCH && read_options(rest, &c, e) < 0)
        return -1;
    if (c.verb == COMMAND_IGNORE && take_text(next_word(&rest), c.scenario, sizeof c.scenario,
                                              "the scenario to ignore", e) < 0)
        return -1;
    if ((c.verb == COMMAND_ACCEPT || c.verb == COMMAND_IGNORE) &&
        take_text(rest, c.reason, sizeof c.reason, "the reason", e) < 0)
        return -1;
    *out = c;
    return 0;
}
