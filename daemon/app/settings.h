/* SPDX-License-Identifier: MIT */
/*
 * settings: the daemon's configuration file, checked completely before anything starts.
 *
 * JSON with comments; every key, its unit and default is in pacewatchd.conf(5). An unknown key
 * is an error with line, column and the nearest known key. Relative paths in the file are
 * relative to the file's folder.
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "forge_courier.h"
#include "forge_hook.h"
#include "str.h"

enum {
    SETTINGS_REPOS_MAX = 10000,
    SETTINGS_BRANCHES_MAX = 64,
    SETTINGS_BACKFILL_MAX = 10000,
    SETTINGS_NAME_MAX = 100,
    SETTINGS_NOTIFY_MAX = 16, /* targets of one repository */
    SETTINGS_MAILBOXES_MAX = 32,
};

struct settings_forge {
    enum forge_kind kind; /* git unless given */
    char *url, *api_url;  /* where the forge is, and its API when that is elsewhere */
    char *project;        /* what the repository is called there; NULL: nothing is posted */
    char *token_file;     /* for fetching and posting; mode 0600 */
    char *user;           /* whose it is, where the forge does not tell */
    char *app_id, *app_installation, *app_key_file; /* a GitHub App; NULL: the token */
    char *context;                                  /* of commit statuses */
    bool comments, statuses;                        /* what is posted */
    char *webhook_secret_file; /* of incoming deliveries; NULL: none are taken */
    struct str webhook_key;    /* from that file, already read */
    bool webhook_by_signature; /* GitLab: signed deliveries instead of a token */
    char *ssh_key;             /* private key for ssh remotes; NULL: the agent's */
    char *ssh_host_key;        /* SHA-256 of the host's key, as ssh-keygen -l prints it */
    char *ca_file;             /* authorities for https instead of the system's */
};

struct settings_notify { /* where reports go besides the forge; see forge_courier.h */
    enum courier_kind kind;
    char *name; /* tells targets of one kind apart; "" unless given */
    char *url, *secret_file, *room, *from, *user, *ca_file; /* NULL: not given */
    char **to;
    size_t to_len;
    bool allow_private, allow_plain;
};

struct settings_repo {
    char *name;
    char *url;
    char **branches; /* at least one; the first is the default branch */
    size_t branches_len;
    enum mr_policy merge_requests;
    int64_t backfill; /* commits of the past to measure when first seen */
    int64_t poll_ns;
    int64_t poll_most_ns; /* however long nothing has happened there */
    char *spec_text;      /* the operator's spec, already read; NULL: the repository's own */
    char *spec_path;      /* where it was read from, for messages */
    struct settings_forge forge;
    struct settings_notify *notify;
    size_t notify_len;
};

struct settings {
    char *listen;     /* "127.0.0.1:8420"; "" or "none": only the Unix socket */
    char *public_url; /* how people reach the dashboard; from 'listen' unless given */
    char *state_dir;
    char *executor; /* "local" */
    bool sandbox;   /* false only by the operator's word */
    bool build_network;
    bool watch; /* look at remotes at all; false for a comparison in one shot */
    struct settings_repo *repos;
    size_t repos_len;
};

int settings_load(const char *path, struct settings **out, struct err *e);
/* 'name' stands in messages, 'folder' is where relative paths begin. */
int settings_parse(struct view text, const char *name, const char *folder,
                   struct settings **out, struct err *e);
void settings_freep(struct settings **s);

/* Borrowed from the settings; see forge.h. */
struct forge_options;
void settings_forge_options(const struct settings_forge *f, struct forge_options *out);

#endif
