/* SPDX-License-Identifier: MIT */
/* pulse: see pulse.h. The bell 'cancel' is never taken, so it stays readable once rung.
 */
#include "pulse.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "bell.h"
#include "clock.h"
#include "mem.h"

struct pulse {
    struct link *link;
    int64_t every_ns;
    int signal_fd;
    pthread_t beats, signals;
    struct bell wake, cancel, stop;
    atomic_bool cancelled, stopping;
    pthread_mutex_t lock; /* of what follows */
    char stage[PULSE_STAGE_MAX];
    int64_t done, planned, eta_ms;
    char why[128];
};

int pulse_block_signals(int *out_signal_fd, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_errno(e, "block signals");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_errno(e, "watch signals");
    *out_signal_fd = fd;
    return 0;
}

static void cancel(struct pulse *p, const char *why)
{
    pthread_mutex_lock(&p->lock);
    if (!p->why[0])
        (void)snprintf(p->why, sizeof p->why, "%s", why);
    pthread_mutex_unlock(&p->lock);
    atomic_store(&p->cancelled, true);
    bell_ring(&p->cancel);
}

static void send_beat(struct pulse *p)
{
    char stage[PULSE_STAGE_MAX];
    struct err e = {0};
    bool wanted = false;
    pthread_mutex_lock(&p->lock);
    struct link_beat beat = {.stage = stage,
                             .rounds_done = p->done,
                             .rounds_planned = p->planned,
                             .eta_ms = p->eta_ms};
    memcpy(stage, p->stage, sizeof stage);
    pthread_mutex_unlock(&p->lock);
    /* A daemon that is away is no reason to stop: the result waits in the spool. */
    if (link_beat(p->link, &beat, &wanted, &e) < 0) {
        if (e.kind == ERR_CONFLICT)
            cancel(p, "the attempt is over");
    } else if (wanted) {
        cancel(p, "the daemon cancelled the job");
    }
}

static void *beat_loop(void *arg)
{
    struct pulse *p = arg;
    while (!atomic_load(&p->stopping)) {
        send_beat(p);
        (void)bell_wait(&p->wake, clock_now_ns() + p->every_ns);
    }
    return NULL;
}

static void *signal_loop(void *arg)
{
    struct pulse *p = arg;
    struct pollfd fds[2] = {{.fd = p->stop.fd, .events = POLLIN},
                            {.fd = p->signal_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    if (fds[1].revents)
        cancel(p, "told to end by a signal");
    return NULL;
}

static int start_thread(pthread_t *out, void *(*run)(void *), struct pulse *p, struct err *e)
{
    errno = pthread_create(out, NULL, run, p);
    if (errno == 0)
        return 0;
    *out = 0;
    return err_errno(e, "start a thread");
}

int pulse_start(const struct link_address *to, int64_t every_ns, int signal_fd,
                struct pulse **out, struct err *e)
{
    struct pulse *p = mem_zero(1, sizeof *p);
    p->every_ns = every_ns;
    p->signal_fd = signal_fd;
    p->wake.fd = p->cancel.fd = p->stop.fd = -1;
    pthread_mutex_init(&p->lock, NULL);
    (void)snprintf(p->stage, sizeof p->stage, "starting");
    int rc = link_open(to, &p->link, e);
    if (rc == 0)
        rc = bell_open(&p->wake, e);
    if (rc == 0)
        rc = bell_open(&p->cancel, e);
    if (rc == 0)
        rc = bell_open(&p->stop, e);
    if (rc == 0)
        rc = start_thread(&p->beats, beat_loop, p, e);
    if (rc == 0)
        rc = start_thread(&p->signals, signal_loop, p, e);
    if (rc < 0)
        pulse_freep(&p);
    else
        *out = p;
    return rc;
}

void pulse_freep(struct pulse **pulse)
{
    struct pulse *p = STEAL(*pulse);
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    if (p->signals) {
        bell_ring(&p->stop);
        pthread_join(p->signals, NULL);
    }
    if (p->beats) {
        bell_ring(&p->wake);
        pthread_join(p->beats, NULL);
    }
    link_freep(&p->link);
    bell_close(&p->wake);
    bell_close(&p->cancel);
    bell_close(&p->stop);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pulse_stage(struct pulse *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&p->lock);
    (void)vsnprintf(p->stage, sizeof p->stage, fmt, args);
    pthread_mutex_unlock(&p->lock);
    va_end(args);
}

void pulse_rounds(struct pulse *p, int64_t done, int64_t planned, int64_t eta_ms)
{
    pthread_mutex_lock(&p->lock);
    p->done = done;
    p->planned = planned;
    p->eta_ms = eta_ms;
    pthread_mutex_unlock(&p->lock);
}

int pulse_fd(const struct pulse *p)
{
    return p->cancel.fd;
}

bool pulse_cancelled(const struct pulse *p)
{
    return atomic_load(&p->cancelled);
}

const char *pulse_why(struct pulse *p)
{
    return p->why;
}

enum pulse_event pulse_wait(struct pulse *p, int fd, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = p->cancel.fd, .events = POLLIN},
                                {.fd = fd, .events = POLLIN}};
        int n = poll(fds, 2, clock_poll_ms(deadline_ns));
        if (n < 0 && errno == EINTR)
            continue;
        if (fds[0].revents || pulse_cancelled(p))
            return PULSE_CANCELLED;
        return n > 0 ? PULSE_READY : PULSE_TIMEOUT;
    }
}
