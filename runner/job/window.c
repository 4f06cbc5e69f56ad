/* SPDX-License-Identifier: MIT */
/* window: see window.h. */
#include "window.h"

#include <math.h>
#include <time.h>

#include "clock.h"

static int64_t own_cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

void window_mark(void *window, int edge, int64_t at_ns)
{
    struct window *w = window;
    pid_t pids[SANDBOX_PIDS_MAX];
    w->cpu_ns[edge] = sandbox_cpu_ns(w->sandbox);
    if (w->beside)
        services_cpu(w->beside, &w->beside_cpu[edge]);
    w->read_ns[edge] = clock_now_ns();
    w->at_ns[edge] = at_ns;
    w->has[edge] = true;
    w->own_ns[edge] = own_cpu_ns();
    size_t n = sandbox_pids(w->sandbox, pids, SANDBOX_PIDS_MAX);
    noise_snap(&w->snap[edge], w->cpus, pids, n);
    if (edge == 0)
        w->own_ns[edge] = own_cpu_ns();
}

/* What was spent between the marks, by readings that were made at read_ns. */
static double between_marks(const struct window *w, int64_t from_ns, int64_t to_ns)
{
    double spent = (double)(to_ns - from_ns);
    double between = (double)(w->at_ns[1] - w->read_ns[0]);
    double late = (double)(w->read_ns[0] - w->at_ns[0]);
    if (between <= 0 || late < 0 || late > between)
        return spent;
    return spent * (1 + late / between);
}

double window_cpu_ns(const struct window *w)
{
    if (!w->has[0] || !w->has[1] || w->cpu_ns[0] < 0 || w->cpu_ns[1] < 0)
        return -1;
    return between_marks(w, w->cpu_ns[0] + w->beside_cpu[0].counted,
                         w->cpu_ns[1] + w->beside_cpu[1].counted);
}

double window_beside_ns(const struct window *w)
{
    return !w->has[0] || !w->has[1]
               ? -1
               : between_marks(w, w->beside_cpu[0].apart, w->beside_cpu[1].apart);
}

double window_own_share(const struct window *w)
{
    double between = (double)(w->at_ns[1] - w->read_ns[0]);
    return w->has[0] && w->has[1] && between > 0
               ? (double)(w->own_ns[1] - w->own_ns[0]) / between
               : 0;
}

/* A database beside the service is no stranger on its CPUs. */
void window_noise(const struct window *w, struct noise_gauges *out)
{
    double cpu_ns = fmax(0, window_cpu_ns(w)) + fmax(0, window_beside_ns(w));
    *out = (struct noise_gauges){0};
    if (w->has[0] && w->has[1])
        noise_between(&w->snap[0], &w->snap[1], (int64_t)cpu_ns, w->cpus, out);
}
