/* SPDX-License-Identifier: MIT */
/*
 * spec_pick: which spec is in force for a pair of commits.
 *
 * The operator's, when there is one. Otherwise the repository's own at base, so that a merge
 * request cannot loosen its own limits; at head when base is missing or has none. Commits that
 * are on the branch already may mend a spec that is broken at base: 'trust_head'.
 */
#ifndef STAGES_SPEC_PICK_H
#define STAGES_SPEC_PICK_H

#include "mirror.h"
#include "spec.h"
#include "stage.h"

struct spec_want {
    const struct stage_repo *repo;
    const char *base, *head; /* object ids; base "": none */
    bool trust_head;
};

/* *out stays NULL when no commit has a spec. A spec that does not parse is ERR_INPUT with file,
 * line and column, and *out_side tells whose it is (enum side, -1: the operator's). */
int spec_pick(struct mirror *m, const struct spec_want *want, struct spec **out, int *out_side,
              struct err *e);

#endif
