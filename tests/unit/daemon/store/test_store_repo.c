/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rng.h"
#include "rows.h"
#include "store_change.h"

static void chain(struct rows *r, char out[256])
{
    scratch_ask(
        &r->dir, out,
        "sqlite3 pacewatch.db \"SELECT coalesce(group_concat(t, ' '), '') FROM (SELECT pos ||"
        " ':' || subject || CASE live WHEN 0 THEN '-' ELSE '' END AS t FROM branch_commit"
        " JOIN git_commit c ON c.id = commit_id ORDER BY pos)\"");
}

static void repository_put_again_keeps_its_id(void **state)
{
    struct rows *r = *state;
    struct repo repo = {0};
    int64_t again;
    bool found;

    MUST(store_repo_unconfigure_all(r->store, &e));
    MUST(store_repo_put(r->store, "shop", "/srv/moved.git", "trunk", &again, &e));

    MUST(store_repo_by_name(r->store, "shop", &repo, &found, &e));
    assert_int_equal(again, r->repo);
    assert_string_equal(repo.url, "/srv/moved.git");
    assert_string_equal(repo.default_branch, "trunk");
    repo_done(&repo);
}

static void commit_put_again_keeps_id_and_content(void **state)
{
    struct rows *r = *state;
    struct commit before, after;
    MUST(store_commit_get(r->store, r->commits[1], &before, &e));

    struct commit again = before;
    again.id = 0;
    snprintf(again.subject, sizeof again.subject, "another");
    MUST(store_commit_put(r->store, &again, &e));

    MUST(store_commit_get(r->store, again.id, &after, &e));
    assert_int_equal(again.id, before.id);
    assert_string_equal(after.subject, "c1");
    assert_true(sha_equal(&after.sha, &before.sha));
    assert_int_equal(after.first_parent.len, 0);
}

static void new_commits_get_the_next_positions(void **state)
{
    struct rows *r = *state;
    char line[256];

    MUST(store_branch_move(r->store, r->branch, r->commits[2], r->commits + 3, 2, &e));

    chain(r, line);
    assert_string_equal(line, "1:c0 2:c1 3:c2 4:c3 5:c4");
}

static void force_push_and_push_back_keep_positions(void **state)
{
    struct rows *r = *state;
    char line[256];

    MUST(store_branch_move(r->store, r->branch, r->commits[0], r->commits + 3, 1, &e));
    chain(r, line);
    assert_string_equal(line, "1:c0 2:c1- 3:c2- 4:c3");

    int64_t back[] = {r->commits[1], r->commits[2], r->commits[4]};
    MUST(store_branch_move(r->store, r->branch, r->commits[0], back, 3, &e));
    chain(r, line);
    assert_string_equal(line, "1:c0 2:c1 3:c2 4:c3- 5:c4");
}

static void reset_to_an_older_commit_adds_nothing(void **state)
{
    struct rows *r = *state;
    struct branch b;
    char line[256];

    MUST(store_branch_move(r->store, r->branch, r->commits[0], NULL, 0, &e));

    chain(r, line);
    MUST(store_branch_get(r->store, r->branch, &b, &e));
    assert_string_equal(line, "1:c0 2:c1- 3:c2-");
    assert_int_equal(b.tip, r->commits[0]);
}

static void history_that_begins_anew_keeps_the_old_positions(void **state)
{
    struct rows *r = *state;
    char line[256];

    MUST(store_branch_move(r->store, r->branch, 0, r->commits + 4, 2, &e));

    chain(r, line);
    assert_string_equal(line, "1:c0- 2:c1- 3:c2- 4:c4 5:c5");
}

static void fork_that_is_not_live_is_a_conflict_and_changes_nothing(void **state)
{
    struct rows *r = *state;
    struct err why = {0};
    char line[256];

    int rc = store_branch_move(r->store, r->branch, r->commits[5], r->commits + 3, 1, &why);

    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
    chain(r, line);
    assert_string_equal(line, "1:c0 2:c1 3:c2");
}

/* Any sequence of resets and pushes over one tree of commits: a commit's position never changes
 * and live positions ascend along the chain. */
static void positions_are_stable_under_any_pushes(void **state)
{
    struct rows *r = *state;
    enum { TREE = 40, PUSHES = 120 };
    int64_t ids[TREE], pos_of[TREE] = {0};
    int parent[TREE];
    bool is_live[TREE] = {false};
    struct rng rng;
    rng_init(&rng, 20261124);
    MUST(store_branch_gone(r->store, r->branch, &e));
    for (int i = 0; i < TREE; i++) {
        ids[i] = rows_commit(r, 100 + i);
        parent[i] = i == 0 ? -1 : (int)rng_below(&rng, (uint64_t)i);
    }

    for (int push = 0; push < PUSHES; push++) {
        int64_t forward[TREE];
        bool now[TREE] = {false};
        size_t n = 0;
        int tip = (int)rng_below(&rng, TREE), c = tip;
        for (; c >= 0 && !is_live[c]; c = parent[c])
            forward[n++] = ids[c];
        for (size_t i = 0; i < n / 2; i++) {
            int64_t swap = forward[i];
            forward[i] = forward[n - 1 - i];
            forward[n - 1 - i] = swap;
        }
        MUST(store_branch_move(r->store, r->branch, c < 0 ? 0 : ids[c], forward, n, &e));

        int64_t below = INT64_MAX;
        for (c = tip; c >= 0; c = parent[c]) {
            int64_t pos = 0;
            bool live = false, found = false;
            MUST(store_branch_position(r->store, r->branch, ids[c], &pos, &live, &found, &e));
            assert_true(found && live && pos < below);
            assert_true(pos_of[c] == 0 || pos_of[c] == pos);
            below = pos_of[c] = pos;
            now[c] = true;
        }
        memcpy(is_live, now, sizeof now);
    }
    char live_rows[256];
    int count = 0;
    for (int i = 0; i < TREE; i++)
        count += is_live[i];
    scratch_ask(&r->dir, live_rows,
                "sqlite3 pacewatch.db 'SELECT count(*) FROM branch_commit WHERE live = 1'");
    assert_int_equal(atoi(live_rows), count);
}

static void recent_commits_come_oldest_first(void **state)
{
    struct rows *r = *state;
    AUTO(id_list_done) struct id_list list = {0};

    MUST(store_branch_recent(r->store, r->branch, 2, &list, &e));

    assert_int_equal(list.ids.len, 2);
    assert_int_equal(list.ids.at[0], r->commits[1]);
    assert_int_equal(list.ids.at[1], r->commits[2]);
}

static void merge_request_put_again_is_open_with_its_new_head(void **state)
{
    struct rows *r = *state;
    struct merge_request mr = {.repo_id = r->repo, .number = 12, .target = "main"}, seen;
    int64_t id, again;
    bool found;
    MUST(store_mr_put(r->store, &mr, r->commits[3], r->commits[1], &id, &e));
    MUST(store_mr_close(r->store, id, &e));
    MUST(store_mr_get(r->store, id, &seen, &e));
    assert_false(seen.open);

    MUST(store_mr_put(r->store, &mr, r->commits[4], r->commits[2], &again, &e));

    MUST(store_mr_by_number(r->store, r->repo, 12, &seen, &found, &e));
    assert_int_equal(again, id);
    assert_true(found && seen.open);
    assert_int_equal(seen.head.at[0], 5);
    assert_int_equal(seen.merge_base.at[0], 3);
    assert_string_equal(seen.target, "main");
}

static struct change change_to(const struct rows *r, const char *ref, int head)
{
    struct change c = {.repo_id = r->repo, .source = CHANGE_HOOK};
    snprintf(c.ref, sizeof c.ref, "%s", ref);
    if (head >= 0) {
        c.head.len = 20;
        memset(c.head.at, head + 1, 20);
    }
    return c;
}

static void reference_seen_twice_is_one_change(void **state)
{
    struct rows *r = *state;
    struct change c = change_to(r, "refs/heads/main", 3),
                  gone = change_to(r, "refs/heads/main", -1);
    struct change other = change_to(r, "refs/heads/next", 3), next;
    int64_t first, id;
    bool added[6], found;

    MUST(store_change_add(r->store, &c, &first, &added[0], &e));
    MUST(store_change_add(r->store, &c, &id, &added[1], &e));
    MUST(store_change_add(r->store, &other, &id, &added[2], &e));
    MUST(store_change_add(r->store, &gone, &id, &added[3], &e));
    MUST(store_change_add(r->store, &gone, &id, &added[4], &e));
    MUST(store_change_add(r->store, &c, &id, &added[5], &e));

    assert_true(added[0] && added[2] && added[3] && added[5]);
    assert_false(added[1] || added[4]);
    MUST(store_change_next(r->store, r->repo, 0, &next, &found, &e));
    assert_true(found);
    assert_int_equal(next.id, first);
    assert_int_equal(next.source, CHANGE_HOOK);
    assert_true(sha_equal(&next.head, &c.head));
}

static void change_is_settled_once(void **state)
{
    struct rows *r = *state;
    struct change c = change_to(r, "refs/heads/main", 3);
    struct err why = {0};
    int64_t id;
    bool added, found;
    MUST(store_change_add(r->store, &c, &id, &added, &e));

    MUST(store_change_skipped(r->store, id, "because", &e));
    int rc = store_change_planned(r->store, id, 0, &why);

    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_CONFLICT);
    MUST(store_change_next(r->store, r->repo, 0, &c, &found, &e));
    assert_false(found);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rows_set_up, rows_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(repository_put_again_keeps_its_id),
        CASE(commit_put_again_keeps_id_and_content),
        CASE(new_commits_get_the_next_positions),
        CASE(force_push_and_push_back_keep_positions),
        CASE(reset_to_an_older_commit_adds_nothing),
        CASE(history_that_begins_anew_keeps_the_old_positions),
        CASE(fork_that_is_not_live_is_a_conflict_and_changes_nothing),
        CASE(positions_are_stable_under_any_pushes),
        CASE(recent_commits_come_oldest_first),
        CASE(merge_request_put_again_is_open_with_its_new_head),
        CASE(reference_seen_twice_is_one_change),
        CASE(change_is_settled_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
