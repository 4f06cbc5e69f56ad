/* SPDX-License-Identifier: MIT */
/*
 * hist_times: CPU time of recording a response time, and of adding up a run of 64 loops and 60
 * seconds, as load_run does it: 3,840 histograms of seconds beside those of the whole.
 *
 *     record_ns 1.3
 *     merge_ms 4.2
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hist.h"
#include "mem.h"
#include "rng.h"
#include "tally.h"

enum { VALUES = 1 << 14, RECORD_TURNS = 2000, LOOPS = 64, SECONDS = 60, PER_SECOND = 2000 };

static int64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Response times as services have them: log-normal (Box, Muller 1958), median 0.3 ms. */
static void fill(struct rng *r, int64_t *values)
{
    for (size_t i = 0; i < VALUES; i++) {
        double z = sqrt(-2 * log(1 - rng_unit(r))) * cos(2 * M_PI * rng_unit(r));
        values[i] = (int64_t)(3e5 * exp(.5 * z));
    }
}

static double record_ns(const int64_t *values)
{
    struct hist h = {0};
    hist_init(&h);
    int64_t began = cpu_ns();
    for (unsigned turn = 0; turn < RECORD_TURNS; turn++)
        for (size_t i = 0; i < VALUES; i++)
            hist_record(&h, values[i]);
    double ns = (double)(cpu_ns() - began) / (double)h.count;
    hist_done(&h);
    return ns;
}

static void run_loop(struct tally *t, struct rng *r, const int64_t *values)
{
    tally_init(t, 1);
    for (unsigned s = 0; s < SECONDS; s++) {
        for (unsigned i = 0; i < PER_SECOND; i++) {
            int64_t value = values[rng_below(r, VALUES)];
            hist_record(&t->endpoints[0].response, value);
            hist_record(&t->second_response, value);
        }
        tally_roll(t);
    }
}

/* Every answer must still be there afterwards, or the time says nothing. */
static double merge_ms(struct rng *r, const int64_t *values)
{
    static struct tally loops[LOOPS];
    struct tally sum;
    struct hist all = {0};
    const struct tally *all_loops[LOOPS];
    for (size_t i = 0; i < LOOPS; i++) {
        run_loop(&loops[i], r, values);
        all_loops[i] = &loops[i];
    }
    tally_init(&sum, 1);
    hist_init(&all);
    int64_t began = cpu_ns();
    tally_merge(&sum, all_loops, LOOPS);
    double ms = (double)(cpu_ns() - began) / 1e6;
    tally_response(&sum, &all);
    uint64_t in_seconds = 0;
    for (size_t s = 0; s < sum.seconds.len; s++)
        for (size_t i = 0; i < sum.seconds.at[s].slots_len; i++)
            in_seconds += sum.seconds.at[s].slots[i].count;
    if (all.count != (uint64_t)LOOPS * SECONDS * PER_SECOND || in_seconds != all.count)
        abort();
    for (size_t i = 0; i < LOOPS; i++)
        tally_done(&loops[i]);
    tally_done(&sum);
    hist_done(&all);
    return ms;
}

int main(void)
{
    AUTO(mem_freep) int64_t *values = mem_alloc(VALUES * sizeof *values);
    struct rng r;
    rng_init(&r, 1);
    fill(&r, values);
    printf("record_ns %.3f\n", record_ns(values));
    printf("merge_ms %.3f\n", merge_ms(&r, values));
    return 0;
}
