// SPDX-License-Identifier: MIT
/* pieces: the small shapes every page is made of. */
import { html, nothing, type TemplateResult } from 'lit';
import { paths } from '../app/router.ts';
import * as format from '../text/format.ts';
import { worseWord } from '../text/words.ts';

export type Content = TemplateResult | string | number | typeof nothing;

/* The way from all repositories to here; the last step is where we are. */
export function crumbs(...steps: [text: string, address?: string][]): TemplateResult {
    const all: typeof steps = [['Repositories', paths.home()], ...steps];
    return html`<nav class="crumbs" aria-label="Breadcrumb">${all.map(
        (
            [text, address],
            i,
        ) => html`${i > 0 ? html`<span aria-hidden="true">›</span>` : nothing}
            ${address ? html`<a href=${address}>${text}</a>` : html`<span>${text}</span>`}`,
    )}</nav>`;
}

export function section(id: string, title: string, body: Content | Content[]): TemplateResult {
    return html`<section aria-labelledby=${id}>
        <h2 id=${id}>${title}</h2>
        ${body}
    </section>`;
}

/* One member of a <dl class="numbers">. */
export function fact(name: string, value: Content): TemplateResult {
    return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

export function sha(text: string | null | undefined): TemplateResult {
    return html`<code>${format.shortSha(text)}</code>`;
}

/* "+31.0 % worse": number, word and, beside both, colour. */
export function changeWord(
    unit: string,
    change: { effect: number; worse: boolean },
): TemplateResult {
    const word = worseWord(change.worse);
    return html`<b class=${word}>${format.effect(change.effect, unit)} ${word}</b>`;
}

/* A button that stays pressed. */
export function toggle(
    text: string,
    on: boolean,
    change: (on: boolean) => void,
): TemplateResult {
    return html`<button type="button" aria-pressed=${on ? 'true' : 'false'} @click=${() => change(!on)}>
        ${text}
    </button>`;
}
