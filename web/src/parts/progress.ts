// SPDX-License-Identifier: MIT
/* progress: where a running job is: its steps, the rounds done of those planned, the time left. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Job } from '../api/types.ts';
import { progressClause } from '../text/sentence.ts';
import { timeAgo } from './time.ts';

const STEPS = ['build', 'measure', 'judge', 'report'] as const;
const SILENT_MS = 30_000; /* beats come every few seconds */

function stepOf(job: Job): number {
    if (job.state === 'measured') return 2;
    if (job.state === 'judged') return 3;
    const stage = job.progress?.stage ?? '';
    return /^round|^measure|^warm/.test(stage) || (job.progress?.rounds_done ?? 0) > 0 ? 1 : 0;
}

function steps(job: Job): TemplateResult {
    const now = stepOf(job);
    return html`<ol class="steps">${STEPS.map((name, index) => {
        const state = index < now ? 'past' : index === now ? 'now' : 'ahead';
        return html`<li class=${state} aria-current=${index === now ? 'step' : nothing}>${name}</li>`;
    })}</ol>`;
}

/* 'told': whether to say in words what the picture shows; a page may have said it already. */
export function progressPanel(job: Job, told = true): TemplateResult {
    const progress = job.progress;
    const planned = progress?.rounds_planned ?? 0;
    const done = progress?.rounds_done ?? 0;
    const silent = progress?.beat_ms ? Date.now() - progress.beat_ms > SILENT_MS : false;
    return html`<div class="progress">
        ${steps(job)}
        ${
            planned > 0
                ? html`<progress max=${planned} .value=${done} aria-label="Rounds done">${done} of ${planned}</progress>`
                : nothing
        }
        ${told ? html`<p>${progressClause(progress, Date.now())}</p>` : nothing}
        ${progress && progress.attempt > 1 ? html`<p class="faint">Attempt ${progress.attempt}.</p>` : nothing}
        ${
            silent
                ? html`<p class="notice unsure slim">The runner was last heard ${timeAgo(progress!.beat_ms)}.</p>`
                : nothing
        }
    </div>`;
}
