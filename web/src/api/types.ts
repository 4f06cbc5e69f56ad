// SPDX-License-Identifier: MIT
/*
 * types: the answers of the HTTP interface, as schema/api.md describes them. Times ending in _ms
 * are milliseconds since 1970, effects are relative changes (0.05 is 5 % more).
 */

export type Outcome =
    'no_change' | 'faster' | 'slower' | 'mixed' | 'undecided' | 'identical' | 'not_comparable';

export type JobState =
    | 'queued'
    | 'submitted'
    | 'running'
    | 'measured'
    | 'judged'
    | 'reported'
    | 'failed'
    | 'superseded';

export interface Repo {
    name: string;
    url: string;
    default_branch: string;
    branches: string[];
    fetched_ms: number | null;
    fetch_error: string | null;
    queued: number;
    running: number;
    open_alerts: number;
    last: {
        job: number;
        outcome: Outcome | null;
        confirmed: boolean;
        sha: string;
        subject: string;
    } | null;
}

export interface JobBrief {
    id: number;
    kind: string;
    state: JobState;
    outcome: Outcome | null;
    confirmed: boolean;
    failure_class: string | null;
    failure: string | null;
}

export interface Commit {
    pos: number;
    sha: string;
    subject: string;
    author: string;
    at_ms: number;
    live: boolean;
    job: JobBrief | null;
}

export interface MergeRequest {
    number: number;
    target: string;
    head: string;
    state: string;
    subject: string;
    job: JobBrief | null;
}

export interface SeriesIdentity {
    id: number;
    scenario: string;
    endpoint: string;
    variant: string;
    metric: string;
    title: string;
    unit: string;
    direction: number;
    primary: boolean;
    host: string;
}

export interface BriefChange {
    pos: number;
    effect: number;
    lo: number | null;
    hi: number | null;
    worse: boolean;
    state: string;
}

export interface SeriesBrief extends SeriesIdentity {
    pos: number[];
    value: number[];
    changes: BriefChange[];
}

export interface Alert {
    id: number;
    kind: string;
    method?: string;
    state: string;
    title: string;
    why?: string;
    job: number | null;
    sha: string | null;
    pos: number | null;
    mr: number | null;
    created_ms: number;
    repo?: string;
}

export interface Overview {
    repo: Repo;
    branch: string;
    commits: Commit[];
    merge_requests: MergeRequest[];
    series: SeriesBrief[];
    alerts: Alert[];
}

export interface Change extends BriefChange {
    after_pos: number;
    pos_lo: number;
    pos_hi: number;
    before: number;
    after: number;
    method: string;
    why: string;
}

export interface Level {
    from: number;
    to: number;
    value: number;
}

export interface EnvironmentEvent {
    pos: number;
    text: string;
}

/* How the series continues that of another machine: this one over that one. */
export interface Bridge {
    series: number;
    host: string;
    ratio: number;
    lo: number;
    hi: number;
    n: number;
}

export interface SeriesData {
    series: SeriesIdentity & { repo: string; branch: string };
    pos: number[];
    value: number[];
    lo: (number | null)[];
    hi: (number | null)[];
    n: number[];
    bucketed: boolean;
    sha: string[];
    subject: string[];
    job: (number | null)[];
    levels: Level[];
    changes: Change[];
    events: EnvironmentEvent[];
    bridges?: Bridge[];
}

export interface Progress {
    attempt: number;
    stage: string | null;
    rounds_done: number;
    rounds_planned: number;
    eta_ms: number | null;
    beat_ms: number | null;
}

export interface Job extends JobBrief {
    repo: string;
    branch: string | null;
    mr: number | null;
    base: string | null;
    head: string;
    subject: string;
    confirms: number | null;
    failure_side: string | null;
    created_ms: number;
    started_ms: number | null;
    finished_ms: number | null;
    progress: Progress | null;
    waiting: string | null;
}

export interface VerdictRow {
    series: number;
    scenario: string;
    endpoint: string;
    variant: string;
    metric: string;
    title: string;
    unit: string;
    direction: number;
    primary: boolean;
    base: number | null;
    head: number | null;
    effect: number | null;
    lo: number | null;
    hi: number | null;
    noise: number | null;
    least_effect: number | null;
    detectable: number | null;
    rounds: number;
    outcome: Outcome;
    why: string | null;
}

export interface Verdict {
    outcome: Outcome;
    confirmed: boolean;
    why: string | null;
    rounds: number;
    rounds_void: number;
    rows: VerdictRow[];
    baseline: string | null;
    variants: VerdictRow[];
}

export interface Arm {
    place: number;
    side: 'base' | 'head';
    copy: number;
    gauges: Record<string, number>;
    samples: Record<string, number>;
}

export interface Round {
    n: number;
    kind: string;
    void: string | null;
    arms: Arm[];
}

export type Facts = Record<string, string | number | boolean | null>;

export interface Run {
    host: string;
    identical: boolean;
    started_ms: number | null;
    ended_ms: number | null;
    rounds_planned: number;
    end: 'plan' | 'look' | 'time';
    notes: string[];
    identity: Facts | null;
    state: Facts | null;
    noise: Facts | null;
    base_artifact: string | null;
    head_artifact: string | null;
}

export interface JobData {
    job: Job;
    spec: string | null;
    run: Run | null;
    verdict: Verdict | null;
    rounds: Round[];
    rounds_cut?: boolean;
    stages: string[];
}

export interface RepoList {
    repos: Repo[];
}

export interface JobList {
    jobs: Job[];
}
