/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "../scratch.h"
#include "store.h"
#include "store_repo.h"

struct bench {
    struct scratch dir;
    char db[128];
};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->db, sizeof b->db, "%s/pacewatch.db", b->dir.dir);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static void repos(const struct bench *b, char out[256])
{
    scratch_ask(&b->dir, out, "sqlite3 pacewatch.db 'SELECT group_concat(name) FROM repo'");
}

static void put_repo(struct store *s, const char *name)
{
    int64_t id;
    MUST(store_repo_put(s, name, "/srv/x.git", "main", &id, &e));
}

/* --- opening ------------------------------------------------------------------------------ */

static void new_file_gets_the_newest_schema_and_modes(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    char line[256];

    MUST(store_open(b->db, &s, &e));

    scratch_ask(&b->dir, line,
                "sqlite3 pacewatch.db 'PRAGMA user_version; PRAGMA journal_mode; "
                "SELECT count(*) FROM job' | tr '\\n' ' '");
    char want[64];
    snprintf(want, sizeof want, "%d wal 0 ", store_schema_version());
    assert_string_equal(line, want);
}

static void opening_again_keeps_what_is_there(void **state)
{
    struct bench *b = *state;
    struct store *s = NULL;
    char line[256];
    MUST(store_open(b->db, &s, &e));
    put_repo(s, "shop");
    store_closep(&s);

    MUST(store_open(b->db, &s, &e));

    store_closep(&s);
    repos(b, line);
    assert_string_equal(line, "shop");
}

static void newer_database_is_refused_with_both_versions(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    struct err why = {0};
    char line[256];
    MUST(store_open(b->db, &s, &e));
    store_closep(&s);
    scratch_run(&b->dir, "sqlite3 pacewatch.db 'PRAGMA user_version = 77'");

    int rc = store_open(b->db, &s, &why);

    assert_int_equal(rc, -1);
    assert_null(s);
    assert_int_equal(why.kind, ERR_INPUT);
    assert_non_null(strstr(why.text, "schema 77"));
    assert_non_null(strstr(why.text, "this program knows 1 to"));
    scratch_ask(&b->dir, line, "sqlite3 pacewatch.db 'PRAGMA user_version'");
    assert_string_equal(line, "77");
}

static void file_that_is_no_database_is_refused(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    struct err why = {0};
    scratch_run(&b->dir,
                "for i in 1 2 3 4 5 6 7 8 9; do echo 'this is a letter and no database "
                "................................................'; done >pacewatch.db");

    assert_int_equal(store_open(b->db, &s, &why), -1);

    assert_non_null(strstr(why.text, "pacewatch.db: database: "));
}

static void *open_and_close(void *path)
{
    AUTO(store_closep) struct store *s = NULL;
    MUST(store_open(path, &s, &e));
    return NULL;
}

static void threads_may_race_to_migrate(void **state)
{
    struct bench *b = *state;
    pthread_t threads[8];
    char line[256];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, b->db), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    scratch_ask(&b->dir, line, "sqlite3 pacewatch.db 'PRAGMA integrity_check'");
    assert_string_equal(line, "ok");
}

/* Killed anywhere while the first schema is made: the next start finds none or all of it. */
static void migration_that_is_killed_is_made_again(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 20; i++) {
        char line[256];
        scratch_run(&b->dir, "rm -f pacewatch.db*");
        pid_t pid = fork();
        if (pid == 0) {
            (void)open_and_close(b->db);
            _exit(0);
        }
        clock_sleep_until(clock_now_ns() + i * i * 100 * CLOCK_NS_PER_US);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);

        (void)open_and_close(b->db);

        scratch_ask(&b->dir, line, "sqlite3 pacewatch.db 'PRAGMA integrity_check'");
        assert_string_equal(line, "ok");
    }
}

/* --- transactions ------------------------------------------------------------------------- */

static void transaction_that_is_left_undoes_everything(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    char line[256];
    MUST(store_open(b->db, &s, &e));

    {
        AUTO(store_tx_done) struct store_tx tx = {0};
        MUST(store_begin(s, &tx, &e));
        put_repo(s, "shop");
    }

    repos(b, line);
    assert_string_equal(line, "");
}

static void inner_transaction_waits_for_the_outermost(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    struct store_tx outer = {0}, inner = {0};
    char before[256], after[256];
    MUST(store_open(b->db, &s, &e));

    MUST(store_begin_durable(s, &outer, &e));
    MUST(store_begin(s, &inner, &e));
    put_repo(s, "shop");
    MUST(store_commit(&inner, &e));
    repos(b, before);
    MUST(store_commit(&outer, &e));

    repos(b, after);
    assert_string_equal(before, "");
    assert_string_equal(after, "shop");
}

static void undone_inner_transaction_dooms_the_outer_one(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    struct store_tx outer = {0}, inner = {0};
    struct err why = {0};
    char line[256];
    MUST(store_open(b->db, &s, &e));

    MUST(store_begin(s, &outer, &e));
    put_repo(s, "shop");
    MUST(store_begin(s, &inner, &e));
    store_tx_done(&inner);
    int rc = store_commit(&outer, &why);
    store_tx_done(&outer);

    assert_int_equal(rc, -1);
    repos(b, line);
    assert_string_equal(line, "");
    put_repo(s, "works again");
    repos(b, line);
    assert_string_equal(line, "works again");
}

static void checkpoint_empties_the_log(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    char line[256];
    bool done = false;
    MUST(store_open(b->db, &s, &e));
    put_repo(s, "shop");

    MUST(store_checkpoint(s, &done, &e));

    assert_true(done);
    scratch_ask(&b->dir, line, "stat -c %%s pacewatch.db-wal");
    assert_string_equal(line, "0");
}

/* --- schema ------------------------------------------------------------------------------- */

/* Deleting a row looks for those that point at it; without an index that reads a whole table.
 */
static void every_foreign_key_starts_an_index(void **state)
{
    struct bench *b = *state;
    AUTO(store_closep) struct store *s = NULL;
    char line[256];
    MUST(store_open(b->db, &s, &e));

    scratch_ask(&b->dir, line,
                "sqlite3 pacewatch.db \"SELECT group_concat(m.name || '.' || f.\\\"from\\\")"
                " FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f"
                " WHERE m.type = 'table' AND f.seq = 0 AND NOT EXISTS(SELECT 1 FROM"
                " pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c"
                " WHERE c.seqno = 0 AND c.name = f.\\\"from\\\")\"");

    assert_string_equal(line, "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(new_file_gets_the_newest_schema_and_modes),
        CASE(opening_again_keeps_what_is_there),
        CASE(newer_database_is_refused_with_both_versions),
        CASE(file_that_is_no_database_is_refused),
        CASE(threads_may_race_to_migrate),
        CASE(migration_that_is_killed_is_made_again),
        CASE(transaction_that_is_left_undoes_everything),
        CASE(inner_transaction_waits_for_the_outermost),
        CASE(undone_inner_transaction_dooms_the_outer_one),
        CASE(checkpoint_empties_the_log),
        CASE(every_foreign_key_starts_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
