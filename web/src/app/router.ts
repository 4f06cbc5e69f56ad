// SPDX-License-Identifier: MIT
/*
 * router: which page an address means, and moving between pages without loading the shell again.
 *
 * The address is the whole state of a page: its path names the thing, its query the view of it.
 * Changing the view replaces the entry in the history; going somewhere adds one.
 */

export type Route =
    | { page: 'home' }
    | { page: 'repo'; name: string }
    | { page: 'series'; id: number }
    | { page: 'job'; id: number }
    | { page: 'queue' }
    | { page: 'unknown'; path: string };

function plainNumber(text: string): number | null {
    return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

function decoded(text: string): string | null {
    try {
        return decodeURIComponent(text);
    } catch {
        return null;
    }
}

export function parseRoute(path: string): Route {
    const parts = path.split('/').filter((part) => part !== '');
    const [kind, key] = parts;
    if (parts.length === 0) return { page: 'home' };
    if (parts.length === 1 && kind === 'queue') return { page: 'queue' };
    if (parts.length === 2 && key !== undefined) {
        const id = plainNumber(key);
        const name = decoded(key);
        if (kind === 'repos' && name) return { page: 'repo', name };
        if (kind === 'series' && id !== null) return { page: 'series', id };
        if (kind === 'jobs' && id !== null) return { page: 'job', id };
    }
    return { page: 'unknown', path };
}

export const paths = {
    home: () => '/',
    queue: () => '/queue',
    repo: (name: string) => `/repos/${encodeURIComponent(name)}`,
    job: (id: number) => `/jobs/${id}`,
    series: (id: number, at?: number | null) => `/series/${id}${at == null ? '' : `?at=${at}`}`,
};

/* A query with some of its members changed; null and '' take a member out. */
export function changedQuery(
    search: string,
    change: Record<string, string | number | null>,
): string {
    const query = new URLSearchParams(search);
    for (const [key, value] of Object.entries(change)) {
        if (value === null || value === '') query.delete(key);
        else query.set(key, String(value));
    }
    const text = query.toString();
    return text ? `?${text}` : '';
}

const MOVED = 'pacewatch-moved';

export function go(address: string): void {
    history.pushState(null, '', address);
    globalThis.dispatchEvent(new CustomEvent(MOVED, { detail: { page: true } }));
}

export function setQuery(change: Record<string, string | number | null>): void {
    const search = changedQuery(location.search, change);
    if (search === location.search) return;
    history.replaceState(history.state, '', location.pathname + search + location.hash);
    globalThis.dispatchEvent(new CustomEvent(MOVED, { detail: { page: false } }));
}

export function query(key: string): string | null {
    return new URLSearchParams(location.search).get(key);
}

export function queryNumber(key: string): number | null {
    const text = query(key);
    const number = text === null || text === '' ? NaN : Number(text);
    return Number.isFinite(number) ? number : null;
}

/* Links to our own pages become client navigation; anything unusual is left to the browser. */
function followedLink(event: MouseEvent): string | null {
    if (event.defaultPrevented || event.button !== 0) return null;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download')) return null;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || /^\/(api|assets|runner)\//.test(url.pathname))
        return null;
    const samePage = url.pathname === location.pathname && url.search === location.search;
    return samePage && url.hash ? null : url.pathname + url.search + url.hash;
}

/* Calls 'moved' after every change of the address; 'page' says whether the path may differ. */
export function startRouter(moved: (page: boolean) => void): void {
    document.addEventListener('click', (event) => {
        const address = followedLink(event);
        if (address === null) return;
        event.preventDefault();
        go(address);
    });
    globalThis.addEventListener('popstate', () => moved(true));
    globalThis.addEventListener(MOVED, (event) => {
        moved((event as CustomEvent<{ page: boolean }>).detail.page);
    });
}
