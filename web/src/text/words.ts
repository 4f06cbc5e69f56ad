// SPDX-License-Identifier: MIT
/*
 * words: how the page calls things, the same vocabulary as reports and manual. One table per
 * language; so far there is English. Arrows of outcomes point where the service went: up is better.
 */
import type { Job, JobBrief, Outcome } from '../api/types.ts';

export interface Word {
    text: string;
    sign: string;
    tone: 'worse' | 'better' | 'calm' | 'unsure' | 'mixed' | 'broken' | 'busy';
    meaning: string;
}

const OUTCOMES: Record<Outcome, Word> = {
    slower: {
        text: 'slower',
        sign: '↘',
        tone: 'worse',
        meaning: 'At least one metric got worse by more than noise explains.',
    },
    faster: {
        text: 'faster',
        sign: '↗',
        tone: 'better',
        meaning: 'At least one metric got better, none got worse.',
    },
    mixed: {
        text: 'mixed',
        sign: '⇅',
        tone: 'mixed',
        meaning: 'Some metrics got worse, others better.',
    },
    no_change: {
        text: 'no change',
        sign: '→',
        tone: 'calm',
        meaning: 'Any change is smaller than what matters.',
    },
    identical: {
        text: 'identical',
        sign: '=',
        tone: 'calm',
        meaning: 'Base and head build to the same bytes; nothing had to be measured.',
    },
    undecided: {
        text: 'undecided',
        sign: '?',
        tone: 'unsure',
        meaning: 'Noise was too large to tell.',
    },
    not_comparable: {
        text: 'not comparable',
        sign: '≠',
        tone: 'unsure',
        meaning: 'Base and head were not measured under equal conditions.',
    },
};

export const BROKEN: Word = {
    text: 'could not measure',
    sign: '×',
    tone: 'broken',
    meaning: 'No numbers: a stage failed.',
};

const STATES: Record<string, Word> = {
    queued: { text: 'waiting', sign: '…', tone: 'busy', meaning: 'Waits for its turn.' },
    submitted: { text: 'starting', sign: '…', tone: 'busy', meaning: 'Handed to a runner.' },
    running: { text: 'measuring', sign: '●', tone: 'busy', meaning: 'A runner works on it.' },
    measured: {
        text: 'judging',
        sign: '●',
        tone: 'busy',
        meaning: 'Measured; the verdict is being made.',
    },
    judged: {
        text: 'reporting',
        sign: '●',
        tone: 'busy',
        meaning: 'Judged; the report is on its way.',
    },
    superseded: {
        text: 'superseded',
        sign: '–',
        tone: 'calm',
        meaning: 'A newer head took its place.',
    },
    failed: BROKEN,
};

const KINDS: Record<string, string> = {
    push: 'push',
    mr: 'merge request',
    confirm: 'confirmation',
    backfill: 'backfill',
    bisect: 'bisection',
    anchor: 'anchor',
    aa: 'A/A noise check',
};

const FAILURES: Record<string, (of: string) => string> = {
    infra: () => 'a fault on our side',
    load: () => 'the load generator failed',
    config: () => 'the spec is not valid',
    build: (of) => `the build${of} failed`,
    start: (of) => `the service${of} did not start`,
    verify: (of) => `the service${of} gave wrong answers`,
};

export function outcomeWord(outcome: Outcome): Word {
    return OUTCOMES[outcome] ?? { text: outcome, sign: '•', tone: 'calm', meaning: '' };
}

/* What a job has to say for itself: its outcome once there is one, else its state. */
export function jobWord(job: JobBrief | Job): Word {
    if (job.state === 'failed' || job.failure_class) return BROKEN;
    if (job.outcome) return outcomeWord(job.outcome);
    return STATES[job.state] ?? { text: job.state, sign: '•', tone: 'calm', meaning: '' };
}

/* "confirmed" and "unconfirmed" say something only where there is a change to confirm. */
export function certainty(outcome: Outcome | null, confirmed: boolean): string {
    if (outcome !== 'slower' && outcome !== 'mixed') return '';
    return confirmed ? 'confirmed' : 'unconfirmed';
}

export function kindWord(kind: string): string {
    return KINDS[kind] ?? kind;
}

/* "the build of head failed" */
export function failureWord(failure_class: string | null, side: string | null = null): string {
    const of = side ? ` of ${side}` : '';
    if (!failure_class) return 'a stage failed';
    return FAILURES[failure_class]?.(of) ?? `${failure_class}${of} failed`;
}

/* A fault of the service or its repository, and not of Pacewatch or its host. */
export function isTheirFault(failure_class: string | null): boolean {
    return failure_class !== 'infra' && failure_class !== 'load';
}

export function worseWord(worse: boolean): string {
    return worse ? 'worse' : 'better';
}

export function isLive(state: string): boolean {
    return ['submitted', 'running', 'measured', 'judged'].includes(state);
}

export function directionWord(direction: number): string {
    return direction > 0
        ? 'more is better'
        : direction < 0
          ? 'less is better'
          : 'neither way is better';
}

/* "round 4" stays, "build-base" becomes "build base". */
export function stageWord(stage: string | null | undefined): string {
    return stage ? stage.replaceAll('-', ' ').replaceAll('_', ' ') : 'starting';
}

/* "items" or "items · GET /items" */
export function placeWord(scenario: string, endpoint: string, variant: string): string {
    return [scenario, variant, endpoint].filter(Boolean).join(' · ');
}
