// SPDX-License-Identifier: MIT
/*
 * rounds_chart: what each round measured of base and head, in the order of measuring. Base is a
 * hollow ring, head a filled dot; base measured twice shows as two rings. Medians are lines. Void
 * rounds are named below and stay out of the picture.
 */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Round, VerdictRow } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { padded } from '../chart/columns.ts';
import { dotsOf, median, type Dot } from '../chart/rounds.ts';
import * as format from '../text/format.ts';

const HEIGHT = 240;
const LEFT = 74;
const RIGHT = 76;
const TOP = 14;
const BOTTOM = 30;
const TICKS = 4;

@customElement('pw-rounds-chart')
export class RoundsChart extends PwElement {
    @property({ attribute: false }) rounds: Round[] = [];
    @property({ attribute: false }) row!: VerdictRow;
    @state() private width = 720;

    private readonly sizes = new ResizeObserver(([entry]) => {
        this.width = Math.max(280, Math.round(entry!.contentRect.width));
    });

    override connectedCallback(): void {
        super.connectedCallback();
        this.sizes.observe(this);
    }

    override disconnectedCallback(): void {
        super.disconnectedCallback();
        this.sizes.disconnect();
    }

    protected override render(): TemplateResult {
        const dots = dotsOf(this.rounds, this.row.series);
        const voided = this.rounds.filter((round) => round.void);
        return html`
            ${dots.length > 0 ? this.picture(dots) : html`<p class="faint">No round measured this metric.</p>`}
            ${
                voided.length > 0
                    ? html`<details class="voids"><summary>${format.plural(voided.length, 'void round')}</summary>
                    <ul>${voided.map((round) => html`<li>Round ${round.n}: ${round.void}</li>`)}</ul></details>`
                    : nothing
            }
            ${dots.length > 0 ? this.table(dots) : nothing}`;
    }

    private picture(dots: Dot[]): TemplateResult {
        const { width } = this;
        const [low, high] = padded(
            [
                Math.min(...dots.map((dot) => dot.value)),
                Math.max(...dots.map((dot) => dot.value)),
            ],
            false,
        );
        const last = Math.max(...this.rounds.map((round) => round.n));
        const step = (width - LEFT - RIGHT) / last;
        const x = (n: number) => LEFT + (n - 0.5) * step;
        const y = (value: number) =>
            TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
        const shift = Math.min(5, step / 4);
        const label = `Values of ${this.row.title} per round; the same numbers are in the table below.`;
        return html`<figure class="rounds">
            <svg viewBox="0 0 ${width} ${HEIGHT}" width=${width} height=${HEIGHT} role="img" aria-label=${label}>
                ${this.grid(low, high, y)}
                ${this.numbers(last, x)}
                ${this.medians(dots, y)}
                ${this.pairs(dots, x, y, shift)}
                ${dots.map((dot) => this.dot(dot, x(dot.n) + (dot.side === 'base' ? -shift : shift), y(dot.value)))}
            </svg>
            <figcaption><span class="legend"><i class="key ring"></i>base</span>
                <span class="legend"><i class="key dot"></i>head</span>
                <span class="legend"><i class="key median"></i>median of each</span></figcaption>
        </figure>`;
    }

    private grid(low: number, high: number, y: (value: number) => number): SVGTemplateResult {
        const { unit } = this.row;
        const values = Array.from(
            { length: TICKS },
            (_, i) => low + ((i + 0.5) / TICKS) * (high - low),
        );
        return svg`${values.map(
            (
                value,
            ) => svg`<path class="grid" d="M${LEFT} ${y(value)}H${this.width - RIGHT}"></path>
            <text class="tick end" x=${LEFT - 10} y=${y(value) + 4}>${format.value(unit, value)}</text>`,
        )}`;
    }

    private numbers(last: number, x: (n: number) => number): SVGTemplateResult {
        const every = Math.max(
            1,
            Math.ceil(last / Math.max(1, (this.width - LEFT - RIGHT) / 34)),
        );
        const shown = Array.from({ length: last }, (_, i) => i + 1).filter(
            (n) => n === 1 || n % every === 0,
        );
        return svg`${shown.map((n) => svg`<text class="tick middle" x=${x(n)} y=${HEIGHT - 8}>${n}</text>`)}`;
    }

    private medians(dots: Dot[], y: (value: number) => number): SVGTemplateResult {
        const end = this.width - RIGHT;
        const of = (side: string) =>
            median(
                dots
                    .filter((dot) => dot.side === side && dot.copy === 0)
                    .map((dot) => dot.value),
            );
        const [base, head] = [of('base'), of('head')];
        /* Labels of near medians step apart instead of covering each other. */
        const near = base !== null && head !== null && Math.abs(y(base) - y(head)) < 14;
        const line = (side: string, value: number | null, other: number | null) => {
            if (value === null) return nothing;
            const shift = near
                ? y(value) < y(other!) || (value === other && side === 'base')
                    ? -5
                    : 11
                : 4;
            return svg`<path class="median ${side}" d="M${LEFT} ${y(value)}H${end}"></path>
                <text class="tick ${side}" x=${end + 8} y=${y(value) + shift}>${format.value(this.row.unit, value)}</text>`;
        };
        return svg`${line('base', base, head)}${line('head', head, base)}`;
    }

    private pairs(
        dots: Dot[],
        x: (n: number) => number,
        y: (value: number) => number,
        shift: number,
    ): SVGTemplateResult {
        const lines = this.rounds.map((round) => {
            const base = dots.find((dot) => dot.n === round.n && dot.side === 'base');
            const head = dots.find((dot) => dot.n === round.n && dot.side === 'head');
            return base && head
                ? `M${x(round.n) - shift} ${y(base.value)}L${x(round.n) + shift} ${y(head.value)}`
                : '';
        });
        return svg`<path class="pairs" d=${lines.join('')}></path>`;
    }

    private dot(dot: Dot, x: number, y: number): SVGTemplateResult {
        const again = dot.copy > 0 ? ' again' : '';
        const text = `Round ${dot.n}, ${dot.side}${again}: ${format.value(this.row.unit, dot.value)}`;
        return svg`<circle class="dot ${dot.side}" cx=${x} cy=${y} r="4"><title>${text}</title></circle>`;
    }

    private table(dots: Dot[]): TemplateResult {
        const cell = (n: number, side: string) =>
            dots
                .filter((dot) => dot.n === n && dot.side === side)
                .map((dot) => format.value(this.row.unit, dot.value))
                .join(' and ') || '–';
        const numbers = [...new Set(dots.map((dot) => dot.n))];
        const row = (n: number) => html`<tr>
            <th scope="row" class="num">${n}</th>
            <td class="num">${cell(n, 'base')}</td>
            <td class="num">${cell(n, 'head')}</td>
        </tr>`;
        return html`<details class="voids"><summary>Rounds as a table</summary>
            <div class="table-box"><table class="points">
                <thead><tr>
                    <th scope="col" class="num">Round</th>
                    <th scope="col" class="num">Base</th>
                    <th scope="col" class="num">Head</th>
                </tr></thead>
                <tbody>${numbers.map(row)}</tbody>
            </table></div></details>`;
    }
}
