/* SPDX-License-Identifier: MIT */
/*
 * The recorded deliveries of a real Gitea in random orders, doubled and lost at random, while a
 * real remote moves between them: the tables end alike each time.
 *
 * When none is lost, the deliveries alone must do it: the repository is looked at once an hour
 * and the remote moves for the last time before the last delivery that asks for a look. When
 * some are lost, the sweep that follows finds what they would have told.
 */
#include "watch_bench.h"

#include <glob.h>

#include "recorded.h"
#include "rng.h"
#include "store_hook.h"
#include "str.h"

enum {
    ORDERS = 200,
    LOOKS_PERCENT = 15,
    DELIVERIES = 44,
    SENT_MAX = 2 * DELIVERIES,
    SEED = 20261
};

/* What happens at the remote, in this order. Branch 'feat' is not watched. */
static const char *const moves[] = {
    "create refs/pull/1/head m1",
    "update refs/heads/main c4",
    "update refs/pull/1/head m2",
    "create refs/pull/2/head fork\ncreate refs/heads/tmp c4",
    "delete refs/heads/tmp\nupdate refs/heads/main c5",
    "delete refs/pull/2/head",
};

static struct hook_note notes[DELIVERIES]; /* of those that ask for something */
static char ids[DELIVERIES][FORGE_DELIVERY_MAX + 1];
static size_t notes_len;

/* As the address of the webhook does: the signature first, then what it asks for. */
static void read_delivery(const char *path)
{
    struct recorded r;
    AUTO(str_done) struct str name = STR_INIT(4096);
    struct forge_event event;
    struct forge_hook hook = {.kind = FORGE_GITEA, .key = VIEW(RECORDED_SECRET)};
    str_add(&name, (struct view){path + strlen(HOOKS) + 1,
                                 strlen(path) - strlen(HOOKS) - 1 - strlen(".body")});
    recorded_load(HOOKS, str_text(&name), &r);
    struct view headers = str_view(&r.headers);
    struct forge_delivery d = {
        .header = recorded_header, .self = &headers, .body = str_view(&r.body)};
    bool json = view_eqz(recorded_header(&headers, "Content-Type"), "application/json");
    if (json) {
        assert_true(forge_hook_verify(&hook, &d));
        MUST(forge_hook_parse(&hook, &d, &event, &e));
    }
    if (json && forge_event_asks(&event)) {
        memcpy(ids[notes_len], event.delivery, sizeof event.delivery);
        notes[notes_len] = (struct hook_note){.delivery = ids[notes_len], .mr = event.number};
        notes_len++;
    }
    recorded_done(&r);
}

static int read_deliveries(void **state)
{
    glob_t found = {0};
    assert_int_equal(glob(HOOKS "/gitea-1.15.11/*.body", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, DELIVERIES);
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_delivery(found.gl_pathv[i]);
    globfree(&found);
    return bench_make_origin(state);
}

/* Commits that the moves name, as tags of the work tree; then everything is set aside, so that
 * each order starts from a copy. */
static void prepare(struct bench *b)
{
    scratch_run(
        &b->dir,
        "cd work; commit() { git checkout -q --detach $2; echo $1 >>$3; git add -A; git "
        "commit -q -m $1; git tag $1; git push -q ../shop.git $1:refs/keep/$1; };"
        "commit m1 main~1 mr; commit c4 main file; commit m2 main~1 mr; commit fork c4 "
        "other; commit c5 c4 file; cd ..; git -C shop.git for-each-ref "
        "--format='%%(refname:lstrip=2) %%(objectname)' refs/keep >names");
    (void)watch_step(b->watch);
    bench_close_watch(b);
    scratch_run(&b->dir, "mkdir first; mv state shop.git first");
}

static void move(const struct bench *b, size_t n)
{
    scratch_run(&b->dir,
                "script='%s'; while read name sha; do script=$(echo \"$script\" | sed \"s/ "
                "$name$/ $sha/\"); done <names; echo \"$script\" | git -C shop.git update-ref "
                "--stdin",
                moves[n]);
}

static void dump(const struct bench *b, char out[256])
{
    scratch_ask(
        &b->dir, out,
        "sqlite3 state/pacewatch.db \"SELECT (SELECT group_concat(name || '=' || subject) FROM"
        " (SELECT name, subject FROM branch JOIN git_commit c ON c.id = tip ORDER BY name)) ||"
        " '; ' || (SELECT group_concat(pos || subject) FROM (SELECT pos, subject FROM"
        "   branch_commit JOIN git_commit c ON c.id = commit_id WHERE live ORDER BY pos)) ||"
        " '; ' || (SELECT group_concat(number || state || h || '<' || m) FROM (SELECT number,"
        "   state, h.subject AS h, m.subject AS m FROM merge_request JOIN git_commit h ON h.id"
        "   = head JOIN git_commit m ON m.id = merge_base WHERE state = 'open' ORDER BY"
        "   number)) ||"
        " '; ' || (SELECT group_concat(kind || c) FROM (SELECT kind, subject AS c FROM job JOIN"
        "   git_commit c ON c.id = head WHERE state = 'queued' ORDER BY subject)) ||"
        " '; ' || (SELECT count(*) FROM change WHERE state = 'new')\"");
}

/* Deliveries that were sent: each once or twice, or, when some are lost, perhaps not at all. */
static size_t draw(struct rng *rng, bool lossy, size_t sent[SENT_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < notes_len; i++) {
        uint64_t die = rng_below(rng, 4);
        size_t times = die == 0 ? 2 : die == 1 && lossy ? 0 : 1;
        while (times-- > 0)
            sent[n++] = i;
    }
    rng_shuffle(rng, sent, n, sizeof *sent);
    return n;
}

/* The place of the last delivery in the order that is not known already. */
static size_t last_news(const size_t *sent, size_t n)
{
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < i; k++)
            known |= strcmp(ids[sent[i]], ids[sent[k]]) == 0;
        last = known ? last : i;
    }
    return last;
}

/* The remote's moves are spread over the deliveries up to the last one that counts. */
static void play(struct bench *b, struct rng *rng, bool lossy)
{
    size_t sent[SENT_MAX], moved = 0;
    size_t n = draw(rng, lossy, sent), last = last_news(sent, n);
    for (size_t i = 0; i < n; i++) {
        bool added;
        while (moved < ARRAY_LEN(moves) &&
               (i == last || rng_below(rng, last + 1) < ARRAY_LEN(moves)))
            move(b, moved++);
        MUST(store_hook_add(b->store, "shop", &notes[sent[i]], &added, &e));
        if (i == last || rng_below(rng, 100) < LOOKS_PERCENT)
            (void)watch_step(b->watch);
    }
    while (moved < ARRAY_LEN(moves))
        move(b, moved++);
    if (lossy)
        bench_look(b); /* the sweep */
}

static void any_order_ends_in_the_same_state(void **state)
{
    struct bench *b = *state;
    struct rng rng;
    rng_init(&rng, SEED);
    b->repo.poll_ns = 3600 * CLOCK_NS_PER_S;
    b->asked_pause_ns = 1;
    prepare(b);
    for (int i = 0; i < ORDERS; i++) {
        char got[256];
        scratch_run(&b->dir, "rm -rf state shop.git; cp -r first/. .");
        bench_open_watch(b);
        (void)watch_step(b->watch);
        play(b, &rng, i % 2);
        dump(b, got);
        bench_close_watch(b);
        if (strcmp(got, "main=c5; 1c1,2c2,3c3,4c4,5c5; 1openm2<c2; pushc4,pushc5,mrm2; 0") != 0)
            fail_msg("order %d: %s", i, got);
    }
    bench_open_watch(b);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
    const struct CMUnitTest tests[] = {CASE(any_order_ends_in_the_same_state)};
    return cmocka_run_group_tests(tests, read_deliveries, bench_remove_origin);
}
