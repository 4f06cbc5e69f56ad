/* SPDX-License-Identifier: MIT */
/*
 * doctor: what about this host makes measurements worse, each with the command that mends it.
 *
 * Looks only; tune.h changes what it may. 'root' stands before every path; "" but in tests.
 */
#ifndef HOST_DOCTOR_H
#define HOST_DOCTOR_H

#include "cpus.h"
#include "str.h"
#include "vec.h"

enum doctor_status { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_STATUS_COUNT };
extern const char *const doctor_status_names[DOCTOR_STATUS_COUNT]; /* "pass", "warn", "fail" */

struct doctor_check {
    enum doctor_status status;
    char name[32];
    char text[512];
    char fix[512]; /* a command; "": there is none, or none is needed */
};

struct doctor {
    VEC(struct doctor_check) checks;
};

/* Appends a check; 'fix' may be NULL. */
void doctor_add(struct doctor *d, enum doctor_status status, const char *name, const char *fix,
                const char *fmt, ...) PRINTF(5, 6);
/* Appends everything that this folder can look at. */
void doctor_look(struct doctor *d, const char *root, const struct cpus *cpus);
void doctor_done(struct doctor *d);

/* "pass  governor      performance", with the command on a line of its own below. */
void doctor_write_text(const struct doctor *d, struct str *out);
void doctor_write_json(const struct doctor *d, struct str *out);
enum doctor_status doctor_worst(const struct doctor *d);

#endif
