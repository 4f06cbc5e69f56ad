// SPDX-License-Identifier: MIT
/* commits: the newest commits of a branch, each with its verdict. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Commit } from '../api/types.ts';
import { paths } from '../app/router.ts';
import * as format from '../text/format.ts';
import { failureWord } from '../text/words.ts';
import { measuredChip } from './chip.ts';
import { notice } from './notice.ts';
import { sha } from './pieces.ts';
import { timeAgo } from './time.ts';

const SHOWN = 12;

function commitRow(commit: Commit): TemplateResult {
    const { job } = commit;
    const subject = job
        ? html`<a class="subject" href=${paths.job(job.id)} data-walk>${commit.subject}</a>`
        : html`<span class="subject">${commit.subject}</span>`;
    return html`<li class="row ${commit.live ? '' : 'gone'}">
        <div class="row-verdict">${measuredChip(job)}</div>
        <div class="row-text">
            ${subject}
            <p class="faint">${sha(commit.sha)} ${commit.author} · ${timeAgo(commit.at_ms)}
                ${commit.live ? nothing : html` · no longer on the branch`}
                ${job?.failure_class ? html` · ${failureWord(job.failure_class)}` : nothing}</p>
        </div>
    </li>`;
}

export function commitList(
    commits: Commit[],
    all: boolean,
    showAll: () => void,
): TemplateResult {
    if (commits.length === 0)
        return notice(
            'calm',
            'No commits have been seen on this branch.',
            'Push one, or check the branch name in the configuration.',
        );
    const shown = all ? commits : commits.slice(0, SHOWN);
    return html`<ol class="rows">${shown.map(commitRow)}</ol>
        ${
            shown.length < commits.length
                ? html`<button type="button" class="more" @click=${showAll}>
                      Show all ${format.count(commits.length)} commits</button>`
                : nothing
        }`;
}
