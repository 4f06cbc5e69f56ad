/* SPDX-License-Identifier: MIT */
/*
 * target: where the requests go.
 *
 * A URL (http://host:port/path, https, ws, wss) or a Unix socket, resolved once before anything
 * is measured, so that names cost nothing later. When a name has several addresses, the first
 * that accepts a connection is taken. Resolving must happen inside the network namespace that
 * will be used.
 */
#ifndef LOAD_TARGET_H
#define LOAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "errors.h"

struct target {
    char *url;       /* as given */
    char *host;      /* without brackets */
    char *path;      /* with its query; "/" when the URL has none */
    char *authority; /* what the Host field says */
    uint16_t port;
    bool tls;
    bool websocket;  /* ws:// or wss:// */
    char *unix_path; /* NULL: TCP */
    struct sockaddr_storage address;
    socklen_t address_len; /* 0 until resolved */
};

enum { TARGET_URL_MAX = 8192 };

int target_parse(const char *url, struct target *out, struct err *e);
int target_resolve(struct target *t, int64_t deadline_ns, struct err *e);
void target_done(struct target *t);

/* "127.0.0.1,127.0.0.2": numeric addresses to connect from, appended to '*out' (a vec). */
struct target_sources {
    struct sockaddr_storage *at;
    size_t len, room;
};
int target_parse_sources(const char *list, struct target_sources *out, struct err *e);
/* Binds a socket to an address and leaves the choice of the port to connect, so that one port
 * can serve several destinations. 0, or -1 and errno. */
int target_bind_source(int fd, const struct sockaddr_storage *source);

/* Moves the calling process, which must have one thread only, into the network namespace at
 * 'path' (/proc/PID/ns/net). Without privilege it first joins the user namespace that owns it.
 */
int target_enter_netns(const char *path, struct err *e);

#endif
