// SPDX-License-Identifier: MIT
/*
 * element: what all our components share. They render into the page itself and not into a shadow
 * tree: one stylesheet, ids and labels that reach each other, a find-in-page that finds.
 */
import { LitElement } from 'lit';

export class PwElement extends LitElement {
    protected override createRenderRoot(): HTMLElement {
        return this;
    }
}
