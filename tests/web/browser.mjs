// SPDX-License-Identifier: MIT
/*
 * browser: a real Chromium that notices what a person would not: violations of the security
 * policy, errors on the console, requests to another host.
 *
 * PACEWATCH_URL names the running daemon, CHROMIUM another browser than /usr/bin/chromium.
 */
import { chromium } from 'playwright-core';

export const BASE = (process.env.PACEWATCH_URL ?? process.argv[2] ?? '').replace(/\/$/, '');
export const WAIT_MS = 10_000;

const FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

export async function launch() {
    if (!BASE)
        throw new Error('name the daemon to look at: PACEWATCH_URL=http://127.0.0.1:8080');
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: FLAGS,
    });
}

/* A page of its own profile, and the list of everything wrong with it so far. */
export async function openPage(browser, options = {}) {
    const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        locale: 'en-GB',
        ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const faults = [];
    page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type()))
            faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`script: ${error.stack ?? error}`));
    page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.origin !== new URL(BASE).origin)
            faults.push(`foreign request: ${request.url()}`);
    });
    await page.exposeFunction('pacewatchFault', (text) => faults.push(text));
    await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
            globalThis.pacewatchFault(
                `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`,
            );
        });
    });
    return { page, faults, close: () => context.close() };
}

/* Loads an address and waits until its content stands, not only its frame. */
export async function visit(page, path) {
    const response = await page.goto(BASE + path);
    await page.locator('main h1').waitFor();
    await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    return response;
}

export async function getJson(path) {
    const response = await fetch(BASE + path);
    if (!response.ok) throw new Error(`${path}: status ${response.status}`);
    return response.json();
}

/*
 * Texts whose contrast with what is behind them is below 4.5:1 (3:1 when large), after WCAG 2.1
 * (relative luminance of sRGB). Colours are painted on a canvas and read back, which understands
 * every notation the browser does.
 */
export async function lowContrast(page) {
    return page.evaluate(() => {
        const ctx = Object.assign(document.createElement('canvas'), {
            width: 1,
            height: 1,
        }).getContext('2d', { willReadFrequently: true });
        const over = (colors) => {
            ctx.clearRect(0, 0, 1, 1);
            for (const color of colors) {
                ctx.fillStyle = color;
                ctx.fillRect(0, 0, 1, 1);
            }
            return [...ctx.getImageData(0, 0, 1, 1).data];
        };
        const luminance = ([r, g, b]) => {
            const [R, G, B] = [r, g, b].map((c) =>
                c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
            );
            return 0.2126 * R + 0.7152 * G + 0.0722 * B;
        };
        const behind = (element) => {
            const layers = [];
            for (let at = element; at; at = at.parentElement)
                layers.unshift(getComputedStyle(at).backgroundColor);
            return ['white', ...layers];
        };
        const found = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (
                !walker.currentNode.data.trim() ||
                !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            )
                continue;
            if (
                element.closest(
                    '.unseen, .skip, option, :disabled, [aria-hidden=true], noscript, title',
                )
            )
                continue;
            const style = getComputedStyle(element);
            const color = element.closest('svg') ? style.fill : style.color;
            const backs = behind(element);
            const [a, b] = [luminance(over([...backs, color])), luminance(over(backs))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            const large =
                parseFloat(style.fontSize) >= 24 ||
                (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
            if (ratio < (large ? 3 : 4.5))
                found.push(
                    `${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)} (${element.className || element.tagName})`,
                );
        }
        return [...new Set(found)];
    });
}
