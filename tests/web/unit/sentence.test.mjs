// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { homeSentence, jobSentence, leadingRow, nextStep, progressClause, seriesSentence } =
    await load('text/sentence.ts');
const { certainty, jobWord } = await load('text/words.ts');

const plain = (text) => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');
const row = (change) => ({
    series: 1,
    scenario: 'items',
    endpoint: '',
    metric: 'cpu_per_request',
    title: 'CPU time per request',
    unit: 'ns',
    direction: -1,
    primary: true,
    base: 1,
    head: 1,
    effect: 0,
    lo: -0.01,
    hi: 0.01,
    noise: 0.01,
    least_effect: 0.05,
    detectable: 0.02,
    rounds: 10,
    outcome: 'no_change',
    why: null,
    ...change,
});
const job = (change, verdict = null) => ({
    job: {
        id: 1,
        repo: 'shop',
        state: 'reported',
        outcome: null,
        failure_class: null,
        failure_side: null,
        progress: null,
        waiting: null,
        ...change,
    },
    verdict,
    rounds: [],
    stages: [],
    run: null,
    spec: null,
});
const verdict = (outcome, rows) => ({
    outcome,
    confirmed: true,
    why: null,
    rounds: 10,
    rounds_void: 0,
    rows,
});

test('the headline is the worst primary row of the outcome, never a mean', () => {
    const rows = [
        row({ title: 'beside', outcome: 'slower', effect: 0.9, primary: false }),
        row({ title: 'large', outcome: 'slower', effect: 0.3 }),
        row({ title: 'small', outcome: 'slower', effect: 0.1 }),
        row({ title: 'gain', outcome: 'faster', effect: -0.5 }),
    ];

    assert.equal(leadingRow(rows, 'slower').title, 'large');
    assert.equal(leadingRow(rows, 'mixed').title, 'large');
    assert.equal(leadingRow(rows, 'faster').title, 'gain');
    assert.equal(leadingRow(rows.slice(0, 1), 'slower').title, 'beside');
    assert.equal(leadingRow(rows, 'undecided'), undefined);
});

test('the next step is a command where there is something to do', () => {
    const shas = { base: 'b'.repeat(40), head: 'a'.repeat(40) };
    const compare = `pacewatch compare ${'b'.repeat(12)} ${'a'.repeat(12)}`;

    assert.equal(nextStep(job(shas, verdict('slower', []))).command, compare);
    assert.equal(
        nextStep(job(shas, verdict('undecided', []))).command,
        `${compare} --rounds 20`,
    );
    assert.equal(nextStep(job(shas, verdict('no_change', []))), null);
    assert.equal(nextStep(job({ ...shas, base: null }, verdict('not_comparable', []))), null);
    assert.match(
        nextStep(job({ ...shas, state: 'failed', failure_class: 'config' })).command,
        /check/,
    );
    assert.match(
        nextStep(job({ ...shas, state: 'failed', failure_class: 'infra' })).text,
        /not the fault of the commit/,
    );
    assert.match(
        nextStep(job({ ...shas, state: 'failed', failure_class: 'build' })).text,
        /Repair it/,
    );
});

test('a verdict says size and certainty, or how small a change it could have seen', () => {
    const slower = job(
        {},
        verdict('slower', [row({ outcome: 'slower', effect: 0.31, lo: 0.292, hi: 0.331 })]),
    );
    const calm = job(
        {},
        verdict('no_change', [row({ detectable: 0.02 }), row({ detectable: 0.034 })]),
    );
    const unsure = job({}, verdict('undecided', [row({ outcome: 'undecided', noise: 0.06 })]));

    assert.equal(
        plain(jobSentence(slower, 0)),
        'CPU time per request +31.0 % [+29.2, +33.1] in items.',
    );
    assert.match(plain(jobSentence(calm, 0)), /a shift of 3.40 % would have been seen/);
    assert.match(plain(jobSentence(unsure, 0)), /Noise of ±6.00 %/);
});

test('a failure names its stage and side and gives no number', () => {
    const failed = job({ state: 'failed', failure_class: 'build', failure_side: 'head' });

    assert.equal(jobSentence(failed, 0), 'The build of head failed, so there are no numbers.');
    assert.equal(jobWord(failed.job).text, 'could not measure');
});

test('progress tells rounds and time left, or that it takes longer', () => {
    const progress = {
        attempt: 1,
        stage: 'round 4',
        rounds_done: 3,
        rounds_planned: 10,
        eta_ms: 125_000,
        beat_ms: 0,
    };

    assert.equal(
        plain(progressClause(progress, 0)),
        'Round 4, 3 of 10 rounds done, about 2 min 5 s left.',
    );
    assert.match(progressClause(progress, 200_000), /longer than expected/);
    assert.match(
        progressClause({ ...progress, stage: 'build-base', rounds_planned: 0 }, 0),
        /^Build base, about/,
    );
});

test('only a loss needs confirming', () => {
    assert.equal(certainty('slower', true), 'confirmed');
    assert.equal(certainty('slower', false), 'unconfirmed');
    assert.equal(certainty('faster', true), '');
    assert.equal(certainty('no_change', false), '');
});

test('the home page leads with the worst news', () => {
    const repo = (name, last, open_alerts = 0) => ({ name, last, open_alerts });
    const bad = { outcome: 'slower', confirmed: true };
    const maybe = { outcome: 'slower', confirmed: false };

    assert.equal(homeSentence([repo('shop', bad), repo('docs', null)]), 'shop got slower');
    assert.equal(
        homeSentence([repo('a', bad), repo('b', bad), repo('c', null)]),
        '2 of 3 repositories got slower',
    );
    assert.equal(homeSentence([repo('a', maybe)]), 'All repositories keep their pace');
    assert.equal(homeSentence([repo('a', null, 2)]), '2 regressions wait for a decision');
});

test('a series tells its level and its last change', () => {
    const data = {
        series: { unit: 'ns' },
        pos: [1, 2],
        value: [100, 131],
        sha: ['a'.repeat(40), 'b'.repeat(40)],
        subject: ['one', 'two'],
        levels: [
            { from: 1, to: 1, value: 100 },
            { from: 2, to: 2, value: 131 },
        ],
        changes: [{ pos: 2, effect: 0.31, lo: 0.3, hi: 0.32, worse: true }],
    };

    assert.equal(
        plain(seriesSentence(data)),
        'Now at 131 ns. Last change: +31.0 % [+30.0, +32.0] worse at bbbbbbbb “two”.',
    );
    assert.match(
        plain(seriesSentence({ ...data, changes: [] })),
        /No change in 2 measured commits/,
    );
    assert.match(seriesSentence({ ...data, pos: [], value: [] }), /Nothing has been measured/);
});
