/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hook: any headers and body of a delivery, to every forge's reader. The first byte
 * chooses the forge, lines up to an empty one are headers, the rest is the body.
 */
#include <stdlib.h>
#include <strings.h>

#include "forge_hook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct view header(const void *lines, const char *name)
{
    struct view rest = *(const struct view *)lines, line, key, value;
    while (view_line(&rest, &line))
        if (view_cut(line, ':', &key, &value) && key.len == strlen(name) &&
            strncasecmp(key.at, name, key.len) == 0)
            return value;
    return (struct view){0};
}

static void must_be_text(const char *text, size_t size)
{
    if (!memchr(text, '\0', size) || !view_is_utf8(view_z(text)))
        abort();
}

static void must_be_sane(const struct forge_event *event)
{
    must_be_text(event->delivery, sizeof event->delivery);
    must_be_text(event->action, sizeof event->action);
    must_be_text(event->author, sizeof event->author);
    must_be_text(event->ref, sizeof event->ref);
    must_be_text(event->before, sizeof event->before);
    must_be_text(event->after, sizeof event->after);
    if (!event->delivery[0] || event->number < 0 || event->kind >= FORGE_EVENT_COUNT)
        abort();
    must_be_text(event->comment, sizeof event->comment);
    if (forge_event_commands(event) && event->kind != FORGE_COMMENT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = {(const char *)data, size}, line, lines;
    if (size == 0)
        return 0;
    struct forge_hook hook = {.kind = (enum forge_kind)(data[0] % FORGE_KIND_COUNT),
                              .key = VIEW("s3cret"),
                              .by_signature = data[0] >= 128};
    rest = view_skip(rest, 1);
    lines.at = rest.at;
    line = (struct view){rest.at, 0};
    while (view_line(&rest, &line) && line.len)
        continue;
    lines.len = (size_t)(line.at - lines.at);
    struct forge_delivery d = {
        .header = header, .self = &lines, .body = rest, .now_ms = INT64_C(1764000000000)};
    struct forge_event event;
    struct err e = {0};
    (void)forge_hook_has_signature(&hook, &d);
    (void)forge_hook_verify(&hook, &d);
    if (forge_hook_parse(&hook, &d, &event, &e) == 0)
        must_be_sane(&event);
    else if (e.kind != ERR_INPUT && e.kind != ERR_LIMIT)
        abort();
    return 0;
}
