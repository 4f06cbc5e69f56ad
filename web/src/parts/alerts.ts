// SPDX-License-Identifier: MIT
/* alerts: regressions, improvements, then the machine, that wait for a decision, and those that no longer do. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Alert } from '../api/types.ts';
import { paths } from '../app/router.ts';
import { sha } from './pieces.ts';
import { timeAgo } from './time.ts';

const SIGNS: Record<string, string> = { regression: '↘', improvement: '↗', environment: '≈' };

function alertItem(alert: Alert): TemplateResult {
    const tone = alert.kind === 'regression' ? 'worse' : 'better';
    const title = alert.job
        ? html`<a href=${paths.job(alert.job)} data-walk>${alert.title}</a>`
        : alert.title;
    return html`<li class="alert ${tone} ${alert.state}">
        <span class="sign" aria-hidden="true">${SIGNS[alert.kind] ?? '!'}</span>
        <div>
            <p class="alert-title">${title}</p>
            ${alert.why ? html`<p class="faint">${alert.why}</p>` : nothing}
            <p class="faint">${alert.kind === 'environment' ? 'the machine, not a commit' : alert.kind}
                · ${alert.state}${alert.method === 'history' ? ' · from the history' : nothing}
                ${alert.sha ? html` · ${sha(alert.sha)}` : nothing}
                ${alert.mr ? html` · merge request ${alert.mr}` : nothing}
                · ${timeAgo(alert.created_ms)}</p>
        </div>
    </li>`;
}

export function alertList(alerts: Alert[]): TemplateResult {
    const kinds = ['regression', 'improvement', 'environment'];
    const rank = (alert: Alert) =>
        2 * kinds.indexOf(alert.kind) + (alert.state === 'open' ? 0 : 1);
    const sorted = alerts.toSorted((a, b) => rank(a) - rank(b));
    return html`<ul class="alerts">${sorted.map(alertItem)}</ul>`;
}
