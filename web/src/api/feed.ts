// SPDX-License-Identifier: MIT
/*
 * feed: keeps one address fresh for one component, as a lit controller.
 *
 * Asks every two seconds while something runs, else every fifteen, not at all while the page is
 * hidden, and at once when it comes back. A failed question keeps the last data on the page beside
 * the error and is asked again with growing pauses. A new address aborts the old question.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { ApiError, getJson, remembered } from './client.ts';

const BUSY_MS = 2_000;
const CALM_MS = 15_000;
const RETRY_MAX_MS = 30_000;

export class Feed<T> implements ReactiveController {
    data: T | undefined;
    error: ApiError | undefined;
    answered_ms = 0;

    private url = '';
    private timer: ReturnType<typeof setTimeout> | undefined;
    private asking: AbortController | undefined;
    private failures = 0;
    private connected = false;

    constructor(
        private readonly host: ReactiveControllerHost,
        private readonly address: () => string,
        private readonly busy: (data: T) => boolean,
        private readonly arrived: (data: T) => void = () => {},
    ) {
        host.addController(this);
    }

    hostConnected(): void {
        this.connected = true;
        document.addEventListener('visibilitychange', this.visibility);
        globalThis.addEventListener('online', this.again);
    }

    hostDisconnected(): void {
        this.connected = false;
        document.removeEventListener('visibilitychange', this.visibility);
        globalThis.removeEventListener('online', this.again);
        this.stop();
    }

    /* The host's properties decide the address; a changed one starts over. */
    hostUpdate(): void {
        const url = this.address();
        if (!this.connected || url === this.url) return;
        this.stop();
        this.url = url;
        this.data = remembered<T>(url);
        this.error = undefined;
        this.failures = 0;
        void this.ask();
    }

    readonly again = (): void => {
        if (!this.connected) return;
        this.stop();
        void this.ask();
    };

    private readonly visibility = (): void => {
        if (document.hidden) this.stop();
        else this.again();
    };

    private stop(): void {
        clearTimeout(this.timer);
        this.asking?.abort();
        this.asking = undefined;
    }

    private async ask(): Promise<void> {
        const asking = new AbortController();
        this.asking = asking;
        try {
            const { data, changed } = await getJson<T>(this.url, asking.signal);
            if (asking.signal.aborted) return;
            this.accept(data, changed);
        } catch (cause) {
            if (asking.signal.aborted) return;
            this.failures += 1;
            this.error =
                cause instanceof ApiError ? cause : new ApiError(0, 'unknown', String(cause));
            this.host.requestUpdate();
        }
        this.schedule();
    }

    private accept(data: T, changed: boolean): void {
        const fresh = changed || this.data === undefined || this.error !== undefined;
        this.answered_ms = Date.now();
        this.data = data;
        this.error = undefined;
        this.failures = 0;
        if (!fresh) return;
        this.arrived(data);
        this.host.requestUpdate();
    }

    private schedule(): void {
        if (document.hidden) return;
        this.timer = setTimeout(() => void this.ask(), this.pause());
    }

    private pause(): number {
        if (this.error && this.error.status >= 400 && this.error.status < 500) return CALM_MS;
        if (this.failures > 0)
            return Math.min(BUSY_MS * 2 ** (this.failures - 1), RETRY_MAX_MS);
        return this.data !== undefined && this.busy(this.data) ? BUSY_MS : CALM_MS;
    }
}
