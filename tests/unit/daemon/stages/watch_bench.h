/* SPDX-License-Identifier: MIT */
/*
 * watch_bench: a remote with commits c1..c3 on main, and a watch stage over it.
 */
#ifndef TESTS_WATCH_BENCH_H
#define TESTS_WATCH_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdatomic.h>

#include "../scratch.h"
#include "log.h"
#include "mirror.h"
#include "quiet.h"
#include "store_change.h"
#include "store_job.h"
#include "store_repo.h"
#include "watch.h"

struct bench {
    struct scratch dir;
    char url[128], db[128], state[128];
    char *branches[1];
    struct stage_repo repo;
    struct stage_bells bells;
    struct store *store;
    struct watch *watch;
    int64_t repo_id;
    int64_t asked_pause_ns;
};

/* The remote is made once per program, a copy of it for each test. */
void bench_commit(const struct bench *b, const char *subject);
void bench_write_spec(const struct bench *b, const char *more);
void bench_push(const struct bench *b);
void bench_open_watch(struct bench *b);
void bench_close_watch(struct bench *b);
void bench_look(struct bench *b);
int bench_make_origin(void **state);
int bench_remove_origin(void **state);
int bench_set_up(void **state);
int bench_tear_down(void **state);
void bench_jobs_of(const struct bench *b, const char *states, char out[256]);
void bench_chain_of(const struct bench *b, char out[256]);
void bench_last_change(const struct bench *b, char out[256]);

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

#endif
