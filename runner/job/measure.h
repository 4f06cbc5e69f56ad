/* SPDX-License-Identifier: MIT */
/*
 * measure: one arm of one round: a fresh service, every scenario against it, and everything
 * that is worth knowing about how that went.
 */
#ifndef JOB_MEASURE_H
#define JOB_MEASURE_H

#include "gate.h"
#include "job.h"
#include "plan.h"

/* Fills samples, histograms and gauges of 'out' and what the gate needs. -1 after job_fail. */
int measure_arm(struct job *j, const struct plan_arm *arm, uint64_t load_seed,
                struct result_arm *out, struct gate_arm *gate);

/* Writes each scenario into a file of its own for the generator. Once per job. */
int measure_prepare(struct job *j);

#endif
