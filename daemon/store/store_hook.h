/* SPDX-License-Identifier: MIT */
/*
 * store_hook: deliveries of webhooks, each of which asks for one look at its repository.
 *
 * A delivery that is known already changes nothing. They are forgotten after two weeks, long
 * after any forge has given up sending them again; one that comes later yet costs a look.
 */
#ifndef STORE_HOOK_H
#define STORE_HOOK_H

#include "store.h"
#include "store_repo.h"
#include "vec.h"

struct hook_note {
    const char *delivery; /* the forge's id */
    int64_t mr;           /* number of the merge request to ask the forge about; 0: none */
    int64_t command_mr;   /* the one with the comment below */
    const char *comment;  /* id of one that seems to be a command; NULL or "": none */
};

/* Notes a delivery to a configured repository, and the command it brings; there is no such
 * repository: ERR_NOT_FOUND. *added is false when the delivery is known. */
int store_hook_add(struct store *s, const char *repo, const struct hook_note *note, bool *added,
                   struct err *e);

struct hook_news { /* of one repository */
    int64_t repo_id;
    int64_t newest; /* id of a delivery */
};

struct hook_news_list {
    VEC(struct hook_news) news;
};

void hook_news_list_done(struct hook_news_list *l);
/* The repositories with deliveries behind the one with this id. */
int store_hook_news(struct store *s, int64_t behind, struct hook_news_list *out, struct err *e);
/* The merge requests that deliveries to a repository behind the one with this id are about. */
int store_hook_mrs(struct store *s, int64_t repo_id, int64_t behind, struct id_list *out,
                   struct err *e);
/* 0: there is none. */
int store_hook_newest(struct store *s, int64_t *out, struct err *e);

#endif
