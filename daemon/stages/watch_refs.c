/* SPDX-License-Identifier: MIT */
/* watch_refs: compares the mirror's references with the tables; see watch.h. */
#include <inttypes.h>
#include <stdio.h>

#include "opt.h"
#include "watch_parts.h"

#define HEADS "refs/heads/"

const struct mirror_ref *watch_find_ref(const struct look *l, const char *name)
{
    for (size_t i = 0; i < l->refs.refs.len; i++)
        if (strcmp(l->refs.refs.at[i].name, name) == 0)
            return &l->refs.refs.at[i];
    return NULL;
}

/* How forges name the head of a merge request. */
static const struct {
    const char *prefix, *leaf;
} mr_refs[] = {
    {"refs/pull/", "head"},
    {"refs/merge-requests/", "head"},
    {"refs/pull-requests/", "from"},
};

bool watch_mr_number(const char *ref, int64_t *out)
{
    struct view v = view_z(ref);
    for (size_t i = 0; i < ARRAY_LEN(mr_refs); i++) {
        struct view number, rest;
        if (!view_starts(v, mr_refs[i].prefix))
            continue;
        return view_cut(view_skip(v, strlen(mr_refs[i].prefix)), '/', &number, &rest) &&
               view_eqz(rest, mr_refs[i].leaf) && opt_int(number, 1, INT64_MAX, out, NULL) == 0;
    }
    return false;
}

static int note(struct look *l, const char *ref, const char *head, bool again, struct err *e)
{
    struct change c = {.repo_id = l->r->id, .source = l->source, .again = again};
    int64_t id;
    bool added;
    if (head && !sha_parse(view_z(head), &c.head))
        return err_set(e, ERR_INPUT, "'%s' is not an object id", head);
    (void)snprintf(c.ref, sizeof c.ref, "%s", ref);
    return store_change_add(l->store, &c, &id, &added, e);
}

static int tip_of(struct look *l, const struct branch *b, struct sha *out, struct err *e)
{
    struct commit c;
    *out = (struct sha){.len = 0};
    if (!b->tip)
        return 0;
    if (store_commit_get(l->store, b->tip, &c, e) < 0)
        return -1;
    *out = c.sha;
    return 0;
}

static bool is_at(const struct sha *sha, const char *hex)
{
    struct sha other = {.len = 0};
    return sha_parse(view_z(hex), &other) && sha_equal(sha, &other);
}

static int note_branches(struct look *l, const struct branch_list *known, struct err *e)
{
    for (size_t i = 0; i < known->branches.len; i++) {
        const struct branch *b = &known->branches.at[i];
        char ref[RECORD_REF_MAX];
        struct sha tip;
        if (tip_of(l, b, &tip, e) < 0)
            return -1;
        (void)snprintf(ref, sizeof ref, HEADS "%s", b->name);
        const struct mirror_ref *now = watch_find_ref(l, ref);
        if (now ? is_at(&tip, now->sha) : !tip.len)
            continue;
        if (note(l, ref, now ? now->sha : NULL, false, e) < 0)
            return -1;
    }
    return 0;
}

static bool is_known(const struct branch_list *known, const char *ref)
{
    for (size_t i = 0; i < known->branches.len; i++)
        if (strcmp(known->branches.at[i].name, ref + strlen(HEADS)) == 0)
            return true;
    return false;
}

static int note_new_branches(struct look *l, const struct branch_list *known, struct err *e)
{
    for (size_t i = 0; i < l->refs.refs.len; i++) {
        const struct mirror_ref *ref = &l->refs.refs.at[i];
        if (!view_starts(view_z(ref->name), HEADS) || is_known(known, ref->name))
            continue;
        if (strlen(ref->name) - strlen(HEADS) < RECORD_NAME_MAX &&
            note(l, ref->name, ref->sha, false, e) < 0)
            return -1;
    }
    return 0;
}

static int note_mrs(struct look *l, struct err *e)
{
    for (size_t i = 0; i < l->refs.refs.len; i++) {
        const struct mirror_ref *ref = &l->refs.refs.at[i];
        struct merge_request mr;
        int64_t number;
        bool found;
        if (!watch_mr_number(ref->name, &number))
            continue;
        if (store_mr_by_number(l->store, l->r->id, number, &mr, &found, e) < 0)
            return -1;
        if (!(found && mr.open && is_at(&mr.head, ref->sha)) &&
            note(l, ref->name, ref->sha, false, e) < 0)
            return -1;
    }
    return 0;
}

enum { MR_REF_MAX = 64 };

/* The reference of a merge request, whichever of its names it has; NULL: it is gone. 'pull'
 * gets the first of them. */
static const struct mirror_ref *find_mr_ref(const struct look *l, int64_t number,
                                            char pull[MR_REF_MAX])
{
    const struct mirror_ref *ref = NULL;
    for (size_t i = ARRAY_LEN(mr_refs); i-- > 0 && !ref;) { /* the first one last, for 'pull' */
        (void)snprintf(pull, MR_REF_MAX, "%s%" PRId64 "/%s", mr_refs[i].prefix, number,
                       mr_refs[i].leaf);
        ref = watch_find_ref(l, pull);
    }
    return ref;
}

static int note_gone_mrs(struct look *l, struct err *e)
{
    AUTO(mr_list_done) struct mr_list open = {0};
    if (store_mr_list_open(l->store, l->r->id, &open, e) < 0)
        return -1;
    for (size_t i = 0; i < open.mrs.len; i++) {
        char pull[MR_REF_MAX];
        int64_t number = open.mrs.at[i].number;
        if (!find_mr_ref(l, number, pull) && note(l, pull, NULL, false, e) < 0)
            return -1;
    }
    return 0;
}

int watch_note(struct look *l, struct err *e)
{
    AUTO(branch_list_done) struct branch_list known = {0};
    if (store_branch_list(l->store, l->r->id, &known, e) < 0)
        return -1;
    l->first = known.branches.len == 0;
    if (note_branches(l, &known, e) < 0 || note_new_branches(l, &known, e) < 0 ||
        note_mrs(l, e) < 0)
        return -1;
    return note_gone_mrs(l, e);
}

/* After a start, all that are open: what was told meanwhile is forgotten. */
static int ask_about_open(struct look *l, struct err *e)
{
    AUTO(mr_list_done) struct mr_list open = {0};
    if (l->r->filled || store_mr_list_open(l->store, l->r->id, &open, e) < 0)
        return l->r->filled ? 0 : -1;
    for (size_t i = 0; i < open.mrs.len && l->r->asked_mrs.len < WATCH_ASKED_MAX; i++)
        *vec_push(&l->r->asked_mrs) = open.mrs.at[i].number;
    return 0;
}

int watch_note_asked(struct look *l, struct err *e)
{
    if (!l->r->conf->forge)
        return 0;
    if (ask_about_open(l, e) < 0)
        return -1;
    for (size_t i = 0; i < l->r->asked_mrs.len; i++) {
        char pull[MR_REF_MAX];
        const struct mirror_ref *ref = find_mr_ref(l, l->r->asked_mrs.at[i], pull);
        if (ref && note(l, ref->name, ref->sha, true, e) < 0)
            return -1;
    }
    return 0;
}
