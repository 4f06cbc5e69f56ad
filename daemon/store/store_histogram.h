/* SPDX-License-Identifier: MIT */
/*
 * store_histogram: the response times of a job, arm by arm, as they were delivered.
 */
#ifndef STORE_HISTOGRAM_H
#define STORE_HISTOGRAM_H

#include "record.h"
#include "store.h"
#include "vec.h"

struct arm_histogram {
    size_t round; /* index among those that count, as in job_samples */
    enum side side;
    char *packed; /* as hist_pack writes it */
    size_t packed_len;
};

struct arm_histogram_list {
    VEC(struct arm_histogram) at; /* by round; arms that measured base again are left out */
};

/* Adds those of one scenario, endpoint and combination; 'key' needs no id and no metric. */
int store_histogram_list(struct store *s, int64_t job, const struct series_key *key,
                         struct arm_histogram_list *out, struct err *e);
void arm_histogram_list_done(struct arm_histogram_list *l);

#endif
