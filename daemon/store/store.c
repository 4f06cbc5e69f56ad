/* SPDX-License-Identifier: MIT */
/*
 * store: see store.h.
 *
 * synchronous = NORMAL keeps the database whole after a power failure but may lose the last
 * transactions; what is acknowledged to a runner or a forge is therefore written with FULL.
 */
#include "store.h"

#include "mem.h"
#include "store_sql.h"

enum { BUSY_TIMEOUT_MS = 10000 };

static enum err_kind kind_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_TIMEOUT;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    default:
        return ERR_SYSTEM;
    }
}

int store_fail(struct store *s, int code, const char *what, struct err *e)
{
    const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);
    return err_set(e, kind_of(code), "database: %s (%d) in '%.60s'", text, code, what);
}

int store_exec(struct store *s, const char *text, struct err *e)
{
    int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_fail(s, code, text, e);
}

static int configure(struct store *s, struct err *e)
{
    (void)sqlite3_extended_result_codes(s->db, 1);
    (void)sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    return store_exec(s,
                      "PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = NORMAL;"
                      "PRAGMA foreign_keys = ON;"
                      "PRAGMA trusted_schema = OFF;"
                      "PRAGMA journal_size_limit = 67108864",
                      e);
}

int store_open(const char *path, struct store **out, struct err *e)
{
    AUTO(store_closep) struct store *s = mem_zero(1, sizeof *s);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, &s->db, flags, NULL);
    if (code != SQLITE_OK)
        (void)store_fail(s, code, "open", e);
    if (code != SQLITE_OK || configure(s, e) < 0 || migrate_run(s, e) < 0)
        return err_ctx(e, "%s", path);
    *out = STEAL(s);
    return 0;
}

void store_closep(struct store **s)
{
    if (!*s)
        return;
    for (size_t i = 0; i < SQL_KEPT_MAX; i++)
        sqlite3_finalize((*s)->kept[i].stmt);
    if ((*s)->db)
        (void)sqlite3_exec((*s)->db, "PRAGMA optimize", NULL, NULL, NULL);
    (void)sqlite3_close_v2((*s)->db);
    free(*s);
    *s = NULL;
}

static int begin(struct store *s, bool durable, struct store_tx *tx, struct err *e)
{
    if (s->depth == 0) {
        if (durable && store_exec(s, "PRAGMA synchronous = FULL", e) < 0)
            return -1;
        s->durable = durable;
        s->doomed = false;
        if (store_exec(s, "BEGIN IMMEDIATE", e) < 0)
            return -1;
    }
    s->depth++;
    tx->store = s;
    return 0;
}

int store_begin(struct store *s, struct store_tx *tx, struct err *e)
{
    return begin(s, false, tx, e);
}

int store_begin_durable(struct store *s, struct store_tx *tx, struct err *e)
{
    return begin(s, true, tx, e);
}

static void back_to_normal(struct store *s)
{
    if (s->durable)
        (void)store_exec(s, "PRAGMA synchronous = NORMAL", NULL);
    s->durable = false;
}

int store_commit(struct store_tx *tx, struct err *e)
{
    struct store *s = tx->store;
    if (s->depth > 1) {
        s->depth--;
        tx->store = NULL;
        return 0;
    }
    if (s->doomed)
        return err_set(e, ERR_CONFLICT, "database: a part of the transaction was undone");
    if (store_exec(s, "COMMIT", e) < 0)
        return -1; /* store_tx_done rolls back */
    s->depth = 0;
    tx->store = NULL;
    back_to_normal(s);
    return 0;
}

void store_tx_done(struct store_tx *tx)
{
    struct store *s = STEAL(tx->store);
    if (!s)
        return;
    s->doomed = true;
    if (--s->depth > 0)
        return;
    if (!sqlite3_get_autocommit(s->db)) /* Some failures have rolled back already. */
        (void)store_exec(s, "ROLLBACK", NULL);
    back_to_normal(s);
}

int store_checkpoint(struct store *s, bool *out_done, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "PRAGMA wal_checkpoint(TRUNCATE)");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_done = row && sql_col_int(&q, 0) == 0;
    return 0;
}
