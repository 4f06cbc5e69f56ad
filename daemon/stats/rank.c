/* SPDX-License-Identifier: MIT */
/*
 * One idea serves all exact tests here: the null distribution of a sum of ranks is the number
 * of subsets with that sum, and subsets are counted by adding one item at a time. Ranks are
 * doubled so that mid-ranks of ties stay whole numbers.
 */
#include "rank.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "dist.h"
#include "mem.h"
#include "summary.h"

struct item {
    double size; /* what is ranked */
    int group;   /* 1: positive difference, or first sample */
};

static int compare_items(const void *a, const void *b)
{
    double x = ((const struct item *)a)->size, y = ((const struct item *)b)->size;
    return (x > y) - (x < y);
}

/* Sorts and writes doubled mid-ranks; returns the sum over ties of t^3 - t. */
static double rank_items(struct item *items, size_t n, uint32_t *doubled)
{
    double ties = 0;
    qsort(items, n, sizeof *items, compare_items);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && items[j].size == items[i].size)
            j++;
        for (size_t k = i; k < j; k++)
            doubled[k] = (uint32_t)(i + j + 1); /* ranks i+1..j have the mean (i+j+1)/2 */
        double t = (double)(j - i);
        ties += t * t * t - t;
        i = j;
    }
    return ties;
}

static void set_p(struct rank_test *out, double greater, double less)
{
    out->p_greater = fmin(1, greater);
    out->p_less = fmin(1, less);
    out->p_two = fmin(1, 2 * fmin(out->p_greater, out->p_less));
}

/* P(sum >= s) and P(sum <= s) from a distribution over doubled sums. */
static void tails(const double *share, size_t len, size_t s, struct rank_test *out)
{
    double greater = 0, less = 0;
    for (size_t j = 0; j < len; j++) {
        if (j >= s)
            greater += share[j];
        if (j <= s)
            less += share[j];
    }
    set_p(out, greater, less);
}

/* Normal approximation with continuity correction; mean, variance and s in doubled ranks. */
static void tails_normal(double mean, double variance, double s, struct rank_test *out)
{
    double sd = sqrt(variance);
    if (sd == 0) {
        set_p(out, 1, 1);
        return;
    }
    set_p(out, dist_normal_upper((s - 1 - mean) / sd), dist_normal_upper((mean - s - 1) / sd));
}

/* Distribution of the doubled sum of randomly signed ranks, as shares; caller frees. */
static double *signed_shares(const uint32_t *doubled, size_t n, size_t *len)
{
    size_t top = 0;
    for (size_t i = 0; i < n; i++)
        top += doubled[i];
    double *share = mem_zero(top + 1, sizeof *share);
    share[0] = 1;
    size_t reach = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = doubled[i];
        reach += k;
        for (size_t j = reach + 1; j-- > 0;)
            share[j] = 0.5 * (share[j] + (j >= k ? share[j - k] : 0));
    }
    *len = top + 1;
    return share;
}

void rank_signed(const double *d, size_t n, double centre, struct rank_test *out)
{
    AUTO(mem_freep) struct item *items = mem_alloc((n + 1) * sizeof *items);
    AUTO(mem_freep) uint32_t *doubled = mem_alloc((n + 1) * sizeof *doubled);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        double u = d[i] - centre;
        if (u != 0)
            items[used++] = (struct item){.size = fabs(u), .group = u > 0};
    }
    double ties = rank_items(items, used, doubled);
    size_t plus = 0;
    for (size_t i = 0; i < used; i++)
        plus += items[i].group ? doubled[i] : 0;
    *out = (struct rank_test){.used = used, .statistic = 0.5 * (double)plus};
    if (used == 0) {
        set_p(out, 1, 1);
    } else if (used <= RANK_SIGNED_EXACT_MAX) {
        size_t len;
        AUTO(mem_freep) double *share = signed_shares(doubled, used, &len);
        tails(share, len, plus, out);
    } else {
        double m = (double)used;
        tails_normal(m * (m + 1) / 2, m * (m + 1) * (2 * m + 1) / 6 - ties / 12, (double)plus,
                     out);
    }
}

/* Distribution of the doubled rank sum of n items drawn from all, as shares; caller frees.
 * Row k of the table holds the subsets of k items. */
static double *sum_shares(const uint32_t *doubled, size_t all, size_t n, size_t *len)
{
    size_t top = 0;
    for (size_t i = 0; i < n; i++)
        top += doubled[all - 1 - i]; /* the n largest */
    size_t width = top + 1;
    AUTO(mem_freep) double *table = mem_zero((n + 1) * width, sizeof *table);
    table[0] = 1;
    for (size_t i = 0; i < all; i++) {
        size_t most = i + 1 < n ? i + 1 : n, r = doubled[i];
        for (size_t k = most; k >= 1; k--)
            for (size_t j = r; j < width; j++)
                table[k * width + j] += table[(k - 1) * width + j - r];
    }
    double *share = mem_alloc(width * sizeof *share), total = 0;
    for (size_t j = 0; j < width; j++)
        total += table[n * width + j];
    for (size_t j = 0; j < width; j++)
        share[j] = table[n * width + j] / total;
    *len = width;
    return share;
}

void rank_sum(const double *x, size_t n, const double *y, size_t m, struct rank_test *out)
{
    size_t all = n + m;
    AUTO(mem_freep) struct item *items = mem_alloc((all + 1) * sizeof *items);
    AUTO(mem_freep) uint32_t *doubled = mem_alloc((all + 1) * sizeof *doubled);
    for (size_t i = 0; i < all; i++)
        items[i] = (struct item){.size = i < n ? x[i] : y[i - n], .group = i < n};
    double ties = rank_items(items, all, doubled);
    size_t sum = 0;
    for (size_t i = 0; i < all; i++)
        sum += items[i].group ? doubled[i] : 0;
    double nn = (double)n, mm = (double)m, total = nn + mm;
    *out = (struct rank_test){.used = all, .statistic = 0.5 * (double)sum - nn * (nn + 1) / 2};
    if (n == 0 || m == 0) {
        set_p(out, 1, 1);
    } else if (all <= RANK_SUM_EXACT_MAX) {
        size_t len;
        AUTO(mem_freep) double *share = sum_shares(doubled, all, n, &len);
        tails(share, len, sum, out);
    } else {
        double variance = nn * mm / 3 * (total + 1 - ties / (total * (total - 1)));
        tails_normal(nn * (total + 1), variance, (double)sum, out);
    }
}

double rank_signed_least_p(size_t n)
{
    return fmin(1, ldexp(2, -(int)(n < 1000 ? n : 1000)));
}

/* Largest c with P(W <= c) <= level for n untied ranks, -1 when there is none; the probability
 * reached goes to *below. */
static long signed_critical(size_t n, double level, double *below)
{
    *below = 0;
    if (n > RANK_SIGNED_EXACT_MAX) {
        double m = (double)n, mean = m * (m + 1) / 4, sd = sqrt(m * (m + 1) * (2 * m + 1) / 24);
        *below = level;
        return (long)floor(mean + dist_normal_quantile(level) * sd - 0.5);
    }
    AUTO(mem_freep) uint32_t *ranks = mem_alloc((n + 1) * sizeof *ranks);
    for (size_t i = 0; i < n; i++)
        ranks[i] = (uint32_t)(i + 1);
    size_t len;
    AUTO(mem_freep) double *share = signed_shares(ranks, n, &len);
    long c = -1;
    while ((size_t)(c + 1) < len && *below + share[c + 1] <= level * (1 + 1e-9))
        *below += share[++c];
    return c;
}

void rank_location(const double *d, size_t n, double alpha, struct rank_interval *out)
{
    *out = (struct rank_interval){0};
    if (n == 0)
        return;
    size_t pairs = n * (n + 1) / 2, k = 0;
    AUTO(mem_freep) double *walsh = mem_alloc(pairs * sizeof *walsh);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            walsh[k++] = 0.5 * (d[i] + d[j]);
    summary_sort(walsh, pairs);
    out->estimate =
        pairs % 2 ? walsh[pairs / 2] : 0.5 * (walsh[pairs / 2 - 1] + walsh[pairs / 2]);
    double below;
    long c = signed_critical(n, alpha / 2, &below);
    if (c < 0) {
        c = 0;
        below = 0.5 * rank_signed_least_p(n);
    }
    out->lo = walsh[c];
    out->hi = walsh[pairs - 1 - (size_t)c];
    out->level = 1 - 2 * below;
}
