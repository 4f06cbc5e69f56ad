/* SPDX-License-Identifier: MIT */
/* stage: see stage.h. */
#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

int stage_bells_open(struct stage_bells *b, struct err *e)
{
    *b = (struct stage_bells){{-1}, {-1}, {-1}, {-1}, {-1}};
    if (bell_open(&b->watch, e) < 0 || bell_open(&b->commands, e) < 0 ||
        bell_open(&b->dispatch, e) < 0 || bell_open(&b->judge, e) < 0 ||
        bell_open(&b->post, e) < 0) {
        stage_bells_close(b);
        return -1;
    }
    return 0;
}

void stage_bells_close(struct stage_bells *b)
{
    bell_close(&b->watch);
    bell_close(&b->commands);
    bell_close(&b->dispatch);
    bell_close(&b->judge);
    bell_close(&b->post);
}

static void *stage_main(void *self)
{
    struct stage *s = self;
    while (!atomic_load(s->stopping)) {
        int64_t next = s->step(s->self);
        if (!atomic_load(s->stopping))
            (void)bell_wait(s->bell, next);
    }
    if (s->end)
        s->end(s->self);
    return NULL;
}

/* Signals are for the main thread, so stages start with all of them blocked. */
int stage_start(struct stage *s, struct err *e)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&s->thread, NULL, stage_main, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        errno = code;
        return err_errno(e, "start stage %s", s->name);
    }
    (void)pthread_setname_np(s->thread, s->name);
    s->running = true;
    return 0;
}

void stage_join(struct stage *s)
{
    if (s->running)
        (void)pthread_join(s->thread, NULL);
    s->running = false;
}
