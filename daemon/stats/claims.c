/* SPDX-License-Identifier: MIT */
#include "claims.h"

#include <math.h>
#include <stdlib.h>

#include "auto.h"
#include "mem.h"

struct ranked {
    double p;
    size_t at;
};

static int compare(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->p, y = ((const struct ranked *)b)->p;
    return (x > y) - (x < y);
}

/* Sorted copy without the missing ones; caller frees. */
static struct ranked *rank(const double *p, size_t n, size_t *count)
{
    struct ranked *list = mem_alloc((n + 1) * sizeof *list);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            list[(*count)++] = (struct ranked){p[i], i};
    qsort(list, *count, sizeof *list, compare);
    return list;
}

void claims_holm(const double *p, size_t n, double *adjusted)
{
    size_t count;
    AUTO(mem_freep) struct ranked *list = rank(p, n, &count);
    double most = 0;
    for (size_t i = 0; i < n; i++)
        adjusted[i] = p[i];
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fmin(1, list[i].p * (double)(count - i)));
        adjusted[list[i].at] = most;
    }
}

static void step_up(const double *p, size_t n, int any_dependence, double *adjusted)
{
    size_t count;
    AUTO(mem_freep) struct ranked *list = rank(p, n, &count);
    double factor = 1, least = 1;
    for (size_t i = 2; any_dependence && i <= count; i++)
        factor += 1 / (double)i;
    for (size_t i = 0; i < n; i++)
        adjusted[i] = p[i];
    for (size_t i = count; i-- > 0;) {
        least = fmin(least, list[i].p * (double)count / (double)(i + 1) * factor);
        adjusted[list[i].at] = least;
    }
}

void claims_bh(const double *p, size_t n, double *adjusted)
{
    step_up(p, n, 0, adjusted);
}

void claims_by(const double *p, size_t n, double *adjusted)
{
    step_up(p, n, 1, adjusted);
}
