/* SPDX-License-Identifier: MIT */
/* store_sql: see store_sql.h. */
#include "store_sql.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "mem.h"

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

struct sql sql_open(struct store *s, const char *text)
{
    struct sql q = {.store = s, .text = text};
    for (size_t i = 0; i < SQL_KEPT_MAX; i++) {
        if (s->kept[i].text == text && s->kept[i].stmt) {
            q.stmt = STEAL(s->kept[i].stmt);
            return q;
        }
    }
    q.code = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &q.stmt, NULL);
    return q;
}

/* Puts a statement back where it was taken from, into a free place, or in place of another. */
static void keep(struct store *s, const char *text, sqlite3_stmt *stmt)
{
    struct sql_kept *place = NULL;
    for (size_t i = 0; i < SQL_KEPT_MAX && !place; i++)
        if (!s->kept[i].stmt)
            place = &s->kept[i];
    if (!place)
        place = &s->kept[s->evict++ % SQL_KEPT_MAX];
    sqlite3_finalize(place->stmt);
    *place = (struct sql_kept){.text = text, .stmt = stmt};
}

void sql_done(struct sql *q)
{
    if (!q->stmt)
        return;
    (void)sqlite3_reset(q->stmt);
    (void)sqlite3_clear_bindings(q->stmt);
    keep(q->store, q->text, STEAL(q->stmt));
}

int sql_step(struct sql *q, bool *row, struct err *e)
{
    if (q->code == SQLITE_OK) {
        int code = sqlite3_step(q->stmt);
        if (code == SQLITE_ROW || code == SQLITE_DONE) {
            *row = code == SQLITE_ROW;
            return 0;
        }
        q->code = code;
    }
    return store_fail(q->store, q->code, q->text, e);
}

int sql_run(struct sql *q, struct err *e)
{
    bool row = true;
    while (row)
        if (sql_step(q, &row, e) < 0)
            return -1;
    return 0;
}

int sql_id_of(struct sql *q, int64_t *out, struct err *e)
{
    bool row;
    if (sql_step(q, &row, e) < 0)
        return -1;
    assert(row && "RETURNING gives a row for each row written");
    *out = sql_col_int(q, 0);
    return sql_run(q, e);
}

void sql_again(struct sql *q)
{
    if (q->stmt)
        (void)sqlite3_reset(q->stmt);
}

int64_t sql_changes(const struct sql *q)
{
    return sqlite3_changes64(q->store->db);
}

int sql_move(struct sql *q, const char *noun, int64_t id, const char *where, struct err *e)
{
    if (sql_run(q, e) < 0)
        return -1;
    if (sql_changes(q) == 0)
        return err_set(e, ERR_CONFLICT, "%s %" PRId64 " is not %s", noun, id, where);
    return 0;
}

static int parameter(struct sql *q, const char *name)
{
    if (!q->stmt || q->code != SQLITE_OK)
        return 0;
    int index = sqlite3_bind_parameter_index(q->stmt, name);
    assert(index > 0 && "no such parameter");
    return index;
}

static void note(struct sql *q, int code)
{
    if (q->code == SQLITE_OK)
        q->code = code;
}

void sql_int(struct sql *q, const char *name, int64_t value)
{
    int index = parameter(q, name);
    if (index)
        note(q, sqlite3_bind_int64(q->stmt, index, value));
}

void sql_id(struct sql *q, const char *name, int64_t id)
{
    int index = parameter(q, name);
    if (index)
        note(q,
             id ? sqlite3_bind_int64(q->stmt, index, id) : sqlite3_bind_null(q->stmt, index));
}

void sql_real(struct sql *q, const char *name, double value)
{
    int index = parameter(q, name); /* SQLite turns NaN into NULL by itself. */
    if (index)
        note(q, sqlite3_bind_double(q->stmt, index, value));
}

void sql_text(struct sql *q, const char *name, const char *text)
{
    int index = parameter(q, name);
    if (index)
        note(q, sqlite3_bind_text(q->stmt, index, text, -1, SQLITE_TRANSIENT));
}

void sql_view(struct sql *q, const char *name, struct view text)
{
    int index = parameter(q, name);
    if (index)
        note(q, sqlite3_bind_text64(q->stmt, index, text.len ? text.at : "", text.len,
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
}

void sql_blob(struct sql *q, const char *name, const void *at, size_t len)
{
    int index = parameter(q, name);
    if (!index)
        return;
    if (at && len == 0)
        note(q, sqlite3_bind_zeroblob(q->stmt, index, 0));
    else
        note(q, sqlite3_bind_blob64(q->stmt, index, at, len, SQLITE_TRANSIENT));
}

void sql_sha(struct sql *q, const char *name, const struct sha *sha)
{
    sql_blob(q, name, sha->len ? sha->at : NULL, sha->len);
}

int64_t sql_col_int(struct sql *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

double sql_col_real(struct sql *q, int column)
{
    if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
        return NAN;
    return sqlite3_column_double(q->stmt, column);
}

struct view sql_col_view(struct sql *q, int column)
{
    const char *at = sqlite3_column_blob(q->stmt, column);
    return (struct view){at, (size_t)sqlite3_column_bytes(q->stmt, column)};
}

struct sha sql_col_sha(struct sql *q, int column)
{
    struct view v = sql_col_view(q, column);
    struct sha sha = {.len = 0};
    if (v.len > 0 && v.len <= RECORD_SHA_BYTES) {
        memcpy(sha.at, v.at, v.len);
        sha.len = (uint8_t)v.len;
    }
    return sha;
}

void sql_col_copy(struct sql *q, int column, char *out, size_t size)
{
    struct view v = sql_col_view(q, column);
    size_t len = view_utf8_prefix(v, size - 1);
    if (len)
        memcpy(out, v.at, len);
    out[len] = '\0';
}

char *sql_col_dup(struct sql *q, int column)
{
    if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
        return NULL;
    struct view v = sql_col_view(q, column);
    return mem_strndup(v.len ? v.at : "", v.len);
}

int sql_col_word(struct sql *q, int column, const char *const *names, int count)
{
    struct view v = sql_col_view(q, column);
    for (int i = 0; i < count; i++)
        if (names[i] && view_eqz(v, names[i]))
            return i;
    return 0;
}
