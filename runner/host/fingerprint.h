/* SPDX-License-Identifier: MIT */
/*
 * fingerprint: what machine this is, in two lists of facts.
 *
 * Identity is what makes measurements comparable and never changes on one machine: a hash of
 * its machine id, the CPU model, cores, memory (rounded, as a virtual machine's wanders by a
 * few pages), architecture. State is what may change under the same machine and explains steps
 * in a series: kernel, microcode, frequency settings, mitigations, C library, compiler, runner.
 */
#ifndef HOST_FINGERPRINT_H
#define HOST_FINGERPRINT_H

#include "result_doc.h"

/* Fills identity, state (both sorted by name) and the host's name. 'sandbox' says how foreign
 * code runs here: "bubblewrap v1", "off". */
void fingerprint_read(struct result_doc *r, const char *sandbox);

/* Libc and compiler alone: a cached build is good only while they stay. Appended to 'out'. */
void fingerprint_toolchain(struct str *out);

/* Bytes to the nearest class: a quarter of the power of two below. */
int64_t fingerprint_round_memory(int64_t bytes);

#endif
