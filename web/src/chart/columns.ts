// SPDX-License-Identifier: MIT
/* columns: searching ascending columns, and what a stretch of them spans. Pure. */

/* The first index whose value is not below 'wanted'; the length when there is none. */
export function lowerBound(column: ArrayLike<number>, wanted: number): number {
    let low = 0;
    let high = column.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (column[middle]! < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The index nearest to 'wanted'; -1 in an empty column. */
export function nearest(column: ArrayLike<number>, wanted: number): number {
    const after = lowerBound(column, wanted);
    if (after === 0) return column.length > 0 ? 0 : -1;
    if (after === column.length) return after - 1;
    return wanted - column[after - 1]! <= column[after]! - wanted ? after - 1 : after;
}

/* The position of the next mark in one direction; null when there is none. */
export function nextMark(
    marks: readonly number[],
    from: number | null,
    step: 1 | -1,
): number | null {
    const ascending = [...marks].sort((a, b) => a - b);
    if (from === null) return (step > 0 ? ascending[0] : ascending.at(-1)) ?? null;
    const beyond = ascending.filter((mark) => (step > 0 ? mark > from : mark < from));
    return (step > 0 ? beyond[0] : beyond.at(-1)) ?? null;
}

/* Smallest and largest of several columns between two indices; null entries do not count. */
export function span(
    columns: ArrayLike<number | null>[],
    from: number,
    to: number,
): [number, number] | null {
    let low = Infinity;
    let high = -Infinity;
    for (const column of columns)
        for (let i = Math.max(0, from); i <= to && i < column.length; i++) {
            const value = column[i];
            if (value == null || !Number.isFinite(value)) continue;
            if (value < low) low = value;
            if (value > high) high = value;
        }
    return low <= high ? [low, high] : null;
}

/* Room around a span for the eye; a flat line gets a twentieth of its height. */
export function padded([low, high]: [number, number], fromZero: boolean): [number, number] {
    const size = high - low || Math.abs(high) * 0.05 || 1;
    const bottom = fromZero ? Math.min(0, low) : low - size * 0.12;
    return [bottom, high + size * 0.18];
}
