// SPDX-License-Identifier: MIT
/*
 * sparkline: the newest values of a series as one line with its changes. Drawn in a stretched
 * viewBox with strokes that do not stretch; a dot is a line of length zero with round ends.
 */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import type { BriefChange } from '../api/types.ts';
import { lowerBound } from '../chart/columns.ts';

const WIDTH = 200;
const HEIGHT = 44;
const EDGE = 6;

interface Frame {
    x(index: number): number;
    y(value: number): number;
}

function frame(values: number[]): Frame {
    let low = Math.min(...values);
    let high = Math.max(...values);
    /* A quiet series should look quiet: noise below 5 % does not fill the height. */
    const room = (Math.abs(high + low) / 2) * 0.05 - (high - low);
    if (room > 0) {
        low -= room / 2;
        high += room / 2;
    }
    if (high === low) {
        low -= 0.5;
        high += 0.5;
    }
    const span = high - low;
    const step = values.length > 1 ? (WIDTH - 2 * EDGE) / (values.length - 1) : 0;
    return {
        x: (index) => EDGE + index * step,
        y: (value) => HEIGHT - EDGE - ((value - low) / span) * (HEIGHT - 2 * EDGE),
    };
}

function round(number: number): string {
    return number.toFixed(1);
}

function mark(
    at: Frame,
    index: number,
    values: number[],
    change: BriefChange,
): SVGTemplateResult {
    const x = round(at.x(index));
    const y = round(at.y(values[index]!));
    const tone = change.worse ? 'worse' : 'better';
    return svg`<path class="rule ${tone}" d="M${x} 2V${HEIGHT - 2}"></path>
        <path class="dot ${tone}" d="M${x} ${y}h0"></path>`;
}

export function sparkline(
    pos: number[],
    values: number[],
    changes: BriefChange[],
): TemplateResult {
    if (values.length === 0) return html`<div class="spark empty">no values yet</div>`;
    const at = frame(values);
    const line = values.map(
        (value, index) => `${index ? 'L' : 'M'}${round(at.x(index))} ${round(at.y(value))}`,
    );
    const last = values.length - 1;
    const marks = changes
        .map((change) => ({ change, index: lowerBound(pos, change.pos) }))
        .filter(({ index }) => index < pos.length);
    return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        <path class="line" d=${line.join('')}></path>
        ${marks.map(({ change, index }) => mark(at, index, values, change))}
        ${last >= 0 && !marks.some(({ index }) => index === last) ? svg`<path class="dot now" d="M${round(at.x(last))} ${round(at.y(values[last]!))}h0"></path>` : nothing}
    </svg>`;
}
