// SPDX-License-Identifier: MIT
/* time: a moment as people say it, with the exact one in its title. All of them share one clock. */
import { html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { PwElement } from '../app/element.ts';
import * as format from '../text/format.ts';

const STEP_MS = 20_000;
const shown = new Set<Time>();

setInterval(() => {
    if (!document.hidden) for (const time of shown) time.requestUpdate();
}, STEP_MS);

@customElement('pw-time')
export class Time extends PwElement {
    @property({ attribute: false }) at = 0; /* ms since 1970 */

    override connectedCallback(): void {
        super.connectedCallback();
        shown.add(this);
    }

    override disconnectedCallback(): void {
        super.disconnectedCallback();
        shown.delete(this);
    }

    protected override render(): TemplateResult {
        const iso = new Date(this.at).toISOString();
        return html`<time datetime=${iso} title=${format.moment(this.at)}>${format.ago(this.at, Date.now())}</time>`;
    }
}

export function timeAgo(at_ms: number | null | undefined): TemplateResult | string {
    return at_ms ? html`<pw-time .at=${at_ms}></pw-time>` : '–';
}
