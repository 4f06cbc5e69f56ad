// SPDX-License-Identifier: MIT
/*
 * gauges: what else went on while rounds were measured, as the median and the worst of all arms.
 * A quiet host shows small numbers here; a doubtful verdict often has its reason in this table.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { Round } from '../api/types.ts';
import { gaugesOf, type GaugeSummary } from '../chart/rounds.ts';
import { gaugeTitle, gaugeValue } from '../text/gauges.ts';

export function gaugeTable(rounds: Round[]): TemplateResult | typeof nothing {
    const gauges = gaugesOf(rounds);
    if (gauges.length === 0) return nothing;
    const row = ({ name, middle, most }: GaugeSummary) => html`<tr>
        <th scope="row">${gaugeTitle(name)}</th>
        <td class="num">${gaugeValue(name, middle)}</td>
        <td class="num">${gaugeValue(name, most)}</td>
    </tr>`;
    return html`<details class="voids"><summary data-walk>What else went on meanwhile</summary>
        <div class="table-box"><table class="points">
            <thead><tr>
                <th scope="col">Gauge</th>
                <th scope="col" class="num">Median</th>
                <th scope="col" class="num">Largest</th>
            </tr></thead>
            <tbody>${gauges.map(row)}</tbody>
        </table></div></details>`;
}
