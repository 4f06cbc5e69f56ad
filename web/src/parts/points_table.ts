// SPDX-License-Identifier: MIT
/* points_table: the rows a chart draws, as a real table, newest first, 25 a page. */
import { html, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { SeriesData } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { paths } from '../app/router.ts';
import * as format from '../text/format.ts';
import { changeWord, sha } from './pieces.ts';

const ROWS = 25;

@customElement('pw-points-table')
export class PointsTable extends PwElement {
    @property({ attribute: false }) data!: SeriesData;
    @state() private page = 0;

    protected override render(): TemplateResult {
        const { data } = this;
        const pages = Math.max(1, Math.ceil(data.pos.length / ROWS));
        const page = Math.min(this.page, pages - 1);
        const order = data.pos
            .map((_, i) => data.pos.length - 1 - i)
            .slice(page * ROWS, (page + 1) * ROWS);
        return html`<div class="table-box" role="region" aria-label="Values as a table" tabindex="0">
                <table class="points">
                    <caption class="unseen">${data.series.title}, newest commit first</caption>
                    <thead><tr>
                        <th scope="col" class="num">#</th>
                        <th scope="col">Commit</th>
                        <th scope="col" class="num">Value</th>
                        <th scope="col" class="num">95 % interval</th>
                        <th scope="col" class="num">Rounds</th>
                        <th scope="col">Change</th>
                    </tr></thead>
                    <tbody>${order.map((i) => this.row(i))}</tbody>
                </table>
            </div>
            <nav class="pager" aria-label="Pages of the table">
                ${this.turn('Newer', page - 1, page > 0)}
                <span>Page ${page + 1} of ${pages}</span>
                ${this.turn('Older', page + 1, page < pages - 1)}
            </nav>`;
    }

    private turn(text: string, page: number, able: boolean): TemplateResult {
        return html`<button type="button" ?disabled=${!able} @click=${() => (this.page = page)}>${text}</button>`;
    }

    private row(i: number): TemplateResult {
        const { data } = this;
        const { unit } = data.series;
        const [pos, job] = [data.pos[i]!, data.job[i]];
        const change = data.changes.find((one) => one.pos === pos);
        const subject = data.subject[i] || format.shortSha(data.sha[i]);
        return html`<tr data-pos=${pos} data-value=${data.value[i]!}>
            <td class="num">${format.count(pos)}</td>
            <th scope="row">${job ? html`<a href=${paths.job(job)}>${subject}</a>` : subject} ${sha(data.sha[i])}</th>
            <td class="num strong">${format.value(unit, data.value[i])}</td>
            <td class="num">${format.range(unit, data.lo[i], data.hi[i])}</td>
            <td class="num">${format.count(data.n[i] ?? 0)}</td>
            <td>${change ? changeWord(unit, change) : ''}</td>
        </tr>`;
    }
}
