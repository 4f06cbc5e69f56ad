/* SPDX-License-Identifier: MIT */
/* foreign: see foreign.h. */
#include "foreign.h"

#include "clock.h"

#define FOREIGN_PRINTED_MAX   (INT64_C(256) << 20)
#define FOREIGN_LOOK_EVERY_NS (200 * CLOCK_NS_PER_MS)

/* Until it ends by itself or for one of the reasons in 'why'. */
static void wait_end(struct job *j, struct sandbox *s, struct capture *output,
                     int64_t timeout_ns, struct foreign *out)
{
    int64_t deadline = job_deadline(j, timeout_ns);
    while (!sandbox_wait(s, 0, &out->status)) {
        int64_t look = clock_now_ns() + FOREIGN_LOOK_EVERY_NS;
        enum pulse_event event =
            pulse_wait(j->pulse, sandbox_pidfd(s), look < deadline ? look : deadline);
        if (event == PULSE_CANCELLED)
            out->why = "cancelled";
        else if (clock_now_ns() >= deadline)
            out->why = "did not end within its time limit";
        else if (capture_total(output) > FOREIGN_PRINTED_MAX)
            out->why = "printed more than 256 MiB";
        if (out->why)
            return;
    }
}

static void describe(const struct sandbox_spec *how, struct capture *output,
                     struct foreign *out)
{
    AUTO(str_done) struct str last = STR_INIT(JOB_WORDS_MAX);
    if (foreign_ok(out))
        return;
    if (out->why)
        str_addz(&out->how, out->why);
    else if (out->use.oom_kills > 0)
        str_addf(&out->how, "was out of memory (limit %lld MiB)", (long long)how->memory >> 20);
    else if (out->status > 128)
        str_addf(&out->how, "was ended by signal %d", out->status - 128);
    else
        str_addf(&out->how, "failed with status %d", out->status);
    capture_last_lines(output, JOB_LAST_LINES, &last);
    str_addf(&out->how, "%s%s", last.len ? ": " : "", str_text(&last));
}

int foreign_run(struct job *j, struct sandbox_spec *how, int64_t timeout_ns,
                struct foreign *out, struct err *e)
{
    AUTO(capture_freep) struct capture *output = NULL;
    AUTO(sandbox_freep) struct sandbox *s = NULL;
    if (capture_new(&output, e) < 0)
        return -1;
    how->out = capture_pipe(output);
    int rc = sandbox_start(&j->host, how, &s, e);
    capture_started(output);
    if (rc == 0) {
        wait_end(j, s, output, timeout_ns, out);
        /* What it made is read only when nobody is left who could change it. */
        rc = sandbox_end(s, &out->use, e);
    }
    capture_text(output, &out->text);
    if (rc < 0 && out->text.len)
        return err_set(e, e->kind, "%s: %.*s", e->text,
                       (int)(out->text.len < 400 ? out->text.len : 400), str_text(&out->text));
    if (rc == 0)
        describe(how, output, out);
    return rc;
}

bool foreign_ok(const struct foreign *f)
{
    return !f->why && f->status == 0;
}

void foreign_done(struct foreign *f)
{
    str_done(&f->text);
    str_done(&f->how);
}
