/* SPDX-License-Identifier: MIT */
/*
 * forge_bench: a scripted forge (tests/forges/scripted_forge.py) and how to speak to it.
 */
#ifndef TEST_FORGE_BENCH_H
#define TEST_FORGE_BENCH_H

#include "forge.h"
#include "receiver.h"

/* What the script knows. */
#define BENCH_TOKEN "s3cret-token"
#define BENCH_HEAD  "c900000000000000000000000000000000000000"
enum { BENCH_MR = 12, BENCH_US = 7, BENCH_OWNER = 1, BENCH_OUTSIDER = 3 };

struct forge_bench {
    struct receiver server;
    char dir[64], url[64], token[96], key[96];
    struct forge_options options;
    struct forge *forge;
};

/* 'kind' as the configuration calls it; "github+app": only an App may speak. */
void forge_bench_open(struct forge_bench *b, const char *kind);
void forge_bench_close(struct forge_bench *b);

/* "/_script", "/_comment", "/_delete": see the script. */
void forge_bench_put(struct forge_bench *b, const char *path, const char *json);
/* Makes the next call of an operation go wrong. */
void forge_bench_fault(struct forge_bench *b, const char *operation, const char *fault);
struct json_doc *forge_bench_state(struct forge_bench *b);
/* How many there are in one of the state's lists: "comments", "statuses", "checks". */
size_t forge_bench_count(struct forge_bench *b, const char *list);
/* How many requests of an operation came. */
size_t forge_bench_calls(struct forge_bench *b, const char *operation);
/* No request was wrong in the forge's eyes. */
void forge_bench_check(struct forge_bench *b);

#endif
