/* SPDX-License-Identifier: MIT */
/* status_line: see status_line.h. */
#include "status_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_MAX_BYTES = 256 };

struct status_line status_line_begin(void)
{
    return (struct status_line){.terminal = isatty(STDERR_FILENO)};
}

static void add_eta(struct str *line, int64_t eta_ms)
{
    int64_t left_s = (eta_ms - clock_wall_ms() + 999) / 1000;
    if (eta_ms == 0)
        return;
    if (left_s < 0)
        str_addz(line, ", longer than expected");
    else if (left_s < 100)
        str_addf(line, ", %d s left", (int)left_s);
    else
        str_addf(line, ", %d min left", (int)((left_s + 59) / 60));
}

static void describe(const struct view_job *j, struct str *line)
{
    char sha[JOB_SHA_MAX + 1];
    sha_hex(&j->head, sha);
    str_addf(line, ": %s %.7s", j->brief.kind, sha);
    if (j->stage)
        str_addf(line, ", %s", j->stage);
    if (j->rounds_planned > 0)
        str_addf(line, " (%d of %d rounds)", (int)j->rounds_done, (int)j->rounds_planned);
    add_eta(line, j->eta_ms);
}

int status_line_draw(struct status_line *p, struct store *store, const char *what,
                     struct err *e)
{
    struct view_read read = {0};
    struct view_jobs jobs = {0};
    struct view_job_filter running = {
        .states = 1u << JOB_RUNNING | 1u << JOB_SUBMITTED,
        .limit = 1,
    };
    if (!p->terminal)
        return 0;
    if (store_view_begin(store, &read, e) < 0)
        return -1;
    int rc = store_view_jobs(&read, &running, &jobs, e);
    if (rc == 0) {
        AUTO(str_done) struct str line = STR_INIT(LINE_MAX_BYTES);
        str_addz(&line, what);
        if (jobs.at.len > 0)
            describe(&jobs.at.at[0], &line);
        int columns = terminal_width() - 1;
        fprintf(stderr, "\r\033[K%.*s", columns, str_text(&line));
        fflush(stderr);
        p->drawn = true;
    }
    vec_done(&jobs.at);
    store_view_done(&read);
    return rc;
}

void status_line_clear(struct status_line *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

bool terminal_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}
