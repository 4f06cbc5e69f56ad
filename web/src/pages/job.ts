// SPDX-License-Identifier: MIT
/*
 * job: one comparison from queue to verdict: the sentence, the rows behind it, the rounds behind
 * the rows, what each stage printed, and the machine it ran on. Live while it runs.
 */
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { Feed } from '../api/feed.ts';
import type { Job, JobData, VerdictRow } from '../api/types.ts';
import { announce } from '../app/announce.ts';
import { PwElement } from '../app/element.ts';
import { paths, queryNumber, setQuery } from '../app/router.ts';
import { jobChip } from '../parts/chip.ts';
import { environment, specText } from '../parts/environment.ts';
import { gaugeTable } from '../parts/gauges.ts';
import '../parts/log_viewer.ts';
import { failed, loading, stale } from '../parts/notice.ts';
import { crumbs, fact, section, sha } from '../parts/pieces.ts';
import { progressPanel } from '../parts/progress.ts';
import '../parts/rounds_chart.ts';
import { timeAgo } from '../parts/time.ts';
import { variantsTable } from '../parts/variants_table.ts';
import { verdictTable } from '../parts/verdict_table.ts';
import * as format from '../text/format.ts';
import { jobSentence, jobTitle, leadingRow, nextStep } from '../text/sentence.ts';
import { isLive, jobWord, kindWord, placeWord } from '../text/words.ts';

@customElement('pw-job')
export class JobPage extends PwElement {
    @property({ attribute: false }) number = 0;
    @property({ attribute: false }) moves = 0;

    private readonly feed = new Feed<JobData>(
        this,
        () => `/api/v1/jobs/${this.number}`,
        ({ job }) => isLive(job.state) || job.state === 'queued',
        (data) => this.arrived(data),
    );
    private state = '';

    /* Says aloud when a watched job moves on, not how it stood when the page opened. */
    private arrived({ job }: JobData): void {
        const state = `${job.state} ${job.progress?.stage ?? ''}`;
        if (this.state !== '' && this.state !== state && isLive(job.state))
            announce(`Job ${job.id}: ${job.progress?.stage ?? job.state}`);
        if (this.state !== '' && this.state !== state && !isLive(job.state))
            announce(`Job ${job.id} is done: ${jobWord(job).text}`);
        this.state = state;
    }

    protected override render(): TemplateResult {
        const { data, error, answered_ms, again } = this.feed;
        if (!data || data.job.id !== this.number)
            return error ? failed(error, 'job', again) : loading('the job');
        document.title = `${jobTitle(data.job, jobWord(data.job).text)} · Pacewatch`;
        return html`
            ${stale(error, answered_ms, again)}
            ${head(data)}
            ${data.verdict && data.verdict.rows.length > 0 ? this.rows(data, data.verdict.rows) : nothing}
            ${data.verdict && data.verdict.variants.length > 0 ? section('variants', 'Variants', variantsTable(data.verdict)) : nothing}
            ${data.stages.length > 0 ? section('stages', 'Stages', stages(data)) : nothing}
            ${environment(data)}
            ${specText(data)}
            ${data.verdict ? links(data.job) : nothing}`;
    }

    private rows(data: JobData, rows: VerdictRow[]): TemplateResult {
        const chosen =
            rows.find((row) => row.series === queryNumber('row')) ??
            leadingRow(rows, data.verdict!.outcome) ??
            rows[0]!;
        return html`
            ${section(
                'rows',
                'What was compared',
                verdictTable(rows, chosen.series, (row) => setQuery({ row })),
            )}
            ${data.rounds.length > 0 ? section('rounds', 'Every round', rounds(data, chosen)) : nothing}`;
    }
}

function rounds(data: JobData, row: VerdictRow): TemplateResult {
    return html`<p><b>${format.title(row.title)}</b> in ${placeWord(row.scenario, row.endpoint, row.variant)}
            <span class="faint">(choose another row above)</span></p>
        ${row.why ? html`<p class="faint">${format.sentence(row.why)}</p>` : nothing}
        <pw-rounds-chart .rounds=${data.rounds} .row=${row}></pw-rounds-chart>
        ${gaugeTable(data.rounds)}
        ${data.rounds_cut ? html`<p class="faint">There are more rounds than are shown here.</p>` : nothing}`;
}

function stages({ job, stages: names }: JobData): TemplateResult[] {
    return names.map((name) => {
        const start = job.state === 'failed' && isCulprit(job, name);
        return html`<pw-log .job=${job.id} .stage=${name} .live=${isLive(job.state)} .start=${start}></pw-log>`;
    });
}

function isCulprit(job: Job, stage: string): boolean {
    const wanted =
        job.failure_class === 'build'
            ? `build-${job.failure_side ?? ''}`
            : `service-${job.failure_side ?? ''}`;
    return stage.startsWith(wanted);
}

function head(data: JobData): TemplateResult {
    const { job, verdict } = data;
    const waits = job.state === 'queued';
    return html`<header class="head">
        ${crumbs([job.repo, paths.repo(job.repo)], [`job ${job.id}`])}
        <h1 class="job-title">${job.subject}</h1>
        <div class="hero ${jobWord(job).tone}">
            ${jobChip(job, 'large')}
            <p class="sentence">${jobSentence(data, Date.now())}</p>
            ${verdict?.why ? html`<p class="why">${format.sentence(verdict.why)}</p>` : nothing}
            ${(data.run?.notes ?? []).map((note) => html`<p class="why">${format.sentence(note)}</p>`)}
            ${job.failure ? html`<pre class="failure">${job.failure}</pre>` : nothing}
            ${next(data)}
            ${isLive(job.state) ? progressPanel(job, false) : nothing}
            ${waits ? html`<p class="why"><a href=${paths.queue()}>See the queue</a></p>` : nothing}
        </div>
        ${facts(data)}
    </header>`;
}

function next(data: JobData): TemplateResult | typeof nothing {
    const step = nextStep(data);
    return step
        ? html`<p class="why">${step.text} <code class="command">${step.command}</code></p>`
        : nothing;
}

function facts({ job, verdict, run }: JobData): TemplateResult {
    const took = job.started_ms && job.finished_ms ? job.finished_ms - job.started_ms : null;
    const voided = verdict && verdict.rounds_void > 0 ? `, ${verdict.rounds_void} void` : '';
    return html`<dl class="numbers">
        ${job.base ? fact('Base', sha(job.base)) : nothing}
        ${fact('Head', sha(job.head))}
        ${fact('Reason', reason(job))}
        ${verdict ? fact('Rounds', format.count(verdict.rounds) + voided) : nothing}
        ${run?.host ? fact('Host', run.host) : nothing}
        ${took !== null ? fact('Took', format.duration(took)) : nothing}
        ${fact(job.finished_ms ? 'Done' : 'Created', timeAgo(job.finished_ms ?? job.created_ms))}
    </dl>`;
}

/* "merge request 57", "push on main", "confirmation of job 41". */
function reason(job: Job): TemplateResult {
    const kind = kindWord(job.kind);
    if (job.kind === 'mr') return html`${kind} ${job.mr}`;
    if (job.confirms)
        return html`${kind} of <a href=${paths.job(job.confirms)}>job ${job.confirms}</a>`;
    return html`${kind}${job.branch ? ` on ${job.branch}` : ''}`;
}

const FORMS = [
    ['text', 'Plain text'],
    ['markdown', 'Markdown'],
    ['json', 'JSON'],
];

function links(job: Job): TemplateResult {
    const report = `/api/v1/jobs/${job.id}/report?format=`;
    const link = ([form, name]: string[]) =>
        html`<a class="button" href=${report + form}>${name}</a>`;
    return section('report', 'Report', html`<p class="actions">${FORMS.map(link)}</p>`);
}
