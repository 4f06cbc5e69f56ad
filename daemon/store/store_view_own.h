/* SPDX-License-Identifier: MIT */
/* store_view_own: what the store_view files share. */
#ifndef STORE_VIEW_OWN_H
#define STORE_VIEW_OWN_H

#include "store_sql.h"
#include "store_view.h"

/* A column's text, kept until store_view_done; NULL stays NULL. */
const char *view_keep(struct view_read *r, struct sql *q, int column);
struct view view_keep_bytes(struct view_read *r, struct sql *q, int column);

/* Columns of a job_brief, starting at 'first': id, kind, state, outcome, confirmed,
 * failure_class, failure. */
#define VIEW_JOB_BRIEF_COLUMNS \
    " j.id, j.kind, j.state, j.outcome, coalesce(v.confirmed, 0), j.failure_class, j.failure"
enum { VIEW_JOB_BRIEF_COUNT = 7 };
struct view_job_brief view_read_brief(struct view_read *r, struct sql *q, int first);

/* id, branch_id, repo, branch, scenario, endpoint, metric, unit, host, direction, variant */
#define VIEW_SERIES_COLUMNS                                                                 \
    " s.id, s.branch_id, p.name, b.name, s.scenario, s.endpoint, s.metric, s.unit, n.host," \
    " s.direction, s.variant"
#define VIEW_SERIES_JOINS                                                  \
    " JOIN branch b ON b.id = s.branch_id JOIN repo p ON p.id = b.repo_id" \
    " JOIN environment n ON n.id = s.environment_id"
enum { VIEW_SERIES_COUNT = 11 };
struct view_series view_read_series(struct view_read *r, struct sql *q, int first);

/* series_id, pos, after_pos, pos_lo, pos_hi, before, after, effect, lo, hi, method, state, why,
 * direction of the series */
#define VIEW_CHANGE_COLUMNS                                                                    \
    " c.series_id, c.pos, c.after_pos, c.pos_lo, c.pos_hi, c.before, c.after, c.effect, c.lo," \
    " c.hi, c.method, c.state, c.why, s.direction"
struct view_change view_read_change(struct view_read *r, struct sql *q);

#endif
