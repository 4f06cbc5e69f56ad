// SPDX-License-Identifier: MIT
/*
 * verdict_table: the rows of a verdict, worst first. Beside the numbers stands a small picture:
 * the interval as a line, the estimate as a diamond, the noise of equal code as the shade behind.
 */
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { VerdictRow } from '../api/types.ts';
import { paths, query, setQuery } from '../app/router.ts';
import * as format from '../text/format.ts';
import { outcomeWord, placeWord } from '../text/words.ts';
import { chip } from './chip.ts';

const WIDTH = 160;
const HEIGHT = 24;
const EDGE = 6; /* room for half a diamond */

const NOISE_MEANS = 'Difference seen between two measurements of the same code';
const REACHES = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5];
const ROOM = 1.15; /* beyond the largest effect */

/* All pictures of a table share one scale, wide enough for the rows that decide; an estimate beyond
 * it is an arrow at the edge. */
function reach(rows: VerdictRow[]): number {
    const deciding = rows.some((row) => row.primary) ? rows.filter((row) => row.primary) : rows;
    const sizes = deciding.flatMap((row) => [row.effect ?? 0, row.noise ?? 0]);
    const widest = Math.max(...sizes.map(Math.abs)) * ROOM;
    return REACHES.find((one) => one >= widest) ?? REACHES.at(-1)!;
}

function estimate(effect: number, most: number, at: number): string {
    const middle = HEIGHT / 2;
    if (Math.abs(effect) <= most) return `M${at} ${middle - 5}l5 5l-5 5l-5 -5z`;
    const out = Math.sign(effect) * EDGE;
    return `M${at + out} ${middle}l${-2 * out} -5v10z`;
}

function picture(row: VerdictRow, most: number): TemplateResult {
    if (row.effect == null) return html``;
    const x = (share: number) =>
        WIDTH / 2 + (WIDTH / 2 - EDGE) * Math.max(-1, Math.min(1, share / most));
    const noise = row.noise ?? 0;
    const band = Math.max(0, x(noise) - x(-noise));
    const known = row.lo != null && row.hi != null;
    return html`<svg class="forest ${outcomeWord(row.outcome).tone}" viewBox="0 0 ${WIDTH} ${HEIGHT}"
        width=${WIDTH} height=${HEIGHT} aria-hidden="true">
        <rect class="noise" x=${x(-noise)} y="3" width=${band} height=${HEIGHT - 6} rx="2"></rect>
        <path class="zero" d="M${WIDTH / 2} 0V${HEIGHT}"></path>
        ${known ? svg`<path class="range" d="M${x(row.lo!)} ${HEIGHT / 2}H${x(row.hi!)}"></path>` : nothing}
        <path class="estimate" d=${estimate(row.effect, most, x(row.effect))}></path>
    </svg>`;
}

function scale(most: number): TemplateResult {
    const end = `${format.count(most * 100)} %`;
    return html`<span class="scale"><span>−${end}</span><span>0</span><span>+${end}</span></span>`;
}

function noiseWord(row: VerdictRow): string {
    return row.noise == null ? '–' : `±${format.share(row.noise, row.unit)}`;
}

function tableRow(
    row: VerdictRow,
    most: number,
    chosen: number,
    choose: (series: number) => void,
): TemplateResult {
    const word = outcomeWord(row.outcome);
    const here = row.series === chosen;
    return html`<tr class="${here ? 'chosen' : ''} ${row.primary ? '' : 'beside'}" @click=${(
        event: Event,
    ) => {
        if (!(event.target as Element).closest('a, button')) choose(row.series);
    }}>
        <th scope="row">
            <button type="button" class="link" data-walk title="Show its rounds below"
                aria-pressed=${here ? 'true' : 'false'} @click=${() => choose(row.series)}>${format.title(row.title)}</button>
            <p class="faint">${row.scenario}${row.variant ? ` · ${row.variant}` : nothing}
                ${row.endpoint ? html` · <span class="endpoint">${row.endpoint}</span>` : nothing}</p>
        </th>
        <td class="num" data-label="Base">${format.value(row.unit, row.base)}</td>
        <td class="num" data-label="Head">${format.value(row.unit, row.head)}</td>
        <td class="num" data-label="Effect"><b class="effect ${word.tone}">${format.effect(row.effect, row.unit)}</b>
            <span class="bounds">${format.interval(row.lo, row.hi, row.effect)}</span></td>
        <td class="picture">${picture(row, most)}</td>
        <td class="num" data-label="Noise" title=${NOISE_MEANS}>${noiseWord(row)}</td>
        <td data-label="Verdict">${chip(row.why ? { ...word, meaning: row.why } : word, '', 'small')}</td>
        <td><a href=${paths.series(row.series)} aria-label=${`History of ${row.title} in ${placeWord(row.scenario, row.endpoint, row.variant)}`}>History</a></td>
    </tr>`;
}

export function verdictTable(
    rows: VerdictRow[],
    chosen: number,
    choose: (series: number) => void,
): TemplateResult {
    const all = query('rows') === 'all';
    /* Beside rows that changed, those that did not are noise; alone, the secondary ones are. */
    const moved = rows.some((row) => row.outcome !== 'no_change');
    const quiet = rows.filter((row) => row.outcome === 'no_change' && (moved || !row.primary));
    const shown = all ? rows : rows.filter((row) => !quiet.includes(row));
    const most = reach(rows);
    return html`<div class="table-box" role="region" aria-label="Rows of the verdict" tabindex="0">
            <table class="verdict">
                <thead><tr>
                    <th scope="col">Metric</th>
                    <th scope="col" class="num">Base</th>
                    <th scope="col" class="num">Head</th>
                    <th scope="col" class="num">Effect <span class="bounds">[95 % interval]</span></th>
                    <th scope="col" class="picture">${scale(most)}</th>
                    <th scope="col" class="num">Noise</th>
                    <th scope="col">Verdict</th>
                    <th scope="col"><span class="unseen">History</span></th>
                </tr></thead>
                <tbody>${shown.map((row) => tableRow(row, most, chosen, choose))}</tbody>
            </table>
        </div>
        ${
            quiet.length > 0
                ? html`<button type="button" class="more" @click=${() => setQuery({ rows: all ? null : 'all' })}>${
                      all
                          ? 'Hide rows without change'
                          : `Show ${format.plural(quiet.length, 'more row')} without change`
                  }</button>`
                : nothing
        }`;
}
