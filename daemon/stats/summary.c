/* SPDX-License-Identifier: MIT */
/*
 * Order statistics. Selection is used instead of sorting wherever one quantile is enough,
 * because the change-point search takes a median around every point of a history.
 */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "mem.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void summary_sort(double *x, size_t n)
{
    if (n < 32) { /* insertion sort: the usual sample is a handful of rounds */
        for (size_t i = 1; i < n; i++) {
            double v = x[i];
            size_t j = i;
            for (; j > 0 && x[j - 1] > v; j--)
                x[j] = x[j - 1];
            x[j] = v;
        }
        return;
    }
    qsort(x, n, sizeof *x, compare);
}

/* Puts the k-th smallest value at x[k], smaller ones before it and larger ones behind. */
static void select_kth(double *x, size_t n, size_t k)
{
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        double pivot = x[lo + (hi - lo) / 2];
        size_t i = lo, j = hi;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i <= j) {
                double swap = x[i];
                x[i++] = x[j];
                x[j] = swap;
                if (j == 0)
                    break;
                j--;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            return;
    }
}

double summary_median_inplace(double *x, size_t n)
{
    if (n == 0)
        return 0;
    if (n < 32) {
        summary_sort(x, n);
        return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
    }
    select_kth(x, n, n / 2);
    if (n % 2)
        return x[n / 2];
    double below = x[0];
    for (size_t i = 1; i < n / 2; i++)
        below = fmax(below, x[i]);
    return 0.5 * (below + x[n / 2]);
}

double summary_median(const double *x, size_t n)
{
    if (n == 0)
        return 0;
    AUTO(mem_freep) double *copy = mem_dup(x, n * sizeof *x);
    return summary_median_inplace(copy, n);
}

double summary_quantile(const double *sorted, size_t n, double q)
{
    if (n == 0)
        return 0;
    double at = q * (double)(n - 1);
    size_t i = (size_t)floor(at);
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

double summary_mad(const double *x, size_t n, double centre)
{
    if (n == 0)
        return 0;
    AUTO(mem_freep) double *copy = mem_alloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        copy[i] = fabs(x[i] - centre);
    return 1.4826 * summary_median_inplace(copy, n);
}

double summary_shamos(const double *x, size_t n)
{
    /* Factors that make the estimate right on average for Gaussian samples of n values; found
     * by simulation (400,000 samples each, standard error below .2 %). Beyond: 1 - .45 / n. */
    static const double factor[] = {1, 1, .8458, .7709, .8638, .9075, .9090};
    if (n < 2)
        return 0;
    if (n > SUMMARY_SHAMOS_MAX)
        n = SUMMARY_SHAMOS_MAX;
    AUTO(mem_freep) double *gaps = mem_alloc(n * (n - 1) / 2 * sizeof *gaps);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            gaps[k++] = fabs(x[i] - x[j]);
    double correct = n < ARRAY_LEN(factor) ? factor[n] : 1 - 0.45 / (double)n;
    return 1.048358 * correct * summary_median_inplace(gaps, k);
}

double summary_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : 0;
}
