/* SPDX-License-Identifier: MIT */
/*
 * watch: when to look at which repository; see watch.h.
 *
 * Each repository has its own time, spread by up to a tenth so that they do not come in herds.
 * One in which nothing happens is asked less and less often: the pause is a twentieth of the
 * time since its last change, so that a push is never seen later than by that share of the
 * silence before it. A look that finds the remote where the last one left it ends there. A
 * remote that fails is asked less and less often, too. A webhook's delivery makes its
 * repository due at once: it says "look", and the remote says what is there, so that late,
 * doubled and lost deliveries all end alike. One that comes during a look asks for another. A
 * fetch disturbs a measurement on this host, so it waits for the quiet lock; but a repository
 * that has waited ten seconds is looked at anyway, or long jobs would hide every push.
 */
#include "watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "fdio.h"
#include "log.h"
#include "quiet.h"
#include "store_change.h"
#include "store_hook.h"
#include "watch_parts.h"

enum { BACKOFF_MAX = 6, IDLE_SHARE = 20 };

#define FETCH_TIMEOUT_NS (600 * CLOCK_NS_PER_S)
#define NEWS_TIMEOUT_NS  (60 * CLOCK_NS_PER_S)
#define TIDY_TIMEOUT_NS  (60 * CLOCK_NS_PER_S)
#define PAUSE_MAX_NS     (900 * CLOCK_NS_PER_S)
#define QUIET_AGAIN_NS   (1 * CLOCK_NS_PER_S)
#define OVERDUE_NS       (10 * CLOCK_NS_PER_S) /* at most */
#define ASKED_PAUSE_NS   (1 * CLOCK_NS_PER_S)

static void add_pattern(struct watched *r, size_t *n, const char *prefix, const char *name)
{
    struct str pattern = STR_INIT(MIRROR_REF_MAX);
    if (*n == MIRROR_PATTERNS_MAX)
        return;
    str_addf(&pattern, "%s%s", prefix, name);
    r->patterns[(*n)++] = str_steal(&pattern);
}

static void make_patterns(struct watched *r)
{
    size_t n = 0;
    r->patterns = mem_zero(MIRROR_PATTERNS_MAX + 1, sizeof *r->patterns);
    for (size_t i = 0; i < r->conf->branches_len; i++)
        add_pattern(r, &n, "refs/heads/", r->conf->branches[i]);
    if (r->conf->merge_requests != MR_NONE) {
        add_pattern(r, &n, "refs/pull/[0-9]*", "/head");
        add_pattern(r, &n, "refs/merge-requests/[0-9]*", "/head");
        add_pattern(r, &n, "refs/pull-requests/[0-9]*", "/from");
    }
}

static int add_repo(struct watch *w, const struct stage_repo *conf, struct err *e)
{
    struct watched *r = vec_push(&w->repos);
    struct str path = STR_INIT(4096);
    r->conf = conf;
    r->next_ns = clock_now_ns();
    make_patterns(r);
    str_addf(&path, "%s/mirrors/%s.git", w->o.state_dir, conf->name);
    r->mirror_path = str_steal(&path);
    if (store_repo_put(w->o.store, conf->name, conf->url, conf->branches[0], &r->id, e) < 0 ||
        store_change_newest_ms(w->o.store, r->id, &r->changed_ms, e) < 0)
        return -1;
    if (!r->changed_ms)
        r->changed_ms = clock_wall_ms();
    return 0;
}

static int enter_repos(struct watch *w, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    if (store_begin(w->o.store, &tx, e) < 0 || store_repo_unconfigure_all(w->o.store, e) < 0)
        return -1;
    for (size_t i = 0; i < w->o.repos_len; i++)
        if (add_repo(w, &w->o.repos[i], e) < 0)
            return err_ctx(e, "repository '%s'", w->o.repos[i].name);
    return store_commit(&tx, e);
}

int watch_open(const struct watch_options *options, struct watch **out, struct err *e)
{
    AUTO(watch_closep) struct watch *w = mem_zero(1, sizeof *w);
    AUTO(str_done) struct str mirrors = STR_INIT(4096);
    *w = (struct watch){.o = *options, .quiet = -1};
    if (!w->o.fetch_timeout_ns)
        w->o.fetch_timeout_ns = FETCH_TIMEOUT_NS;
    if (!w->o.asked_pause_ns)
        w->o.asked_pause_ns = ASKED_PAUSE_NS;
    rng_init(&w->rng, rng_seed());
    w->fetcher = mirror_fetcher_new();
    str_addf(&mirrors, "%s/mirrors", w->o.state_dir);
    if (fdio_make_dirs(str_text(&mirrors), 0700, e) < 0 ||
        quiet_open_in(w->o.state_dir, &w->quiet, e) < 0 || enter_repos(w, e) < 0 ||
        store_hook_newest(w->o.store, &w->hooks_seen, e) < 0)
        return -1;
    *out = STEAL(w);
    return 0;
}

void watch_closep(struct watch **w)
{
    if (!*w)
        return;
    for (size_t i = 0; i < (*w)->repos.len; i++) {
        struct watched *r = &(*w)->repos.at[i];
        for (char **p = r->patterns; *p; p++)
            free(*p);
        vec_done(&r->asked_mrs);
        free(r->patterns);
        free(r->mirror_path);
    }
    vec_done(&(*w)->repos);
    mirror_fetcher_freep(&(*w)->fetcher);
    fdio_closep(&(*w)->quiet);
    free(*w);
    *w = NULL;
}

/* --- a look ------------------------------------------------------------------------------- */

/* A remote that hangs holds up all others, so one that is mirrored already gets a minute; each
 * failure in a row doubles it, should there really be that much to fetch. */
static int fetch_deadline(struct look *l, int64_t *out_ns, struct err *e)
{
    AUTO(mirror_refs_done) struct mirror_refs known = {0};
    int64_t most = l->w->o.fetch_timeout_ns;
    int64_t timeout = NEWS_TIMEOUT_NS
                      << (l->r->failures < BACKOFF_MAX ? l->r->failures : BACKOFF_MAX);
    if (!l->r->settled && mirror_list_refs(l->m, &known, e) < 0)
        return -1;
    if ((!l->r->settled && known.refs.len == 0) || timeout > most)
        timeout = most;
    *out_ns = clock_now_ns() + timeout;
    return 0;
}

static int fetch(struct look *l, struct err *e)
{
    int64_t deadline;
    const struct stage_repo *conf = l->r->conf;
    struct mirror_source source = {
        .url = conf->url,
        .patterns = (const char *const *)l->r->patterns,
        .token_file = conf->token_file,
        .ssh_key = conf->ssh_key,
        .ssh_host_key = conf->ssh_host_key,
        .ca_file = conf->ca_file,
        .stopping = l->w->o.stopping,
        .fetcher = l->w->fetcher,
    };
    if (fetch_deadline(l, &deadline, e) < 0)
        return -1;
    return mirror_fetch(l->m, &source, deadline, &l->moved, e);
}

/* The mirror is opened again after the fetch, so that nothing it has cached is older. */
static int look_at(struct look *l, struct err *e)
{
    if (mirror_open(l->r->mirror_path, &l->m, e) < 0 || fetch(l, e) < 0)
        return -1;
    if (!l->moved && l->r->settled)
        return 0;
    l->full = true;
    mirror_closep(&l->m);
    if (mirror_open(l->r->mirror_path, &l->m, e) < 0 || mirror_list_refs(l->m, &l->refs, e) < 0)
        return -1;
    if (watch_note(l, e) < 0 || watch_note_asked(l, e) < 0 || watch_plan(l, e) < 0)
        return -1;
    l->r->asked_mrs.len = 0;
    if (l->r->conf->backfill > 0 && !l->r->filled)
        return watch_fill(l, e);
    return 0;
}

/* Only when nothing is measured: it reads and writes much. */
static void tidy(struct look *l)
{
    struct err e = {0};
    if (quiet_try(l->w->quiet, QUIET_SHARED) &&
        mirror_tidy(l->m, clock_now_ns() + TIDY_TIMEOUT_NS, &e) < 0)
        log_warn("mirror not tidied", "repo=%s: %s", l->r->conf->name, e.text);
}

static void look_done(struct look *l)
{
    mirror_closep(&l->m);
    mirror_refs_done(&l->refs);
    if ((l->queued || l->stopped) && l->w->o.bells) {
        bell_ring(&l->w->o.bells->dispatch);
        bell_ring(&l->w->o.bells->post); /* the forge is told that it waits */
    }
}

static void note_result(struct watch *w, struct watched *r, const struct err *e)
{
    struct err own = {0};
    if (store_repo_fetched(w->o.store, r->id, clock_wall_ms(), e->kind ? e->text : NULL, &own) <
        0)
        log_error("look not noted", "repo=%s: %s", r->conf->name, own.text);
    if (e->kind && r->failures == 0)
        log_warn("look failed", "repo=%s: %s", r->conf->name, e->text);
    if (!e->kind && r->failures > 0)
        log_info("look works again", "repo=%s after=%d", r->conf->name, r->failures);
    r->failures = e->kind ? r->failures + 1 : 0;
    r->filled |= !e->kind;
}

/* How long to leave it alone when all is well. */
static int64_t own_pause(const struct watched *r)
{
    int64_t idle_ns = (clock_wall_ms() - r->changed_ms) * CLOCK_NS_PER_MS;
    int64_t pause = idle_ns / IDLE_SHARE;
    if (pause > r->conf->poll_most_ns)
        pause = r->conf->poll_most_ns;
    return pause > r->conf->poll_ns ? pause : r->conf->poll_ns;
}

static int64_t next_look(struct watch *w, const struct watched *r)
{
    int times = r->failures > BACKOFF_MAX ? BACKOFF_MAX : r->failures;
    int64_t pause = own_pause(r);
    if (times > 0 && pause << times < PAUSE_MAX_NS)
        pause <<= times;
    else if (times > 0 && pause < PAUSE_MAX_NS)
        pause = PAUSE_MAX_NS;
    return clock_now_ns() + (int64_t)((double)pause * (0.9 + 0.2 * rng_unit(&w->rng)));
}

static bool is_stopping(const struct watch *w)
{
    return w->o.stopping && atomic_load(w->o.stopping);
}

/* Makes the repository due for a webhook's sake: now, or when the pause since the last look is
 * over, which grows while looks fail. */
static void take_delivery(const struct watch *w, struct watched *r, int64_t now)
{
    int times = r->failures > BACKOFF_MAX ? BACKOFF_MAX : r->failures;
    int64_t due = r->begun_ns ? r->begun_ns + (w->o.asked_pause_ns << times) : now;
    r->asked = true;
    if (due < now)
        due = now;
    if (due < r->next_ns)
        r->next_ns = due;
}

static void look_once(struct watch *w, struct watched *r)
{
    struct err e = {0};
    struct look l = {
        .w = w, .r = r, .store = w->o.store, .source = r->asked ? CHANGE_HOOK : CHANGE_POLL};
    r->asked = false;
    r->begun_ns = clock_now_ns();
    bool good = look_at(&l, &e) == 0;
    if (good && l.full)
        tidy(&l);
    if (good && l.moved && r->settled) /* else it is new to us, not to the world */
        r->changed_ms = clock_wall_ms();
    r->settled = good;
    if (good || is_stopping(w)) /* Giving up was our own wish. */
        e.kind = ERR_NONE;
    look_done(&l);
    if (!is_stopping(w))
        note_result(w, r, &e);
    r->next_ns = next_look(w, r);
    if (e.kind && l.source == CHANGE_HOOK && r->failures <= BACKOFF_MAX)
        take_delivery(w, r, clock_now_ns()); /* what it told of is still to be found */
}

/* --- the stage ---------------------------------------------------------------------------- */

/* Which merge requests to ask about is lost when the daemon ends; a first look asks about all.
 */
static void take_news(struct watch *w, struct watched *r, int64_t now)
{
    AUTO(id_list_done) struct id_list mrs = {0};
    struct err e = {0};
    take_delivery(w, r, now);
    if (!r->conf->forge)
        return;
    if (store_hook_mrs(w->o.store, r->id, w->hooks_seen, &mrs, &e) < 0)
        log_error("deliveries not read", "%s", e.text);
    for (size_t i = 0; i < mrs.ids.len && r->asked_mrs.len < WATCH_ASKED_MAX; i++)
        *vec_push(&r->asked_mrs) = mrs.ids.at[i];
    r->settled &= mrs.ids.len == 0;
}

static void take_deliveries(struct watch *w)
{
    AUTO(hook_news_list_done) struct hook_news_list list = {0};
    struct err e = {0};
    int64_t now = clock_now_ns();
    if (store_hook_news(w->o.store, w->hooks_seen, &list, &e) < 0) {
        log_error("deliveries not read", "%s", e.text);
        return;
    }
    for (size_t k = 0; k < list.news.len; k++) {
        const struct hook_news *news = &list.news.at[k];
        for (size_t i = 0; i < w->repos.len; i++)
            if (w->repos.at[i].id == news->repo_id)
                take_news(w, &w->repos.at[i], now);
        if (news->newest > w->hooks_seen)
            w->hooks_seen = news->newest;
    }
}

/* Somebody appended a change: that repository is due now. */
static void find_asked(struct watch *w)
{
    AUTO(id_list_done) struct id_list asked = {0};
    struct err e = {0};
    int64_t now = clock_now_ns();
    if (store_change_waiting(w->o.store, &asked, &e) < 0)
        log_error("changes not read", "%s", e.text);
    for (size_t i = 0; i < w->repos.len && asked.ids.len; i++) {
        struct watched *r = &w->repos.at[i];
        bool is_asked = false;
        for (size_t k = 0; k < asked.ids.len; k++)
            is_asked |= asked.ids.at[k] == r->id;
        if (!is_asked)
            continue;
        r->settled = false;
        if (r->failures == 0 && r->next_ns > now)
            r->next_ns = now;
    }
}

static bool may_disturb(const struct watch *w, const struct watched *r, int64_t now)
{
    int64_t patience = r->conf->poll_ns < OVERDUE_NS ? r->conf->poll_ns : OVERDUE_NS;
    return quiet_try(w->quiet, QUIET_SHARED) || now - r->next_ns > patience;
}

int64_t watch_step(void *self)
{
    struct watch *w = self;
    int64_t next = CLOCK_NEVER;
    take_deliveries(w);
    find_asked(w);
    for (size_t i = 0; i < w->repos.len && !is_stopping(w); i++) {
        struct watched *r = &w->repos.at[i];
        int64_t now = clock_now_ns();
        if (now >= r->next_ns) {
            bool may = may_disturb(w, r, now);
            if (may)
                look_once(w, r);
            quiet_release(w->quiet);
            if (!may) {
                next = now + QUIET_AGAIN_NS < next ? now + QUIET_AGAIN_NS : next;
                continue;
            }
        }
        next = r->next_ns < next ? r->next_ns : next;
    }
    return next;
}
