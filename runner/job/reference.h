/* SPDX-License-Identifier: MIT */
/*
 * reference: the canary of a job, and how much CPU time a request costs it now and then.
 *
 * The canary runs in a sandbox of its own from the first measured arm to the last, on the
 * service's CPUs, and is idle but for short bursts of load between two arms, when no service of
 * a commit runs. A burst is due as soon as all bursts together take no more than
 * REFERENCE_SHARE of the time since the start; the first comes before the first arm.
 *
 * What it cannot do is no reason to fail a job: then there is a note, and no gauge.
 */
#ifndef JOB_REFERENCE_H
#define JOB_REFERENCE_H

#include "job.h"

#define REFERENCE_SHARE 0.025 /* of the time of measuring */

struct reference;

/* A burst when one is due. True: *out_ns is the canary's CPU time per request. */
bool reference_look(struct job *j, double *out_ns);
void reference_freep(struct reference **r);

#endif
