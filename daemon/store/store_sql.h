/* SPDX-License-Identifier: MIT */
/*
 * store_sql: statements, for the files of this folder only.
 *
 * SQL is a literal with named parameters. Whatever goes wrong on the way to the first row - a
 * broken statement, a parameter that does not exist - is told by sql_step or sql_run:
 *
 *     AUTO(sql_done) struct sql q = sql_open(s, "SELECT name FROM repo WHERE id = :id");
 *     sql_int(&q, ":id", id);
 *     bool row;
 *     if (sql_step(&q, &row, e) < 0)
 *         return -1;
 *     if (row) sql_col_copy(&q, 0, out->name, sizeof out->name);
 *
 * Statements are prepared once per connection and kept by the address of their literal. An open
 * one pins the write-ahead log, so let it go out of scope at once.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>

#include "record.h"
#include "store.h"
#include "str.h"

enum { SQL_KEPT_MAX = 96 };

struct sql_kept {
    const char *text;
    sqlite3_stmt *stmt; /* NULL while lent out */
};

struct store {
    sqlite3 *db;
    int depth;    /* of nested transactions */
    bool doomed;  /* an inner one was undone, so the outermost must not commit */
    bool durable; /* synchronous is FULL until the outermost ends */
    struct sql_kept kept[SQL_KEPT_MAX];
    unsigned evict;
};

int store_fail(struct store *s, int code, const char *what, struct err *e);
int store_exec(struct store *s, const char *text, struct err *e); /* may be a whole script */
int migrate_run(struct store *s, struct err *e);

/* --- statements --------------------------------------------------------------------------- */

struct sql {
    struct store *store;
    const char *text;
    sqlite3_stmt *stmt;
    int code; /* the first failure */
};

struct sql sql_open(struct store *s, const char *text);
void sql_done(struct sql *q);
int sql_step(struct sql *q, bool *row, struct err *e);
int sql_run(struct sql *q, struct err *e);                 /* to its end */
int sql_id_of(struct sql *q, int64_t *out, struct err *e); /* of a statement RETURNING id */
void sql_again(struct sql *q); /* ready for new values; those bound stay */
int64_t sql_changes(const struct sql *q);
/* Runs a guarded move: no row changed is ERR_CONFLICT "<noun> <id> is not <where>". */
int sql_move(struct sql *q, const char *noun, int64_t id, const char *where, struct err *e);

/* Parameters, by their names (":id"). */
void sql_int(struct sql *q, const char *name, int64_t value);
void sql_id(struct sql *q, const char *name, int64_t id);         /* 0 is NULL */
void sql_real(struct sql *q, const char *name, double value);     /* NaN is NULL */
void sql_text(struct sql *q, const char *name, const char *text); /* NULL is NULL */
void sql_view(struct sql *q, const char *name, struct view text);
void sql_blob(struct sql *q, const char *name, const void *at,
              size_t len);                                            /* at NULL is NULL */
void sql_sha(struct sql *q, const char *name, const struct sha *sha); /* len 0 is NULL */

/* Columns of the row at hand, from 0. Views and texts hold until the next step. */
int64_t sql_col_int(struct sql *q, int column); /* NULL is 0 */
double sql_col_real(struct sql *q, int column); /* NULL is NaN */
struct view sql_col_view(struct sql *q, int column);
struct sha sql_col_sha(struct sql *q, int column);
void sql_col_copy(struct sql *q, int column, char *out,
                  size_t size);               /* cut between characters */
char *sql_col_dup(struct sql *q, int column); /* NULL stays NULL */
/* The index of a word in a list of names. A word that is not there is a broken database, which
 * CHECK constraints keep away: 0. */
int sql_col_word(struct sql *q, int column, const char *const *names, int count);

#endif
