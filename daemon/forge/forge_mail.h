/* SPDX-License-Identifier: MIT */
/*
 * forge_mail: a mail by SMTP, with TLS unless the operator says otherwise.
 */
#ifndef FORGE_FORGE_MAIL_H
#define FORGE_FORGE_MAIL_H

#include "forge_courier.h"

/* 'text': the subject, a line end, the text. */
int forge_mail_send(const struct courier *c, const char *message_id, struct view text,
                    int64_t deadline_ns, struct client_answer *out, struct err *e);

/* The message as it is sent (RFC 5322, RFC 2045, RFC 2047); pure. */
void forge_mail_write(const struct courier *c, const char *message_id, struct view text,
                      int64_t now_s, struct str *out);

#endif
