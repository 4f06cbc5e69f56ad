/* SPDX-License-Identifier: MIT */
/* store_bridge: commits measured in two environments, and the ratios that follow from them. */
#ifndef STORE_BRIDGE_H
#define STORE_BRIDGE_H

#include "store_repo.h"
#include "store_series.h"

/* The newest commits of the branch that have points in another environment and none in the
 * run's own; none unless the run is the first of the branch in its environment. */
int store_bridge_anchors(struct store *s, int64_t branch_id, int64_t run_id, int64_t limit,
                         struct id_list *out, struct err *e);

struct bridge_values { /* of the same commits, newest last */
    int64_t from_id;   /* the series of the other environment */
    VEC(double) before, after;
};

struct bridge_list {
    VEC(struct bridge_values) at;
};

/* The same quantity of the same branch in other environments, at positions common to both. */
int store_bridge_siblings(struct store *s, int64_t series_id, struct bridge_list *out,
                          struct err *e);
void bridge_list_done(struct bridge_list *l);

struct bridge {
    double ratio, lo, hi; /* new / old */
    int n;
};
int store_bridge_put(struct store *s, int64_t series_id, int64_t from_id,
                     const struct bridge *b, struct err *e);

#endif
