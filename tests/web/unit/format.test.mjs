// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const format = await load('text/format.ts');

/* Blanks inside values do not break; tests read better with plain ones and a plain minus. */
const plain = (text) => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');

test('values get three digits and a unit a person would say', () => {
    const cases = [
        ['ns', 0, '0 ns'],
        ['ns', 950, '950 ns'],
        ['ns', 12_345, '12.3 µs'],
        ['ns', 1_000_000, '1.00 ms'],
        ['ns', 999_600, '1.00 ms'],
        ['ns', 2_500_000_000, '2.50 s'],
        ['1/s', 4_560, '4.56 k/s'],
        ['1/s', 12, '12.0 /s'],
        ['B', 147_849_216, '141 MiB'],
        ['B', 1_023, '1,023 B'],
        ['1', 0.0123, '1.23 %'],
        ['1', 0, '0 %'],
        ['widgets', 3.14159, '3.14 widgets'],
        ['', 12_345, '12,345'],
    ];

    for (const [unit, number, wanted] of cases)
        assert.equal(plain(format.value(unit, number)), wanted, `${number} ${unit}`);
});

test('what is not known is a dash and never a zero', () => {
    for (const missing of [null, undefined, NaN, Infinity]) {
        assert.equal(format.value('ns', missing), '–');
        assert.equal(format.effect(missing), '–');
        assert.equal(format.share(missing), '–');
    }
    assert.equal(format.interval(null, 0.1), '');
});

test('effects carry a sign, intervals the digits of their effect', () => {
    assert.equal(plain(format.effect(0.31)), '+31.0 %');
    assert.equal(plain(format.effect(-0.0123)), '-1.23 %');
    assert.equal(plain(format.effect(0)), '0.0 %');
    assert.equal(plain(format.effect(1.5)), '+150 %');
    assert.equal(plain(format.interval(0.292, 0.331, 0.31)), '[+29.2, +33.1]');
    assert.equal(plain(format.interval(-0.004, 0.02, 0.31)), '[-0.4, +2.0]');
});

test('effects of a share are points, and differences instead of ratios', () => {
    assert.equal(plain(format.effect(0.012, '1')), '+1.20 points');
    assert.equal(plain(format.change('1', 0, 0.02)), '+2.00 points');
    assert.equal(plain(format.change('ns', 100, 131)), '+31.0 %');
    assert.equal(format.change('ns', 0, 131), '–');
    assert.equal(format.change('ns', undefined, 131), '–');
});

test('titles begin with a capital unless they name a percentile', () => {
    assert.equal(format.title('peak memory'), 'Peak memory');
    assert.equal(format.title('p99 response time'), 'p99 response time');
});

test('a reason stands alone as a sentence', () => {
    assert.equal(format.sentence('all rounds agree'), 'All rounds agree.');
    assert.equal(format.sentence('Done.'), 'Done.');
});

test('ticks of one axis share a scale and show the decimals of their step', () => {
    const scale = format.scaleFor('ns', 96_000);

    assert.deepEqual(scale, { factor: 1e3, unit: 'µs' });
    assert.equal(format.tick(scale, 75_000, 5_000), '75');
    assert.equal(format.tick(scale, 75_500, 500), '75.5');
    assert.equal(format.tick(scale, 75_000, 500), '75.0');
    assert.equal(format.tick(scale, 82_500, 2_500), '82.5');
    assert.equal(format.tick({ factor: 0.01, unit: '%' }, 0.0003, 0.0001), '0.03');
});

test('durations name their two largest parts', () => {
    const cases = [
        [0, '0 s'],
        [1_540, '1.5 s'],
        [59_600, '1 min'],
        [125_000, '2 min 5 s'],
        [3_600_000, '1 h'],
        [90_061_000, '1 d 1 h'],
        [-5, '0 s'],
    ];

    for (const [ms, wanted] of cases)
        assert.equal(plain(format.duration(ms)), wanted, `${ms} ms`);
});

test('moments are said relative to now', () => {
    const now = Date.UTC(2026, 0, 10, 12);

    assert.equal(format.ago(now, now), 'now');
    assert.equal(format.ago(now - 20_000, now), '20 seconds ago');
    assert.equal(format.ago(now - 180_000, now), '3 minutes ago');
    assert.equal(format.ago(now + 7_200_000, now), 'in 2 hours');
    assert.equal(format.ago(now - 86_400_000, now), 'yesterday');
    assert.equal(format.ago(now - 400 * 86_400_000, now), 'last year');
});

test('counts agree with their noun', () => {
    assert.equal(format.plural(1, 'round'), '1 round');
    assert.equal(format.plural(1_200, 'repository', 'repositories'), '1,200 repositories');
});
