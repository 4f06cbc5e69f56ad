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
    if (arm->steal > GATE_STEAL_MAX) {
        str_addf(why, "the hypervisor took %.0f %% of the CPU time at %s", 100 * arm->steal,
                 side);
        return GATE_NOISE;
    }
    return GATE_NONE;
}
