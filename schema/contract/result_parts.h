/* SPDX-License-Identifier: MIT */
/* result_parts: words that the two files on result documents share. Private to this folder. */
#ifndef CONTRACT_RESULT_PARTS_H
#define CONTRACT_RESULT_PARTS_H

enum { RESULT_OUTCOME_COUNT = 3 };
extern const char *const result_outcome_names[RESULT_OUTCOME_COUNT];

#endif
