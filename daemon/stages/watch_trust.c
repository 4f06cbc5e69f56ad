/* SPDX-License-Identifier: MIT */
/*
 * watch_trust: whose code a merge request brings; see watch.h.
 *
 * Code of a fork runs on a member's word only, and that word is for one head. That a head is
 * the repository's own can be told in two ways: a branch of the repository has it as its tip,
 * which only somebody who may push can have done, or the forge says where it comes from.
 */
#include <inttypes.h>
#include <stdio.h>

#include "forge.h"
#include "log.h"
#include "store_approval.h"
#include "watch_parts.h"

/* A forge that is away is asked again with the next look: what is not known does not run, and
 * is not forgotten either. */
int watch_ask_forge(struct look *l, int64_t number, struct mr_word *out, struct err *e)
{
    struct forge_mr mr;
    struct forge_answer answer = {0};
    struct err own = {0};
    *out = (struct mr_word){.asked = false};
    if (!l->r->conf->forge)
        return 0;
    if (l->forge_away)
        return err_set(e, ERR_AWAY, "ask about merge request %" PRId64 ": no answer just now",
                       number);
    if (forge_mr_get(l->r->conf->forge, number, &mr, &answer, &own) < 0) {
        l->forge_away = answer.result == FORGE_LATER;
        if (l->forge_away)
            return err_set(e, ERR_AWAY, "ask about merge request %" PRId64 ": %s", number,
                           own.text);
        log_warn("merge request not told", "repo=%s mr=%" PRId64 ": %s", l->r->conf->name,
                 number, own.text);
        return 0;
    }
    *out = (struct mr_word){
        .asked = true, .open = mr.open, .draft = mr.draft, .is_fork = mr.is_fork};
    if (strlen(mr.target) >= sizeof out->target)
        return err_set(e, ERR_LIMIT, "the name of its target branch is too long");
    memcpy(out->target, mr.target, strlen(mr.target) + 1);
    return 0;
}

static int note_own(struct look *l, const struct change *c, int64_t number,
                    enum approval_how how, struct err *e)
{
    struct approval a = {.repo_id = l->r->id, .mr = number, .sha = c->head, .how = how};
    return store_approval_add(l->store, &a, e);
}

int watch_trust(struct look *l, const struct change *c, int64_t number,
                const struct mr_word *word, const char **out_why, struct err *e)
{
    const struct mirror_ref *ref = watch_find_ref(l, c->ref);
    enum mr_policy policy = l->r->conf->merge_requests;
    bool approved;
    if (store_approval_has(l->store, l->r->id, number, &c->head, &approved, e) < 0)
        return -1;
    if (approved)
        return 0;
    if (word->asked && word->draft)
        *out_why = "it is a draft; '/pacewatch bench' measures it";
    else if (policy == MR_ALL)
        return 0;
    else if (policy == MR_APPROVED)
        *out_why = "it waits for a member's '/pacewatch bench'";
    else if (ref && ref->is_own)
        return note_own(l, c, number, APPROVAL_BRANCH, e);
    else if (word->asked && !word->is_fork)
        return note_own(l, c, number, APPROVAL_FORGE, e);
    else
        *out_why = word->asked
                       ? "it comes from a fork and waits for a member's '/pacewatch bench'"
                       : "no branch of the repository has this head and the forge cannot be "
                         "asked, so it may come from a fork";
    return 0;
}
