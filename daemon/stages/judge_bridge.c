/* SPDX-License-Identifier: MIT */
/*
 * Bridges: how the series of a new machine continue those of an old one. When a branch is
 * measured in an environment for the first time, its newest commits of before are measured
 * there again; each such anchor gives one pair of values, and their ratio joins the two series.
 */
#include <inttypes.h>

#include "epochs.h"
#include "judge_parts.h"
#include "log.h"
#include "store_bridge.h"
#include "store_job.h"

enum { ANCHORS = 5 }; /* epochs_bridge wants as many */

int judge_anchors(struct store *s, const struct job *job, const struct run *run, bool *queued,
                  struct err *e)
{
    AUTO(id_list_done) struct id_list commits = {0};
    if (job->kind != JOB_PUSH)
        return 0;
    if (store_bridge_anchors(s, job->branch_id, run->id, ANCHORS, &commits, e) < 0)
        return -1;
    for (size_t i = 0; i < commits.ids.len; i++) {
        struct job want = {
            .repo_id = job->repo_id,
            .branch_id = job->branch_id,
            .kind = JOB_ANCHOR,
            .head = commits.ids.at[i],
        };
        int64_t id;
        bool added;
        if (store_job_add(s, &want, &id, &added, e) < 0)
            return -1;
        *queued = *queued || added;
    }
    if (commits.ids.len)
        log_info("new environment", "job=%" PRId64 " host=%s anchors=%zu", job->id, run->host,
                 commits.ids.len);
    return 0;
}

static int bridge_series(struct store *s, int64_t series_id, struct err *e)
{
    AUTO(bridge_list_done) struct bridge_list others = {0};
    if (store_bridge_siblings(s, series_id, &others, e) < 0)
        return -1;
    for (size_t i = 0; i < others.at.len; i++) {
        struct bridge_values *b = &others.at.at[i];
        struct epoch_bridge found;
        epochs_bridge(b->before.at, b->after.at, b->before.len, &found);
        if (found.usable &&
            store_bridge_put(s, series_id, b->from_id,
                             &(struct bridge){found.ratio, found.lo, found.hi, (int)found.n},
                             e) < 0)
            return -1;
    }
    return 0;
}

int judge_bridges(struct store *s, const struct job *job, const struct job_samples *samples,
                  struct err *e)
{
    for (size_t i = 0; job->kind == JOB_ANCHOR && i < samples->series.len; i++)
        if (bridge_series(s, samples->series.at[i].key.id, e) < 0)
            return -1;
    return 0;
}
