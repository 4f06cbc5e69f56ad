/* SPDX-License-Identifier: MIT */
/* job: what all phases share; see job.h. */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "quiet.h"

#define QUIET_LOOK_NS (50 * CLOCK_NS_PER_MS)

int job_fail(struct job *j, enum failure_class class, int side, const char *fmt, ...)
{
    AUTO(str_done) struct str text = STR_INIT(RESULT_TEXT_MAX - 1);
    va_list args;
    if (j->failed)
        return -1;
    va_start(args, fmt);
    str_addv(&text, fmt, args);
    va_end(args);
    text.len = view_utf8_prefix(str_view(&text), text.len);
    j->failed = true;
    j->result->outcome = RESULT_FAILED;
    j->result->failure = class;
    j->result->failure_side = side;
    free(j->result->failure_text);
    j->result->failure_text = mem_strndup(str_text(&text), text.len);
    job_note(j, "failed (%s%s%s): %s", failure_names[class], side >= 0 ? ", " : "",
             side >= 0 ? side_names[side] : "", str_text(&text));
    return -1;
}

void job_note(struct job *j, const char *fmt, ...)
{
    AUTO(str_done) struct str line = STR_INIT(RESULT_TEXT_MAX);
    char when[CLOCK_ISO_BYTES];
    va_list args;
    va_start(args, fmt);
    str_addv(&line, fmt, args);
    va_end(args);
    clock_iso(clock_wall_ms(), when);
    str_addf(&j->journal, "%s %s\n", when, str_text(&line));
    log_debug("job note", "job=%lld %s", (long long)j->doc->job, str_text(&line));
}

void job_note_state(struct job *j, const char *service, const char *text)
{
    AUTO(str_done) struct str name = STR_INIT(64);
    str_addf(&name, "service_%s", service);
    (void)vec_push(&j->result->state);
    size_t i = j->result->state.len - 1;
    struct result_fact *f = j->result->state.at;
    for (; i > 0 && strcmp(f[i - 1].name, str_text(&name)) > 0; i--) /* they stay sorted */
        f[i] = f[i - 1];
    f[i] = (struct result_fact){.name = str_steal(&name), .text = mem_strdup(text)};
}

void job_remark(struct job *j, const char *fmt, ...)
{
    AUTO(str_done) struct str text = STR_INIT(RESULT_NOTE_MAX);
    va_list args;
    va_start(args, fmt);
    str_addv(&text, fmt, args);
    va_end(args);
    text.len = view_utf8_prefix(str_view(&text), text.len);
    job_note(j, "%.*s", (int)text.len, str_text(&text));
    if (j->result->notes.len < RESULT_NOTES_MAX)
        *vec_push(&j->result->notes) = mem_strndup(str_text(&text), text.len);
}

void job_post_log(struct job *j, const char *stage, struct view text)
{
    if (text.len > LINK_LOG_STAGE)
        text = (struct view){text.at, LINK_LOG_STAGE};
    for (int64_t seq = 0; text.len; seq++) {
        struct err e = {0};
        struct view piece = {text.at, text.len < LINK_LOG_PIECE ? text.len : LINK_LOG_PIECE};
        if (link_log(j->link, stage, seq, piece, &e) < 0) {
            log_warn("log not delivered", "job=%lld stage=%s error='%s'",
                     (long long)j->doc->job, stage, e.text);
            return;
        }
        text = view_skip(text, piece.len);
    }
}

int64_t job_deadline(const struct job *j, int64_t within_ns)
{
    int64_t deadline = clock_now_ns() + within_ns;
    return deadline < j->deadline_ns ? deadline : j->deadline_ns;
}

int job_check_cancel(struct job *j)
{
    if (!pulse_cancelled(j->pulse))
        return 0;
    return job_fail(j, FAILURE_INFRA, -1, "cancelled: %s", pulse_why(j->pulse));
}

void job_raise_sessions(const struct job *j, const struct sandbox *s)
{
    pid_t pids[SANDBOX_PIDS_MAX];
    size_t n = j->nice < 0 ? sandbox_pids(s, pids, SANDBOX_PIDS_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        (void)cpus_raise_session(pids[i], j->nice);
}

int job_wait_quiet(struct job *j, enum quiet how)
{
    while (!quiet_try(j->quiet_fd, how)) {
        pulse_stage(j->pulse, "waiting for another job to be measured");
        if (clock_now_ns() >= j->deadline_ns)
            return job_fail(j, FAILURE_INFRA, -1,
                            "another job was being measured all the time");
        (void)pulse_wait(j->pulse, -1, clock_now_ns() + QUIET_LOOK_NS);
        if (job_check_cancel(j) < 0)
            return -1;
    }
    return 0;
}
