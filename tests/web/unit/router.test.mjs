// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { parseRoute, paths, changedQuery } = await load('app/router.ts');

test('every page is found by its path', () => {
    assert.deepEqual(parseRoute('/'), { page: 'home' });
    assert.deepEqual(parseRoute('/queue'), { page: 'queue' });
    assert.deepEqual(parseRoute('/queue/'), { page: 'queue' });
    assert.deepEqual(parseRoute('/repos/shop'), { page: 'repo', name: 'shop' });
    assert.deepEqual(parseRoute('/series/3'), { page: 'series', id: 3 });
    assert.deepEqual(parseRoute('/jobs/41'), { page: 'job', id: 41 });
});

test('a path that means nothing says so', () => {
    for (const path of [
        '/jobs/0',
        '/jobs/x',
        '/jobs/1/2',
        '/series/-1',
        '/series',
        '/nothing',
        '/repos/%ff',
        '/jobs/99999999999999999',
    ])
        assert.deepEqual(parseRoute(path), { page: 'unknown', path }, path);
});

test('names with unusual letters survive the way into the address and back', () => {
    for (const name of ['shop', 'a b', 'team/shop', 'straße', '50%', 'a?b#c'])
        assert.deepEqual(parseRoute(paths.repo(name)), { page: 'repo', name });
});

test('changing a view keeps the rest of the query', () => {
    assert.equal(changedQuery('?a=1&b=2', { b: 3 }), '?a=1&b=3');
    assert.equal(changedQuery('?a=1', { a: null }), '');
    assert.equal(changedQuery('?a=1', { a: '' }), '');
    assert.equal(changedQuery('', { q: 'x y&z' }), '?q=x+y%26z');
    assert.equal(changedQuery('?from=0', { from: 0, to: 5 }), '?from=0&to=5');
});
