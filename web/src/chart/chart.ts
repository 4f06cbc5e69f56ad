// SPDX-License-Identifier: MIT
/*
 * chart: the history of one series; the only file that knows uPlot's options.
 *
 * A figure with a name that can be focused. Left and right move from commit to commit, n and p
 * from change to change, Enter pins, Escape shows everything. It tells its page by events:
 * 'pw-hover' {index}, 'pw-pin' {pos}, 'pw-zoom' {from, to} or {from: null}.
 */
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import uPlot from 'uplot';
import type { SeriesData } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { isPlain } from '../app/keys.ts';
import * as format from '../text/format.ts';
import { readColors, type ChartColors } from './colors.ts';
import { lowerBound, nearest, nextMark, padded, span } from './columns.ts';
import { overlay } from './draw.ts';

const HEIGHT = 380;
const HEIGHT_NARROW = 280;
const NARROW = 560;

@customElement('pw-chart')
export class Chart extends PwElement {
    @property({ attribute: false }) data!: SeriesData;
    @property({ attribute: false }) from: number | null = null;
    @property({ attribute: false }) to: number | null = null;
    @property({ attribute: false }) pinned: number | null = null;
    @property({ attribute: false }) fromZero = false;
    @property({ attribute: false }) label = '';

    private plot: uPlot | undefined;
    private colors: ChartColors = readColors();
    private index = -1; /* of the commit under the cursor */
    private readonly dark = matchMedia('(prefers-color-scheme: dark)');
    private readonly sizes = new ResizeObserver(() => this.resize());

    override connectedCallback(): void {
        super.connectedCallback();
        this.dark.addEventListener('change', this.repaint);
        globalThis.addEventListener('beforeprint', this.paper);
        globalThis.addEventListener('afterprint', this.screen);
        document.addEventListener('keydown', this.key);
    }

    override disconnectedCallback(): void {
        super.disconnectedCallback();
        this.dark.removeEventListener('change', this.repaint);
        globalThis.removeEventListener('beforeprint', this.paper);
        globalThis.removeEventListener('afterprint', this.screen);
        document.removeEventListener('keydown', this.key);
        this.sizes.disconnect();
        this.plot?.destroy();
        this.plot = undefined;
    }

    protected override render(): TemplateResult {
        return html`<div class="plot" tabindex="0" role="application" aria-roledescription="chart"
            aria-label=${this.label} aria-describedby="chart-keys"
            @dblclick=${() => this.tell('pw-zoom', { from: null, to: null })}></div>`;
    }

    protected override updated(changed: PropertyValues): void {
        if (!this.plot || changed.has('data') || changed.has('fromZero')) this.build();
        else this.apply();
    }

    private holder(): HTMLElement {
        return this.querySelector<HTMLElement>('.plot')!;
    }

    private columns(): uPlot.AlignedData {
        const { pos, value, lo, hi } = this.data;
        const bound = (column: (number | null)[]) => column.map((one, i) => one ?? value[i]!);
        return [
            Float64Array.from(pos),
            Float64Array.from(bound(hi)),
            Float64Array.from(bound(lo)),
            Float64Array.from(value),
        ];
    }

    private build(): void {
        this.plot?.destroy();
        this.sizes.disconnect();
        const holder = this.holder();
        this.plot = new uPlot(this.options(), this.columns(), holder);
        this.index = this.pinned === null ? -1 : this.data.pos.indexOf(this.pinned);
        this.apply();
        this.sizes.observe(holder);
    }

    private size(): { width: number; height: number } {
        const width = Math.max(240, this.holder().clientWidth);
        return { width, height: width < NARROW ? HEIGHT_NARROW : HEIGHT };
    }

    private options(): uPlot.Options {
        const colors = () => this.colors;
        const quiet = { show: false };
        const axis = {
            stroke: () => colors().axis,
            font: `12px ${this.colors.font}`,
            ticks: { show: false },
            grid: { stroke: () => colors().grid, width: 1 },
        };
        return {
            ...this.size(),
            padding: [8, 12, 0, 0],
            legend: quiet,
            scales: {
                x: { time: false, range: (_, low, high) => [low, high] },
                y: { range: (plot) => this.yRange(plot) },
            },
            axes: [
                {
                    ...axis,
                    grid: quiet,
                    values: (_, ticks) =>
                        ticks.map((t) => (Number.isInteger(t) ? format.count(t) : '')),
                    size: 34,
                    space: 70,
                },
                {
                    ...axis,
                    values: (plot, ticks) => this.yTicks(plot, ticks),
                    size: 64,
                    space: 44,
                },
            ],
            series: [
                {},
                { points: quiet, width: 0 },
                { points: quiet, width: 0 },
                { points: quiet, width: 1.25, stroke: () => colors().line },
            ],
            bands: [{ series: [1, 2], fill: () => colors().band }],
            cursor: {
                y: false,
                points: {
                    size: 9,
                    width: 2,
                    stroke: () => colors().line,
                    fill: () => colors().paper,
                },
                drag: { x: true, y: false, setScale: false, dist: 6 },
                bind: { dblclick: () => null },
            },
            hooks: {
                setCursor: [(plot) => this.hovered(plot)],
                setSelect: [(plot) => this.selected(plot)],
                ready: [
                    (plot) => plot.over.addEventListener('click', () => this.clicked(plot)),
                ],
            },
            plugins: [
                overlay(() => ({ data: this.data, colors: this.colors, pinned: this.pinned })),
            ],
        };
    }

    private yRange(plot: uPlot): uPlot.Range.MinMax {
        const { min, max } = plot.scales.x!;
        const { pos, value, lo, hi } = this.data;
        const first = lowerBound(pos, min ?? -Infinity);
        const last = lowerBound(pos, (max ?? Infinity) + 1e-9) - 1;
        return padded(span([value, lo, hi], first, last) ?? [0, 1], this.fromZero);
    }

    private yTicks(plot: uPlot, ticks: number[]): string[] {
        const scale = format.scaleFor(this.data.series.unit, plot.scales.y?.max ?? 0);
        const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : scale.factor;
        return ticks.map((t) => `${format.tick(scale, t, step)} ${scale.unit}`.trim());
    }

    private apply(): void {
        const { plot, data } = this;
        if (!plot || data.pos.length === 0) return;
        const min = (this.from ?? data.pos[0]!) - 0.5;
        const max = (this.to ?? data.pos.at(-1)!) + 0.5;
        plot.setScale('x', { min, max });
        plot.redraw(false, false);
    }

    private resize(): void {
        const size = this.size();
        if (this.plot && (size.width !== this.plot.width || size.height !== this.plot.height))
            this.plot.setSize(size);
    }

    private readonly repaint = (): void => {
        this.colors = readColors();
        this.plot?.redraw(false, true);
    };

    private readonly paper = (): void => {
        document.documentElement.classList.add('printing');
        this.repaint();
    };

    private readonly screen = (): void => {
        document.documentElement.classList.remove('printing');
        this.repaint();
    };

    private tell(name: string, detail: object): void {
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    }

    private hovered(plot: uPlot): void {
        const index = plot.cursor.idx;
        if (index == null || index === this.index) return;
        this.index = index;
        this.tell('pw-hover', { index });
    }

    private clicked(plot: uPlot): void {
        if (plot.select.width > 0 || plot.cursor.idx == null) return;
        this.tell('pw-pin', { pos: this.data.pos[plot.cursor.idx] });
    }

    private selected(plot: uPlot): void {
        const { left, width } = plot.select;
        if (width < 6) return;
        const from = Math.ceil(plot.posToVal(left, 'x'));
        const to = Math.floor(plot.posToVal(left + width, 'x'));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        if (to > from) this.tell('pw-zoom', { from, to });
    }

    private moveTo(index: number): void {
        const { plot, data } = this;
        if (!plot || data.pos.length === 0) return;
        this.index = Math.max(0, Math.min(data.pos.length - 1, index));
        const pos = data.pos[this.index]!;
        this.keepInView(pos);
        plot.setCursor(
            {
                left: plot.valToPos(pos, 'x'),
                top: plot.valToPos(data.value[this.index]!, 'y'),
            },
            false,
        );
        this.tell('pw-hover', { index: this.index });
    }

    /* A zoomed chart slides along when the keyboard walks out of it. */
    private keepInView(pos: number): void {
        const { from, to } = this;
        if (from === null || to === null || (pos >= from && pos <= to)) return;
        const shift = pos < from ? pos - from : pos - to;
        this.from = from + shift;
        this.to = to + shift;
        this.apply();
        this.tell('pw-zoom', { from: this.from, to: this.to });
    }

    private toMark(step: 1 | -1): void {
        const here = this.data.pos[this.index] ?? null;
        const mark = nextMark(
            this.data.changes.map((change) => change.pos),
            here,
            step,
        );
        if (mark === null) return;
        this.moveTo(nearest(this.data.pos, mark));
        this.tell('pw-pin', { pos: this.data.pos[this.index] });
    }

    private readonly key = (event: KeyboardEvent): void => {
        if (!isPlain(event) || event.defaultPrevented) return;
        const start = this.index < 0 ? this.data.pos.length : this.index;
        const within = this.contains(document.activeElement);
        const known: Record<string, () => void> = {
            ArrowLeft: () => this.moveTo(start - 1),
            ArrowRight: () => this.moveTo(this.index + 1),
            n: () => this.toMark(1),
            p: () => this.toMark(-1),
            Escape: () => this.tell('pw-zoom', { from: null, to: null }),
        };
        if (within) {
            known.Home = () => this.moveTo(0);
            known.End = () => this.moveTo(this.data.pos.length - 1);
            known.Enter = known[' '] = () => {
                if (this.index >= 0) this.tell('pw-pin', { pos: this.data.pos[this.index] });
            };
        }
        const act = known[event.key];
        if (!act || (event.target as Element).closest('dialog, .table-box')) return;
        act();
        event.preventDefault();
    };
}
