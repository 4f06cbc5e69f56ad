/* SPDX-License-Identifier: MIT */
/*
 * stats_times: CPU time of the change-point search, of appending one point, and of one verdict.
 * Prints a table; the answers are checked elsewhere.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auto.h"
#include "changepoint.h"
#include "histories.h"
#include "mem.h"
#include "summary.h"
#include "verdict.h"

enum { REPEAT = 21 };

static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void history(enum noise_kind kind, bool steps, double *x, size_t n)
{
    struct rng r;
    double level = 1;
    rng_init(&r, 1);
    histories_one(kind, &r, .01, 0, 0, x, n);
    for (size_t i = 0; i < n; i++) {
        if (steps && rng_below(&r, 150) == 0)
            level *= rng_below(&r, 2) ? 1.04 : 1 / 1.04;
        x[i] *= level;
    }
}

static void time_search(const char *name, enum noise_kind kind, bool steps, size_t n)
{
    AUTO(mem_freep) double *x = mem_alloc(n * sizeof *x);
    double ms[REPEAT];
    size_t repeat = n > 100000 ? 3 : REPEAT, edges = 0;
    history(kind, steps, x, n);
    for (size_t i = 0; i < repeat; i++) {
        AUTO(change_list_done) struct change_list found = {0};
        double began = cpu_ms();
        (void)change_find(x, n, &(struct change_options){0}, &found, NULL);
        ms[i] = cpu_ms() - began;
        edges = found.len;
    }
    summary_sort(ms, repeat);
    printf("search  %-10s n %7zu  %5zu edges  median %8.3f ms  best %8.3f ms\n", name, n, edges,
           summary_quantile(ms, repeat, .5), ms[0]);
}

static void time_append(const char *name, enum noise_kind kind, bool steps, size_t n)
{
    AUTO(mem_freep) double *x = mem_alloc(n * sizeof *x);
    AUTO(change_watch_freep)
    struct change_watch *w = change_watch_new(&(struct change_options){0});
    history(kind, steps, x, n);
    double began = cpu_ms(), slowest = 0;
    for (size_t i = 0; i < n; i++) {
        double before = cpu_ms();
        (void)change_watch_append(w, x[i], NULL);
        double took = cpu_ms() - before;
        slowest = took > slowest ? took : slowest;
    }
    printf("append  %-10s n %7zu  %5zu edges  mean   %8.4f ms  worst %7.3f ms\n", name, n,
           change_watch_edges(w)->len, (cpu_ms() - began) / (double)n, slowest);
}

static void time_verdict(size_t metrics, size_t rounds)
{
    AUTO(mem_freep) double *x = mem_alloc(2 * metrics * rounds * sizeof *x);
    AUTO(mem_freep) struct verdict_metric *m = mem_zero(metrics, sizeof *m);
    AUTO(mem_freep) struct verdict_row *row = mem_zero(metrics, sizeof *row);
    struct verdict_family family;
    double ms[REPEAT];
    history(NOISE_GAUSS, false, x, 2 * metrics * rounds);
    for (size_t k = 0; k < metrics; k++)
        m[k] = (struct verdict_metric){.name = "m",
                                       .direction = -1,
                                       .primary = true,
                                       .least_effect = .05,
                                       .rounds = rounds,
                                       .base = x + 2 * k * rounds,
                                       .head = x + (2 * k + 1) * rounds};
    for (size_t i = 0; i < REPEAT; i++) {
        double began = cpu_ms();
        (void)verdict_judge(m, metrics, &(struct verdict_rules){.alpha = .01}, row, &family,
                            NULL);
        ms[i] = cpu_ms() - began;
    }
    summary_sort(ms, REPEAT);
    printf("verdict %zu metrics, %zu rounds: median %.3f ms\n", metrics, rounds,
           summary_quantile(ms, REPEAT, .5));
}

int main(void)
{
    static const size_t sizes[] = {200, 1000, 10000, 1000000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        time_search("flat", NOISE_GAUSS, false, sizes[i]);
        time_search("steps", NOISE_GAUSS, true, sizes[i]);
        time_search("ar1", NOISE_AR1, false, sizes[i]);
        time_search("periodic", NOISE_PERIODIC, false, sizes[i]);
    }
    time_append("flat", NOISE_GAUSS, false, 5000);
    time_append("steps", NOISE_GAUSS, true, 5000);
    time_append("ar1", NOISE_AR1, false, 5000);
    time_verdict(3, 10);
    time_verdict(20, 10);
    time_verdict(20, 30);
    return 0;
}
