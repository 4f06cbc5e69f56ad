// SPDX-License-Identifier: MIT
/* source: rules of the sources that no compiler checks. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './load.mjs';

const LINES_MAX = 600;

const sources = readdirSync(join(ROOT, 'web/src'), { recursive: true })
    .filter((name) => /\.(ts|css|html|svg)$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(ROOT, 'web/src', name), 'utf8') }));

/* Each of these is blocked by the security policy or opens a way around escaping. */
const FORBIDDEN = [
    /\sstyle=["'$]/,
    /styleMap/,
    /unsafeHTML|unsafeSVG|unsafeStatic/,
    /\.innerHTML|outerHTML|insertAdjacentHTML/,
    /\beval\(|new Function/,
];

test('nothing in the sources needs a looser security policy', () => {
    assert.ok(sources.length > 20);
    for (const { name, text } of sources)
        for (const pattern of FORBIDDEN) assert.doesNotMatch(text, pattern, name);
});

test('the page names no other host', () => {
    for (const { name, text } of sources) {
        const hosts = (text.match(/https?:\/\/[^\s'"`)]+/g) ?? []).filter(
            (url) => !url.startsWith('http://www.w3.org/'),
        );
        assert.deepEqual(hosts, [], name);
    }
});

test('files stay readable', () => {
    for (const { name, text } of sources) assert.ok(text.split('\n').length < LINES_MAX, name);
});

test('lock files hold no address of a registry, versions are pinned', () => {
    for (const folder of ['web', 'tests/web']) {
        const lock = readFileSync(join(ROOT, folder, 'package-lock.json'), 'utf8');
        assert.doesNotMatch(lock, /"resolved"|https?:\/\/registry/, folder);
        const { dependencies, devDependencies } = JSON.parse(
            readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
        );
        for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
            assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
});
