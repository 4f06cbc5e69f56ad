/* SPDX-License-Identifier: MIT */
/*
 * dispatch_bench: a repository with its tables, and a dispatch stage over it.
 */
#ifndef TESTS_DISPATCH_BENCH_H
#define TESTS_DISPATCH_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "../scratch.h"
#include "dispatch.h"
#include "job_doc.h"
#include "lineage.h"
#include "log.h"
#include "mirror.h"
#include "quiet.h"
#include "store_approval.h"
#include "store_attempt.h"
#include "store_change.h"
#include "store_command.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_run.h"

enum { COMMITS = 4 };

/* A repository 'shop' with commits c0..c3 on main in tables and mirror, and a dispatch stage
 * whose runner is a script of the test. */
struct bench {
    struct scratch dir;
    char db[128], state[128], runner[128], work[128];
    char *branches[1];
    struct stage_repo repo;
    struct store *store;
    struct executor *executor;
    struct dispatch *dispatch;
    int64_t repo_id, branch_id;
    int64_t commits[COMMITS];
};

void bench_write_runner(const struct bench *b, const char *script);
void bench_open_dispatch(struct bench *b);
void bench_close_dispatch(struct bench *b);
int bench_set_up(void **state);
int bench_tear_down(void **state);
int64_t bench_queue(struct bench *b, enum job_kind kind, int head);
int64_t bench_queue_pair(struct bench *b, enum job_kind kind, int64_t base, int64_t head);
struct job bench_job_of(struct bench *b, int64_t id);
struct job bench_step_until(struct bench *b, int64_t id, enum job_state state);
void bench_wait_for_file(const struct bench *b, const char *name);
void bench_deliver_failure(struct bench *b, int64_t job, enum failure_class cls, int side);
struct job_doc *bench_read_job_doc(const struct bench *b, int64_t job);
int64_t bench_add_commit(struct bench *b, const char *script);

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

#endif
