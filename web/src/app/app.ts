// SPDX-License-Identifier: MIT
/*
 * app: the frame around every page: header, the page the address names, footer, live region.
 *
 * After a client navigation the window looks like after a load: scrolled up, focus on the content.
 */
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '../pages/home.ts';
import '../pages/job.ts';
import '../pages/queue.ts';
import '../pages/repo.ts';
import '../pages/series.ts';
import '../parts/help.ts';
import type { Help } from '../parts/help.ts';
import { notice } from '../parts/notice.ts';
import { PwElement } from './element.ts';
import { startKeys } from './keys.ts';
import { parseRoute, paths, startRouter, type Route } from './router.ts';

const LICENCES =
    document.querySelector<HTMLMetaElement>('meta[name=pacewatch-licences]')?.content ?? '';

@customElement('pw-app')
export class App extends PwElement {
    @state() private route: Route = parseRoute(location.pathname);
    /* Grows with each move; pages take it as a property and read their view from the address. */
    @state() private moves = 0;

    override connectedCallback(): void {
        super.connectedCallback();
        startRouter((page) => this.moved(page));
        startKeys(() => this.help());
    }

    private moved(page: boolean): void {
        const route = parseRoute(location.pathname);
        const elsewhere = JSON.stringify(route) !== JSON.stringify(this.route);
        this.moves += 1;
        if (!page || !elsewhere) return;
        this.route = route;
        void this.updateComplete.then(() => {
            globalThis.scrollTo(0, 0);
            document.getElementById('main')?.focus({ preventScroll: true });
        });
    }

    private help(): void {
        this.querySelector<Help>('pw-help')?.open();
    }

    private page(): TemplateResult {
        const { route, moves } = this;
        switch (route.page) {
            case 'home':
                return html`<pw-home .moves=${moves}></pw-home>`;
            case 'repo':
                return html`<pw-repo .name=${route.name} .moves=${moves}></pw-repo>`;
            case 'series':
                return html`<pw-series .number=${route.id} .moves=${moves}></pw-series>`;
            case 'job':
                return html`<pw-job .number=${route.id} .moves=${moves}></pw-job>`;
            case 'queue':
                return html`<pw-queue .moves=${moves}></pw-queue>`;
            default:
                document.title = 'Not found · Pacewatch';
                return html`<h1>There is no such page</h1>
                    ${notice('calm', `Nothing lives at ${route.path}.`, html`<a href=${paths.home()}>See all repositories</a>`)}`;
        }
    }

    private link(address: string, text: string, here: boolean): TemplateResult {
        return html`<a href=${address} aria-current=${here ? 'page' : nothing}>${text}</a>`;
    }

    protected override render(): TemplateResult {
        const page = this.route.page;
        return html`
            <header class="top">
                <div class="wide">
                    <a class="brand" href=${paths.home()} aria-label="Pacewatch, home">${logo()}<span>Pacewatch</span></a>
                    <nav aria-label="Main">
                        ${this.link(paths.home(), 'Repositories', page === 'home')}
                        ${this.link(paths.queue(), 'Queue', page === 'queue')}
                    </nav>
                </div>
            </header>
            <main id="main" class="wide" tabindex="-1">${this.page()}</main>
            <footer class="bottom">
                <div class="wide">
                    <span>Did this change make the service slower, by how much, and how sure are we?</span>
                    <button class="quiet" type="button" @click=${() => this.help()}>Keyboard <kbd>?</kbd></button>
                    ${LICENCES ? html`<a href=${LICENCES}>Licences</a>` : nothing}
                </div>
            </footer>
            <div id="live" class="unseen" role="status" aria-live="polite"></div>
            <pw-help></pw-help>`;
    }
}

function logo(): TemplateResult {
    return html`<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" class="logo">
        <rect width="32" height="32" rx="9"></rect>
        <path d="M5 20h8V11h7v6h6"></path>
        <circle cx="26.5" cy="17" r="2.6"></circle>
    </svg>`;
}

declare global {
    interface HTMLElementTagNameMap {
        'pw-app': App;
    }
}
