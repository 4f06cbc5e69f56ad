/* SPDX-License-Identifier: MIT */
/* watch_trigger: the triggers of a spec; see pacewatch-spec(5). */
#include <fnmatch.h>
#include <stdio.h>

#include "spec_pick.h"
#include "watch_parts.h"

static bool matches(const struct spec_list *globs, const char *text)
{
    for (size_t i = 0; i < globs->len; i++)
        if (fnmatch(globs->at[i], text, 0) == 0)
            return true;
    return false;
}

/* True at the first path that makes the change worth measuring: the build reads it, the
 * triggers name it, and none of them leaves it out. The spec itself always counts. */
static bool is_relevant(void *ctx, const char *path)
{
    const struct spec *spec = ctx;
    const struct spec_triggers *t = &spec->triggers;
    bool read = !spec->build.inputs.len || matches(&spec->build.inputs, path) ||
                strcmp(path, SPEC_FILE) == 0;
    return read && (!t->paths.len || matches(&t->paths, path)) &&
           !matches(&t->skip_paths, path);
}

static int check_paths(struct look *l, struct spec *spec, const struct trigger_pair *pair,
                       bool *yes, char why[WATCH_WHY_MAX], struct err *e)
{
    const struct spec_triggers *t = &spec->triggers;
    *yes = true;
    if ((!t->paths.len && !t->skip_paths.len && !spec->build.inputs.len) || !pair->base[0])
        return 0;
    if (lineage_changed_paths(l->m, pair->base, pair->head, is_relevant, spec, yes, e) < 0) {
        *yes = true; /* too many paths to look at */
        return e->kind == ERR_LIMIT ? 0 : -1;
    }
    if (!*yes)
        (void)snprintf(why, WATCH_WHY_MAX,
                       "no path changed that the spec's triggers or inputs name");
    return 0;
}

static int check_spec(struct look *l, struct spec *spec, const struct trigger_pair *pair,
                      bool *yes, char why[WATCH_WHY_MAX], struct err *e)
{
    const struct spec_triggers *t = &spec->triggers;
    *yes = false;
    if (pair->merge_request && !t->merge_requests) {
        (void)snprintf(why, WATCH_WHY_MAX, "the spec does not want merge requests measured");
        return 0;
    }
    if (t->branches.len && !matches(&t->branches, pair->branch)) {
        (void)snprintf(why, WATCH_WHY_MAX, "the spec does not name branch '%.80s'",
                       pair->branch);
        return 0;
    }
    return check_paths(l, spec, pair, yes, why, e);
}

int watch_triggered(struct look *l, const struct trigger_pair *pair, bool *yes,
                    char why[WATCH_WHY_MAX], struct err *e)
{
    AUTO(spec_freep) struct spec *spec = NULL;
    struct spec_want want = {.repo = l->r->conf,
                             .base = pair->base,
                             .head = pair->head,
                             .trust_head = !pair->merge_request};
    int side;
    if (spec_pick(l->m, &want, &spec, &side, e) < 0) {
        *yes = true;
        return e->kind == ERR_INPUT ? 0 : -1;
    }
    if (!spec) {
        *yes = false;
        (void)snprintf(why, WATCH_WHY_MAX, "no " SPEC_FILE);
        return 0;
    }
    return check_spec(l, spec, pair, yes, why, e);
}
