// SPDX-License-Identifier: MIT
/* pin_card: one commit of a chart, held still: what it is, its value, how far it is from before. */
import { html, nothing, type TemplateResult } from 'lit';
import type { SeriesData } from '../api/types.ts';
import { paths } from '../app/router.ts';
import { nearest } from '../chart/columns.ts';
import * as format from '../text/format.ts';
import { changeWord, fact } from './pieces.ts';

export function pinCard(
    data: SeriesData,
    pos: number,
    close: () => void,
): TemplateResult | typeof nothing {
    const i = nearest(data.pos, pos);
    if (i < 0) return nothing;
    const { unit } = data.series;
    const value = data.value[i]!;
    const level =
        data.levels
            .filter((one) => one.from < data.pos[i]!)
            .findLast((one) => one.to < data.pos[i]!) ?? data.levels[0];
    const change = data.changes.find((one) => one.pos === data.pos[i]);
    const job = data.job[i];
    return html`<section class="card pin" aria-label="Pinned commit">
        <div class="card-top">
            <h2>${data.subject[i] || `commit ${format.count(data.pos[i]!)}`}</h2>
            <button type="button" class="quiet" aria-label="Unpin" @click=${close}>✕</button>
        </div>
        <dl class="numbers">
            ${fact('Value', format.value(unit, value))}
            ${fact('95 % interval', format.range(unit, data.lo[i], data.hi[i]))}
            ${fact('To the commit before', format.change(unit, data.value[i - 1], value))}
            ${fact('To the level before', format.change(unit, level?.value, value))}
            ${fact('Rounds', format.count(data.n[i] ?? 0))}
        </dl>
        ${
            change
                ? html`<p>${changeWord(unit, change)} ${format.interval(change.lo, change.hi, change.effect)}
                      · ${change.state}. ${change.why ? format.sentence(change.why) : ''}</p>`
                : nothing
        }
        <p class="actions"><code class="sha">${data.sha[i] ?? ''}</code>
            ${
                job
                    ? html`<a class="button" href=${paths.job(job)}>Open job ${job}</a>`
                    : html`<span class="faint">no job of its own</span>`
            }</p>
    </section>`;
}
