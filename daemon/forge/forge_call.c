/* SPDX-License-Identifier: MIT */
/*
 * One call: address, token and request out of the configuration, and what the answer means.
 *
 * The one question that matters after a failure is whether the forge may have done it all the
 * same. For a call that changes nothing when it is repeated the answer is indifferent; for one
 * that creates, everything between the first byte sent and a clear refusal is "unsure": forges
 * have been seen to store a comment and answer 500.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "forge_app.h"
#include "forge_parts.h"
#include "forge_webhook.h"

#define CALL_DEADLINE_NS (10 * CLOCK_NS_PER_S)

enum {
    RATE_WAIT_MS = 60 * 1000,   /* when a forge says "too many" and not for how long */
    TOKEN_WAIT_MS = 300 * 1000, /* an operator has to replace the token */
    DETAIL_MAX = 200,
};

/* --- what an answer means ------------------------------------------------------------------
 */

static bool contains(struct view text, const char *word)
{
    return text.len && memmem(text.at, text.len, word, strlen(word));
}

static bool is_rate_limit(const struct client_answer *got)
{
    return got->status == 429 ||
           (got->status == 403 && (got->retry_after_ms > 0 || got->budget == 0 ||
                                   contains(str_view(&got->body), "rate limit")));
}

static int64_t rate_wait_ms(const struct client_answer *got)
{
    if (got->retry_after_ms)
        return got->retry_after_ms;
    int64_t left = got->budget == 0 ? got->budget_reset_ms - clock_wall_ms() : 0;
    return left > 0 ? left : RATE_WAIT_MS;
}

void forge_classify(bool creates, const struct client_answer *got, struct forge_answer *out)
{
    *out = (struct forge_answer){
        .status = got->status,
        .wait_ms = got->retry_after_ms,
        .budget = got->budget,
        .budget_reset_ms = got->budget_reset_ms,
    };
    if (got->status >= 200 && got->status < 300) {
        out->result = FORGE_DONE;
    } else if (is_rate_limit(got)) {
        out->result = FORGE_LATER;
        out->wait_ms = rate_wait_ms(got);
    } else if (got->status == 404 || got->status == 410) {
        out->result = FORGE_GONE;
    } else if (got->status == 401) {
        out->result = FORGE_LATER;
        out->wait_ms = TOKEN_WAIT_MS;
    } else if (got->status == 408 || got->status == 409 || got->status == 425) {
        out->result = FORGE_LATER;
    } else if (got->status < 500) {
        out->result = FORGE_REFUSED;
    } else {
        out->result = creates ? FORGE_UNSURE : FORGE_LATER;
    }
}

static enum err_kind kind_of(const struct forge_answer *a)
{
    static const enum err_kind kinds[] = {
        [FORGE_DONE] = ERR_NONE,  [FORGE_GONE] = ERR_NOT_FOUND,  [FORGE_REFUSED] = ERR_INPUT,
        [FORGE_LATER] = ERR_AWAY, [FORGE_UNSURE] = ERR_PROTOCOL,
    };
    return kinds[a->result];
}

static const char *advice(int status)
{
    if (status == 401)
        return "; is the token right and still valid?";
    if (status == 403)
        return "; does the token have the right to do this?";
    if (status >= 300 && status < 400)
        return "; redirects are not followed: was the repository renamed?";
    return "";
}

static int complain(const struct forge_call *call, const struct forge_answer *a,
                    const struct client_answer *got, struct err *e)
{
    struct view text = view_trim(str_view(&got->body));
    text.len = view_utf8_prefix(text, DETAIL_MAX);
    return err_set(e, kind_of(a), "%s %s: the forge answered %d%s%s%.*s",
                   call->method ? call->method : "GET", str_text(call->path), got->status,
                   advice(got->status), text.len ? ": " : "", (int)text.len,
                   text.len ? text.at : "");
}

/* --- the request ---------------------------------------------------------------------------
 */

void forge_wipe(struct str *secret)
{
    if (secret->at)
        explicit_bzero(secret->at, secret->room);
    str_done(secret);
}

/* Nothing that could end a header. */
static bool is_token(struct view token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.at[i] < '!' || token.at[i] > '~')
            return false;
    return token.len > 0;
}

static int add_token(struct forge *f, const struct forge_call *call, struct str *header,
                     struct forge_answer *a, struct err *e)
{
    AUTO(forge_wipe) struct str token = STR_INIT(FORGE_TOKEN_MAX);
    int r = call->as_app ? forge_app_sign(f, &token, e)
            : f->options.app_key_file
                ? forge_app_token(f, &token, a, e)
                : forge_secret_read_text(f->options.token_file, &token, e);
    if (r < 0) {
        if (a->result == FORGE_DONE) /* no answer says more: a file is not as it should be */
            *a = (struct forge_answer){
                .result = FORGE_LATER, .wait_ms = TOKEN_WAIT_MS, .budget = -1};
        return -1;
    }
    if (!is_token(str_view(&token))) {
        a->result = FORGE_REFUSED;
        return err_set(e, ERR_INPUT, "the token is not one word of printable characters");
    }
    if (call->as_app)
        str_addf(header, "Authorization: Bearer %s", str_text(&token));
    else
        f->api->authorize(f, str_view(&token), header);
    return 0;
}

static int send_call(struct forge *f, const struct forge_call *call, struct client_answer *got,
                     struct forge_answer *a, struct err *e)
{
    AUTO(forge_wipe) struct str token = STR_INIT(2 * FORGE_TOKEN_MAX);
    AUTO(str_done) struct str url = STR_INIT(CLIENT_URL_MAX);
    if (add_token(f, call, &token, a, e) < 0)
        return -1;
    str_add(&url, str_view(&f->root));
    str_add(&url, str_view(call->path));
    const char *headers[] = {str_text(&token), "Accept: application/json",
                             call->body.at ? "Content-Type: application/json" : NULL, NULL};
    int64_t patience_ns = f->options.deadline_ns ? f->options.deadline_ns : CALL_DEADLINE_NS;
    struct client_request request = {
        .method = call->method,
        .url = str_text(&url),
        .headers = headers,
        .body = call->body,
        .deadline_ns = clock_now_ns() + patience_ns,
        .allow_private = f->options.url || f->options.api_url,
        .allow_http = f->http,
        .ca_file = f->options.ca_file,
        .cancel = f->options.cancel,
    };
    if (call->path->cut || url.cut) {
        *a = (struct forge_answer){.result = FORGE_REFUSED, .budget = -1};
        return err_set(e, ERR_LIMIT, "the address of this call is too long");
    }
    if (f->send(&request, got, e) == 0)
        return 0;
    bool maybe = call->creates && got->sent;
    *a = (struct forge_answer){.result = maybe                  ? FORGE_UNSURE
                                         : e->kind == ERR_INPUT ? FORGE_REFUSED
                                                                : FORGE_LATER,
                               .silent = e->kind == ERR_TIMEOUT,
                               .budget = -1};
    return err_ctx(e, "%s %s", call->method ? call->method : "GET", str_text(call->path));
}

int forge_call(struct forge *f, const struct forge_call *call, struct json_doc **out,
               struct forge_answer *a, struct err *e)
{
    struct err own;
    AUTO(client_answer_done)
    struct client_answer got = {.budget = -1, .body = STR_INIT(FORGE_ANSWER_MAX)};
    e = e ? e : &own;
    *a = (struct forge_answer){.budget = -1};
    if (send_call(f, call, &got, a, e) < 0)
        return -1;
    forge_classify(call->creates, &got, a);
    if (a->status == 401 && !call->as_app)
        forge_app_forget(f);
    if (a->result != FORGE_DONE)
        return complain(call, a, &got, e);
    if (!out || (!got.body.cut && json_parse(str_view(&got.body), &JSON_DELIVERY, out, e) == 0))
        return 0;
    a->result = call->creates ? FORGE_UNSURE : FORGE_LATER;
    if (got.body.cut)
        err_set(e, ERR_LIMIT, "the answer is longer than %d bytes", FORGE_ANSWER_MAX);
    return err_ctx(e, "%s %s", call->method ? call->method : "GET", str_text(call->path));
}

int forge_get(struct forge *f, const struct str *path, struct json_doc **out,
              struct forge_answer *a, struct err *e)
{
    return forge_call(f, &(struct forge_call){.path = path}, out, a, e);
}

int forge_get_user(struct forge *f, const struct str *path, struct forge_user *out,
                   struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    if (forge_get(f, path, &doc, a, e) < 0)
        return -1;
    return f->api->read_user(doc, json_root(doc), out, e);
}

int forge_create(struct forge *f, const struct str *path, const struct str *body, char *id,
                 struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct forge_call call = {
        .method = "POST", .path = path, .body = str_view(body), .creates = true};
    if (forge_call(f, &call, &doc, a, e) < 0)
        return -1;
    return forge_read_id(doc, json_root(doc), "id", id, e);
}

int forge_replace(struct forge *f, const char *method, const struct str *path,
                  const struct str *body, struct forge_answer *a, struct err *e)
{
    struct forge_call call = {.method = method, .path = path, .body = str_view(body)};
    return forge_call(f, &call, NULL, a, e);
}
