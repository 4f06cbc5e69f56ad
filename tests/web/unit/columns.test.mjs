// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { lowerBound, nearest, nextMark, padded, span } = await load('chart/columns.ts');
const { mergedChanges } = await load('chart/changes.ts');
const { dotsOf, gaugesOf, median } = await load('chart/rounds.ts');

test('lowerBound agrees with a linear search', () => {
    const column = [1, 3, 3, 7, 20];

    for (let wanted = 0; wanted <= 21; wanted++) {
        const linear = column.findIndex((value) => value >= wanted);
        assert.equal(lowerBound(column, wanted), linear < 0 ? column.length : linear);
    }
    assert.equal(lowerBound([], 1), 0);
});

test('nearest prefers the earlier of two equally near', () => {
    assert.equal(nearest([10, 20, 30], 14), 0);
    assert.equal(nearest([10, 20, 30], 15), 0);
    assert.equal(nearest([10, 20, 30], 16), 1);
    assert.equal(nearest([10, 20, 30], 99), 2);
    assert.equal(nearest([10, 20, 30], -5), 0);
    assert.equal(nearest([], 1), -1);
});

test('walking marks stops at both ends', () => {
    const marks = [84, 163, 12];

    assert.equal(nextMark(marks, null, 1), 12);
    assert.equal(nextMark(marks, null, -1), 163);
    assert.equal(nextMark(marks, 84, 1), 163);
    assert.equal(nextMark(marks, 84, -1), 12);
    assert.equal(nextMark(marks, 163, 1), null);
    assert.equal(nextMark([], null, 1), null);
});

test('a span ignores what is not known', () => {
    assert.deepEqual(
        span(
            [
                [1, null, 9],
                [null, -2, 3],
            ],
            0,
            2,
        ),
        [-2, 9],
    );
    assert.deepEqual(span([[1, 5, 9]], 1, 1), [5, 5]);
    assert.equal(span([[null, NaN]], 0, 1), null);
    assert.equal(span([[1]], 1, 0), null);
});

test('a padded span holds its values and reaches zero when asked', () => {
    const [low, high] = padded([10, 20], false);

    assert.ok(low < 10 && low > 0 && high > 20);
    assert.equal(padded([10, 20], true)[0], 0);
    const flat = padded([0, 0], false);
    assert.ok(flat[0] < 0 && flat[1] > 0);
});

test('dots leave out void rounds and other series', () => {
    const arm = (side, copy, samples) => ({ place: 0, side, copy, gauges: {}, samples });
    const rounds = [
        {
            n: 1,
            kind: 'aba',
            void: null,
            arms: [
                arm('base', 0, { 3: 10 }),
                arm('head', 0, { 3: 12 }),
                arm('base', 1, { 3: 11 }),
            ],
        },
        { n: 2, kind: 'ab', void: 'late', arms: [arm('base', 0, { 3: 99 })] },
        { n: 3, kind: 'ab', void: null, arms: [arm('base', 0, { 4: 1 })] },
    ];

    assert.deepEqual(dotsOf(rounds, 3), [
        { n: 1, side: 'base', copy: 0, value: 10 },
        { n: 1, side: 'head', copy: 0, value: 12 },
        { n: 1, side: 'base', copy: 1, value: 11 },
    ]);
});

test('a median does not depend on the order', () => {
    assert.equal(median([]), null);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([10, 2, 4, 1]), 3);
});

test('gauges are summed up over the rounds that count', () => {
    const arm = (gauges) => ({ place: 0, side: 'base', copy: 0, gauges, samples: {} });
    const rounds = [
        {
            n: 1,
            kind: 'ab',
            void: null,
            arms: [arm({ steal: 0.1, load_cpu: 0.5 }), arm({ steal: 0.3 })],
        },
        { n: 2, kind: 'ab', void: 'late', arms: [arm({ steal: 0.9 })] },
        { n: 3, kind: 'ab', void: null, arms: [arm({ steal: 0 })] },
    ];

    assert.deepEqual(gaugesOf(rounds), [
        { name: 'steal', middle: 0.1, most: 0.3 },
        { name: 'load_cpu', middle: 0.5, most: 0.5 },
    ]);
    assert.deepEqual(gaugesOf([]), []);
});

test('two finders of one step make one mark, the surer one first', () => {
    const change = (pos, state, why, worse = true) => ({ pos, state, why, worse, effect: 0.3 });

    const merged = mergedChanges([
        change(9, 'provisional', 'history'),
        change(4, 'confirmed', 'alone'),
        change(9, 'confirmed', 'pair'),
        change(9, 'confirmed', 'other way', false),
    ]);

    assert.deepEqual(
        merged.map(({ pos, state, why }) => [pos, state, why]),
        [
            [4, 'confirmed', 'alone'],
            [9, 'confirmed', 'pair; history'],
            [9, 'confirmed', 'other way'],
        ],
    );
    assert.deepEqual(mergedChanges([]), []);
});
