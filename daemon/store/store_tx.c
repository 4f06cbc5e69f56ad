/* SPDX-License-Identifier: MIT */
/*
 * store_tx: transactions; see store.h.
 *
 * synchronous = NORMAL keeps the database whole after a power failure but may lose the last
 * transactions; what is acknowledged to a runner or a forge is therefore written with FULL.
 */
#include "store_sql.h"

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
