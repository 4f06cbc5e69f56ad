/* SPDX-License-Identifier: MIT */
/*
 * gate: see gate.h.
 *
 * A closed loop whose generator is the limit still measures CPU time per request honestly: the
 * service simply had less to do. Its throughput is then the generator's, which is noted as a
 * gauge. In an open loop a generator that is late did not send the load that was asked for, so
 * nothing of the round can be used.
 */
#include "gate.h"

#include <math.h>

static double larger(double a, double b)
{
    return a > b ? a : b;
}

void gate_add_noise(struct gate_arm *arm, const struct noise_gauges *noise, double seconds,
                    int cpus)
{
    arm->steal = larger(arm->steal, noise->steal);
    arm->throttled = larger(arm->throttled, noise->throttled);
    arm->hot = larger(arm->hot, noise->hot);
    double foreign = cpus > 0 ? noise->foreign_cpu / cpus : 0;
    if (seconds < GATE_WINDOW_LEAST_S || foreign <= GATE_FOREIGN_MAX ||
        noise->run_delay <= larger(GATE_RUN_DELAY_MAX, arm->run_delay))
        return;
    arm->foreign = foreign;
    arm->run_delay = noise->run_delay;
}

/* Who or what took the service's time; false: nobody. */
static bool is_noisy(const struct gate_arm *arm, struct str *why)
{
    const char *side = side_names[arm->side];
    if (arm->steal > GATE_STEAL_MAX)
        str_addf(why, "the hypervisor took %.0f %% of the CPU time at %s", 100 * arm->steal,
                 side);
    else if (arm->throttled > GATE_THROTTLED_MAX)
        str_addf(why, "a CPU limit of this host held %s back for %.0f %% of the time", side,
                 100 * arm->throttled);
    else if (arm->hot > GATE_HOT_MAX)
        str_addf(why, "a CPU was slowed for its heat %.0f times at %s", arm->hot, side);
    else if (arm->run_delay > GATE_RUN_DELAY_MAX && arm->foreign > GATE_FOREIGN_MAX)
        str_addf(why,
                 "other work took %.0f %% of the CPUs of %s, which waited %.2f s for each "
                 "second it ran",
                 100 * arm->foreign, side, arm->run_delay);
    else
        return false;
    return true;
}

enum gate_cause gate_judge(const struct gate_arm *arm, struct str *why)
{
    const char *side = side_names[arm->side];
    if (arm->service_ended) {
        str_addf(why, "the service of %s ended while it was measured%s", side, arm->ended_how);
        return GATE_ENDED;
    }
    if (arm->requests == 0 || arm->answered == 0) {
        str_addf(why, "nothing was measured: %s answered no request", side);
        return GATE_NOTHING;
    }
    if (arm->generator_limited && arm->open_loop) {
        str_addf(why, "load generator late at %s: %s", side, arm->generator_reason);
        return GATE_GENERATOR;
    }
    double failed = (double)arm->failed / (double)arm->requests;
    if (failed > GATE_FAILED_MAX) {
        str_addf(why, "unexpected answers: %.1f %% of the requests to %s", 100 * failed, side);
        return GATE_ANSWERS;
    }
    return is_noisy(arm, why) ? GATE_NOISE : GATE_NONE;
}

/* Combinations of variants may well answer differently; base and head of one may not. */
static const struct gate_arm *first_of(const struct gate_arm *arms, int variant)
{
    while (arms->variant != variant)
        arms++;
    return arms;
}

enum gate_cause gate_compare(const struct gate_arm *arms, size_t n, struct str *why)
{
    for (size_t i = 1; i < n; i++)
        for (size_t s = 0; s < SPEC_SCENARIOS_MAX; s++) {
            const struct gate_arm *first = first_of(arms, arms[i].variant);
            double a = first->answer_bytes[s];
            double b = arms[i].answer_bytes[s];
            if (a <= 0 || b <= 0 || fabs(a - b) <= GATE_BYTES_MAX * larger(a, b))
                continue;
            str_addf(why,
                     "answers under load are not those that were compared before: %.0f bytes "
                     "each from %s, %.0f from %s",
                     a, side_names[first->side], b, side_names[arms[i].side]);
            return GATE_ANSWERS;
        }
    return GATE_NONE;
}
