/* SPDX-License-Identifier: MIT */
/*
 * verdict_parts: private to verdict.h: the sentences of a verdict (verdict_why.c).
 */
#ifndef STATS_VERDICT_PARTS_H
#define STATS_VERDICT_PARTS_H

#include "verdict.h"

/* 'rounds_min': fewer can claim nothing. 'why' must be empty. */
void verdict_explain_row(struct verdict_row *row, const struct verdict_metric *metric,
                         size_t rounds_min);
void verdict_explain_family(struct verdict_family *family, const struct verdict_metric *metrics,
                            const struct verdict_row *rows);

#endif
