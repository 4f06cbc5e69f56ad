// SPDX-License-Identifier: MIT
/* home: one card per repository, worst news in the headline. */
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { Feed } from '../api/feed.ts';
import type { Repo, RepoList } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { paths, query, setQuery } from '../app/router.ts';
import { chip, outcomeChip } from '../parts/chip.ts';
import { filterField } from '../parts/filter.ts';
import { failed, loading, notice, stale } from '../parts/notice.ts';
import { sha } from '../parts/pieces.ts';
import { timeAgo } from '../parts/time.ts';
import * as format from '../text/format.ts';
import { homeSentence } from '../text/sentence.ts';
import { BROKEN } from '../text/words.ts';

const FILTER_FROM = 7; /* fewer cards are seen at a glance */

@customElement('pw-home')
export class Home extends PwElement {
    @property({ attribute: false }) moves = 0;

    private readonly feed = new Feed<RepoList>(
        this,
        () => '/api/v1/repos?limit=1000',
        ({ repos }) => repos.some((repo) => repo.running > 0 || repo.queued > 0),
    );

    protected override render(): TemplateResult {
        document.title = 'Pacewatch';
        const { data, error, answered_ms, again } = this.feed;
        if (!data)
            return error
                ? failed(error, 'list of repositories', again)
                : loading('repositories');
        if (data.repos.length === 0) return firstSteps();

        const wanted = (query('q') ?? '').toLowerCase();
        const repos = data.repos.filter((repo) => repo.name.toLowerCase().includes(wanted));
        return html`
            ${stale(error, answered_ms, again)}
            <header class="head">
                <h1>${homeSentence(data.repos)}</h1>
                <p class="lead">Every commit is measured against the one before it, every merge request against its base.</p>
            </header>
            ${
                data.repos.length >= FILTER_FROM || wanted
                    ? filterField('Filter repositories', query('q') ?? '', (q) =>
                          setQuery({ q }),
                      )
                    : nothing
            }
            ${
                repos.length === 0
                    ? notice(
                          'calm',
                          `No repository is called like “${wanted}”.`,
                          html`<button type="button" @click=${() => setQuery({ q: null })}>Show all</button>`,
                      )
                    : html`<ul class="cards">${repos.map(card)}</ul>`
            }`;
    }
}

function firstSteps(): TemplateResult {
    return html`<h1>No repositories yet</h1>
        ${notice(
            'calm',
            'Pacewatch watches the repositories its configuration names.',
            html`Add one to <code>repos</code> in <code>pacewatchd.conf</code>
                (see <code>man pacewatchd.conf</code>), put a
                <code>.pacewatch.json</code> into it, and restart the daemon. The first commit shows up here.`,
        )}`;
}

function lastChip(last: Repo['last']): TemplateResult {
    if (!last) return html`<span class="faint">not measured yet</span>`;
    return last.outcome ? outcomeChip(last.outcome, last.confirmed) : chip(BROKEN);
}

function card(repo: Repo): TemplateResult {
    const { last } = repo;
    return html`<li class="card">
        <div class="card-top">
            <h2><a href=${paths.repo(repo.name)} data-walk>${repo.name}</a></h2>
            ${lastChip(last)}
        </div>
        ${
            last
                ? html`<p class="card-last"><a href=${paths.job(last.job)}>${last.subject}</a> ${sha(last.sha)}</p>`
                : html`<p class="card-last faint">The first verdict appears after the next commit.</p>`
        }
        <ul class="facts">
            <li>${
                repo.open_alerts > 0
                    ? html`<a class="badge worse" href=${paths.repo(repo.name)}>${format.plural(repo.open_alerts, 'open regression')}</a>`
                    : html`<span class="faint">no open alerts</span>`
            }</li>
            <li>${queueLine(repo)}</li>
        </ul>
        ${
            repo.fetch_error
                ? html`<p class="card-error">Cannot fetch: ${repo.fetch_error}.
                      Last fetched ${timeAgo(repo.fetched_ms)}.</p>`
                : nothing
        }
    </li>`;
}

function queueLine(repo: Repo): TemplateResult {
    const parts = [
        repo.running > 0 ? `${format.count(repo.running)} measuring` : '',
        repo.queued > 0 ? `${format.count(repo.queued)} waiting` : '',
    ].filter(Boolean);
    if (parts.length === 0) return html`<span class="faint">idle</span>`;
    return html`<a href=${paths.queue()} class="busy-line">${parts.join(', ')}</a>`;
}
