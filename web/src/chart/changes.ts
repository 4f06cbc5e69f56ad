// SPDX-License-Identifier: MIT
/*
 * changes: one mark per position. A comparison of two commits and the history of the branch may
 * both find the same step; a reader wants to hear once that it is there, with both reasons. Pure.
 */
import type { BriefChange, Change } from '../api/types.ts';

export function isSure(change: BriefChange): boolean {
    return change.state === 'confirmed';
}

/* Ascending by position; of several at one position the surest comes forward. */
export function mergedChanges(changes: readonly Change[]): Change[] {
    const merged: Change[] = [];
    for (const change of [...changes].sort((a, b) => a.pos - b.pos)) {
        const before = merged.at(-1);
        if (!before || before.pos !== change.pos || before.worse !== change.worse) {
            merged.push(change);
            continue;
        }
        const [first, second] =
            isSure(change) && !isSure(before) ? [change, before] : [before, change];
        const why = [first.why, second.why].filter(Boolean).join('; ');
        merged[merged.length - 1] = { ...first, why };
    }
    return merged;
}
