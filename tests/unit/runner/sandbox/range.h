/* SPDX-License-Identifier: MIT */
/*
 * range: what the sandbox's tests share: a host, a work area with the attacker in it, and
 * things outside that must not be reached.
 */
#ifndef TEST_RANGE_H
#define TEST_RANGE_H

#include "sandbox.h"

enum {
    RANGE_AREA_MIB = 48,
    RANGE_TMP_MIB = 16,
    RANGE_TASKS = 64,
    RANGE_MEMORY_MIB = 256,
    RANGE_FILE_MIB = 64,
};

#define RANGE_SECRET "not-for-the-job"

struct range {
    struct sandbox_host host;
    char dir[64];       /* ours */
    char area[300];     /* becomes /job */
    char database[320]; /* mode 0600 */
    char port[16];      /* of a listener on the host's loopback */
    char name[32];      /* of a listener on an abstract socket */
    int tcp, abstract;  /* listeners */
    int leak;           /* a descriptor that must not reach a job */
};

/* Opens the host with the back end that the environment asks for. Ends the test when it cannot.
 */
void range_open(struct range *r);
void range_close(struct range *r);

/* A spec with the limits above; the caller adds argv and out. */
struct sandbox_spec range_spec(const struct range *r);

/* Runs to its end (killed after 20 s) with its output in 'out': exit status, or 128 + signal.
 */
int range_run(const struct range *r, const char *const *argv, struct str *out);
int range_run_spec(const struct range *r, const struct sandbox_spec *spec, struct str *out);

/* True when nobody holds the other end of the pipe any more, within two seconds. */
bool range_pipe_closed(int read_end);

#endif
