/* SPDX-License-Identifier: MIT */
/*
 * asset: the page's files from inside the program.
 *
 * Every answer is made once at the start, in each encoding, with its 304. Hashed names are
 * cached for ever; the shell is asked for each time and answered 304 while the build is the
 * same.
 */
#ifndef HTTP_ASSET_H
#define HTTP_ASSET_H

#include "server.h"

struct assets;

struct assets *assets_new(void);
void assets_free(struct assets *a);

/* The file under /assets/ that was asked for; false when there is none. */
bool assets_answer(const struct assets *a, const struct request *r, struct reply *reply);
/* The page itself, which finds its content by the address. */
bool assets_answer_shell(const struct assets *a, const struct request *r, struct reply *reply);

/* Does 'Accept-Encoding' take this coding? "br;q=0" does not; "*" stands for any. */
bool asset_accepts(struct view accept_encoding, const char *coding);

#endif
