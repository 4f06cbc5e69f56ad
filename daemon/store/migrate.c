/* SPDX-License-Identifier: MIT */
/*
 * migrate: brings a database to the newest schema, forward only.
 *
 * The numbered files of schema/sql are inside the program. Each is one transaction together
 * with user_version, so a crash leaves a whole older schema. The version is read again under
 * the write lock, as several threads and programs may open the same file at once. To add one:
 * put the file there, then a MIGRATION line and a table line here.
 */
#include <inttypes.h>

#include "store_sql.h"

/* The text of a file, between two symbols and with a NUL behind it. */
#define MIGRATION(symbol, file)                   \
    extern const char symbol[];                   \
    __asm__(".pushsection .rodata\n"              \
            ".global " #symbol "\n" #symbol ":\n" \
            ".incbin \"" SQL_DIR file "\"\n"      \
            ".byte 0\n"                           \
            ".popsection\n")

MIGRATION(migration_0001, "0001_first.sql");
MIGRATION(migration_0002, "0002_looks.sql");
MIGRATION(migration_0003, "0003_outward.sql");
MIGRATION(migration_0004, "0004_commands.sql");
MIGRATION(migration_0005, "0005_notes.sql");
MIGRATION(migration_0006, "0006_causes.sql");
MIGRATION(migration_0007, "0007_variants.sql");

static const struct {
    const char *name, *text;
} migrations[] = {
    {"0001_first.sql", migration_0001},    {"0002_looks.sql", migration_0002},
    {"0003_outward.sql", migration_0003},  {"0004_commands.sql", migration_0004},
    {"0005_notes.sql", migration_0005},    {"0006_causes.sql", migration_0006},
    {"0007_variants.sql", migration_0007},
};

int store_schema_version(void)
{
    return (int)ARRAY_LEN(migrations);
}

static int read_version(struct store *s, int64_t *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "PRAGMA user_version");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = sql_col_int(&q, 0);
    return 0;
}

static int check_version(int64_t version, struct err *e)
{
    int known = store_schema_version();
    if (version > known)
        return err_set(e, ERR_INPUT,
                       "the database has schema %" PRId64
                       ", this program knows 1 to %d; use the "
                       "program that wrote it or a newer one",
                       version, known);
    if (version < 0)
        return err_set(e, ERR_INPUT, "not a database of this program (schema %" PRId64 ")",
                       version);
    return 0;
}

/* One step, unless somebody else has made it in the meantime. */
static int apply(struct store *s, int64_t version, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    int64_t now;
    if (store_begin(s, &tx, e) < 0 || read_version(s, &now, e) < 0)
        return -1;
    if (now != version)
        return store_commit(&tx, e);

    AUTO(str_done) struct str mark = STR_INIT(64);
    str_addf(&mark, "PRAGMA user_version = %" PRId64, version + 1);
    if (store_exec(s, migrations[version].text, e) < 0 || store_exec(s, str_text(&mark), e) < 0)
        return err_ctx(e, "migration %s", migrations[version].name);
    return store_commit(&tx, e);
}

int migrate_run(struct store *s, struct err *e)
{
    for (;;) {
        int64_t version;
        if (read_version(s, &version, e) < 0 || check_version(version, e) < 0)
            return -1;
        if (version == store_schema_version())
            return 0;
        if (apply(s, version, e) < 0)
            return -1;
    }
}
