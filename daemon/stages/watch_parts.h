/* SPDX-License-Identifier: MIT */
/*
 * watch_parts: the parts of the watch stage, for its own files.
 */
#ifndef STAGES_WATCH_PARTS_H
#define STAGES_WATCH_PARTS_H

#include "lineage.h"
#include "rng.h"
#include "store_change.h"
#include "store_job.h"
#include "store_repo.h"
#include "watch.h"

enum {
    WATCH_PUSH_MAX = 200, /* newest commits of one push that get a job */
    WATCH_FIRST_MRS_MAX =
        20, /* newest merge requests measured when a repository is first seen */
    WATCH_WHY_MAX = 160,
    WATCH_ASKED_MAX = 200, /* merge requests asked about in one look */
};

struct watched {
    const struct stage_repo *conf;
    int64_t id; /* of the row */
    char *mirror_path;
    char **patterns;        /* NULL-terminated */
    int64_t next_ns;        /* of the next look */
    int64_t begun_ns;       /* when the last look began */
    bool asked;             /* by a webhook, since then */
    int failures;           /* in a row */
    bool filled;            /* the past was looked at since the start */
    bool settled;           /* the tables say what the mirror does: only news matter */
    int64_t changed_ms;     /* wall time of the last change we know of */
    VEC(int64_t) asked_mrs; /* numbers to ask the forge about */
};

struct watch {
    struct watch_options o;
    struct rng rng;
    struct mirror_fetcher *fetcher;
    int quiet;
    int64_t hooks_seen; /* id of the newest delivery that was taken up */
    VEC(struct watched) repos;
};

/* One look at one repository. */
struct look {
    struct watch *w;
    struct watched *r;
    struct store *store;
    struct mirror *m;
    struct mirror_refs refs;   /* what the mirror has after the fetch */
    bool moved;                /* the fetch brought or removed something */
    bool full;                 /* the tables were compared with it */
    bool first;                /* nothing of it was known before */
    enum change_source source; /* why we look */
    bool forge_away;           /* it was asked and gave no answer: not asked again */
    int queued, stopped;       /* jobs added; running ones that are wanted no more */
};

static inline const char *look_target(const struct look *l)
{
    return l->r->conf->branches[0];
}

/* watch_refs.c: appends a change for each reference that is not where the tables say. */
int watch_note(struct look *l, struct err *e);
const struct mirror_ref *watch_find_ref(const struct look *l, const char *name);
bool watch_mr_number(const char *ref, int64_t *out);

/* The same for merge requests of which something else than the head may have changed. */
int watch_note_asked(struct look *l, struct err *e);

/* watch_trust.c: what the forge says of a merge request, and whether its head may run. */
struct mr_word {
    bool asked; /* false: nobody could be, and the members below say nothing */
    bool open, draft, is_fork;
    char target[RECORD_NAME_MAX];
};

int watch_ask_forge(struct look *l, int64_t number, struct mr_word *out, struct err *e);
/* *out_why stays NULL when it may. What makes it so is noted as its approval. */
int watch_trust(struct look *l, const struct change *c, int64_t number,
                const struct mr_word *word, const char **out_why, struct err *e);

/* watch_plan.c, watch_mr.c */
int watch_plan(struct look *l, struct err *e); /* all changes that are new */
int watch_fill(struct look *l, struct err *e); /* jobs for the past */
int watch_put_commit(struct look *l, const struct lineage_commit *c, int64_t *out_id,
                     struct err *e);
int watch_add_job(struct look *l, const struct job *want, struct err *e);
int watch_plan_mr(struct look *l, const struct change *c, struct err *e);

/* watch_trigger.c: does the spec want this pair measured? */
struct trigger_pair {
    const char *base, *head; /* base "": none */
    const char *branch;      /* that it is on, or the target of the merge request */
    bool merge_request;
};

/* 'why' is set when the answer is no. A broken spec is a yes: the job will tell its author. */
int watch_triggered(struct look *l, const struct trigger_pair *pair, bool *yes,
                    char why[WATCH_WHY_MAX], struct err *e);

#endif
