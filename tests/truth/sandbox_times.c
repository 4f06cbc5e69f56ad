/* SPDX-License-Identifier: MIT */
/*
 * sandbox_times: what starting and ending a sandbox takes, beside the same without one.
 *
 *     sandbox_times COUNT     prints "start_ms end_ms plain_start_ms plain_end_ms", medians
 *
 * Start: from the call to the moment when the program is executed. End: from the program's own
 * end until nothing of it is left.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "opt.h"
#include "sandbox.h"
#include "step.h"

enum { COUNT_MAX = 10000, TASKS = 16 };

#define WITHIN_NS (5 * CLOCK_NS_PER_S)
#define MEMORY    (INT64_C(64) << 20)
#define FILES     (INT64_C(1) << 20)

struct times {
    double start_ms, end_ms;
};

static int run_once(const struct sandbox_host *h, const struct sandbox_spec *spec,
                    struct times *out, struct err *e)
{
    AUTO(sandbox_freep) struct sandbox *s = NULL;
    struct sandbox_use use;
    int status;
    int64_t called_ns = clock_now_ns();
    if (sandbox_start(h, spec, &s, e) < 0)
        return -1;
    out->start_ms = (double)(sandbox_started_ns(s) - called_ns) / 1e6;
    if (!sandbox_wait(s, clock_now_ns() + WITHIN_NS, &status) || status != 0)
        return err_set(e, ERR_SYSTEM, "'true' did not end well");
    int64_t ended_ns = clock_now_ns();
    if (sandbox_end(s, &use, e) < 0)
        return -1;
    out->end_ms = (double)(clock_now_ns() - ended_ns) / 1e6;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run_many(const struct sandbox_host *h, const struct sandbox_spec *spec, size_t n,
                    struct err *e)
{
    AUTO(mem_freep) double *start = mem_alloc(n * sizeof *start);
    AUTO(mem_freep) double *end = mem_alloc(n * sizeof *end);
    for (size_t i = 0; i < n; i++) {
        struct times t;
        if (run_once(h, spec, &t, e) < 0)
            return -1;
        start[i] = t.start_ms;
        end[i] = t.end_ms;
    }
    qsort(start, n, sizeof *start, by_value);
    qsort(end, n, sizeof *end, by_value);
    printf("%.2f %.2f ", start[n / 2], end[n / 2]);
    return 0;
}

int main(int argc, char **argv)
{
    int status = keeper_main(argc, argv);
    struct err e = {0};
    struct sandbox_host host;
    char area[] = "/tmp/pacewatch-times-XXXXXX";
    const char *const command[] = {"/usr/bin/true", NULL};
    int64_t count = 0;
    if (status >= 0)
        return status;
    if (argc != 2 || opt_int(view_z(argv[1]), 1, COUNT_MAX, &count, &e) < 0) {
        fprintf(stderr, "usage: sandbox_times COUNT\n");
        return 2;
    }
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (!mkdtemp(area) || chmod(area, 0755) < 0 || sandbox_host_open(&host, area, &e) < 0) {
        fprintf(stderr, "sandbox_times: %s: %s\n", area, e.text);
        return 1;
    }
    struct sandbox_spec spec = {.name = "times",
                                .argv = command,
                                .area = area,
                                .memory = MEMORY,
                                .tasks = TASKS,
                                .tmp = FILES,
                                .file = FILES,
                                .out = out};
    int rc = run_many(&host, &spec, (size_t)count, &e);
    spec.off = true;
    if (rc == 0)
        rc = run_many(&host, &spec, (size_t)count, &e);
    puts("");
    sandbox_host_close(&host);
    (void)close(out);
    (void)rmdir(area);
    if (rc < 0)
        fprintf(stderr, "sandbox_times: %s\n", e.text);
    return rc < 0;
}
