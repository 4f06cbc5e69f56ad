/* SPDX-License-Identifier: MIT */
/*
 * store: the database. All SQL of the service is in this folder.
 *
 * A connection belongs to one thread; open one per thread on the same path. Opening brings an
 * older database up to date under SQLite's write lock, so threads and programs may race; a
 * database newer than the program is refused. Functions are named store_<noun>_<verb>, sit in
 * one header per noun (store_repo.h, store_job.h, ...) and are one transaction each, unless the
 * caller holds one open:
 *
 *     AUTO(store_tx_done) struct store_tx tx = {0};
 *     if (store_begin(store, &tx, e) < 0 || store_point_put(store, &point, e) < 0 ||
 *         store_job_judged(store, job, outcome, e) < 0)
 *         return -1;                                        // all undone
 *     return store_commit(&tx, e);
 *
 * Writing transactions are BEGIN IMMEDIATE: with a plain BEGIN, a reader that turns writer
 * fails at once however long the busy timeout is. Transactions nest; the outermost decides.
 *
 * A move of a state machine names the state it starts from. When the row is elsewhere by now,
 * the answer is ERR_CONFLICT and nothing has changed.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

struct store;

int store_open(const char *path, struct store **out, struct err *e);
void store_closep(struct store **s);

struct store_tx {
    struct store *store; /* NULL: not begun, or over */
};

int store_begin(struct store *s, struct store_tx *tx, struct err *e);
/* The same, and the commit is on disk when it returns: for what is acknowledged to somebody. */
int store_begin_durable(struct store *s, struct store_tx *tx, struct err *e);
int store_commit(struct store_tx *tx, struct err *e);
void store_tx_done(struct store_tx *tx); /* undoes what was not committed */

/* Copies the log back into the database file and empties it; *out_done is false when a reader
 * was in the way. Call every few minutes: the log grows without end under steady readers. */
int store_checkpoint(struct store *s, bool *out_done, struct err *e);

int store_schema_version(void); /* the newest this program knows */

#endif
