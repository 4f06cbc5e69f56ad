// SPDX-License-Identifier: MIT
/*
 * repo: one branch of one repository on one page and from one answer: open alerts, the verdicts of
 * recent commits, merge requests, and the history of every series as a sparkline.
 */
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { Feed } from '../api/feed.ts';
import type { JobBrief, Overview } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { paths, query, setQuery } from '../app/router.ts';
import { alertList } from '../parts/alerts.ts';
import { commitList } from '../parts/commits.ts';
import { mergeRequestList } from '../parts/merge_requests.ts';
import { failed, loading, notice, stale } from '../parts/notice.ts';
import { crumbs, section } from '../parts/pieces.ts';
import { seriesGrid } from '../parts/series_grid.ts';
import { timeAgo } from '../parts/time.ts';
import { isLive } from '../text/words.ts';

/* States of an alert in which a person still has to decide something. */
const UNDECIDED = ['new', 'confirming', 'open', 'acknowledged', 'investigating'];

@customElement('pw-repo')
export class RepoPage extends PwElement {
    @property({ attribute: false }) name = '';
    @property({ attribute: false }) moves = 0;

    private readonly feed = new Feed<Overview>(this, () => this.address(), anythingRuns);

    private address(): string {
        const branch = query('branch');
        const tail = branch ? `?branch=${encodeURIComponent(branch)}` : '';
        return `/api/v1/repos/${encodeURIComponent(this.name)}/overview${tail}`;
    }

    protected override render(): TemplateResult {
        document.title = `${this.name} · Pacewatch`;
        const { data, error, answered_ms, again } = this.feed;
        if (!data) return error ? failed(error, 'repository', again) : loading(this.name);
        const open = data.alerts.filter((alert) => UNDECIDED.includes(alert.state));
        return html`
            ${stale(error, answered_ms, again)}
            ${head(data)}
            ${open.length > 0 ? section('alerts', 'Open alerts', alertList(open)) : nothing}
            <div class="columns">
                ${section(
                    'commits',
                    'Recent commits',
                    commitList(data.commits, query('all') === '1', () => setQuery({ all: 1 })),
                )}
                ${section('requests', 'Merge requests', mergeRequestList(data.merge_requests))}
            </div>
            ${section('series', 'History', seriesGrid(data.series, data.commits))}
            ${
                data.alerts.length > open.length
                    ? section(
                          'past',
                          'Earlier alerts',
                          alertList(data.alerts.filter((alert) => !open.includes(alert))),
                      )
                    : nothing
            }`;
    }
}

function anythingRuns(data: Overview): boolean {
    const runs = (job: JobBrief | null) => !!job && isLive(job.state);
    return (
        data.repo.running > 0 ||
        data.repo.queued > 0 ||
        data.commits.some(({ job }) => runs(job))
    );
}

function head({ repo, branch }: Overview): TemplateResult {
    const choose = (event: Event) => {
        const chosen = (event.target as HTMLSelectElement).value;
        setQuery({ branch: chosen === repo.default_branch ? null : chosen, all: null });
    };
    return html`<header class="head">
        ${crumbs()}
        <div class="head-line">
            <h1>${repo.name}</h1>
            ${
                repo.branches.length > 1
                    ? html`<label class="choice"><span class="unseen">Branch</span>
                    <select @change=${choose}>${repo.branches.map(
                        (name) =>
                            html`<option value=${name} ?selected=${name === branch}>${name}</option>`,
                    )}</select></label>`
                    : html`<span class="branch">${branch}</span>`
            }
        </div>
        <p class="lead">${repo.url} · fetched ${timeAgo(repo.fetched_ms)}${
            repo.running + repo.queued > 0
                ? html` · <a href=${paths.queue()}>${repo.running} measuring, ${repo.queued} waiting</a>`
                : nothing
        }</p>
        ${
            repo.fetch_error
                ? notice(
                      'worse',
                      `Cannot fetch this repository: ${repo.fetch_error}`,
                      'What you see is as of the last fetch that worked. The daemon tries again by itself.',
                  )
                : nothing
        }
    </header>`;
}
