// SPDX-License-Identifier: MIT
/* gauges: what a host tells about itself while something is measured, by name and unit. Pure. */
import * as format from './format.ts';

type Kind = 'share' | 'ns' | '1/s' | 'number';

const KNOWN: Record<string, [title: string, kind: Kind]> = {
    run_delay: ['waiting for a CPU per time running', 'share'],
    foreign_cpu: ['CPUs taken by other work', 'number'],
    throttled: ['time held back by a CPU limit', 'share'],
    cpu_mhz: ['clock of the CPUs in MHz', 'number'],
    steal: ['CPU time stolen by the hypervisor', 'share'],
    psi_cpu: ['CPU pressure', 'share'],
    psi_memory: ['memory pressure', 'share'],
    psi_io: ['disk pressure', 'share'],
    switches_per_s: ['context switches of the host', '1/s'],
    involuntary_per_s: ['preemptions of the service', '1/s'],
    runner_cpu: ['CPU share of the runner itself', 'share'],
    warmup_ns: ['warm-up until the service was steady', 'ns'],
    load_cpu: ['CPU share of the load generator', 'share'],
    load_late_p99_ns: ['lateness of requests, p99', 'ns'],
    load_limited: ['rounds limited by the load generator', 'share'],
    listen_backlog: ['connections that may wait to be accepted', 'number'],
    closed_per_request: ['connections closed by the service per request', 'share'],
    answer_bytes: ['bytes of an answer', 'number'],
    canary_ns: ['CPU time per request of the reference service', 'ns'],
    responses_different: ['endpoints answering differently', 'number'],
};

export function gaugeTitle(name: string): string {
    return format.title(KNOWN[name]?.[0] ?? name.replaceAll('_', ' '));
}

export function gaugeValue(name: string, value: number): string {
    const kind = KNOWN[name]?.[1] ?? 'number';
    if (kind === 'share') return format.share(value);
    return kind === 'number' ? format.plain(value) : format.value(kind, value);
}
