/* SPDX-License-Identifier: MIT */
/*
 * forge: what we ask a forge and tell it through its API: who somebody is and what he may do,
 * what a merge request is right now, comments and commit statuses.
 *
 *     struct forge_options options = {.kind = FORGE_GITHUB, .project = "acme/shop",
 *                                     .token_file = "/etc/pacewatch/github.token"};
 *     AUTO(forge_closep) struct forge *forge = NULL;
 *     struct forge_answer answer;
 *     if (forge_open(&options, &forge, e) < 0 ||
 *         forge_mr_get(forge, 12, &mr, &answer, e) < 0)
 *         return answer.result == FORGE_GONE ? ... : -1;
 *
 * Addresses are built from the configuration only: nothing that a forge or a payload says is
 * ever fetched, redirects are refused and a "next" link is not followed (pages are counted).
 * Everything a forge answers has a ceiling and is read strictly. Tokens come from files that
 * nobody else may read, are read again for each call and never stand in an error or a URL.
 *
 * Every call is one question with one deadline; nothing is repeated here. 'answer' says what is
 * to be done about a failure. A call returns 0 only with FORGE_DONE.
 *
 * A forge may be used by several threads at once; what it remembers (its own user, the token of
 * an App's installation) is behind a lock.
 */
#ifndef FORGE_FORGE_H
#define FORGE_FORGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "forge_hook.h"
#include "str.h"

enum {
    FORGE_ID_MAX = 64, /* of a user, comment or check run, as the forge writes it */
    FORGE_TEXT_MAX = 1 << 20,
    FORGE_LABELS_MAX = 32,
    FORGE_PAGES_MAX = 50, /* of comments that are looked through for a marker */
};

struct forge_options { /* borrowed until forge_close */
    enum forge_kind kind;
    const char *url;     /* of the forge for people; NULL: that of the public service */
    const char *api_url; /* NULL: made from 'url' */
    const char *project; /* what the repository is called there: "owner/name" */
    const char *token_file;
    const char *user; /* Bitbucket: whose the token is; Cloud: NULL for an access token */
    /* A GitHub App instead of a token: numbers, and its private key in a file of mode 0600. */
    const char *app_id, *app_installation, *app_key_file;
    int64_t deadline_ns;       /* of one call; 0: 10 s */
    const char *ca_file;       /* PEM with the authorities to trust; NULL: the system's */
    const atomic_bool *cancel; /* gives up within a second or two once true; NULL: never */
};

/* What came of a call, and what to do now. */
enum forge_result {
    FORGE_DONE,
    FORGE_GONE,    /* it does not exist, or not for us: 404, 410 */
    FORGE_REFUSED, /* no later try will succeed: 400, 401, 403, 422, a redirect */
    FORGE_LATER,   /* certainly not done; try again, not before 'wait_ms' */
    FORGE_UNSURE,  /* a write that may have been done: look before trying again */
};

struct forge_answer {
    enum forge_result result;
    int status;              /* of HTTP; 0: no answer */
    bool silent;             /* the deadline passed without one */
    int64_t wait_ms;         /* how long the forge wants to be left alone; 0: it did not say */
    int64_t budget;          /* requests left until 'budget_reset_ms'; -1: not told */
    int64_t budget_reset_ms; /* wall time */
};

struct forge;

/* ERR_INPUT: the kind has no API, or something it needs is not given. Asks nobody. */
int forge_open(const struct forge_options *options, struct forge **out, struct err *e);
void forge_closep(struct forge **f);

/* Host and port of the API, "api.github.com": what budgets are kept for. */
const char *forge_host(const struct forge *f);
enum forge_kind forge_kind(const struct forge *f);

/* --- people --------------------------------------------------------------------------------
 */

enum forge_role { FORGE_ROLE_NONE, FORGE_ROLE_READ, FORGE_ROLE_WRITE, FORGE_ROLE_ADMIN };

struct forge_user {
    char id[FORGE_ID_MAX + 1]; /* never changes hands; "": not told */
    char login[RECORD_NAME_MAX];
    bool is_bot;
};

/* The user whose comments are ours. Remembered after the first time. */
int forge_whoami(struct forge *f, struct forge_user *out, struct forge_answer *a,
                 struct err *e);

/* What somebody may do with the repository at this moment. GitHub, Gitea and Bitbucket go by
 * the login (Cloud: the id), GitLab by the id. Somebody unknown has FORGE_ROLE_NONE. */
int forge_role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                  struct forge_answer *a, struct err *e);

/* --- merge requests ------------------------------------------------------------------------
 */

struct forge_mr {
    int64_t number;
    char head[FORGE_SHA_MAX + 1]; /* complete */
    char target[RECORD_REF_MAX];  /* branch name */
    bool open, draft;
    bool is_fork; /* its code comes from another repository, or that is not told */
    char source_project[RECORD_REF_MAX]; /* where it comes from; "": not told */
    struct forge_user author;
    char labels[FORGE_LABELS_MAX][RECORD_NAME_MAX];
    int labels_len;
};

int forge_mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                 struct err *e);
bool forge_mr_has_label(const struct forge_mr *mr, const char *label);

/* --- comments on a merge request -----------------------------------------------------------
 */

/* How many bytes a comment may have there. */
size_t forge_comment_bytes_max(enum forge_kind kind);

struct forge_comment {
    char id[FORGE_ID_MAX + 1];
    struct forge_user author;
    struct str body; /* up to its ceiling */
    bool edited;     /* changed since it was written, or that is not told */
};

#define FORGE_COMMENT_INIT               \
    {                                    \
        .body = STR_INIT(FORGE_TEXT_MAX) \
    }
void forge_comment_done(struct forge_comment *c);

int forge_comment_get(struct forge *f, int64_t number, const char *id,
                      struct forge_comment *out, struct forge_answer *a, struct err *e);

/* Looks for a comment of our own user that contains the marker, among those not older than
 * 'since_ms' (wall time; 0: all). Not found is FORGE_DONE with an empty 'id'. Comments of
 * others never count, whatever they contain. */
int forge_comment_find(struct forge *f, int64_t number, const char *marker, int64_t since_ms,
                       char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e);
int forge_comment_post(struct forge *f, int64_t number, struct view body,
                       char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e);
int forge_comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                       struct forge_answer *a, struct err *e);

/* --- commit statuses -----------------------------------------------------------------------
 */

enum forge_state {
    FORGE_PENDING,
    FORGE_SUCCESS,
    FORGE_FAILURE,
    FORGE_NEUTRAL, /* where only three are known: success, the description tells */
    FORGE_STATE_COUNT,
};
extern const char *const forge_state_names[FORGE_STATE_COUNT];

struct forge_status {
    const char *sha; /* complete */
    enum forge_state state;
    const char *context;     /* the same one is replaced */
    const char *description; /* plain text, cut to what the forge takes */
    const char *url;         /* NULL: none */
    const char *summary;     /* Markdown, for the check run of a GitHub App; NULL: none */
};

/* Are heads given check runs, which show a summary, instead of statuses? */
bool forge_has_checks(const struct forge *f);

/* A check run when the forge is used as a GitHub App, a commit status otherwise. 'id' is the
 * check run's: empty the first time, filled then, given again for the next state. */
int forge_status_put(struct forge *f, const struct forge_status *status,
                     char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e);

#endif
