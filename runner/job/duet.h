/* SPDX-License-Identifier: MIT */
/*
 * duet: whether the two arms of a round are measured at once.
 *
 * What disturbs a machine then disturbs both alike, and the ratio varies less: on a noisy
 * shared virtual machine by half for CPU time per request, by a sixth of the former for p99
 * (Bulej et al., ICPE 2020, found factors of 2 to 12). The price is half the cores for each,
 * and another environment: values of a duet are never compared with those of arms that ran
 * alone.
 */
#ifndef JOB_DUET_H
#define JOB_DUET_H

#include "job.h"

/* Sets j->duet as the spec wishes, and notes it in the result's identity. With 'auto' it is a
 * duet on four cores or more when the machine is noisy: a fixed piece of work then takes times
 * that differ by more than DUET_NOISE. -1 after job_fail: a duet that cannot be. */
int duet_choose(struct job *j);

#define DUET_NOISE 0.02 /* median deviation over median */

#endif
