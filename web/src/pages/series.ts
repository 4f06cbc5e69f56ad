// SPDX-License-Identifier: MIT
/*
 * series: one metric over the commits of a branch. The address holds the view: from and to for the
 * zoom, at for the pinned commit, y=zero, table=1.
 *
 * The daemon sends at most so many buckets. While they are medians of several commits, a zoom asks
 * for its stretch anew; else all points are here already and zooming stays local.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { Feed } from '../api/feed.ts';
import type { SeriesData } from '../api/types.ts';
import { announce } from '../app/announce.ts';
import { PwElement } from '../app/element.ts';
import { paths, query, queryNumber, setQuery } from '../app/router.ts';
import { isSure, mergedChanges } from '../chart/changes.ts';
import '../chart/chart.ts';
import { changeList, eventList } from '../parts/changes.ts';
import { failed, loading, notice, stale } from '../parts/notice.ts';
import { crumbs, section, sha, toggle } from '../parts/pieces.ts';
import { pinCard } from '../parts/pin_card.ts';
import '../parts/points_table.ts';
import * as format from '../text/format.ts';
import { seriesSentence } from '../text/sentence.ts';
import { directionWord, placeWord } from '../text/words.ts';

const BUCKETS = 1200;

@customElement('pw-series')
export class SeriesPage extends PwElement {
    @property({ attribute: false }) number = 0;
    @property({ attribute: false }) moves = 0;
    @state() private hovered = -1;

    private readonly feed = new Feed<SeriesData>(
        this,
        () => this.address(),
        () => false,
        (data) => this.arrived(data),
    );
    private answer: SeriesData | undefined;
    private shown: SeriesData | undefined; /* stays while a new stretch is on its way */
    private coarse = false;

    private address(): string {
        const whole = `/api/v1/series/${this.number}?buckets=${BUCKETS}`;
        const [from, to] = [queryNumber('from'), queryNumber('to')];
        return this.coarse && from !== null && to !== null
            ? `${whole}&from=${from}&to=${to}`
            : whole;
    }

    private arrived(data: SeriesData): void {
        if (queryNumber('from') === null || data.bucketed) this.coarse = data.bucketed;
    }

    /* The newest data of this very series; the feed has settled on an address before rendering. */
    private newest(): SeriesData | undefined {
        const { data } = this.feed;
        if (data && data !== this.answer) {
            this.answer = data;
            this.shown = { ...data, changes: mergedChanges(data.changes) };
        }
        if (this.shown?.series.id !== this.number) this.shown = undefined;
        return this.shown;
    }

    protected override willUpdate(changed: PropertyValues): void {
        if (changed.has('number')) this.hovered = -1;
    }

    protected override render(): TemplateResult {
        const { error, answered_ms, again } = this.feed;
        const data = this.newest();
        document.title = data
            ? `${format.title(data.series.title)} · ${data.series.scenario} · Pacewatch`
            : 'Pacewatch';
        if (!data) return error ? failed(error, 'series', again) : loading('the series');
        return html`
            ${stale(error, answered_ms, again)}
            ${head(data)}
            ${
                data.pos.length === 0
                    ? notice(
                          'calm',
                          'Nothing has been measured here yet.',
                          html`<a href=${paths.queue()}>See the queue</a>`,
                      )
                    : this.figure(data)
            }`;
    }

    private figure(data: SeriesData): TemplateResult {
        const pinned = queryNumber('at');
        const table = query('table') === '1';
        return html`
            <figure class="chart-figure" aria-labelledby="series-title"
                @pw-hover=${(event: CustomEvent) => this.hover(data, event.detail.index)}
                @pw-pin=${(event: CustomEvent) => this.pin(event.detail.pos)}
                @pw-zoom=${(event: CustomEvent) => setQuery(event.detail)}>
                ${this.toolbar(table)}
                ${this.readout(data)}
                <pw-chart .data=${data} .from=${queryNumber('from')} .to=${queryNumber('to')} .pinned=${pinned}
                    .fromZero=${query('y') === 'zero'}
                    .label=${`Chart of ${data.series.title}. ${seriesSentence(data)}`}></pw-chart>
                <figcaption>${legend(data)}
                    <span class="faint" id="chart-keys"><kbd>←</kbd> <kbd>→</kbd> commit · <kbd>n</kbd> <kbd>p</kbd> change
                        · drag to zoom · click to pin</span></figcaption>
            </figure>
            ${pinned === null ? nothing : pinCard(data, pinned, () => setQuery({ at: null }))}
            ${table ? html`<pw-points-table .data=${data} id="points"></pw-points-table>` : nothing}
            <div class="columns even">
                ${section(
                    'changes',
                    'Changes',
                    changeList(data, (pos) => this.pin(pos)),
                )}
                ${section('events', 'Environment', eventList(data))}
            </div>`;
    }

    private toolbar(table: boolean): TemplateResult {
        const zoomed = queryNumber('from') !== null;
        const showAll = () => setQuery({ from: null, to: null });
        return html`<div class="toolbar end">
            ${zoomed ? html`<button type="button" @click=${showAll}>Show all</button>` : nothing}
            ${toggle('From zero', query('y') === 'zero', (on) => setQuery({ y: on ? 'zero' : null }))}
            <button type="button" aria-expanded=${table ? 'true' : 'false'} aria-controls="points"
                @click=${() => setQuery({ table: table ? null : '1' })}>Table</button>
        </div>`;
    }

    /* The line above the chart: what is under the cursor. It keeps its height when empty. */
    private readout(data: SeriesData): TemplateResult {
        const i = this.hovered;
        if (i < 0 || i >= data.pos.length)
            return html`<p class="readout faint">${extent(data)}</p>`;
        return html`<p class="readout"><b>${format.value(data.series.unit, data.value[i])}</b>
            ${sha(data.sha[i])} <span class="cut">${data.subject[i] ?? ''}</span></p>`;
    }

    private hover(data: SeriesData, index: number): void {
        this.hovered = index;
        const change = data.changes.find((one) => one.pos === data.pos[index]);
        const extra = change
            ? `, change of ${format.effect(change.effect, data.series.unit)}, ${change.worse ? 'worse' : 'better'}`
            : '';
        announce(
            `${format.value(data.series.unit, data.value[index])}${extra}, ${data.subject[index] ?? ''}`,
        );
    }

    private pin(pos: number): void {
        setQuery({ at: pos });
    }
}

function head(data: SeriesData): TemplateResult {
    const { repo, branch, scenario, endpoint, variant, title, host, direction } = data.series;
    const place = placeWord(scenario, endpoint, variant);
    return html`<header class="head">
        ${crumbs([repo, paths.repo(repo)], [place])}
        <h1 id="series-title">${format.title(title)}</h1>
        <p class="lead">${seriesSentence(data)}</p>
        <p class="faint">${place} · branch ${branch}${host ? ` · host ${host}` : ''} · ${directionWord(direction)}</p>
    </header>`;
}

/* How much of the history is in view. */
function extent({ pos, bucketed }: SeriesData): string {
    const [from, to] = [queryNumber('from') ?? -Infinity, queryNumber('to') ?? Infinity];
    const inView = pos.filter((one) => one >= from && one <= to).length;
    const all = bucketed
        ? format.plural(pos.length, 'bucket of commits', 'buckets of commits')
        : format.plural(pos.length, 'commit');
    return inView < pos.length ? `${format.count(inView)} of ${all}` : all;
}

function legend(data: SeriesData): TemplateResult[] {
    const { bucketed, levels, changes, events } = data;
    const entries: [shown: boolean, key: string, sign: string, text: string][] = [
        [true, 'line', '', bucketed ? 'median of commits' : 'value'],
        [true, 'band', '', '95 % interval'],
        [levels.length > 0, 'level', '', 'level'],
        [changes.some((one) => one.worse), 'worse', '▲', 'worse'],
        [changes.some((one) => !one.worse), 'better', '▼', 'better'],
        [changes.some((one) => !isSure(one)), 'hollow', '△', 'not confirmed'],
        [events.length > 0, 'event', '', 'environment'],
    ];
    return entries
        .filter(([shown]) => shown)
        .map(
            ([, key, sign, text]) =>
                html`<span class="legend"><i class="key ${key}">${sign}</i>${text}</span>`,
        );
}
