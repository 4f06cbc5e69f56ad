// SPDX-License-Identifier: MIT
/* notice: the states of a page without content. Each says what is the case and what to do next. */
import { html, nothing, type TemplateResult } from 'lit';
import type { ApiError } from '../api/client.ts';
import * as format from '../text/format.ts';

type Tone = 'calm' | 'worse' | 'unsure';

export function notice(
    tone: Tone,
    fact: string | TemplateResult,
    next: string | TemplateResult = '',
): TemplateResult {
    return html`<div class="notice ${tone}">
        <p class="fact">${fact}</p>
        ${next ? html`<p class="next">${next}</p>` : nothing}
    </div>`;
}

export function loading(what: string): TemplateResult {
    return html`<div class="loading" role="status"><span class="unseen">Loading ${what}</span>
        <i class="bone wide-bone"></i><i class="bone"></i><i class="bone short-bone"></i></div>`;
}

function trouble(error: ApiError): string {
    return error.status === 0
        ? 'The daemon does not answer.'
        : `The daemon has trouble: ${error.message}.`;
}

/* Nothing could be shown at all. */
export function failed(error: ApiError, what: string, again: () => void): TemplateResult {
    const retry = html`<button type="button" @click=${again}>Try again</button>`;
    if (error.status === 404)
        return html`<h1>There is no such ${what}</h1>
            ${notice('calm', format.sentence(error.message), html`It may have been removed. <a href="/">See all repositories</a>`)}`;
    const fact =
        error.status === 0
            ? 'The daemon does not answer.'
            : `The ${what} could not be loaded: ${error.message}.`;
    const next = html`The page keeps trying. Is <code>pacewatchd</code> running? Its log says more. ${retry}`;
    const title = error.status === 0 ? 'No connection' : 'This did not work';
    return html`<h1>${title}</h1>${notice('worse', fact, next)}`;
}

/* There is older content on the page, and it stays. */
export function stale(
    error: ApiError | undefined,
    answered_ms: number,
    again: () => void,
): TemplateResult | typeof nothing {
    if (!error) return nothing;
    const since = answered_ms > 0 ? ` What you see is from ${format.clock(answered_ms)}.` : '';
    return html`<div class="notice unsure slim" role="status">
        <p class="fact">${trouble(error)}${since} Trying again…</p>
        <button type="button" @click=${again}>Try now</button>
    </div>`;
}
