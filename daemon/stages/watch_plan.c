/* SPDX-License-Identifier: MIT */
/*
 * watch_plan: from a change to positions and jobs; see watch.h.
 *
 * Reading the mirror and judging triggers come first, then one short transaction writes what
 * follows from them. Only this stage writes branches, so nothing moves in between.
 */
#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "watch_parts.h"

#define HEADS "refs/heads/"

int watch_put_commit(struct look *l, const struct lineage_commit *c, int64_t *out_id,
                     struct err *e)
{
    struct commit row = {.repo_id = l->r->id, .author_ms = c->author_ms};
    if (!sha_parse(view_z(c->sha), &row.sha) || !sha_parse(view_z(c->tree), &row.tree) ||
        (c->first_parent[0] && !sha_parse(view_z(c->first_parent), &row.first_parent)))
        return err_set(e, ERR_INPUT, "commit '%s' has ids of an unknown form", c->sha);
    (void)snprintf(row.author, sizeof row.author, "%s", c->author);
    (void)snprintf(row.subject, sizeof row.subject, "%s", c->subject);
    if (store_commit_put(l->store, &row, e) < 0)
        return -1;
    *out_id = row.id;
    return 0;
}

int watch_add_job(struct look *l, const struct job *want, struct err *e)
{
    int64_t id;
    bool added;
    if (store_job_add(l->store, want, &id, &added, e) < 0)
        return -1;
    if (added) {
        l->queued++;
        log_info("job queued", "job=%" PRId64 " kind=%s repo=%s", id,
                 job_kind_names[want->kind], l->r->conf->name);
    }
    return 0;
}

static bool is_moved(const struct look *l, const struct change *c, const char **why)
{
    char hex[JOB_SHA_MAX + 1];
    const struct mirror_ref *now = watch_find_ref(l, c->ref);
    sha_hex(&c->head, hex);
    if (!now && c->head.len)
        *why = "the reference is not there";
    else if (now && !c->head.len)
        *why = "the reference is there again";
    else if (now && strcmp(now->sha, hex) != 0)
        *why = "the reference has moved on";
    else
        return false;
    return true;
}

/* --- branches ----------------------------------------------------------------------------- */

struct branch_plan {
    struct branch branch;
    bool first_seen;            /* no position yet: the past is for watch_fill */
    struct lineage_chain chain; /* new, or live again */
    VEC(bool) wanted;           /* of the chain: measure it */
    char why[WATCH_WHY_MAX];    /* of the last that is not */
};

static void branch_plan_done(struct branch_plan *p)
{
    lineage_chain_done(&p->chain);
    vec_done(&p->wanted);
}

struct live_check {
    struct look *l;
    int64_t branch_id;
};

static int is_live(void *ctx, const char *hex, struct err *e)
{
    struct live_check *c = ctx;
    struct sha sha = {.len = 0};
    struct commit commit;
    int64_t pos;
    bool found, live = false;
    (void)sha_parse(view_z(hex), &sha);
    if (store_commit_by_sha(c->l->store, c->l->r->id, &sha, &commit, &found, e) < 0)
        return -1;
    if (found &&
        store_branch_position(c->l->store, c->branch_id, commit.id, &pos, &live, &found, e) < 0)
        return -1;
    return found && live;
}

/* The newest commits only, should a push bring very many. */
static int choose(struct look *l, struct branch_plan *p, struct err *e)
{
    size_t n = p->chain.commits.len;
    for (size_t i = 0; i < n; i++) {
        const struct lineage_commit *c = &p->chain.commits.at[i];
        bool *wanted = vec_push(&p->wanted);
        struct trigger_pair pair = {
            .base = c->first_parent, .head = c->sha, .branch = p->branch.name};
        if (p->first_seen || n - i > WATCH_PUSH_MAX)
            continue;
        if (watch_triggered(l, &pair, wanted, p->why, e) < 0)
            return -1;
    }
    return 0;
}

static int read_plan(struct look *l, const struct change *c, struct branch_plan *p,
                     struct err *e)
{
    AUTO(id_list_done) struct id_list recent = {0};
    struct live_check check = {.l = l};
    char hex[JOB_SHA_MAX + 1];
    if (store_branch_put(l->store, l->r->id, c->ref + strlen(HEADS), &p->branch, e) < 0 ||
        store_branch_recent(l->store, p->branch.id, 1, &recent, e) < 0)
        return -1;
    p->first_seen = recent.ids.len == 0;
    check.branch_id = p->branch.id;
    sha_hex(&c->head, hex);
    if (lineage_chain_read(l->m, hex, is_live, &check, &p->chain, e) < 0)
        return -1;
    return choose(l, p, e);
}

static int fork_id(struct look *l, const char *hex, int64_t *out, struct err *e)
{
    struct sha sha = {.len = 0};
    struct commit c;
    bool found = false;
    *out = 0;
    if (!hex[0])
        return 0;
    (void)sha_parse(view_z(hex), &sha);
    if (store_commit_by_sha(l->store, l->r->id, &sha, &c, &found, e) < 0)
        return -1;
    *out = found ? c.id : 0;
    return 0;
}

static int move_branch(struct look *l, struct branch_plan *p, struct id_list *ids,
                       struct err *e)
{
    int64_t fork;
    for (size_t i = 0; i < p->chain.commits.len; i++)
        if (watch_put_commit(l, &p->chain.commits.at[i], vec_push(&ids->ids), e) < 0)
            return -1;
    if (fork_id(l, p->chain.fork, &fork, e) < 0)
        return -1;
    return store_branch_move(l->store, p->branch.id, fork, ids->ids.at, ids->ids.len, e);
}

static int queue_commit(struct look *l, int64_t branch_id, enum job_kind kind, int64_t head,
                        int64_t change, struct err *e)
{
    struct job want = {
        .repo_id = l->r->id,
        .branch_id = branch_id,
        .change_id = change,
        .kind = kind,
        .head = head,
    };
    bool seen;
    if (store_job_seen(l->store, branch_id, head, &seen, e) < 0)
        return -1;
    return seen ? 0 : watch_add_job(l, &want, e);
}

static int write_plan(struct look *l, const struct change *c, struct branch_plan *p,
                      struct err *e)
{
    AUTO(id_list_done) struct id_list ids = {0};
    AUTO(store_tx_done) struct store_tx tx = {0};
    size_t wanted = 0, n = p->chain.commits.len;
    if (store_begin(l->store, &tx, e) < 0 || move_branch(l, p, &ids, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        wanted += p->wanted.at[i];
        if (p->wanted.at[i] &&
            queue_commit(l, p->branch.id, JOB_PUSH, ids.ids.at[i], c->id, e) < 0)
            return -1;
    }
    bool skipped = n > 0 && wanted == 0 && !p->first_seen;
    if (skipped ? store_change_skipped(l->store, c->id, p->why, e) < 0
                : store_change_planned(l->store, c->id, 0, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

static int branch_gone(struct look *l, const struct change *c, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    struct branch b;
    if (store_begin(l->store, &tx, e) < 0 ||
        store_branch_put(l->store, l->r->id, c->ref + strlen(HEADS), &b, e) < 0 ||
        store_branch_gone(l->store, b.id, e) < 0 ||
        store_change_planned(l->store, c->id, 0, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

static int plan_branch(struct look *l, const struct change *c, struct err *e)
{
    AUTO(branch_plan_done) struct branch_plan p = {0};
    if (!c->head.len)
        return branch_gone(l, c, e);
    if (read_plan(l, c, &p, e) < 0)
        return -1;
    return write_plan(l, c, &p, e);
}

/* --- changes ------------------------------------------------------------------------------ */

static int plan_one(struct look *l, const struct change *c, struct err *e)
{
    const char *why;
    int64_t number;
    if (is_moved(l, c, &why))
        return store_change_skipped(l->store, c->id, why, e);
    if (view_starts(view_z(c->ref), HEADS))
        return plan_branch(l, c, e);
    if (watch_mr_number(c->ref, &number))
        return watch_plan_mr(l, c, e);
    return store_change_skipped(l->store, c->id, "neither a branch nor a merge request", e);
}

/* The machine's fault, so that trying again helps: a busy database, a full disk. */
static bool is_passing(enum err_kind kind)
{
    return kind == ERR_SYSTEM || kind == ERR_TIMEOUT;
}

/* A change that will never work is skipped with the reason, and one that waits for the forge
 * stays for the next look: neither holds up those behind it. */
int watch_plan(struct look *l, struct err *e)
{
    struct err waits = {0};
    int64_t behind = 0;
    for (;;) {
        struct change c;
        struct err own = {0};
        bool found;
        if (store_change_next(l->store, l->r->id, behind, &c, &found, e) < 0)
            return -1;
        if (!found)
            break;
        if (plan_one(l, &c, &own) == 0)
            continue;
        if (own.kind == ERR_AWAY) {
            waits = own;
            behind = c.id;
            continue;
        }
        if (is_passing(own.kind)) {
            *e = own;
            return err_ctx(e, "plan '%s'", c.ref);
        }
        log_warn("change skipped", "repo=%s ref=%s: %s", l->r->conf->name, c.ref, own.text);
        if (store_change_skipped(l->store, c.id, own.text, e) < 0)
            return -1;
    }
    if (!waits.text[0])
        return 0;
    *e = waits;
    return -1;
}

/* --- the past ----------------------------------------------------------------------------- */

static int fill_commit(struct look *l, const struct branch *b, int64_t id, struct err *e)
{
    struct commit c;
    char head[JOB_SHA_MAX + 1], base[JOB_SHA_MAX + 1], why[WATCH_WHY_MAX];
    struct trigger_pair pair = {.base = base, .head = head, .branch = b->name};
    bool wanted, seen;
    if (store_job_seen(l->store, b->id, id, &seen, e) < 0)
        return -1;
    if (seen)
        return 0;
    if (store_commit_get(l->store, id, &c, e) < 0)
        return -1;
    sha_hex(&c.sha, head);
    sha_hex(&c.first_parent, base);
    if (watch_triggered(l, &pair, &wanted, why, e) < 0)
        return -1;
    return wanted ? queue_commit(l, b->id, JOB_BACKFILL, id, 0, e) : 0;
}

static int fill_branch(struct look *l, const struct branch *b, struct err *e)
{
    AUTO(id_list_done) struct id_list recent = {0};
    if (store_branch_recent(l->store, b->id, l->r->conf->backfill, &recent, e) < 0)
        return -1;
    for (size_t i = 0; i < recent.ids.len; i++)
        if (fill_commit(l, b, recent.ids.at[i], e) < 0)
            return -1;
    return 0;
}

int watch_fill(struct look *l, struct err *e)
{
    AUTO(branch_list_done) struct branch_list branches = {0};
    if (store_branch_list(l->store, l->r->id, &branches, e) < 0)
        return -1;
    for (size_t i = 0; i < branches.branches.len; i++)
        if (branches.branches.at[i].tip && fill_branch(l, &branches.branches.at[i], e) < 0)
            return -1;
    return 0;
}
