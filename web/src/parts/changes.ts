// SPDX-License-Identifier: MIT
/* changes: the marks of a chart in words: how large, where, and why we think so. */
import { html, type TemplateResult } from 'lit';
import type { Bridge, Change, SeriesData } from '../api/types.ts';
import { paths } from '../app/router.ts';
import { isSure } from '../chart/changes.ts';
import { nearest } from '../chart/columns.ts';
import * as format from '../text/format.ts';
import { worseWord } from '../text/words.ts';
import { notice } from './notice.ts';
import { changeWord, sha } from './pieces.ts';

function suspects(change: Change): string {
    return change.pos_lo === change.pos_hi
        ? ''
        : ` Somewhere in commits ${format.count(change.pos_lo)} to ${format.count(change.pos_hi)}.`;
}

/* As in the chart: hollow waits for confirmation. */
function changeSign(change: Change): string {
    if (change.effect > 0) return isSure(change) ? '▲' : '△';
    return isSure(change) ? '▼' : '▽';
}

function changeItem(
    data: SeriesData,
    change: Change,
    pin: (pos: number) => void,
): TemplateResult {
    const i = nearest(data.pos, change.pos);
    const { unit } = data.series;
    const subject = data.subject[i] || `commit ${format.count(change.pos)}`;
    return html`<li class="change ${worseWord(change.worse)}" data-pos=${change.pos}>
        <span class="sign" aria-hidden="true">${changeSign(change)}</span>
        <div>
            <p>${changeWord(unit, change)}
                <span class="nowrap">${format.interval(change.lo, change.hi, change.effect)}</span>
                <span class="faint">${change.state}</span></p>
            <p>${format.value(unit, change.before)} → ${format.value(unit, change.after)}</p>
            <p><button type="button" class="link" data-walk @click=${() => pin(change.pos)}>${subject}</button>
                ${sha(data.sha[i])}</p>
            <p class="faint">${change.why ? format.sentence(change.why) : ''}${suspects(change)}</p>
        </div>
    </li>`;
}

export function changeList(data: SeriesData, pin: (pos: number) => void): TemplateResult {
    if (data.changes.length === 0)
        return notice(
            'calm',
            'None found.',
            'A mark appears where the level moves by more than noise explains.',
        );
    const newest = data.changes.toReversed();
    return html`<ol class="changes">${newest.map((change) => changeItem(data, change, pin))}</ol>`;
}

function bridgeItem(bridge: Bridge): TemplateResult {
    return html`<li class="change"><span class="sign event" aria-hidden="true">┆</span>
        <div><p>Continues <a href=${paths.series(bridge.series)} data-walk>the series of
            ${bridge.host}</a>: ${format.effect(bridge.ratio - 1)} between the machines
            <span class="faint">${format.interval(bridge.lo - 1, bridge.hi - 1, bridge.ratio - 1)}</span></p>
        <p class="faint">${format.plural(bridge.n, 'commit')} measured on both</p></div></li>`;
}

export function eventList(data: SeriesData): TemplateResult {
    const bridges = data.bridges ?? [];
    if (data.events.length + bridges.length === 0)
        return notice(
            'calm',
            'The host stayed the same.',
            'Changes of kernel, processor or tools would be listed here and drawn dashed.',
        );
    return html`<ol class="changes">${bridges.map(bridgeItem)}${data.events.toReversed().map(
        (event) => html`<li class="change"><span class="sign event" aria-hidden="true">┆</span>
            <div><p>${event.text}</p><p class="faint">before commit ${format.count(event.pos)}</p></div></li>`,
    )}</ol>`;
}
