/* SPDX-License-Identifier: MIT */
/*
 * forge_mail: see forge_mail.h. The text goes as base64, so that no line of it can be taken for
 * something of the protocol and no server on the way breaks a long one.
 */
#include "forge_mail.h"

#include <time.h>

#include "client_parts.h"
#include "clock.h"
#include "digest.h"
#include "forge_parts.h"
#include "forge_webhook.h"

enum { LINE_BYTES = 57, WORD_BYTES = 39, MAIL_BYTES_MAX = 1 << 20 };

/* --- the message ---------------------------------------------------------------------------
 */

static bool is_plain(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* An encoded word holds whole characters and at most 75 bytes; several are put together again
 * by the reader (RFC 2047, section 5). */
static void add_subject(struct view subject, struct str *out)
{
    str_addz(out, "Subject: ");
    if (is_plain(subject) && subject.len < 60) {
        str_add(out, subject);
        str_addz(out, "\r\n");
        return;
    }
    while (subject.len) {
        size_t n = view_utf8_prefix(subject, WORD_BYTES);
        n = n ? n : 1;
        str_addz(out, "=?UTF-8?B?");
        digest_base64((struct view){subject.at, n}, out);
        str_addz(out, "?=\r\n");
        subject = view_skip(subject, n);
        if (subject.len)
            str_addc(out, ' ');
    }
}

static void add_date(int64_t now_s, struct str *out)
{
    char date[64];
    time_t at = (time_t)now_s;
    struct tm tm;
    (void)gmtime_r(&at, &tm);
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    str_addf(out, "Date: %s\r\n", date);
}

static void add_text(struct view text, struct str *out)
{
    while (text.len) {
        size_t n = text.len < LINE_BYTES ? text.len : LINE_BYTES;
        digest_base64((struct view){text.at, n}, out);
        str_addz(out, "\r\n");
        text = view_skip(text, n);
    }
}

void forge_mail_write(const struct courier *c, const char *message_id, struct view text,
                      int64_t now_s, struct str *out)
{
    struct view subject, rest;
    const char *host = strrchr(c->from, '@');
    (void)view_cut(text, '\n', &subject, &rest);
    str_addf(out, "From: Pacewatch <%s>\r\nTo: ", c->from);
    for (size_t i = 0; i < c->to_len; i++)
        str_addf(out, "%s<%s>", i ? ",\r\n " : "", c->to[i]);
    str_addz(out, "\r\n");
    add_subject(subject, out);
    add_date(now_s, out);
    str_addf(out, "Message-ID: <%s%s>\r\n", message_id, host ? host : "@localhost");
    str_addz(out, "Auto-Submitted: auto-generated\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n");
    add_text(rest, out);
}

/* --- sending it ----------------------------------------------------------------------------
 */

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
    struct view *left = ctx;
    size_t give_now = size * n < left->len ? size * n : left->len;
    memcpy(to, left->at, give_now);
    *left = view_skip(*left, give_now);
    return give_now;
}

/* The server may answer to each command; only its answers to a command are of interest. */
static void set_mail(CURL *c, const struct courier *mail, const struct str *password,
                     struct curl_slist *to, struct view *left)
{
    curl_easy_setopt(c, CURLOPT_URL, mail->url);
    curl_easy_setopt(c, CURLOPT_USE_SSL,
                     mail->allow_plain ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, left);
    if (mail->user) {
        curl_easy_setopt(c, CURLOPT_USERNAME, mail->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, str_text(password));
    }
}

static int perform(CURL *c, struct exchange *x, struct err *e)
{
    char detail[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
    client_set_bounds(c, x, "smtp,smtps");
    CURLcode code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    x->answer->status = (int)status;
    if (code == CURLE_OK || status >= 400)
        return 0;
    return client_fail(code, x, detail[0] ? detail : curl_easy_strerror(code), e);
}

int forge_mail_send(const struct courier *mail, const char *message_id, struct view text,
                    int64_t deadline_ns, struct client_answer *out, struct err *e)
{
    AUTO(forge_wipe) struct str password = STR_INIT(WEBHOOK_SECRET_MAX);
    AUTO(str_done) struct str message = STR_INIT(MAIL_BYTES_MAX);
    if (mail->user && forge_secret_read_text(mail->secret_file, &password, e) < 0)
        return -1;
    forge_mail_write(mail, message_id, text, clock_wall_ms() / 1000, &message);
    struct client_request bounds = {.deadline_ns = deadline_ns,
                                    .allow_private = mail->allow_private,
                                    .ca_file = mail->ca_file,
                                    .cancel = mail->cancel};
    struct exchange x = {.request = &bounds, .answer = out};
    struct view left = str_view(&message);
    struct curl_slist *to = NULL;
    CURL *c = client_begin(e);
    if (!c)
        return -1;
    for (size_t i = 0; i < mail->to_len; i++)
        to = curl_slist_append(to, mail->to[i]);
    set_mail(c, mail, &password, to, &left);
    int r = perform(c, &x, e);
    curl_slist_free_all(to);
    curl_easy_cleanup(c);
    return r;
}
