// SPDX-License-Identifier: MIT
/* help: the dialog that lists the keys. */
import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { PwElement } from '../app/element.ts';

const KEYS: [string[], string][] = [
    [['/'], 'go to the filter'],
    [['j', 'k'], 'next or previous entry of a list'],
    [['←', '→'], 'next or previous commit of the chart'],
    [['n', 'p'], 'next or previous change of the chart'],
    [['Enter'], 'pin the commit under the cursor'],
    [['Esc'], 'show the whole chart again'],
    [['?'], 'this list'],
];

@customElement('pw-help')
export class Help extends PwElement {
    open(): void {
        this.querySelector('dialog')?.showModal();
    }

    protected override render(): TemplateResult {
        return html`<dialog class="help" aria-labelledby="help-title">
            <form method="dialog">
                <h2 id="help-title">Keyboard</h2>
                <dl>
                    ${KEYS.map(
                        ([keys, text]) =>
                            html`<dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${text}</dd>`,
                    )}
                </dl>
                <button autofocus>Close</button>
            </form>
        </dialog>`;
    }
}
