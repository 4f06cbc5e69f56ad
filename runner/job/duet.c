/* SPDX-License-Identifier: MIT */
/* duet: see duet.h. */
#include "duet.h"

#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

enum { CORES_LEAST = 4, TRIALS = 31, STEPS = 2000000 };

/* A piece of work that depends on nothing but the CPU; its result keeps it from vanishing. */
static double work_ns(void)
{
    static volatile uint64_t kept;
    uint64_t x = kept | 1;
    int64_t from_ns = clock_now_ns();
    for (int i = 0; i < STEPS; i++)
        x = x * UINT64_C(6364136223846793005) + 1;
    kept = x;
    return (double)(clock_now_ns() - from_ns);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median absolute deviation over the median (Hampel 1974) of the work's times. */
static double machine_noise(void)
{
    double t[TRIALS];
    for (int i = 0; i < TRIALS; i++)
        t[i] = work_ns();
    qsort(t, TRIALS, sizeof t[0], by_value);
    double median = t[TRIALS / 2];
    for (int i = 0; i < TRIALS; i++)
        t[i] = fabs(t[i] - median);
    qsort(t, TRIALS, sizeof t[0], by_value);
    return t[TRIALS / 2] / median;
}

/* NULL: nothing speaks against it. */
static const char *obstacle(struct job *j, bool possible)
{
    if (!j->doc->side[SIDE_BASE].present)
        return "there is no base";
    if (j->doc->spec->services_len > 0)
        return "the services of a spec are made for one arm at a time";
    return possible ? NULL : "this machine has one core";
}

/* Arms that run alone have no such fact, so that their series go on. */
static void note_identity(struct job *j)
{
    *vec_push(&j->result->identity) =
        (struct result_fact){.name = mem_strdup("pairing"), .text = mem_strdup("duet")};
}

int duet_choose(struct job *j)
{
    enum spec_pairing wish = j->doc->spec->sensitivity.pairing;
    struct cpus_machine machine;
    if (wish == SPEC_INTERLEAVED)
        return 0;
    machine.allowed = j->cpus.all;
    cpus_read_cores(&machine);
    bool possible = cpus_halve(&machine, j->halves);
    const char *why_not = obstacle(j, possible);
    if (wish == SPEC_DUET && why_not && j->doc->side[SIDE_BASE].present)
        return job_fail(j, FAILURE_CONFIG, -1, "'pairing' is 'duet', but %s", why_not);
    double noise = 0;
    if (wish == SPEC_PAIRING_AUTO && !why_not) {
        noise = machine_noise();
        why_not = j->cpus.cores < CORES_LEAST ? "fewer than four cores"
                  : noise <= DUET_NOISE       ? "the machine is quiet"
                                              : NULL;
        job_note(j, "a fixed piece of work varies by %.1f %%", 100 * noise);
    }
    j->duet = !why_not;
    if (j->duet)
        note_identity(j);
    job_note(j, "arms are measured %s%s%s", j->duet ? "in a duet" : "one after the other",
             why_not ? ": " : "", why_not ? why_not : "");
    if (j->duet)
        job_note(j, "service and generator of the halves on CPUs %s and %s, %s and %s%s",
                 j->halves[0].service_list, j->halves[0].load_list, j->halves[1].service_list,
                 j->halves[1].load_list, j->halves[0].shared ? " (shared)" : "");
    return 0;
}
