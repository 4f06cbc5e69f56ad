/* SPDX-License-Identifier: MIT */
/*
 * forge_parts: what the forges of this folder share. Private to it.
 *
 * A forge is a table of functions that know its paths and documents; forge_call.c sends, and
 * says what a status means. Each function of the table ends with the answer of its last call.
 */
#ifndef FORGE_FORGE_PARTS_H
#define FORGE_FORGE_PARTS_H

#include <pthread.h>

#include "client.h"
#include "forge.h"
#include "json.h"

enum {
    FORGE_PATH_MAX = 2048,
    FORGE_BODY_MAX = 4 << 20,    /* of a request: a comment with every byte escaped */
    FORGE_ANSWER_MAX = 24 << 20, /* Gitea gives all comments at once */
    FORGE_TOKEN_MAX = 16384,     /* those of Apps grow from year to year */
    FORGE_PAGE = 100,
};

struct forge_search {
    const char *marker;
    int64_t since_ms;
    struct forge_user self;
};

struct forge_api {
    const char *public_url; /* of the service that everybody uses; NULL: there is none */
    bool needs_user;
    size_t comment_bytes_max;
    size_t description_max; /* characters of a status */
    /* The API's root of a forge at 'url', without a slash at the end. */
    void (*root)(const char *url, struct str *out);
    /* The header that carries the token; 'user' when there is one. */
    void (*authorize)(const struct forge *f, struct view token, struct str *out);

    int (*read_user)(const struct json_doc *doc, const struct json *user,
                     struct forge_user *out, struct err *e);
    int (*whoami)(struct forge *f, struct forge_user *out, struct forge_answer *a,
                  struct err *e);
    int (*role_of)(struct forge *f, const struct forge_user *who, enum forge_role *out,
                   struct forge_answer *a, struct err *e);
    int (*mr_get)(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                  struct err *e);
    int (*comment_get)(struct forge *f, int64_t number, const char *id,
                       struct forge_comment *out, struct forge_answer *a, struct err *e);
    /* A page of comments, from 0; and a look through it: '*last' when there is none behind. */
    struct str (*page_path)(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page);
    int (*find_in)(struct forge *f, const struct str *path, const struct forge_search *search,
                   char *id, bool *last, struct forge_answer *a, struct err *e);
    int (*comment_post)(struct forge *f, int64_t number, struct view body, char *id,
                        struct forge_answer *a, struct err *e);
    int (*comment_edit)(struct forge *f, int64_t number, const char *id, struct view body,
                        struct forge_answer *a, struct err *e);
    int (*status_put)(struct forge *f, const struct forge_status *status, char *id,
                      struct forge_answer *a, struct err *e);
};

extern const struct forge_api forge_api_github, forge_api_gitlab, forge_api_gitea,
    forge_api_bitbucket, forge_api_bitbucket_server;

struct forge {
    struct forge_options options;
    const struct forge_api *api;
    struct str root, host;
    bool http; /* the configured address has no TLS */
    /* What carries requests: client_send, but for a fuzz target. */
    int (*send)(const struct client_request *request, struct client_answer *out, struct err *e);

    pthread_mutex_t lock;   /* over what follows */
    struct forge_user self; /* id "": not asked yet */
    struct str app_token;
    int64_t app_token_until_ms; /* wall time */
};

/* --- one call (forge_call.c) ---------------------------------------------------------------
 */

struct forge_call {
    const char *method;     /* NULL: GET */
    const struct str *path; /* behind the root; begins with '/' */
    struct view body;       /* JSON */
    bool creates;           /* done twice, it would be there twice */
    bool as_app;            /* with the App's own signature, not its installation's token */
};

/* Sends, and reads the answer as JSON unless 'out' is NULL. 0 only for a status of 2xx. */
int forge_call(struct forge *f, const struct forge_call *call, struct json_doc **out,
               struct forge_answer *a, struct err *e);
int forge_get(struct forge *f, const struct str *path, struct json_doc **out,
              struct forge_answer *a, struct err *e);
int forge_get_user(struct forge *f, const struct str *path, struct forge_user *out,
                   struct forge_answer *a, struct err *e);
/* Creates something and tells what the forge calls it: its member 'id'. */
int forge_create(struct forge *f, const struct str *path, const struct str *body, char *id,
                 struct forge_answer *a, struct err *e);
int forge_replace(struct forge *f, const char *method, const struct str *path,
                  const struct str *body, struct forge_answer *a, struct err *e);

void forge_wipe(struct str *secret); /* frees it, overwritten */

/* What an answer means; pure but for the time of day. */
void forge_classify(bool creates, const struct client_answer *got, struct forge_answer *out);

/* --- paths and documents (forge_read.c) ------------------------------------------------------
 */

/* The API's root: the forge's address without a slash at its end, and 'tail'. */
void forge_root_add(struct str *out, const char *url, const char *tail);

/* Adds text with everything but letters, digits, '-', '.', '_' and '~' as %XX. */
void forge_path_add(struct str *path, struct view text);

/* An id that is a number or a text; anything longer than an id fails. */
int forge_read_id(const struct json_doc *doc, const struct json *object, const char *key,
                  char out[FORGE_ID_MAX + 1], struct err *e);
/* 'id' and 'login' are the names of its members. */
int forge_read_user(const struct json_doc *doc, const struct json *user, const char *id,
                    const char *login, struct forge_user *out, struct err *e);

/* One look at a comment of a list: the search ends when it is ours and has the marker. */
bool forge_is_wanted(const struct forge_search *search, const struct forge_user *author,
                     struct view body);
/* Was it written more than a day before? By the start of the times' texts: zones differ. */
bool forge_is_before(struct view iso, int64_t since_ms);
/* At most so many characters; a longer text ends with an ellipsis. */
void forge_cut(struct view text, size_t characters, struct str *out);
bool forge_is_project(struct view project);
void forge_write_build(const struct forge *f, const struct forge_status *s, struct str *out);
/* {"key": body} */
void forge_write_body(const char *key, struct view body, struct str *out);
/* Absent or null leaves 'out'; a longer text is cut. */
void forge_copy_text(const struct json *object, const char *key, char *out, size_t size);
bool forge_flag(const struct json *object, const char *key); /* false unless it is true */
struct view forge_text(const struct json *object, const char *key); /* empty: not there */

#endif
