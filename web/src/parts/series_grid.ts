// SPDX-License-Identifier: MIT
/*
 * series_grid: every series of a branch as a sparkline, grouped by scenario. Filter, order and the
 * choice between headline metrics and all of them live in the address.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { BriefChange, Commit, SeriesBrief } from '../api/types.ts';
import { paths, query, setQuery } from '../app/router.ts';
import * as format from '../text/format.ts';
import { placeWord } from '../text/words.ts';
import { filterField } from './filter.ts';
import { notice } from './notice.ts';
import { changeWord, sha, toggle } from './pieces.ts';
import { sparkline } from './sparkline.ts';

const RECENT = 30; /* commits; an older change is history, not news */

function lastChange(series: SeriesBrief): BriefChange | undefined {
    return series.changes.at(-1);
}

function isNews(series: SeriesBrief, newest: number): boolean {
    const change = lastChange(series);
    return !!change && change.pos > newest - RECENT;
}

function changeLine(
    series: SeriesBrief,
    newest: number,
    commits: Map<number, Commit>,
): TemplateResult {
    const change = lastChange(series);
    if (!change || !isNews(series, newest))
        return html`<p class="tile-change faint">steady</p>`;
    const commit = commits.get(change.pos);
    return html`<p class="tile-change">${changeWord(series.unit, change)}
        <span class="faint">at ${commit ? sha(commit.sha) : `commit ${change.pos}`}</span></p>`;
}

function tile(
    series: SeriesBrief,
    newest: number,
    commits: Map<number, Commit>,
    hosted: boolean,
): TemplateResult {
    const host = hosted ? html`<span class="faint host">${series.host}</span>` : nothing;
    return html`<li class="tile ${series.primary ? 'primary' : ''}">
        <a href=${paths.series(series.id)} data-walk>
            <p class="tile-title"><span>${format.title(series.title)}</span>${host}</p>
            <p class="tile-value">${format.value(series.unit, series.value.at(-1))}</p>
            ${sparkline(series.pos, series.value, series.changes)}
            ${changeLine(series, newest, commits)}
        </a>
    </li>`;
}

/* Groups keep the order in which the daemon names them; the whole scenario comes before endpoints. */
function groups(series: SeriesBrief[]): Map<string, SeriesBrief[]> {
    const found = new Map<string, SeriesBrief[]>();
    for (const one of series) {
        const key = JSON.stringify([one.scenario, one.variant, one.endpoint]);
        const group = found.get(key);
        if (group) group.push(one);
        else found.set(key, [one]);
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function groupTitle(one: SeriesBrief): TemplateResult {
    return html`${one.scenario}${one.variant ? ` · ${one.variant}` : nothing}${one.endpoint ? html` <span class="endpoint">${one.endpoint}</span>` : nothing}`;
}

function sizeOfNews(series: SeriesBrief, newest: number): number {
    return isNews(series, newest)
        ? Math.abs(lastChange(series)!.effect) + (lastChange(series)!.worse ? 1e6 : 0)
        : 0;
}

function toolbar(total: number, primaries: number): TemplateResult {
    const sort = query('sort') ?? 'scenario';
    const all = query('metrics') === 'all';
    const choose = (event: Event) => {
        const chosen = (event.target as HTMLSelectElement).value;
        setQuery({ sort: chosen === 'scenario' ? null : chosen });
    };
    return html`<div class="toolbar">
        ${filterField('Filter scenarios and metrics', query('q') ?? '', (q) => setQuery({ q }))}
        <label class="choice"><span>Order</span>
            <select @change=${choose}>
                <option value="scenario" ?selected=${sort === 'scenario'}>by scenario</option>
                <option value="change" ?selected=${sort === 'change'}>latest change first</option>
            </select></label>
        ${
            primaries > 0 && primaries < total
                ? toggle(
                      all ? 'Headline metrics only' : `All ${format.count(total)} series`,
                      all,
                      (on) => setQuery({ metrics: on ? 'all' : null }),
                  )
                : nothing
        }
    </div>`;
}

function matches(series: SeriesBrief, words: string[]): boolean {
    const text = [series.scenario, series.variant, series.endpoint, series.title, series.metric, series.host]
        .join(' ')
        .toLowerCase();
    return words.every((word) => text.includes(word));
}

export function seriesGrid(series: SeriesBrief[], commits: Commit[]): TemplateResult {
    if (series.length === 0)
        return notice(
            'calm',
            'There are no measurements on this branch yet.',
            html`The first one appears when a commit has been measured. <a href="/queue">See the queue</a>`,
        );
    const newest = Math.max(
        0,
        ...series.map((one) => one.pos.at(-1) ?? 0),
        commits[0]?.pos ?? 0,
    );
    const byPos = new Map(commits.map((commit) => [commit.pos, commit]));
    const words = (query('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const primaries = series.filter((one) => one.primary).length;
    const hosted = new Set(series.map((one) => one.host)).size > 1;
    const all = query('metrics') === 'all' || primaries === 0 || words.length > 0;
    const shown = series.filter(
        (one) => (all || one.primary || isNews(one, newest)) && matches(one, words),
    );
    return html`${toolbar(series.length, primaries)}
        ${
            shown.length === 0
                ? notice(
                      'calm',
                      'No series matches the filter.',
                      html`<button type="button" @click=${() => setQuery({ q: null })}>Clear the filter</button>`,
                  )
                : query('sort') === 'change'
                  ? html`<ul class="tiles">${[...shown]
                        .sort((a, b) => sizeOfNews(b, newest) - sizeOfNews(a, newest))
                        .map((one) =>
                            tile(
                                {
                                    ...one,
                                    title: `${one.title} · ${placeWord(one.scenario, one.endpoint, one.variant)}`,
                                },
                                newest,
                                byPos,
                                hosted,
                            ),
                        )}</ul>`
                  : [...groups(shown).values()].map(
                        (group) => html`<h3 class="group">${groupTitle(group[0]!)}</h3>
                        <ul class="tiles">${group.map((one) => tile(one, newest, byPos, hosted))}</ul>`,
                    )
        }`;
}
