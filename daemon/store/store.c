/* SPDX-License-Identifier: MIT */
/*
 * store: see store.h.
 */
#include "store.h"

#include "mem.h"
#include "store_sql.h"

enum { BUSY_TIMEOUT_MS = 10000 };

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

int store_checkpoint(struct store *s, bool *out_done, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "PRAGMA wal_checkpoint(TRUNCATE)");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_done = row && sql_col_int(&q, 0) == 0;
    return 0;
}
