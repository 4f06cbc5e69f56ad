// SPDX-License-Identifier: MIT
/* colors: what the stylesheet says, for canvases, which cannot read it themselves. */

export interface ChartColors {
    line: string;
    band: string;
    level: string;
    grid: string;
    axis: string;
    ink: string;
    paper: string;
    worse: string;
    better: string;
    event: string;
    focus: string;
    font: string;
}

export function readColors(): ChartColors {
    const style = getComputedStyle(document.documentElement);
    const read = (name: string) => style.getPropertyValue(name).trim();
    return {
        line: read('--chart-line'),
        band: read('--chart-band'),
        level: read('--chart-level'),
        grid: read('--chart-grid'),
        axis: read('--ink-3'),
        ink: read('--ink'),
        paper: read('--surface'),
        worse: read('--worse-mark'),
        better: read('--better-mark'),
        event: read('--event'),
        focus: read('--accent'),
        font: getComputedStyle(document.body).fontFamily,
    };
}
