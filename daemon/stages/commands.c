/* SPDX-License-Identifier: MIT */
/*
 * commands: see commands.h. What each of them does is in command_act.c.
 *
 * The forge is asked first, outside any transaction; a forge that is away is asked again after
 * pauses that grow, for about a day.
 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "command_parts.h"
#include "log.h"
#include "report_reply.h"

#define LOOK_NS  (60 * CLOCK_NS_PER_S)
#define RETRY_NS (5 * CLOCK_NS_PER_S)

enum {
    PAUSE_FIRST_MS = 5000,
    PAUSE_MAX_MS = 3600 * 1000,
    TRIES_MAX = 30,
    RATE_WINDOW_MS = 3600 * 1000,
    RATE_MAX = 20, /* of one person on one merge request */
    REPLY_SENTENCE_MAX = 1000,
};

static const char *const role_names[] = {"none", "read", "write", "admin"};

/* How asking ended: what becomes of the row. */
enum course { COURSE_ACT, COURSE_IGNORE, COURSE_REFUSE, COURSE_LATER };

static int64_t pause_ms(int tries, const struct forge_answer *answer)
{
    int64_t pause = PAUSE_FIRST_MS;
    for (int i = 0; i < tries && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    pause = pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
    return pause > answer->wait_ms ? pause : answer->wait_ms;
}

/* A question that failed: what is gone or refused is no command for us. */
static enum course course_of(struct asking *a, const struct forge_answer *answer,
                             const struct err *why, struct err *e)
{
    bool later = answer->result == FORGE_LATER && a->row.tries < TRIES_MAX;
    log_warn(later ? "command waits for the forge" : "command not understood",
             "repo=%s mr=%" PRId64 ": %s", a->row.repo, a->row.mr, why->text);
    if (!later)
        return COURSE_IGNORE;
    int64_t next = clock_wall_ms() + pause_ms(a->row.tries, answer);
    return store_command_later(a->stage->store, a->row.id, next, e) < 0 ? COURSE_IGNORE
                                                                        : COURSE_LATER;
}

static bool is_own(const struct forge_user *me, const struct forge_user *author)
{
    return me->id[0] && author->id[0] ? strcmp(me->id, author->id) == 0
                                      : strcmp(me->login, author->login) == 0;
}

/* What is wrong with it is told to those who may command. */
static enum course judge_role(struct asking *a, enum forge_role role, struct view body,
                              struct err *e)
{
    int64_t answered = 0, refused = 0;
    struct err own = {0};
    int64_t since = clock_wall_ms() - RATE_WINDOW_MS;
    (void)snprintf(a->row.role, sizeof a->row.role, "%s", role_names[role]);
    if (store_command_count(a->stage->store, &a->row, since, &answered, &refused, e) < 0)
        return COURSE_IGNORE;
    if (answered >= RATE_MAX) {
        (void)snprintf(a->row.why, sizeof a->row.why, "too many in an hour");
        return COURSE_IGNORE;
    }
    if (role < FORGE_ROLE_WRITE) {
        (void)snprintf(a->row.why, sizeof a->row.why, "may not push");
        str_addz(&a->reply, "sorry, commands are for those who may push to this repository");
        /* Once in the lifetime of the merge request. */
        if (store_command_count(a->stage->store, &a->row, 0, &answered, &refused, e) < 0)
            return COURSE_IGNORE;
        return refused ? COURSE_IGNORE : COURSE_REFUSE;
    }
    if (forge_command_parse(body, &a->command, &own) < 0) {
        (void)snprintf(a->row.why, sizeof a->row.why, "%.190s", own.text);
        str_addz(&a->reply, own.text);
        report_reply_help(&a->more);
        return COURSE_REFUSE;
    }
    (void)snprintf(a->row.verb, sizeof a->row.verb, "%s", command_verb_names[a->command.verb]);
    return COURSE_ACT;
}

static enum course ask_forge(struct asking *a, struct err *e)
{
    AUTO(forge_comment_done) struct forge_comment comment = FORGE_COMMENT_INIT;
    struct forge *f = a->forge->forge;
    struct forge_answer answer = {0};
    struct forge_user me;
    struct err why = {0};
    enum forge_role role;
    if (forge_whoami(f, &me, &answer, &why) < 0 ||
        forge_comment_get(f, a->row.mr, a->row.comment, &comment, &answer, &why) < 0)
        return course_of(a, &answer, &why, e);
    (void)snprintf(a->row.who, sizeof a->row.who, "%s", comment.author.login);
    if (is_own(&me, &comment.author) || comment.author.is_bot || comment.edited ||
        !forge_command_is(str_view(&comment.body)))
        return COURSE_IGNORE;
    if (forge_role_of(f, &comment.author, &role, &answer, &why) < 0)
        return course_of(a, &answer, &why, e);
    enum course course = judge_role(a, role, str_view(&comment.body), e);
    if (course == COURSE_ACT && forge_mr_get(f, a->row.mr, &a->mr, &answer, &why) < 0)
        return course_of(a, &answer, &why, e);
    return course;
}

static int queue_reply(struct asking *a, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(REPORT_REPLY_BYTES_MAX);
    struct outbox o = {.repo_id = a->row.repo_id, .target = OUTBOX_COMMENT};
    if (!a->reply.len || !a->forge->comments)
        return 0;
    report_reply(a->row.who, str_text(&a->reply), &body);
    str_add(&body, str_view(&a->more));
    notice_name_slot(&o, "mr/%" PRId64 "/reply/%" PRId64, a->row.mr, a->row.id);
    return notice_queue(a->stage->store, &o, &body, e);
}

static int settle(struct asking *a, enum course course, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    a->row.state = course == COURSE_ACT      ? COMMAND_DONE
                   : course == COURSE_REFUSE ? COMMAND_REFUSED
                                             : COMMAND_IGNORED;
    if (store_begin(a->stage->store, &tx, e) < 0 ||
        (course == COURSE_ACT && command_act(a, e) < 0) ||
        (course != COURSE_IGNORE && queue_reply(a, e) < 0) ||
        store_command_settle(a->stage->store, &a->row, e) < 0 || store_commit(&tx, e) < 0)
        return -1;
    log_info("command taken", "repo=%s mr=%" PRId64 " verb=%s role=%s course=%s", a->row.repo,
             a->row.mr, a->row.verb[0] ? a->row.verb : "-", a->row.role[0] ? a->row.role : "-",
             course == COURSE_ACT      ? "done"
             : course == COURSE_REFUSE ? "refused"
                                       : "ignored");
    return 0;
}

static void wake(const struct asking *a)
{
    if (a->ring)
        bell_ring(a->ring);
    if (a->reply.len && a->stage->bells)
        bell_ring(&a->stage->bells->post);
}

static int take(const struct commands *stage, const struct command *row, struct err *e)
{
    struct asking a = {.stage = stage,
                       .row = *row,
                       .forge = notice_forge_of(&stage->targets, row->repo),
                       .reply = STR_INIT(REPLY_SENTENCE_MAX),
                       .more = STR_INIT(REPORT_REPLY_BYTES_MAX)};
    enum course course = a.forge ? ask_forge(&a, e) : COURSE_IGNORE;
    int rc = e->kind ? -1 : course == COURSE_LATER ? 0 : settle(&a, course, e);
    if (rc == 0 && course != COURSE_LATER)
        wake(&a);
    str_done(&a.reply);
    str_done(&a.more);
    return rc;
}

int64_t commands_step(void *self)
{
    const struct commands *c = self;
    struct err e = {0};
    struct command row;
    int64_t next_ms;
    bool found = true;
    while (found && !(c->stopping && atomic_load(c->stopping))) {
        if (store_command_due(c->store, clock_wall_ms(), &row, &found, &e) < 0 ||
            (found && take(c, &row, &e) < 0)) {
            log_error("command not taken", "%s", e.text);
            return clock_now_ns() + RETRY_NS;
        }
    }
    if (store_command_next_ms(c->store, &next_ms, &e) < 0)
        return clock_now_ns() + RETRY_NS;
    int64_t now = clock_now_ns(), wait = LOOK_NS;
    if (next_ms != INT64_MAX && (next_ms - clock_wall_ms()) * CLOCK_NS_PER_MS < LOOK_NS)
        wait = (next_ms - clock_wall_ms()) * CLOCK_NS_PER_MS;
    return now + (wait > 0 ? wait : 0);
}
