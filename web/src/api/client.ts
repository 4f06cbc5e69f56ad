// SPDX-License-Identifier: MIT
/*
 * client: one way to ask the daemon. Every answer is kept with its ETag, so asking again costs a
 * 304 while nothing changed; "nothing changed" is an answer of its own, not the data once more.
 */

export class ApiError extends Error {
    constructor(
        readonly status: number /* 0: no answer at all */,
        readonly code: string,
        message: string,
    ) {
        super(message);
    }
}

interface Kept {
    etag: string;
    data: unknown;
}

/* The newest answers by address; page changes back and forth paint from here at once. */
const KEPT_MAX = 50;
const kept = new Map<string, Kept>();

export function remembered<T>(url: string): T | undefined {
    return kept.get(url)?.data as T | undefined;
}

function keep(url: string, entry: Kept): void {
    kept.delete(url);
    kept.set(url, entry);
    for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_MAX) break;
        kept.delete(oldest);
    }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
    try {
        return await fetch(url, { ...init, cache: 'no-store', credentials: 'same-origin' });
    } catch (cause) {
        if (init.signal?.aborted) throw cause;
        throw new ApiError(0, 'unreachable', 'the daemon does not answer');
    }
}

async function refusal(response: Response): Promise<ApiError> {
    const fallback = `the daemon answered with status ${response.status}`;
    const body = await response.json().catch(() => null);
    const code: string = body?.error?.code ?? 'unknown';
    return new ApiError(response.status, code, body?.error?.message ?? fallback);
}

/* The data, and whether it differs from what was kept before. */
export async function getJson<T>(
    url: string,
    signal?: AbortSignal,
): Promise<{ data: T; changed: boolean }> {
    const before = kept.get(url);
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (before) headers['If-None-Match'] = before.etag;

    const response = await ask(url, { headers, signal });
    if (response.status === 304 && before) return { data: before.data as T, changed: false };
    if (!response.ok) throw await refusal(response);

    const data = (await response.json()) as T;
    const etag = response.headers.get('ETag');
    if (etag) keep(url, { etag, data });
    return { data, changed: true };
}

export async function getText(url: string, signal?: AbortSignal): Promise<string> {
    const response = await ask(url, { signal });
    if (!response.ok) throw await refusal(response);
    return response.text();
}
