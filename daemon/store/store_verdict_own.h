/* SPDX-License-Identifier: MIT */
/* store_verdict_own: rows that several files of this folder read or write. */
#ifndef STORE_VERDICT_OWN_H
#define STORE_VERDICT_OWN_H

#include "store_alert.h"
#include "store_sql.h"
#include "store_verdict.h"

/* Of a change_point c, without series and method. */
#define CHANGE_POINT_COLUMNS                                                                  \
    " c.id, c.pos, c.after_pos, c.pos_lo, c.pos_hi, c.before, c.after, c.effect, c.lo, c.hi," \
    " c.state, c.why"
enum { CHANGE_POINT_COLUMN_COUNT = 12 };
void change_point_read(struct sql *q, struct change_point *p); /* columns from the first */

/* :kind, :title, :why, :state and :now */
void store_alert_bind(struct sql *q, const struct alert *a);

#endif
