/* SPDX-License-Identifier: MIT */
/*
 * One sentence for each verdict, with the numbers it rests on. People act on these sentences,
 * so an undecided one says what would have been seen.
 */
#include <math.h>

#include "explain.h"
#include "verdict_parts.h"

static void add_interval(struct verdict_row *row)
{
    char effect[EXPLAIN_NUMBER], lo[EXPLAIN_NUMBER], hi[EXPLAIN_NUMBER], level[EXPLAIN_NUMBER];
    explain_add(row->why, sizeof row->why, "%s (%s interval %s to %s, %d rounds)",
                explain_percent(effect, row->effect, 1), explain_percent(level, row->level, 0),
                explain_percent(lo, row->lo, 1), explain_percent(hi, row->hi, 1), row->rounds);
}

static void explain_undecided(struct verdict_row *row, const struct verdict_metric *m,
                              size_t min)
{
    char a[EXPLAIN_NUMBER], b[EXPLAIN_NUMBER];
    if ((size_t)row->rounds < min) {
        explain_add(row->why, sizeof row->why,
                    "undecided: %d complete rounds; a claim needs at least %zu", row->rounds,
                    min);
        return;
    }
    explain_add(row->why, sizeof row->why, "undecided: ");
    add_interval(row);
    if (m->max_noise > 0 && row->noise > m->max_noise)
        explain_add(row->why, sizeof row->why, "; A/A noise %s is above the limit of %s",
                    explain_percent(a, row->noise, 0), explain_percent(b, m->max_noise, 0));
    else if (row->leaning != STATS_UNDECIDED)
        explain_add(row->why, sizeof row->why, "; surely %s, but not surely by more than %s",
                    stats_outcome_name(row->leaning), explain_percent(a, row->least_effect, 0));
    else
        explain_add(row->why, sizeof row->why, "; only a change above %s would have been seen",
                    explain_percent(a, row->detectable, 0));
}

void verdict_explain_row(struct verdict_row *row, const struct verdict_metric *m, size_t min)
{
    char a[EXPLAIN_NUMBER], b[EXPLAIN_NUMBER];
    if (row->deterministic) {
        explain_add(row->why, sizeof row->why,
                    "%s: %s, no scatter in %d rounds; least effect %s",
                    stats_outcome_name(row->outcome), explain_percent(a, row->effect, 1),
                    row->rounds, explain_percent(b, m->least_effect, 0));
        return;
    }
    if (row->outcome == STATS_UNDECIDED) {
        explain_undecided(row, m, min);
        return;
    }
    if (row->outcome == STATS_NO_CHANGE) {
        explain_add(row->why, sizeof row->why,
                    "no change beyond %s: ", explain_percent(a, row->least_effect, 0));
        add_interval(row);
        return;
    }
    explain_add(row->why, sizeof row->why, "%s: ", stats_outcome_name(row->outcome));
    add_interval(row);
    explain_add(row->why, sizeof row->why, "; p %s", explain_real(a, row->p));
    if (m->least_effect > 0)
        explain_add(row->why, sizeof row->why, " of being within %s",
                    explain_percent(a, m->least_effect, 0));
    explain_add(row->why, sizeof row->why, "; A/A noise %s", explain_percent(b, row->noise, 0));
}

void verdict_explain_family(struct verdict_family *f, const struct verdict_metric *metrics,
                            const struct verdict_row *rows)
{
    int all = f->slower + f->faster + f->same + f->undecided;
    explain_add(
        f->why, sizeof f->why,
        "%s: of %d primary metrics %d slower, %d faster, %d without change, %d undecided",
        stats_outcome_name(f->outcome), all, f->slower, f->faster, f->same, f->undecided);
    char a[EXPLAIN_NUMBER];
    if (f->serial > 0)
        explain_add(
            f->why, sizeof f->why,
            "; rounds follow each other (autocorrelation %s), which weakens every claim",
            explain_real(a, f->serial));
    if (f->worst < 0)
        return;
    const struct verdict_row *row = &rows[f->worst];
    explain_add(f->why, sizeof f->why, "; largest: %.80s %s", metrics[f->worst].name,
                explain_percent(a, row->effect, 1));
}
