/* SPDX-License-Identifier: MIT */
/*
 * arrival: see arrival.h.
 *
 * Let N(t) be the expected number of arrivals up to t, the integral of the rate. Arrival x is
 * due at N^-1(x): x = 0, 1, 2, ... for even spacing, x growing by Exp(1) for a Poisson process
 * (time change of a unit-rate process; Cinlar 1975). Within a stage the rate is linear in t, so
 * N is a quadratic and its inverse is written down below.
 */
#include "arrival.h"

#include <math.h>

static double stage_expected(const struct arrival_stage *s)
{
    return (s->from_rps + s->to_rps) / 2 * (double)s->duration_ns / 1e9;
}

/* Seconds into a stage at which 'x' arrivals of it have been expected. */
static double stage_inverse(const struct arrival_stage *s, double x)
{
    if (s->from_rps == s->to_rps)
        return x / s->from_rps;
    double slope = (s->to_rps - s->from_rps) / ((double)s->duration_ns / 1e9);
    double root = s->from_rps * s->from_rps + 2 * slope * x;
    /* Written so that nothing cancels when the slope is small. */
    return 2 * x / (s->from_rps + sqrt(root > 0 ? root : 0));
}

/* The next position: even spacing or the sum of 'step' unit exponentials' worth of time, that
 * is one exponential of mean 'step'. */
static double gap(struct arrival *a)
{
    return a->plan->poisson ? -a->step * log1p(-rng_unit(&a->rng)) : a->step;
}

void arrival_init(struct arrival *a, const struct arrival_plan *plan, uint64_t seed,
                  unsigned lane, unsigned lanes)
{
    *a = (struct arrival){.plan = plan, .step = lanes, .position = lane};
    rng_init(&a->rng, seed + lane);
    if (plan->poisson)
        a->position = gap(a);
}

int64_t arrival_next_due(struct arrival *a)
{
    for (; a->stage < a->plan->stages_len; a->stage++) {
        const struct arrival_stage *s = &a->plan->stages[a->stage];
        double expected = stage_expected(s);
        double x = a->position - a->stage_position;
        if (x < expected) {
            int64_t into = (int64_t)(stage_inverse(s, x < 0 ? 0 : x) * 1e9);
            a->position += gap(a);
            return a->stage_start_ns + (into < s->duration_ns ? into : s->duration_ns - 1);
        }
        a->stage_position += expected;
        a->stage_start_ns += s->duration_ns;
    }
    return ARRIVAL_END;
}

double arrival_expected(const struct arrival_plan *plan)
{
    double sum = 0;
    for (size_t i = 0; i < plan->stages_len; i++)
        sum += stage_expected(&plan->stages[i]);
    return sum;
}

int64_t arrival_duration_ns(const struct arrival_plan *plan)
{
    int64_t sum = 0;
    for (size_t i = 0; i < plan->stages_len; i++)
        sum += plan->stages[i].duration_ns;
    return sum;
}
