// SPDX-License-Identifier: MIT
/*
 * keys: shortcuts that work on every page. None fires while somebody types or holds a modifier.
 * '/' goes to the filter, 'j' and 'k' walk the main links of a list (elements marked data-walk).
 */

export function isTyping(event: KeyboardEvent): boolean {
    const target = event.target as HTMLElement | null;
    return !!target?.closest?.(
        'input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]',
    );
}

export function isPlain(event: KeyboardEvent): boolean {
    return !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event);
}

function walk(step: number): boolean {
    const links = [...document.querySelectorAll<HTMLElement>('[data-walk]')].filter(
        (link) => link.offsetParent !== null,
    );
    if (links.length === 0) return false;
    const here = links.indexOf(document.activeElement as HTMLElement);
    const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
    const link = links[Math.max(0, Math.min(links.length - 1, next))]!;
    link.focus();
    link.scrollIntoView({ block: 'nearest' });
    return true;
}

function filter(): boolean {
    const field = document.querySelector<HTMLInputElement>('input[type=search]');
    field?.focus();
    field?.select();
    return !!field;
}

export function startKeys(help: () => void): void {
    document.addEventListener('keydown', (event) => {
        if (!isPlain(event) || event.defaultPrevented) return;
        const known: Record<string, () => boolean> = {
            '/': filter,
            j: () => walk(1),
            k: () => walk(-1),
            '?': () => (help(), true),
        };
        if (known[event.key]?.()) event.preventDefault();
    });
}
