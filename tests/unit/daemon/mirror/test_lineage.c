/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "lineage.h"

/* main: c1 - c2 - m (merge of s1, s2) - c4; side: c2 - s1 - s2; other: unrelated. */
struct bench {
    struct scratch dir;
    struct mirror *m;
};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    char path[128];
    scratch_init(&b->dir);
    snprintf(path, sizeof path, "%s/shop/.git", b->dir.dir);
    scratch_run(
        &b->dir,
        "git init -q -b main shop; cd shop; echo 1 >a; git add a; git commit -q -m c1; mkdir "
        "d; echo "
        "2 >d/b; git add d; git commit -q -m c2; git checkout -q -b side; echo s >s; git add "
        "s; git "
        "commit -q -m s1; echo t >>s; git commit -q -a -m s2; git checkout -q main; git merge "
        "-q "
        "--no-ff -m m side; ln -s a link; git rm -q d/b; git add link; printf 'Fix the \\001 "
        "list\\n\\nLong text' | git commit -q -a -F -; git checkout -q --orphan other; git rm "
        "-q -rf "
        ".; echo x >x; git add x; git commit -q -m o1");
    MUST(mirror_open(path, &b->m, &e));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    mirror_closep(&b->m);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static void sha_of(struct bench *b, const char *rev, char out[256])
{
    scratch_ask(&b->dir, out, "git -C shop rev-parse '%s'", rev);
}

static void commit_is_described(void **state)
{
    struct bench *b = *state;
    struct lineage_commit c;
    char tip[256], parent[256], tree[256];
    sha_of(b, "main", tip);
    sha_of(b, "main~1", parent);
    sha_of(b, "main^{tree}", tree);

    MUST(lineage_read(b->m, tip, &c, &e));

    assert_string_equal(c.sha, tip);
    assert_string_equal(c.first_parent, parent);
    assert_string_equal(c.tree, tree);
    assert_string_equal(c.author, "Ada");
    assert_string_equal(c.subject, "Fix the ? list");
    assert_int_equal(c.author_ms, INT64_C(1764000000000));
}

static void names_are_resolved_as_git_does(void **state)
{
    struct bench *b = *state;
    struct lineage_commit c;
    struct err why = {0};
    char want[256];
    sha_of(b, "main~2", want);

    assert_int_equal(lineage_resolve(b->m, "main~2", &c, &why), 0);
    assert_string_equal(c.sha, want);
    assert_int_equal(lineage_resolve(b->m, "no-such-thing", &c, &why), -1);
    assert_int_equal(why.kind, ERR_NOT_FOUND);
}

static void subjects(const struct lineage_chain *c, char out[256])
{
    out[0] = '\0';
    for (size_t i = 0; i < c->commits.len; i++) {
        strcat(out, i ? " " : "");
        strcat(out, c->commits.at[i].subject);
    }
}

static int stop_at(void *ctx, const char *sha, struct err *e)
{
    (void)e;
    return strcmp(ctx, sha) == 0;
}

static void chain_follows_first_parents_oldest_first(void **state)
{
    struct bench *b = *state;
    AUTO(lineage_chain_done) struct lineage_chain whole = {0}, part = {0}, none = {0};
    char tip[256], c2[256], line[256];
    sha_of(b, "main", tip);
    sha_of(b, "main~2", c2);

    MUST(lineage_chain_read(b->m, tip, NULL, NULL, &whole, &e));
    MUST(lineage_chain_read(b->m, tip, stop_at, c2, &part, &e));
    MUST(lineage_chain_read(b->m, tip, stop_at, tip, &none, &e));

    subjects(&whole, line);
    assert_string_equal(line, "c1 c2 m Fix the ? list");
    assert_string_equal(whole.fork, "");
    subjects(&part, line);
    assert_string_equal(line, "m Fix the ? list");
    assert_string_equal(part.fork, c2);
    assert_int_equal(none.commits.len, 0);
    assert_string_equal(none.fork, tip);
}

static void merge_base_is_found_or_not(void **state)
{
    struct bench *b = *state;
    char main[256], side[256], c2[256], other[256], base[MIRROR_HEX_MAX + 1];
    bool found, unrelated;
    sha_of(b, "main~2", c2);
    sha_of(b, "main~1^1", main);
    sha_of(b, "side", side);
    sha_of(b, "other", other);

    MUST(lineage_merge_base(b->m, main, side, base, &found, &e));
    assert_true(found);
    assert_string_equal(base, c2);
    MUST(lineage_merge_base(b->m, main, other, base, &unrelated, &e));
    assert_false(unrelated);
}

struct paths {
    char text[256];
    const char *until;
};

static bool collect(void *ctx, const char *path)
{
    struct paths *p = ctx;
    strcat(strcat(p->text, path), " ");
    return p->until && strcmp(path, p->until) == 0;
}

static void changed_paths_name_added_removed_and_changed_files(void **state)
{
    struct bench *b = *state;
    struct paths all = {.text = ""}, first = {.text = "", .until = "d/b"}, root = {.text = ""};
    char from[256], to[256], c1[256];
    bool stopped;
    sha_of(b, "main~1", from);
    sha_of(b, "main", to);
    sha_of(b, "main~3", c1);

    MUST(lineage_changed_paths(b->m, from, to, collect, &all, &stopped, &e));
    assert_false(stopped);
    assert_string_equal(all.text, "d/b link ");
    MUST(lineage_changed_paths(b->m, from, to, collect, &first, &stopped, &e));
    assert_true(stopped);
    assert_string_equal(first.text, "d/b ");
    MUST(lineage_changed_paths(b->m, "", c1, collect, &root, &stopped, &e));
    assert_string_equal(root.text, "a ");
}

static bool never(void *ctx, const char *path)
{
    (void)path;
    ++*(int *)ctx;
    return false;
}

/* Six levels of ten equal folders are a million files in seven objects. */
static void tree_made_to_be_huge_ends_at_the_ceiling(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    char bomb[256];
    int seen = 0;
    bool stopped;
    scratch_ask(
        &b->dir, bomb,
        "cd shop; o=$(echo x | git hash-object -w --stdin); t=blob; m=100644; for level in 1 2 "
        "3 4 5 6; do o=$(for i in 0 1 2 3 4 5 6 7 8 9; do printf '%%s %%s %%s\\tf%%s\\n' $m $t "
        "$o "
        "$i; done | git mktree); t=tree; m=040000; done; git commit-tree -m bomb $o");

    int rc = lineage_changed_paths(b->m, "", bomb, never, &seen, &stopped, &why);

    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_LIMIT);
    assert_int_equal(seen, LINEAGE_PATHS_MAX);
}

static void file_is_read_at_its_commit(void **state)
{
    struct bench *b = *state;
    AUTO(str_done) struct str text = STR_INIT(100), none = STR_INIT(100);
    char c2[256];
    bool found, missing;
    sha_of(b, "main~2", c2);

    MUST(lineage_read_file(b->m, c2, "d/b", &text, &found, &e));
    MUST(lineage_read_file(b->m, c2, "d/c", &none, &missing, &e));

    assert_true(found && !missing);
    assert_string_equal(str_text(&text), "2\n");
}

static void links_folders_and_large_files_are_refused(void **state)
{
    struct bench *b = *state;
    AUTO(str_done) struct str text = STR_INIT(1);
    struct err why = {0};
    char tip[256], c2[256];
    bool found;
    sha_of(b, "main", tip);
    sha_of(b, "main~2", c2);

    assert_int_equal(lineage_read_file(b->m, tip, "link", &text, &found, &why), -1);
    assert_int_equal(why.kind, ERR_INPUT);
    assert_int_equal(lineage_read_file(b->m, c2, "d", &text, &found, &why), -1);
    assert_int_equal(why.kind, ERR_INPUT);
    assert_int_equal(lineage_read_file(b->m, c2, "d/b", &text, &found, &why), -1);
    assert_int_equal(why.kind, ERR_LIMIT);
}

static void ids_that_are_none_are_refused(void **state)
{
    struct bench *b = *state;
    struct lineage_commit c;
    struct err why = {0};

    assert_int_equal(lineage_read(b->m, "main", &c, &why), -1);
    assert_int_equal(why.kind, ERR_INPUT);
    assert_int_equal(lineage_read(b->m, "0123456789012345678901234567890123456789", &c, &why),
                     -1);
    assert_int_equal(why.kind, ERR_NOT_FOUND);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(commit_is_described),
        CASE(names_are_resolved_as_git_does),
        CASE(chain_follows_first_parents_oldest_first),
        CASE(merge_base_is_found_or_not),
        CASE(changed_paths_name_added_removed_and_changed_files),
        CASE(tree_made_to_be_huge_ends_at_the_ceiling),
        CASE(file_is_read_at_its_commit),
        CASE(links_folders_and_large_files_are_refused),
        CASE(ids_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
