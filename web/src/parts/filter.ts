// SPDX-License-Identifier: MIT
/* filter: the search field of a list. The page keeps its text in the address. */
import { html, type TemplateResult } from 'lit';

export function filterField(
    label: string,
    text: string,
    changed: (text: string) => void,
): TemplateResult {
    return html`<label class="filter">
        <span class="unseen">${label}</span>
        <input type="search" placeholder=${label} .value=${text} autocomplete="off" spellcheck="false"
            @input=${(event: Event) => changed((event.target as HTMLInputElement).value)}>
        <kbd aria-hidden="true">/</kbd>
    </label>`;
}
