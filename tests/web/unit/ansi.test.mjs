// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { ansiPieces } = await load('parts/ansi.ts');
const ESC = '\u001b';
const text = (raw) =>
    ansiPieces(raw)
        .map((piece) => piece.text)
        .join('');

test('colours become classes and end where they end', () => {
    assert.deepEqual(ansiPieces(`a${ESC}[1;31mred${ESC}[0mb`), [
        { text: 'a', classes: '' },
        { text: 'red', classes: 'ansi-red ansi-bold' },
        { text: 'b', classes: '' },
    ]);
});

test('colours we do not draw take nothing else with them', () => {
    assert.deepEqual(ansiPieces(`${ESC}[38;5;31;2mdim${ESC}[22mx`), [
        { text: 'dim', classes: 'ansi-dim' },
        { text: 'x', classes: '' },
    ]);
    assert.equal(ansiPieces(`${ESC}[38;2;31;32;33mx`)[0].classes, '');
});

test('other sequences vanish', () => {
    assert.equal(
        text(
            `${ESC}]8;;https://x.example${ESC}\\link${ESC}]8;;\u0007 ${ESC}[2K${ESC}[1Aend${ESC}(B`,
        ),
        'link end',
    );
});

test('a carriage return starts its line over', () => {
    assert.equal(text('10 %\r50 %\r100 %\ndone\r\nend'), '100 %\ndone\nend');
});

test('markup in a log stays text', () => {
    assert.equal(text('<script>alert(1)</script>'), '<script>alert(1)</script>');
});
