/* SPDX-License-Identifier: MIT */
/*
 * measure: an arm of a round: a fresh service, every scenario against it, and everything that
 * is worth knowing about how that went. In a duet two arms at once.
 */
#ifndef JOB_MEASURE_H
#define JOB_MEASURE_H

#include "gate.h"
#include "job.h"
#include "plan.h"

enum { MEASURE_AT_ONCE_MAX = 2 };

/* One arm alone, or two at once, each on a half of the machine. Fills samples, histograms and
 * gauges of 'out' and what the gate needs, n of each. -1 after job_fail. */
int measure_arms(struct job *j, const struct plan_arm *arms, size_t n, uint64_t load_seed,
                 struct result_arm *out, struct gate_arm *gates);

/* Writes each scenario into a file of its own for the generator. Once per job. */
int measure_prepare(struct job *j);

#endif
