/* SPDX-License-Identifier: MIT */
/* notice: see notice.h. */
#include "notice.h"

#include <string.h>

const struct notice_target *notice_target_of(const struct notice_targets *t, const char *repo)
{
    for (size_t i = 0; t && i < t->len; i++)
        if (strcmp(t->at[i].repo, repo) == 0)
            return &t->at[i];
    return NULL;
}
