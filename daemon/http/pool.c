/* SPDX-License-Identifier: MIT */
/* pool: see pool.h. One mutex; work takes long compared with it. */
#include "pool.h"

#include <pthread.h>
#include <string.h>

#include "mem.h"

struct pool {
    struct pool_options o;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void **ring;
    size_t head, waiting, reserved;
    int started, opened; /* threads; of those, the ones that tried to open */
    bool failed, stopping;
    struct err error;
    pthread_t *threads;
};

static void *take(struct pool *p, bool *out_drain)
{
    pthread_mutex_lock(&p->lock);
    /* While draining, a reserved place means that a push is on its way. */
    while (p->waiting == 0 && !(p->stopping && p->reserved == 0))
        pthread_cond_wait(&p->changed, &p->lock);
    void *work = NULL;
    if (p->waiting > 0) {
        work = p->ring[p->head];
        p->head = (p->head + 1) % p->o.waiting_max;
        p->waiting--;
        if (--p->reserved == 0)
            pthread_cond_broadcast(&p->changed);
    }
    *out_drain = p->stopping;
    pthread_mutex_unlock(&p->lock);
    return work;
}

static bool open_worker(struct pool *p, void **out)
{
    struct err e = {0};
    bool ok = p->o.open(p->o.self, out, &e) == 0;
    pthread_mutex_lock(&p->lock);
    p->opened++;
    if (!ok && !p->failed) {
        p->failed = true;
        p->error = e;
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return ok;
}

static void *worker_main(void *arg)
{
    struct pool *p = arg;
    void *worker = NULL, *work;
    bool drain;
    if (!open_worker(p, &worker))
        return NULL;
    while ((work = take(p, &drain)) != NULL)
        p->o.run(p->o.self, drain ? NULL : worker, work);
    p->o.close(p->o.self, worker);
    return NULL;
}

static int start_threads(struct pool *p, struct err *e)
{
    for (; p->started < p->o.workers; p->started++)
        if (pthread_create(&p->threads[p->started], NULL, worker_main, p) != 0)
            return err_set(e, ERR_SYSTEM, "cannot start a worker thread");
    pthread_mutex_lock(&p->lock);
    while (p->opened < p->started)
        pthread_cond_wait(&p->changed, &p->lock);
    if (p->failed && e)
        *e = p->error;
    pthread_mutex_unlock(&p->lock);
    return p->failed ? -1 : 0;
}

int pool_start(const struct pool_options *options, struct pool **out, struct err *e)
{
    struct pool *p = mem_zero(1, sizeof *p);
    p->o = *options;
    p->ring = mem_zero(p->o.waiting_max, sizeof *p->ring);
    p->threads = mem_zero((size_t)p->o.workers, sizeof *p->threads);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (start_threads(p, e) < 0) {
        pool_free(p);
        return -1;
    }
    *out = p;
    return 0;
}

bool pool_reserve(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    bool ok = !p->stopping && p->reserved < p->o.waiting_max;
    p->reserved += ok;
    pthread_mutex_unlock(&p->lock);
    return ok;
}

void pool_push(struct pool *p, void *work)
{
    pthread_mutex_lock(&p->lock);
    p->ring[(p->head + p->waiting++) % p->o.waiting_max] = work;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void pool_drain(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (; p->started > 0; p->started--)
        pthread_join(p->threads[p->started - 1], NULL);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pool_drain(p);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p->ring);
    free(p->threads);
    free(p);
}
