/* SPDX-License-Identifier: MIT */
/* watch_mr: merge requests; see watch.h. */
#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "watch_parts.h"

struct mr_plan {
    struct merge_request mr;
    struct branch target;
    struct lineage_commit head, base; /* base: the merge base */
};

static int close_mr(struct look *l, const struct change *c, int64_t number, const char *why,
                    struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    struct merge_request mr;
    bool found;
    int stopped = 0;
    if (store_begin(l->store, &tx, e) < 0 ||
        store_mr_by_number(l->store, l->r->id, number, &mr, &found, e) < 0)
        return -1;
    if (found && (store_mr_close(l->store, mr.id, e) < 0 ||
                  store_job_supersede(l->store, mr.id, 0, &stopped, e) < 0))
        return -1;
    if (why ? store_change_skipped(l->store, c->id, why, e) < 0
            : store_change_planned(l->store, c->id, found ? mr.id : 0, e) < 0)
        return -1;
    l->stopped += stopped;
    return store_commit(&tx, e);
}

/* How many merge requests of this look have a higher number. */
static int newer_mrs(const struct look *l, int64_t number)
{
    int n = 0;
    for (size_t i = 0; i < l->refs.refs.len; i++) {
        int64_t other;
        n += watch_mr_number(l->refs.refs.at[i].name, &other) && other > number;
    }
    return n;
}

/* The branch it is to be merged into. */
static int find_target(struct look *l, const struct mr_word *word, struct mr_plan *p,
                       const char **why, struct err *e)
{
    char ref[RECORD_REF_MAX];
    const char *name = word->asked ? word->target : look_target(l);
    (void)snprintf(ref, sizeof ref, "refs/heads/%s", name);
    if (word->asked && !watch_find_ref(l, ref))
        *why = "its target branch is not watched";
    return *why ? 0 : store_branch_put(l->store, l->r->id, name, &p->target, e);
}

/* Fills the plan, or says in *why that nothing is to be measured. */
static int read_plan(struct look *l, const struct change *c, const struct mr_word *word,
                     struct mr_plan *p, const char **why, struct err *e)
{
    char head[JOB_SHA_MAX + 1], tip[JOB_SHA_MAX + 1], base[MIRROR_HEX_MAX + 1];
    struct commit target;
    bool found;
    if (find_target(l, word, p, why, e) < 0)
        return -1;
    if (*why)
        return 0;
    if (!p->target.tip) {
        *why = "the target branch is not known";
        return 0;
    }
    if (store_commit_get(l->store, p->target.tip, &target, e) < 0)
        return -1;
    sha_hex(&target.sha, tip);
    sha_hex(&c->head, head);
    if (lineage_merge_base(l->m, head, tip, base, &found, e) < 0)
        return -1;
    if (!found)
        *why = "it has no history in common with the target branch";
    else if (strcmp(base, head) == 0)
        *why = "its head is in the target branch already";
    if (*why)
        return 0;
    return lineage_read(l->m, head, &p->head, e) < 0 ||
                   lineage_read(l->m, base, &p->base, e) < 0
               ? -1
               : 0;
}

/* The same pair is measured once, unless somebody asks for it. */
static int add_job(struct look *l, const struct job *want, bool asked, struct err *e)
{
    bool seen = false;
    if (!asked &&
        store_job_mr_seen(l->store, want->mr_id, want->base, want->head, &seen, e) < 0)
        return -1;
    return seen ? 0 : watch_add_job(l, want, e);
}

/* Jobs for another head are over, and those for another merge base too: it has got another
 * target. */
static int supersede(struct look *l, const struct merge_request *was, const struct mr_plan *p,
                     int64_t mr_id, int64_t head, struct err *e)
{
    char base[JOB_SHA_MAX + 1];
    int stopped;
    sha_hex(&was->merge_base, base);
    bool moved = was->id && was->merge_base.len && strcmp(base, p->base.sha) != 0;
    if (store_job_supersede(l->store, mr_id, moved ? 0 : head, &stopped, e) < 0)
        return -1;
    l->stopped += stopped;
    return 0;
}

static int write_plan(struct look *l, const struct change *c, struct mr_plan *p, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    struct merge_request was = {0};
    int64_t head, base, mr_id;
    bool known;
    if (store_begin(l->store, &tx, e) < 0 || watch_put_commit(l, &p->head, &head, e) < 0 ||
        watch_put_commit(l, &p->base, &base, e) < 0 ||
        store_mr_by_number(l->store, l->r->id, p->mr.number, &was, &known, e) < 0 ||
        store_mr_put(l->store, &p->mr, head, base, &mr_id, e) < 0 ||
        supersede(l, &was, p, mr_id, head, e) < 0)
        return -1;
    struct job want = {
        .repo_id = l->r->id,
        .branch_id = p->target.id,
        .change_id = c->id,
        .mr_id = mr_id,
        .kind = JOB_MR,
        .base = base,
        .head = head,
    };
    if (add_job(l, &want, c->source == CHANGE_MANUAL, e) < 0 ||
        store_change_planned(l->store, c->id, mr_id, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

int watch_plan_mr(struct look *l, const struct change *c, struct err *e)
{
    struct mr_plan p = {.mr = {.repo_id = l->r->id}};
    char not_wanted[WATCH_WHY_MAX];
    const char *why = NULL;
    struct mr_word word;
    bool wanted;
    (void)watch_mr_number(c->ref, &p.mr.number);
    if (!c->head.len)
        return close_mr(l, c, p.mr.number, NULL, e);
    if (l->first && newer_mrs(l, p.mr.number) >= WATCH_FIRST_MRS_MAX)
        return store_change_skipped(l->store, c->id,
                                    "older than the merge requests measured at first sight", e);
    if (watch_ask_forge(l, p.mr.number, &word, e) < 0)
        return -1;
    if (word.asked && !word.open)
        return close_mr(l, c, p.mr.number, "it is closed", e);
    if (read_plan(l, c, &word, &p, &why, e) < 0 ||
        (!why && watch_trust(l, c, p.mr.number, &word, &why, e) < 0))
        return -1;
    if (why)
        return close_mr(l, c, p.mr.number, why, e);
    struct trigger_pair pair = {
        .base = p.base.sha, .head = p.head.sha, .branch = p.target.name, .merge_request = true};
    if (watch_triggered(l, &pair, &wanted, not_wanted, e) < 0)
        return -1;
    if (!wanted)
        return close_mr(l, c, p.mr.number, not_wanted, e);
    (void)snprintf(p.mr.target, sizeof p.mr.target, "%s", p.target.name);
    return write_plan(l, c, &p, e);
}
