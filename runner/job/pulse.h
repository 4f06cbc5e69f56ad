/* SPDX-License-Identifier: MIT */
/*
 * pulse: tells the daemon that we live and how far we are, and learns when to stop.
 *
 * A thread with its own link sends a beat now and then. Work is cancelled when a beat's answer
 * says so, when the attempt is over, or when the runner is told to end (SIGTERM, SIGINT). Every
 * wait of the runner goes through pulse_wait, so a cancelled job stops within milliseconds.
 */
#ifndef JOB_PULSE_H
#define JOB_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

enum { PULSE_STAGE_MAX = 64 };

struct pulse;

/* Blocks SIGTERM and SIGINT for the calling thread and all it starts; call before other
 * threads. */
int pulse_block_signals(int *out_signal_fd, struct err *e);

int pulse_start(const struct link_address *to, int64_t every_ns, int signal_fd,
                struct pulse **out, struct err *e);
void pulse_freep(struct pulse **p);

/* What the next beats say. They keep their own pace, so that no beat falls into a measured part
 * because of a new stage. */
void pulse_stage(struct pulse *p, const char *fmt, ...) PRINTF(2, 3);
void pulse_rounds(struct pulse *p, int64_t done, int64_t planned, int64_t eta_ms);

int pulse_fd(const struct pulse *p); /* readable once cancelled */
bool pulse_cancelled(const struct pulse *p);
const char *pulse_why(struct pulse *p); /* valid once cancelled */

enum pulse_event { PULSE_READY, PULSE_TIMEOUT, PULSE_CANCELLED };

/* Waits until 'fd' is readable (-1: for time only), the deadline, or the job is cancelled. */
enum pulse_event pulse_wait(struct pulse *p, int fd, int64_t deadline_ns);

#endif
