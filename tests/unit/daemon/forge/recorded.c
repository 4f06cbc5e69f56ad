/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <strings.h>

#include "fdio.h"
#include "recorded.h"

static void read_part(const char *folder, const char *name, const char *part, struct str *out)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    struct err e = {0};
    str_addf(&path, "%s/%s.%s", folder, name, part);
    *out = (struct str)STR_INIT(FORGE_HOOK_BYTES_MAX);
    if (fdio_read_file(str_text(&path), out, &e) < 0)
        fail_msg("%s", e.text);
}

void recorded_load(const char *folder, const char *name, struct recorded *out)
{
    read_part(folder, name, "headers", &out->headers);
    read_part(folder, name, "body", &out->body);
}

void recorded_done(struct recorded *r)
{
    str_done(&r->headers);
    str_done(&r->body);
}

struct view recorded_header(const void *lines, const char *name)
{
    struct view rest = *(const struct view *)lines, line, key, value;
    while (view_line(&rest, &line))
        if (view_cut(line, ':', &key, &value) && key.len == strlen(name) &&
            strncasecmp(key.at, name, key.len) == 0)
            return view_trim(value);
    return VIEW("");
}
