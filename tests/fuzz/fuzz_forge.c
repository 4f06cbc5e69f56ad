/* SPDX-License-Identifier: MIT */
/*
 * fuzz_forge: any answer of a forge's API, to every forge's reader. The first byte chooses the
 * forge, the second the call, the next two the status; the rest is the body, the same for each
 * request that the call makes.
 */
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "forge_parts.h"

#define TOKEN "s3cret-t0ken"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct view answer_body;
static int answer_status, sends;

static int feed(const struct client_request *request, struct client_answer *out, struct err *e)
{
    /* A call asks for no more pages than it may. */
    if (++sends > 2 * FORGE_PAGES_MAX || !request->url || !request->deadline_ns)
        abort();
    if (sends > 4)
        return err_set(e, ERR_AWAY, "enough");
    out->status = answer_status;
    out->sent = true;
    str_add(&out->body, answer_body);
    return 0;
}

static const char *token_file(void)
{
    static char path[] = "/tmp/pacewatch-fuzz-XXXXXX";
    static bool made;
    if (!made) {
        int fd = mkstemp(path); /* mode 0600 */
        if (fd < 0 || fdio_write_all(fd, VIEW(TOKEN), NULL) < 0)
            abort();
        fdio_closep(&fd);
        made = true;
    }
    return path;
}

static void must_be_text(const char *text, size_t size)
{
    if (!memchr(text, '\0', size) || !view_is_utf8(view_z(text)))
        abort();
}

static void must_be_user(const struct forge_user *user)
{
    must_be_text(user->id, sizeof user->id);
    must_be_text(user->login, sizeof user->login);
}

static int call(struct forge *f, int which, struct forge_answer *a, struct err *e)
{
    struct forge_user who = {.id = "7", .login = "alice"};
    struct forge_status status = {
        .sha = "00", .context = "c", .description = "d", .state = FORGE_PENDING};
    char id[FORGE_ID_MAX + 1] = "";
    int r = -1;
    switch (which) {
    case 0:
        r = forge_whoami(f, &who, a, e);
        must_be_user(&who);
        break;
    case 1: {
        enum forge_role role = FORGE_ROLE_NONE;
        r = forge_role_of(f, &who, &role, a, e);
        if (role > FORGE_ROLE_ADMIN)
            abort();
        break;
    }
    case 2: {
        struct forge_mr mr = {0};
        r = forge_mr_get(f, 12, &mr, a, e);
        must_be_text(mr.head, sizeof mr.head);
        must_be_text(mr.target, sizeof mr.target);
        must_be_user(&mr.author);
        for (int i = 0; i < mr.labels_len; i++)
            must_be_text(mr.labels[i], sizeof mr.labels[i]);
        break;
    }
    case 3: {
        AUTO(forge_comment_done) struct forge_comment comment = FORGE_COMMENT_INIT;
        r = forge_comment_get(f, 12, "1", &comment, a, e);
        must_be_user(&comment.author);
        break;
    }
    case 4:
        r = forge_comment_find(f, 12, "pacewatch:", 1764000000000, id, a, e);
        break;
    case 5:
        r = forge_comment_post(f, 12, VIEW("text"), id, a, e);
        break;
    case 6:
        r = forge_comment_edit(f, 12, "1", VIEW("text"), a, e);
        break;
    default:
        r = forge_status_put(f, &status, id, a, e);
    }
    must_be_text(id, sizeof id);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    AUTO(forge_closep) struct forge *f = NULL;
    struct forge_options options = {
        .kind = (enum forge_kind)(FORGE_GITHUB + data[0] % (FORGE_KIND_COUNT - 1)),
        .url = "https://forge.example",
        .project = "acme/shop",
        .user = "pacewatch",
        .token_file = token_file()};
    struct forge_answer a;
    struct err e = {0};
    answer_status = data[2] < 200 ? 200 : 100 + (data[2] << 8 | data[3]) % 500;
    answer_body = (struct view){(const char *)data + 4, size - 4};
    sends = 0;
    if (forge_open(&options, &f, &e) < 0)
        abort();
    f->send = feed;
    int r = call(f, data[1] % 8, &a, &e);
    if ((r == 0) != (a.result == FORGE_DONE) || a.wait_ms < 0)
        abort();
    if (strstr(e.text, TOKEN) && !memmem(data, size, TOKEN, sizeof TOKEN - 1))
        abort();
    return 0;
}
