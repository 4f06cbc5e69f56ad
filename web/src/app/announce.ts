// SPDX-License-Identifier: MIT
/*
 * announce: one polite live region for the whole page. It exists before its text changes, else
 * screen readers miss it, and the text is debounced, so that holding an arrow key speaks once.
 */
const PAUSE_MS = 250;

let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
        const region = document.getElementById('live');
        if (region) region.textContent = text;
    }, PAUSE_MS);
}
