// SPDX-License-Identifier: MIT
/*
 * sentence: the one line that answers the question of a page. Pure functions over the answers of
 * the interface. A headline is always the worst row, never a mean over rows.
 */
import type { Job, JobData, Progress, Repo, SeriesData, VerdictRow } from '../api/types.ts';
import * as format from './format.ts';
import {
    certainty,
    failureWord,
    isLive,
    isTheirFault,
    placeWord,
    stageWord,
    worseWord,
} from './words.ts';

const SHA_TYPED = 12;

function capital(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/* The row a verdict rests on: rows come worst first, and only primary ones take part in it. */
export function leadingRow(rows: VerdictRow[], outcome: string): VerdictRow | undefined {
    const wanted = outcome === 'mixed' ? 'slower' : outcome;
    const candidates = rows.filter((row) => row.outcome === wanted);
    return candidates.find((row) => row.primary) ?? candidates[0];
}

function rowClause(row: VerdictRow): string {
    const bounds = format.interval(row.lo, row.hi, row.effect);
    const size = [format.effect(row.effect, row.unit), bounds].filter(Boolean).join(' ');
    return `${format.title(row.title)} ${size} in ${placeWord(row.scenario, row.endpoint, row.variant)}`;
}

function leastSeen(rows: VerdictRow[]): string {
    const seen = rows.filter((row) => row.primary && row.detectable != null);
    if (seen.length === 0) return '';
    return format.share(Math.max(...seen.map((row) => row.detectable!)));
}

function widestNoise(rows: VerdictRow[]): string {
    const noisy = rows.filter((row) => row.outcome === 'undecided' && row.noise != null);
    if (noisy.length === 0) return '';
    return format.share(Math.max(...noisy.map((row) => row.noise!)));
}

function verdictClause(data: JobData): string {
    const verdict = data.verdict!;
    const row = leadingRow(verdict.rows, verdict.outcome);
    switch (verdict.outcome) {
        case 'slower':
        case 'faster':
        case 'mixed':
            return row ? `${rowClause(row)}.` : (verdict.why ?? '');
        case 'no_change': {
            const least = leastSeen(verdict.rows);
            return least
                ? `Nothing changed by an amount that matters; a shift of ${least} would have been seen.`
                : 'Nothing changed by an amount that matters.';
        }
        case 'identical':
            return 'Base and head build to the same bytes, so nothing had to be measured.';
        case 'undecided': {
            const noise = widestNoise(verdict.rows);
            return noise
                ? `Noise of ±${noise} is too large to tell.`
                : 'Noise is too large to tell.';
        }
        case 'not_comparable':
            return data.job.base
                ? 'Base and head were not measured under equal conditions.'
                : 'This is the first measurement here; later commits are compared with it.';
        default:
            return verdict.why ?? '';
    }
}

export function progressClause(progress: Progress | null, now_ms: number): string {
    if (!progress) return 'Handed to a runner, which has not reported yet.';
    const { rounds_done: done, rounds_planned: planned, eta_ms } = progress;
    const stage = stageWord(progress.stage);
    const rounds =
        planned > 0 ? `, ${format.count(done)} of ${format.plural(planned, 'round')} done` : '';
    return `${capital(stage)}${rounds}${etaClause(eta_ms, now_ms)}.`;
}

export function etaClause(eta_ms: number | null, now_ms: number): string {
    if (eta_ms == null) return '';
    const left = eta_ms - now_ms;
    return left > 0 ? `, about ${format.duration(left)} left` : ', longer than expected';
}

export function jobSentence(data: JobData, now_ms: number): string {
    const job = data.job;
    if (job.state === 'failed') {
        const cause = failureWord(job.failure_class, job.failure_side);
        return `${capital(cause)}, so there are no numbers.`;
    }
    if (data.verdict) return verdictClause(data);
    if (job.state === 'queued')
        return job.waiting ? `Waits: ${job.waiting}.` : 'Waits for its turn.';
    if (job.state === 'superseded')
        return 'A newer head took its place before it was measured.';
    if (isLive(job.state)) return progressClause(job.progress, now_ms);
    return '';
}

export interface NextStep {
    text: string;
    command: string;
}

/* What a person can do about it; nothing where there is nothing to do. */
export function nextStep({ job, verdict }: JobData): NextStep | null {
    const compare = `pacewatch compare ${job.base?.slice(0, SHA_TYPED) ?? 'BASE'} ${job.head.slice(0, SHA_TYPED)}`;
    if (job.state === 'failed') {
        if (job.failure_class === 'config')
            return { text: 'Look at the spec:', command: 'pacewatch check .pacewatch.json' };
        return isTheirFault(job.failure_class)
            ? {
                  text: 'Repair it and push again, or see it fail in a checkout:',
                  command: compare,
              }
            : {
                  text: 'This was not the fault of the commit. Measure again with:',
                  command: compare,
              };
    }
    switch (verdict?.outcome) {
        case 'slower':
        case 'mixed':
            return {
                text: 'See it in a checkout, then look at what changed between the two:',
                command: compare,
            };
        case 'undecided':
            return {
                text: 'More rounds on a quiet machine can decide:',
                command: `${compare} --rounds 20`,
            };
        case 'not_comparable':
            return job.base
                ? { text: 'Measure both again on one machine:', command: compare }
                : null;
        default:
            return null;
    }
}

/* The page of all repositories in one line: worst news first. */
export function homeSentence(repos: Repo[]): string {
    const slower = repos.filter(
        (repo) => repo.last?.confirmed && ['slower', 'mixed'].includes(repo.last.outcome ?? ''),
    );
    const alerts = repos.reduce((sum, repo) => sum + repo.open_alerts, 0);
    if (slower.length === 1) return `${slower[0]!.name} got slower`;
    if (slower.length > 1)
        return `${slower.length} of ${format.plural(repos.length, 'repository', 'repositories')} got slower`;
    if (alerts > 0)
        return `${format.plural(alerts, 'regression waits', 'regressions wait')} for a decision`;
    return 'All repositories keep their pace';
}

export function seriesSentence(data: SeriesData): string {
    const { pos, value, changes } = data;
    if (value.length === 0) return 'Nothing has been measured yet.';
    const level = data.levels.at(-1)?.value ?? value.at(-1)!;
    const now = `Now at ${format.value(data.series.unit, level)}.`;
    const last = changes.at(-1);
    if (!last) return `${now} No change in ${format.plural(pos.length, 'measured commit')}.`;
    const size = [
        format.effect(last.effect, data.series.unit),
        format.interval(last.lo, last.hi, last.effect),
    ];
    const i = pos.indexOf(last.pos);
    const where = data.sha[i]
        ? `${format.shortSha(data.sha[i])} “${data.subject[i]}”`
        : `commit ${format.count(last.pos)}`;
    return `${now} Last change: ${size.filter(Boolean).join(' ')} ${worseWord(last.worse)} at ${where}.`;
}

/* For the title of the window, where only text can say how it went. */
export function jobTitle(job: Job, word: string): string {
    const sure = certainty(job.outcome, job.confirmed);
    return `${word}${sure ? ` (${sure})` : ''}: ${job.repo} job ${job.id}`;
}
