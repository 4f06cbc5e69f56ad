// SPDX-License-Identifier: MIT
/* queue: what is being measured now, what waits and why, and what was done lately. */
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { Feed } from '../api/feed.ts';
import type { Job, JobList } from '../api/types.ts';
import { PwElement } from '../app/element.ts';
import { paths } from '../app/router.ts';
import { jobChip } from '../parts/chip.ts';
import { failed, loading, notice, stale } from '../parts/notice.ts';
import { sha } from '../parts/pieces.ts';
import { progressPanel } from '../parts/progress.ts';
import { timeAgo } from '../parts/time.ts';
import * as format from '../text/format.ts';
import { isLive, kindWord } from '../text/words.ts';

const OPEN = 'queued,submitted,running,measured,judged';
const DONE = 'reported,failed,superseded';

@customElement('pw-queue')
export class Queue extends PwElement {
    @property({ attribute: false }) moves = 0;

    private readonly open = new Feed<JobList>(
        this,
        () => `/api/v1/jobs?state=${OPEN}&limit=200`,
        ({ jobs }) => jobs.length > 0,
        ({ jobs }) => this.noteOpen(jobs),
    );
    private readonly done = new Feed<JobList>(
        this,
        () => `/api/v1/jobs?state=${DONE}&limit=25`,
        () => false,
    );
    private openIds = '';

    /* A job that left the queue shows up below at once and not at the next calm question. */
    private noteOpen(jobs: Job[]): void {
        const ids = jobs.map((job) => job.id).join();
        if (this.openIds !== '' && ids !== this.openIds) this.done.again();
        this.openIds = ids;
    }

    protected override render(): TemplateResult {
        document.title = 'Queue · Pacewatch';
        const { data, error, answered_ms, again } = this.open;
        if (!data) return error ? failed(error, 'queue', again) : loading('the queue');
        const running = data.jobs.filter((job) => isLive(job.state));
        const waiting = data.jobs.filter((job) => job.state === 'queued').reverse();
        return html`
            ${stale(error, answered_ms, again)}
            <header class="head">
                <h1>${headline(running.length, waiting.length)}</h1>
                <p class="lead">A host measures one job at a time, so that nothing disturbs the numbers.</p>
            </header>
            ${
                running.length > 0
                    ? html`<section aria-label="Running now">${running.map(runningCard)}</section>`
                    : nothing
            }
            <section aria-labelledby="waiting">
                <h2 id="waiting">Waiting</h2>
                ${
                    waiting.length > 0
                        ? html`<ol class="rows numbered">${waiting.map(waitingRow)}</ol>`
                        : notice(
                              'calm',
                              'Nothing waits.',
                              'A push or a merge request adds the next job.',
                          )
                }
            </section>
            <section aria-labelledby="recent">
                <h2 id="recent">Recently done</h2>
                ${this.recent()}
            </section>`;
    }

    private recent(): TemplateResult {
        const { data, error, again } = this.done;
        if (!data)
            return error
                ? html`<button type="button" @click=${again}>Load again</button>`
                : loading('recent jobs');
        if (data.jobs.length === 0) return notice('calm', 'No job has ended yet.');
        return html`<ol class="rows">${data.jobs.map(recentRow)}</ol>`;
    }
}

function headline(running: number, waiting: number): string {
    if (running + waiting === 0) return 'The queue is empty';
    const now =
        running === 0
            ? 'Nothing is being measured'
            : running === 1
              ? 'One job is being measured'
              : `${running} jobs are being measured`;
    return waiting === 0
        ? `${now}, none waits`
        : `${now}, ${format.count(waiting)} wait${waiting === 1 ? 's' : ''}`;
}

function origin(job: Job): TemplateResult {
    const place = job.mr ? `merge request ${job.mr}` : (job.branch ?? '');
    const parts = job.kind === 'mr' ? [place] : [kindWord(job.kind), place];
    const rest = parts.filter(Boolean).join(' · ');
    return html`<a href=${paths.repo(job.repo)}>${job.repo}</a> · ${rest}`;
}

function runningCard(job: Job): TemplateResult {
    return html`<article class="card live-card">
        <div class="card-top">
            <h2><a href=${paths.job(job.id)} data-walk>${job.subject}</a></h2>
            ${jobChip(job)}
        </div>
        <p class="faint">${origin(job)} · ${sha(job.head)}
            ${job.started_ms ? html` · started ${timeAgo(job.started_ms)}` : nothing}</p>
        ${progressPanel(job)}
    </article>`;
}

function waitingRow(job: Job): TemplateResult {
    return html`<li class="row">
        <div class="row-verdict">${jobChip(job)}</div>
        <div class="row-text">
            <a class="subject" href=${paths.job(job.id)} data-walk>${job.subject}</a>
            <p class="faint">${origin(job)} · ${sha(job.head)} · since ${timeAgo(job.created_ms)}</p>
        </div>
        <p class="row-why">${job.waiting ?? 'next'}</p>
    </li>`;
}

function recentRow(job: Job): TemplateResult {
    const took =
        job.started_ms && job.finished_ms
            ? format.duration(job.finished_ms - job.started_ms)
            : '';
    return html`<li class="row">
        <div class="row-verdict">${jobChip(job)}</div>
        <div class="row-text">
            <a class="subject" href=${paths.job(job.id)} data-walk>${job.subject}</a>
            <p class="faint">${origin(job)} · ${sha(job.head)}</p>
        </div>
        <p class="row-why">${timeAgo(job.finished_ms)}
            ${took ? html`<br><span class="faint">took ${took}</span>` : nothing}</p>
    </li>`;
}
