// SPDX-License-Identifier: MIT
/* chip: a verdict as a word with its arrow. The colour only repeats what word and arrow say. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Job, JobBrief, Outcome } from '../api/types.ts';
import { certainty, jobWord, outcomeWord, type Word } from '../text/words.ts';

export function chip(word: Word, sure = '', size: '' | 'large' | 'small' = ''): TemplateResult {
    const pulse = word.tone === 'busy' && word.sign === '●' ? 'pulse' : '';
    return html`<span class="chip ${word.tone} ${size} ${sure}" title=${word.meaning}
        ><span class="sign ${pulse}" aria-hidden="true">${word.sign}</span
        ><span class="word">${word.text}</span>${sure ? html` <span class="sure">${sure}</span>` : nothing}</span
    >`;
}

export function outcomeChip(
    outcome: Outcome,
    confirmed: boolean,
    size: '' | 'large' | 'small' = '',
): TemplateResult {
    return chip(outcomeWord(outcome), certainty(outcome, confirmed), size);
}

/* The chip of a job, or that there is none. */
export function measuredChip(job: JobBrief | null, size: '' | 'small' = ''): TemplateResult {
    if (job) return jobChip(job, size);
    return html`<span class="chip none ${size}"><span class="word">not measured</span></span>`;
}

export function jobChip(
    job: JobBrief | Job,
    size: '' | 'large' | 'small' = '',
): TemplateResult {
    /* A confirming job is the second opinion itself. */
    const alone = job.state === 'failed' || job.kind === 'confirm';
    const sure = alone ? '' : certainty(job.outcome, job.confirmed);
    return chip(jobWord(job), sure, size);
}
