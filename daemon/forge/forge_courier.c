/* SPDX-License-Identifier: MIT */
/* forge_courier: see forge_courier.h. */
#include "forge_courier.h"

#include "forge_mail.h"
#include "forge_parts.h"
#include "forge_webhook.h"
#include "json_write.h"

const char *const courier_kind_names[COURIER_KIND_COUNT] = {"webhook", "slack", "matrix",
                                                            "mail"};

static int send_webhook(const struct courier *c, const char *message_id, struct view body,
                        int64_t deadline_ns, struct client_answer *out, struct err *e)
{
    struct forge_webhook hook = {
        .url = c->url,
        .secret_file = c->secret_file,
        .allow_private = c->allow_private,
        .allow_http = c->allow_plain,
        .ca_file = c->ca_file,
        .cancel = c->cancel,
    };
    return forge_webhook_send(&hook, message_id, body, deadline_ns, out, e);
}

static int send_json(const struct courier *c, struct client_request *request,
                     const struct str *body, struct client_answer *out, struct err *e)
{
    request->body = str_view(body);
    request->allow_private = c->allow_private;
    request->allow_http = c->allow_plain;
    request->ca_file = c->ca_file;
    request->cancel = c->cancel;
    return client_send(request, out, e);
}

/* Slack reads '&', '<' and '>' as markup; a '<' would begin a mention of everybody. */
static void add_slack_text(struct view text, struct str *out)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&':
            str_addz(out, "&amp;");
            break;
        case '<':
            str_addz(out, "&lt;");
            break;
        case '>':
            str_addz(out, "&gt;");
            break;
        default:
            str_addc(out, text.at[i]);
        }
    }
}

static int send_slack(const struct courier *c, struct view body, int64_t deadline_ns,
                      struct client_answer *out, struct err *e)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    AUTO(forge_wipe) struct str url = STR_INIT(CLIENT_URL_MAX);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    AUTO(str_done) struct str json = STR_INIT(FORGE_BODY_MAX);
    if (forge_secret_read_text(c->secret_file, &url, e) < 0)
        return -1;
    add_slack_text(body, &text);
    forge_write_body("text", str_view(&text), &json);
    struct client_request request = {.method = "POST",
                                     .url = str_text(&url),
                                     .headers = headers,
                                     .deadline_ns = deadline_ns};
    int r = send_json(c, &request, &json, out, e);
    if (r < 0 && strstr(e->text, str_text(&url))) /* the address is the secret */
        (void)err_set(e, e->kind, "the address in '%s' cannot be spoken to", c->secret_file);
    return r;
}

static int send_matrix(const struct courier *c, const char *message_id, struct view body,
                       int64_t deadline_ns, struct client_answer *out, struct err *e)
{
    AUTO(forge_wipe) struct str token = STR_INIT(FORGE_TOKEN_MAX);
    AUTO(str_done) struct str url = STR_INIT(CLIENT_URL_MAX);
    AUTO(str_done) struct str json = STR_INIT(FORGE_BODY_MAX);
    str_addz(&token, "Authorization: Bearer ");
    if (forge_secret_read_text(c->secret_file, &token, e) < 0)
        return -1;
    struct view root = view_z(c->url);
    str_addf(&url, "%.*s/_matrix/client/v3/rooms/", (int)(root.len - view_ends(root, "/")),
             c->url);
    forge_path_add(&url, view_z(c->room));
    str_addz(&url, "/send/m.room.message/");
    forge_path_add(&url, view_z(message_id));
    struct jw w = jw_begin(&json);
    jw_object(&w, NULL);
    jw_text(&w, "msgtype", "m.notice"); /* bots answer no notices */
    jw_view(&w, "body", body);
    jw_end(&w);
    const char *headers[] = {"Content-Type: application/json", str_text(&token), NULL};
    struct client_request request = {
        .method = "PUT", .url = str_text(&url), .headers = headers, .deadline_ns = deadline_ns};
    return send_json(c, &request, &json, out, e);
}

int courier_send(const struct courier *c, const char *message_id, struct view body,
                 int64_t deadline_ns, struct client_answer *out, struct err *e)
{
    switch (c->kind) {
    case COURIER_SLACK:
        return send_slack(c, body, deadline_ns, out, e);
    case COURIER_MATRIX:
        return send_matrix(c, message_id, body, deadline_ns, out, e);
    case COURIER_MAIL:
        return forge_mail_send(c, message_id, body, deadline_ns, out, e);
    default:
        return send_webhook(c, message_id, body, deadline_ns, out, e);
    }
}
