// SPDX-License-Identifier: MIT
/*
 * variants_table: head in every combination of variants against the baseline combination: one line
 * for each combination, one column for each deciding metric.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { Verdict, VerdictRow } from '../api/types.ts';
import { paths } from '../app/router.ts';
import * as format from '../text/format.ts';
import { outcomeWord } from '../text/words.ts';

function unique(values: string[]): string[] {
    return [...new Set(values)];
}

function baselineCell(row: VerdictRow | undefined): TemplateResult {
    return html`<td class="num">${row ? format.value(row.unit, row.base) : '–'}</td>`;
}

function cell(row: VerdictRow | undefined): TemplateResult {
    if (!row) return html`<td class="num">–</td>`;
    const word = outcomeWord(row.outcome);
    return html`<td class="num" title=${row.why ?? ''} data-label=${format.title(row.title)}>
        <a href=${paths.series(row.series)}>${format.value(row.unit, row.head)}</a>
        <b class="effect ${word.tone}">${format.effect(row.effect, row.unit)}</b>
        <span class="bounds">${format.interval(row.lo, row.hi, row.effect)}</span></td>`;
}

function scenarioTable(scenario: string, rows: VerdictRow[], baseline: string): TemplateResult {
    const metrics = unique(rows.map((row) => row.metric));
    const find = (metric: string, variant?: string) =>
        rows.find(
            (row) => row.metric === metric && (variant === undefined || row.variant === variant),
        );
    return html`<h3 class="group">${scenario}</h3>
        <div class="table-box" role="region" aria-label=${`Combinations in ${scenario}`} tabindex="0">
            <table class="verdict variants">
                <thead><tr>
                    <th scope="col">Combination</th>
                    ${metrics.map((metric) => html`<th scope="col" class="num">${format.title(find(metric)!.title)}</th>`)}
                </tr></thead>
                <tbody>
                    <tr><th scope="row">${baseline} <span class="faint">baseline</span></th>
                        ${metrics.map((metric) => baselineCell(find(metric)))}</tr>
                    ${unique(rows.map((row) => row.variant)).map(
                        (variant) => html`<tr><th scope="row">${variant}</th>
                            ${metrics.map((metric) => cell(find(metric, variant)))}</tr>`,
                    )}
                </tbody>
            </table>
        </div>`;
}

export function variantsTable(verdict: Verdict): TemplateResult | typeof nothing {
    const rows = verdict.variants.filter((row) => row.primary);
    if (rows.length === 0) return nothing;
    return html`<p class="faint">Head in each combination against head in the baseline: effect and
            95 % interval, judged as one family.</p>
        ${unique(rows.map((row) => row.scenario)).map((scenario) =>
            scenarioTable(
                scenario,
                rows.filter((row) => row.scenario === scenario),
                verdict.baseline ?? '',
            ),
        )}`;
}
