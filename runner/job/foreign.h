/* SPDX-License-Identifier: MIT */
/*
 * foreign: runs one foreign program in its sandbox to its end: a build, a database's set-up.
 *
 *     AUTO(foreign_done) struct foreign f = FOREIGN_INIT;
 *     if (foreign_run(j, &how, timeout_ns, &f, e) < 0)      // ours: it could not be run
 *         ...
 *     if (!foreign_ok(&f))                                  // its own: f.how says what
 *         ...
 */
#ifndef JOB_FOREIGN_H
#define JOB_FOREIGN_H

#include "job.h"

struct foreign {
    int status;
    const char *why; /* it was ended, and why; NULL: it ended by itself */
    struct sandbox_use use;
    struct str text; /* what it printed, within bounds */
    struct str how;  /* "failed with status 2: last lines", when it did not end well */
};

#define FOREIGN_INIT                                                             \
    {                                                                            \
        .text = STR_INIT(CAPTURE_TEXT_MAX), .how = STR_INIT(RESULT_TEXT_MAX / 2) \
    }

/* 'how' without its pipe for output. Nothing of the program is left when this returns. */
int foreign_run(struct job *j, struct sandbox_spec *how, int64_t timeout_ns,
                struct foreign *out, struct err *e);
bool foreign_ok(const struct foreign *f);
void foreign_done(struct foreign *f);

#endif
