/* SPDX-License-Identifier: MIT */
/* recorded: deliveries of real forges, from tests/fixtures/hooks; the secret is
 * RECORDED_SECRET.
 */
#ifndef TEST_RECORDED_H
#define TEST_RECORDED_H

#include "forge_hook.h"

#define RECORDED_SECRET "s3cret"

struct recorded {
    struct str headers; /* lines "Name: value" */
    struct str body;
};

/* 'name' as "gitea-1.15.11/002-push-main"; not there: the test fails. */
void recorded_load(const char *folder, const char *name, struct recorded *out);
void recorded_done(struct recorded *r);

/* The value of a header in such lines, "" when there is none. */
struct view recorded_header(const void *lines, const char *name); /* a struct view */

#endif
