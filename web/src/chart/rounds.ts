// SPDX-License-Identifier: MIT
/* rounds: the values of one series out of raw rounds. Void rounds measured nothing. Pure. */
import type { Round } from '../api/types.ts';

export interface Dot {
    n: number;
    side: 'base' | 'head';
    copy: number;
    value: number;
}

export function dotsOf(rounds: Round[], series: number): Dot[] {
    const dots: Dot[] = [];
    for (const round of rounds) {
        if (round.void) continue;
        for (const arm of round.arms) {
            const value = arm.samples[String(series)];
            if (value != null) dots.push({ n: round.n, side: arm.side, copy: arm.copy, value });
        }
    }
    return dots;
}

export function median(values: number[]): number | null {
    if (values.length === 0) return null;
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface GaugeSummary {
    name: string;
    middle: number;
    most: number;
}

/* Every gauge over all arms of the rounds that count: its median and its largest value. */
export function gaugesOf(rounds: Round[]): GaugeSummary[] {
    const values = new Map<string, number[]>();
    for (const round of rounds.filter((one) => !one.void))
        for (const arm of round.arms)
            for (const [name, value] of Object.entries(arm.gauges ?? {})) {
                const known = values.get(name);
                if (known) known.push(value);
                else values.set(name, [value]);
            }
    return [...values].map(([name, all]) => ({
        name,
        middle: median(all)!,
        most: Math.max(...all),
    }));
}
