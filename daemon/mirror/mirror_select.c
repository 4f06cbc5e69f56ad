/* SPDX-License-Identifier: MIT */
/* mirror_select: chooses among the references of a remote; see mirror_own.h. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "mirror_own.h"

static int rank_of(const char *name, char *const *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return (int)i;
    return -1;
}

/* By rank, then numbers from high to low: the newest merge requests come first. */
static int by_importance(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    return a->rank != b->rank ? a->rank - b->rank : -strverscmp(a->name, b->name);
}

void mirror_select(const git_remote_head *const *heads, size_t n, char *const *patterns,
                   size_t patterns_len, size_t max, struct wanted_list *out)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = heads[i]->name;
        int rank = rank_of(name, patterns, patterns_len);
        int valid = 0;
        if (rank < 0 || strlen(name) > MIRROR_REF_MAX ||
            git_reference_name_is_valid(&valid, name) < 0 || !valid)
            continue;
        struct wanted *w = vec_push(&out->refs);
        memcpy(w->name, name, strlen(name) + 1);
        w->id = heads[i]->oid;
        w->rank = rank;
    }
    if (out->refs.len)
        qsort(out->refs.at, out->refs.len, sizeof *out->refs.at, by_importance);
    if (out->refs.len > max)
        out->refs.len = max;
}
