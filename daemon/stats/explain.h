/* SPDX-License-Identifier: MIT */
/*
 * explain: numbers and sentences for people, the same in every locale.
 */
#ifndef STATS_EXPLAIN_H
#define STATS_EXPLAIN_H

#include <stddef.h>

#include "auto.h"

enum { EXPLAIN_NUMBER = 48 };

/* A share as a percentage with three significant digits, "12.3 %", "0.0451 %", "1230 %";
 * 'sign' writes + too. Not a number is "?". */
const char *explain_percent(char out[EXPLAIN_NUMBER], double share, int sign);

/* A plain number with three significant digits: "0.00195", "4.5", "123". */
const char *explain_real(char out[EXPLAIN_NUMBER], double value);

/* Appends to a sentence in a fixed buffer; what does not fit is cut. */
void explain_add(char *out, size_t room, const char *fmt, ...) PRINTF(3, 4);

#endif
