/* SPDX-License-Identifier: MIT */
/* knobs: what a request costs burner.c; real.py writes one for each commit of a trial. */
#ifndef TRUTH_KNOBS_H
#define TRUTH_KNOBS_H

#define BURN       100000 /* steps of every request */
#define EXTRA      0      /* what a commit adds to them */
#define SLOW_EVERY 50     /* one request of so many ... */
#define SLOW_TIMES 1      /* ... makes so many times as many steps */
#define VARIANT    "a0"   /* two letters that nobody sees */

#endif
