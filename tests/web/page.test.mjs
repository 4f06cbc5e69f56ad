// SPDX-License-Identifier: MIT
/*
 * page: the dashboard of a running daemon, seen through a real browser. The daemon must hold at
 * least one measured repository with a regression.
 *
 *   PACEWATCH_URL=http://127.0.0.1:8080 npm run page
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BASE, getJson, launch, lowContrast, openPage, visit } from './browser.mjs';

const JOBS_MAX = 12;

let browser;
let pages; /* every address worth a look */
let series; /* data of a series with a regression */
let mark; /* the regression in it */
let repo;

/* The series with a regression; without one, any that was measured, so that only the test of the
 * mark has to fail. */
async function findSeries(repos) {
    const measured = [];
    for (const { name } of repos) {
        const { series: lines } = await getJson(
            `/api/v1/repos/${encodeURIComponent(name)}/overview`,
        );
        for (const line of lines)
            if (line.pos.length > 1)
                measured.push({
                    repo: name,
                    id: line.id,
                    worse: line.changes.some((one) => one.worse),
                });
    }
    const found = measured.find((one) => one.worse) ?? measured[0];
    assert.ok(found, 'no series of any repository was measured twice');
    return found;
}

before(async () => {
    const { repos } = await getJson('/api/v1/repos');
    const { jobs } = await getJson('/api/v1/jobs?limit=200');
    const found = await findSeries(repos);
    repo = found.repo;
    series = await getJson(`/api/v1/series/${found.id}?buckets=1200`);
    mark = series.changes.findLast((change) => change.worse);
    const kinds = new Map(
        jobs.map((job) => [`${job.state} ${job.outcome} ${job.confirmed}`, job.id]),
    );
    pages = [
        '/',
        '/queue',
        ...repos.map((one) => `/repos/${encodeURIComponent(one.name)}`),
        `/series/${found.id}`,
        `/series/${found.id}?at=${series.pos.at(-1)}&y=zero&table=1`,
        ...[...kinds.values()].slice(0, JOBS_MAX).map((id) => `/jobs/${id}?rows=all`),
    ];
    browser = await launch();
});

after(() => browser?.close());

for (const colorScheme of ['light', 'dark'])
    test(`every page keeps the policy, is quiet and readable in the ${colorScheme} theme`, async () => {
        const { page, faults, close } = await openPage(browser, { colorScheme });

        for (const path of pages) {
            const response = await visit(page, path);
            assert.match(
                response.headers()['content-security-policy'] ?? '',
                /default-src 'none'/,
                path,
            );
            assert.deepEqual(await lowContrast(page), [], `${path}: contrast`);
            assert.equal(await page.locator('h1').count(), 1, `${path}: one main heading`);
            assert.notEqual(await page.title(), '', `${path}: title`);
        }

        const paper = await page.evaluate(
            () => getComputedStyle(document.documentElement).backgroundColor,
        );
        const [red] = paper.match(/\d+/g).map(Number);
        assert.ok(colorScheme === 'dark' ? red < 60 : red > 200, `background ${paper}`);
        assert.deepEqual(faults, []);
        await close();
    });

test('a break of the policy, an error and a foreign request would be noticed', async () => {
    const { page, faults, close } = await openPage(browser);
    await visit(page, '/queue');

    await page.evaluate(async () => {
        document.body.setAttribute('style', 'color: red');
        console.error('on purpose');
        await fetch('http://127.0.0.2:9/').catch(() => {});
    });
    await page.waitForFunction(() => true);

    const seen = faults.join('\n');
    assert.match(seen, /policy: style-src-attr/);
    assert.match(seen, /console: on purpose/);
    assert.match(seen, /foreign request|policy: connect-src/);
    await close();
});

for (const width of [390, 768])
    test(`no page is wider than a window of ${width}`, async () => {
        const { page, faults, close } = await openPage(browser, {
            viewport: { width, height: 844 },
        });

        for (const path of pages) {
            await visit(page, path);
            const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
            assert.ok(wide <= width, `${path} is ${wide} wide`);
        }

        assert.deepEqual(faults, []);
        await close();
    });

test('the regression is marked on its chart and explained beside it', async () => {
    assert.ok(mark, 'no repository has a regression, so there is nothing to see');
    const { page, close } = await openPage(browser);

    await visit(page, `/series/${series.series.id}`);
    await page.locator('pw-chart canvas').waitFor();

    const item = page.locator(`.change.worse[data-pos="${mark.pos}"]`);
    const words = (await item.innerText()).toLowerCase();
    assert.match(words, /worse/);
    assert.ok(words.includes((mark.why ?? '').toLowerCase()), 'says why');
    /* Whether the canvas carries it: triangle and size in the colour of worse, where
     * the position is. */
    const seen = await page.evaluate((pos) => {
        const { plot, colors } = document.querySelector('pw-chart');
        const ctx = Object.assign(document.createElement('canvas'), {
            width: 1,
            height: 1,
        }).getContext('2d');
        ctx.fillStyle = colors.worse;
        ctx.fillRect(0, 0, 1, 1);
        const wanted = [...ctx.getImageData(0, 0, 1, 1).data].join();
        const [x, top] = [Math.round(plot.valToPos(pos, 'x', true)), plot.bbox.top];
        const area = plot.ctx.getImageData(
            x - 70,
            top,
            140,
            Math.round(26 * devicePixelRatio),
        ).data;
        let hits = 0;
        for (let i = 0; i < area.length; i += 4)
            if ([...area.slice(i, i + 4)].join() === wanted) hits++;
        return hits;
    }, mark.pos);
    assert.ok(seen >= 20, `only ${seen} pixels of the mark`);
    await close();
});

test('the table holds what the chart draws and the interface answers', async () => {
    const { page, close } = await openPage(browser);

    await visit(page, `/series/${series.series.id}`);
    await page.getByRole('button', { name: 'Table' }).click();
    const rows = [];
    for (;;) {
        rows.push(
            ...(await page
                .locator('table.points tbody tr')
                .evaluateAll((all) =>
                    all.map((row) => [Number(row.dataset.pos), Number(row.dataset.value)]),
                )),
        );
        const older = page.getByRole('button', { name: 'Older' });
        if (await older.isDisabled()) break;
        await older.click();
    }

    const drawn = await page.evaluate(() => {
        const { data } = document.querySelector('pw-chart').plot;
        return [...data[0]].map((pos, i) => [pos, data[3][i]]);
    });
    assert.deepEqual(rows.toReversed(), drawn);
    assert.deepEqual(
        drawn,
        series.pos.map((pos, i) => [pos, series.value[i]]),
    );
    await close();
});

test('the keyboard reaches everything from home to the regression', async () => {
    const { page, faults, close } = await openPage(browser);
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());

    await visit(page, '/');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');

    for (let i = 0; i < 100 && (await focused()) !== repo; i++) await page.keyboard.press('j');
    assert.equal(await focused(), repo);
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: repo }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/repos/${encodeURIComponent(repo)}`);
    assert.equal(
        await page.evaluate(() => document.activeElement.id),
        'main',
        'focus after moving',
    );

    await page.keyboard.press('/');
    await page.keyboard.type(`${series.series.scenario} ${series.series.title}`);
    assert.match(page.url(), /[?&]q=/);
    await page.keyboard.press('Tab');
    const tile = page.locator(`.tile a[href="/series/${series.series.id}"]`);
    for (
        let i = 0;
        i < 100 && !(await tile.evaluate((link) => link === document.activeElement));
        i++
    )
        await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('pw-chart canvas').waitFor();

    const pinned = () => Number(new URL(page.url()).searchParams.get('at'));
    await page.locator('.plot').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.locator('.pin').waitFor();
    assert.equal(pinned(), series.pos.at(-1));
    const before = await page.locator('#live').textContent();
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(
        (text) => document.getElementById('live').textContent !== text,
        before,
    );
    await page.keyboard.press('Home');
    for (let i = 0; mark && i < series.changes.length && pinned() !== mark.pos; i++)
        await page.keyboard.press('n');
    if (mark) assert.equal(pinned(), mark.pos);

    await page.keyboard.press('?');
    assert.ok(await page.locator('dialog[open]').isVisible());
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog[open]').count(), 0);
    assert.deepEqual(faults, []);
    await close();
});

test('dragging zooms, the address keeps it, a reload and a way back show it again', async () => {
    const { page, close } = await openPage(browser);
    const shown = () =>
        page.evaluate(() => ({ ...document.querySelector('pw-chart').plot.scales.x }));

    await visit(page, `/series/${series.series.id}`);
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.95, box.y + box.height / 2, { steps: 8 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Show all' }).waitFor();

    const zoomed = await shown();
    assert.ok(zoomed.max - zoomed.min < series.pos.at(-1) - series.pos[0]);
    await page.reload();
    await page.locator('pw-chart canvas').waitFor();
    const again = await shown();
    assert.deepEqual([again.min, again.max], [zoomed.min, zoomed.max]);
    await page.getByRole('link', { name: 'Queue' }).click();
    await page.locator('pw-queue h1').waitFor();
    await page.goBack();
    await page.locator('pw-chart canvas').waitFor();
    assert.deepEqual([(await shown()).min, (await shown()).max], [zoomed.min, zoomed.max]);
    await page.getByRole('button', { name: 'Show all' }).click();
    assert.ok((await shown()).max >= series.pos.at(-1));
    await close();
});

test('a click pins a commit and the address restores it', async () => {
    const { page, close } = await openPage(browser);

    await visit(page, `/series/${series.series.id}`);
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    const title = await page.locator('.pin h2').innerText();
    await page.reload();

    assert.equal(await page.locator('.pin h2').innerText(), title);
    await close();
});

test('asking again costs a 304 while nothing changed', async () => {
    const { page, close } = await openPage(browser);
    const path = `/api/v1/series/${series.series.id}`;
    await visit(page, `/series/${series.series.id}`);

    const answer = page.waitForResponse(
        (response) => new URL(response.url()).pathname === path,
    );
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));

    assert.equal((await answer).status(), 304);
    await close();
});

test('a lost daemon is told, what was there stays, and it comes back by itself', async () => {
    const { page, close } = await openPage(browser);
    await visit(page, `/repos/${encodeURIComponent(repo)}`);
    const context = page.context();

    await context.setOffline(true);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByText('The daemon does not answer.').waitFor();
    assert.ok((await page.locator('.rows .row').count()) > 0, 'content stays');

    await context.setOffline(false);
    await page.getByText('The daemon does not answer.').waitFor({ state: 'detached' });
    await close();
});

test('what does not exist says so and leads on', async () => {
    const { page, close } = await openPage(browser);

    for (const path of [
        '/jobs/999999999',
        '/series/999999999',
        '/repos/there-is-none',
        '/nothing/here',
    ]) {
        await visit(page, path);
        assert.match(await page.locator('h1').innerText(), /There is no such/, path);
        assert.ok(await page.locator('main a[href="/"]').first().isVisible(), path);
    }
    await close();
});

test('a log opens where it was asked for', async (t) => {
    const { jobs } = await getJson('/api/v1/jobs?state=reported,failed&limit=50');
    let job;
    for (const one of jobs)
        if (!job && (await getJson(`/api/v1/jobs/${one.id}`)).stages.length > 0) job = one;
    if (!job) return t.skip('no job has a log');
    const { page, faults, close } = await openPage(browser);

    await visit(page, `/jobs/${job.id}`);
    const log = page.locator('pw-log').first();
    if (!(await log.locator('details').evaluate((details) => details.open)))
        await log.locator('summary').click();

    await log.locator('pre, .faint').filter({ hasNotText: 'Loading' }).first().waitFor();
    assert.deepEqual(faults, []);
    await close();
});

test('the shell comes fast and hardly shifts', async (t) => {
    const { page, close } = await openPage(browser);
    await page.addInitScript(() => {
        globalThis.shift = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries())
                if (!entry.hadRecentInput) globalThis.shift += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });
    });

    const seen = [];
    for (const path of [
        '/',
        `/repos/${encodeURIComponent(repo)}`,
        `/series/${series.series.id}`,
    ]) {
        await visit(page, path);
        const shift = await page.evaluate(() => globalThis.shift);
        const painted = await page.evaluate(
            () =>
                new Promise((done) =>
                    new PerformanceObserver((list) =>
                        done(list.getEntries().at(-1).startTime),
                    ).observe({ type: 'largest-contentful-paint', buffered: true }),
                ),
        );
        seen.push(
            `${path}: largest paint ${Math.round(painted)} ms, shift ${shift.toFixed(3)}`,
        );
        assert.ok(shift <= 0.1, seen.at(-1));
        assert.ok(
            painted <= 2_500,
            seen.at(-1),
        ); /* the goal is 500 ms; a loaded host needs room */
    }
    t.diagnostic(seen.join('; '));
    await close();
});

test('nothing is asked of the daemon while the page is hidden', async () => {
    const { page, close } = await openPage(browser);
    await visit(page, '/queue');
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));

    await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    });
    const waited = page.waitForRequest(/\/api\//, { timeout: 5_000 }).then(
        () => 'asked',
        () => 'quiet',
    );

    assert.equal(await waited, 'quiet', asked.join());
    await close();
});

test(`the daemon at ${BASE} lets no other page frame it`, async () => {
    const response = await fetch(`${BASE}/`);

    assert.match(
        response.headers.get('content-security-policy') ?? '',
        /frame-ancestors 'none'/,
    );
    assert.match(
        response.headers.get('content-security-policy') ?? '',
        /require-trusted-types-for 'script'/,
    );
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
});
