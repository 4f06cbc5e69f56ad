/* SPDX-License-Identifier: MIT */
/*
 * forge_app: being a GitHub App: a signed statement of who we are buys a token for one
 * installation, valid for an hour. The token is kept in memory until shortly before its end.
 * Private to this folder.
 */
#ifndef FORGE_FORGE_APP_H
#define FORGE_FORGE_APP_H

#include "forge_parts.h"

/* The App's own signature: a JSON Web Token, RS256 (RFC 7519, RFC 7515). */
int forge_app_sign(struct forge *f, struct str *out, struct err *e);
/* The same for any time and key, so that it can be checked; 'key' is PEM. */
int forge_app_jwt(const char *app_id, struct view key, int64_t now_s, struct str *out,
                  struct err *e);

/* The installation's token; asked for when there is none, or not for long any more. */
int forge_app_token(struct forge *f, struct str *out, struct forge_answer *a, struct err *e);
void forge_app_forget(struct forge *f); /* it was refused */

#endif
