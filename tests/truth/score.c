/* SPDX-License-Identifier: MIT */
#include "score.h"

#include <stdbool.h>
#include <stdlib.h>

#include "auto.h"
#include "mem.h"

/* Marks findings inside the ramp as used; true when there is one. */
static bool take_ramp(const struct truth_label *ramp, const size_t *found, size_t len,
                      bool *used, size_t *ignored)
{
    size_t inside = 0;
    for (size_t i = 0; i < len; i++)
        if (!used[i] && found[i] + SCORE_MARGIN >= ramp->from &&
            found[i] <= ramp->to + SCORE_MARGIN) {
            used[i] = true;
            inside++;
        }
    *ignored += inside > 1 ? inside - 1 : 0;
    return inside > 0;
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

void score_add(struct score *s, const struct truth_series *t, const size_t *found, size_t len)
{
    AUTO(mem_freep) bool *used = mem_zero(len + 1, sizeof *used);
    AUTO(mem_freep) bool *met = mem_zero(t->labels + 1, sizeof *met);
    size_t ignored = 0, hits = 0;
    for (size_t k = 0; k < t->labels; k++)
        if (t->label[k].to > t->label[k].from) {
            met[k] = true;
            hits += take_ramp(&t->label[k], found, len, used, &ignored);
        }
    for (size_t far = 0; far <= SCORE_MARGIN; far++)
        for (size_t i = 0; i < len; i++)
            for (size_t k = 0; k < t->labels && !used[i]; k++)
                if (!met[k] && distance(found[i], t->label[k].from) == far) {
                    met[k] = used[i] = true;
                    hits++;
                }
    s->series++;
    s->points += t->n;
    s->hits += hits;
    s->found += len - ignored;
    s->labels += t->labels;
    if (t->labels == 0) {
        s->false_alarms += len;
        s->flat_points += t->n;
    }
}

double score_f1(const struct score *s)
{
    return s->found + s->labels ? 2.0 * (double)s->hits / (double)(s->found + s->labels) : 1;
}

double score_false_alarms(const struct score *s)
{
    return s->flat_points ? 1000.0 * (double)s->false_alarms / (double)s->flat_points : 0;
}

void truth_series_free(struct truth_series *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].value);
        free(list[i].label);
    }
    free(list);
}
