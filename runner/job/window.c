/* SPDX-License-Identifier: MIT */
/* window: see window.h. */
#include "window.h"

#include "clock.h"

void window_mark(void *window, int edge, int64_t at_ns)
{
    struct window *w = window;
    pid_t pids[SANDBOX_PIDS_MAX];
    w->cpu_ns[edge] = sandbox_cpu_ns(w->sandbox);
    w->read_ns[edge] = clock_now_ns();
    w->at_ns[edge] = at_ns;
    w->has[edge] = true;
    size_t n = sandbox_pids(w->sandbox, pids, SANDBOX_PIDS_MAX);
    noise_snap(&w->snap[edge], w->cpus, pids, n);
}

double window_cpu_ns(const struct window *w)
{
    if (!w->has[0] || !w->has[1] || w->cpu_ns[0] < 0 || w->cpu_ns[1] < 0)
        return -1;
    double spent = (double)(w->cpu_ns[1] - w->cpu_ns[0]);
    double between = (double)(w->at_ns[1] - w->read_ns[0]);
    double late = (double)(w->read_ns[0] - w->at_ns[0]);
    if (between <= 0 || late < 0 || late > between)
        return spent;
    return spent * (1 + late / between);
}

void window_noise(const struct window *w, struct noise_gauges *out)
{
    double cpu_ns = window_cpu_ns(w);
    *out = (struct noise_gauges){0};
    if (w->has[0] && w->has[1])
        noise_between(&w->snap[0], &w->snap[1], cpu_ns < 0 ? 0 : (int64_t)cpu_ns, w->cpus, out);
}
