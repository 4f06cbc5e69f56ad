// SPDX-License-Identifier: MIT
/* merge_requests: what is proposed, and how fast it would be. */
import { html, nothing, type TemplateResult } from 'lit';
import type { MergeRequest } from '../api/types.ts';
import { paths } from '../app/router.ts';
import { measuredChip } from './chip.ts';
import { notice } from './notice.ts';
import { sha } from './pieces.ts';

function requestRow(request: MergeRequest): TemplateResult {
    const { job } = request;
    const title = html`<span class="number">!${request.number}</span> ${request.subject}`;
    const state = request.state === 'open' ? nothing : `${request.state} · `;
    return html`<li class="row stacked">
        <div class="row-text">
            ${
                job
                    ? html`<a class="subject" href=${paths.job(job.id)} data-walk>${title}</a>`
                    : html`<span class="subject">${title}</span>`
            }
            <p class="faint">${state}into ${request.target} · ${sha(request.head)}</p>
        </div>
        <div class="row-verdict">${measuredChip(job, 'small')}</div>
    </li>`;
}

export function mergeRequestList(requests: MergeRequest[]): TemplateResult {
    if (requests.length === 0)
        return notice(
            'calm',
            'None are open.',
            'Open one, and its verdict appears here and as a comment.',
        );
    const order = (request: MergeRequest) => (request.state === 'open' ? 0 : 1);
    const sorted = [...requests].sort((a, b) => order(a) - order(b) || b.number - a.number);
    return html`<ul class="rows">${sorted.map(requestRow)}</ul>`;
}
