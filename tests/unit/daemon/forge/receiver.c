/* SPDX-License-Identifier: MIT */
/* receiver: see receiver.h. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "fdio.h"
#include "receiver.h"

enum { PATIENCE_MS = 20000 };

static void read_line(struct receiver *r, struct str *out)
{
    char line[65536];
    /* Lines are flushed whole, so a readable pipe has one; nothing stays behind in the buffer
     * because the stream is unbuffered. */
    struct pollfd p = {.fd = fileno(r->out), .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    do {
        assert_non_null(fgets(line, sizeof line, r->out));
        str_addz(out, line);
    } while (out->at[out->len - 1] != '\n');
}

void receiver_start(struct receiver *r, const char *script, struct view key)
{
    AUTO(str_done) struct str hex = STR_INIT(1024);
    str_add_hex(&hex, key.at, key.len);
    receiver_start_with(r, script, str_text(&hex));
}

void receiver_start_with(struct receiver *r, const char *script, const char *arg)
{
    AUTO(str_done) struct str port = STR_INIT(64);
    int in[2], out[2];
    struct err e = {0};
    const char *argv[] = {PYTHON3, script, arg, NULL};
    assert_int_equal(fdio_pipe(in, &e), 0);
    assert_int_equal(fdio_pipe(out, &e), 0);
    struct child_spec spec = {.argv = argv, .in = in[0], .out = out[1], .err = STDERR_FILENO};
    *r = (struct receiver){.child = CHILD_INIT, .in = in[1]};
    if (child_start(&r->child, &spec, &e) < 0)
        fail_msg("%s", e.text);
    fdio_closep(&in[0]);
    fdio_closep(&out[1]);
    r->out = fdopen(out[0], "r");
    setvbuf(r->out, NULL, _IONBF, 0);
    read_line(r, &port);
    r->port = atoi(str_text(&port));
    assert_true(r->port > 0);
}

void receiver_stop(struct receiver *r)
{
    fdio_closep(&r->in);
    fclose(r->out);
    (void)child_stop(&r->child, clock_now_ns() + 5 * CLOCK_NS_PER_S);
}

void receiver_url(const struct receiver *r, const char *path, struct str *out)
{
    str_addf(out, "http://127.0.0.1:%d%s", r->port, path);
}

struct json_doc *receiver_next(struct receiver *r, struct str *text)
{
    struct json_doc *doc = NULL;
    struct err e = {0};
    str_clear(text);
    read_line(r, text);
    if (json_parse(view_trim(str_view(text)), &JSON_DELIVERY, &doc, &e) < 0)
        fail_msg("%s", e.text);
    return doc;
}

void receiver_skip(struct receiver *r)
{
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    AUTO(json_freep) struct json_doc *doc = receiver_next(r, &line);
    assert_non_null(doc);
}
