// SPDX-License-Identifier: MIT
/* log_viewer: what one stage printed. Fetched when opened; while the job runs it follows along. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ApiError, getText } from '../api/client.ts';
import { PwElement } from '../app/element.ts';
import { stageWord } from '../text/words.ts';
import { ansiPieces } from './ansi.ts';

const FOLLOW_MS = 3_000;
const AT_END_PX = 30;

@customElement('pw-log')
export class LogViewer extends PwElement {
    @property({ attribute: false }) job = 0;
    @property({ attribute: false }) stage = '';
    @property({ attribute: false }) live = false;
    @property({ attribute: false }) start = false; /* opened from the start */
    @state() private text: string | undefined;
    @state() private error = '';

    private timer: ReturnType<typeof setInterval> | undefined;

    override disconnectedCallback(): void {
        super.disconnectedCallback();
        clearInterval(this.timer);
    }

    protected override willUpdate(changed: PropertyValues): void {
        if (changed.has('job') || changed.has('stage')) {
            this.text = undefined;
            this.error = '';
        }
    }

    private address(): string {
        return `/api/v1/jobs/${this.job}/log?stage=${encodeURIComponent(this.stage)}`;
    }

    private toggled(event: Event): void {
        const { open } = event.target as HTMLDetailsElement;
        clearInterval(this.timer);
        if (!open) return;
        void this.load();
        this.timer = setInterval(() => {
            if (this.live && !document.hidden) void this.load();
        }, FOLLOW_MS);
    }

    private async load(): Promise<void> {
        const box = this.querySelector('pre');
        const atEnd = !box || box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PX;
        try {
            this.text = await getText(this.address());
            this.error = '';
        } catch (cause) {
            this.error = cause instanceof ApiError ? cause.message : String(cause);
        }
        await this.updateComplete;
        const now = this.querySelector('pre');
        if (now && atEnd) now.scrollTop = now.scrollHeight;
    }

    protected override render(): TemplateResult {
        return html`<details class="log" ?open=${this.start} @toggle=${(event: Event) => this.toggled(event)}>
            <summary data-walk>${stageWord(this.stage)}</summary>
            ${
                this.error
                    ? html`<p class="notice unsure slim">The log could not be loaded: ${this.error}.</p>`
                    : nothing
            }
            ${this.body()}
            <p class="log-foot"><a href=${this.address()}>Raw text</a></p>
        </details>`;
    }

    private body(): TemplateResult | typeof nothing {
        if (this.text === undefined)
            return this.error ? nothing : html`<p class="faint">Loading…</p>`;
        if (this.text.trim() === '')
            return html`<p class="faint">This stage printed nothing.</p>`;
        return html`<pre tabindex="0" aria-label="Log of ${stageWord(this.stage)}">${ansiPieces(
            this.text,
        ).map((piece) =>
            piece.classes
                ? html`<span class=${piece.classes}>${piece.text}</span>`
                : piece.text,
        )}</pre>`;
    }
}
