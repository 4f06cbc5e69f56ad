// SPDX-License-Identifier: MIT
/*
 * ansi: colours of a terminal as pieces of text with classes. Other control sequences vanish; the
 * text is foreign and stays text. Pure.
 */

export interface Piece {
    text: string;
    classes: string;
}

interface Look {
    color: string;
    bold: boolean;
    dim: boolean;
}

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const SEQUENCE =
    /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;

function apply(look: Look, parameters: string): Look {
    let next = { ...look };
    const codes = parameters.split(';').map((code) => Number(code || 0));
    for (let i = 0; i < codes.length; i++) {
        const code = codes[i]!;
        if (code === 0) next = { color: '', bold: false, dim: false };
        else if (code === 1) next.bold = true;
        else if (code === 2) next.dim = true;
        else if (code === 22) next.bold = next.dim = false;
        else if (code === 39) next.color = '';
        else if (code >= 30 && code <= 37) next.color = COLORS[code - 30]!;
        else if (code >= 90 && code <= 97) next.color = COLORS[code - 90]!;
        else if (code === 38 || code === 48) i += codes[i + 1] === 5 ? 2 : 4;
    }
    return next;
}

function classesOf(look: Look): string {
    return [
        look.color && `ansi-${look.color}`,
        look.bold && 'ansi-bold',
        look.dim && 'ansi-dim',
    ]
        .filter(Boolean)
        .join(' ');
}

/* A carriage return starts its line over, as progress bars do: only the last writing stays. */
function overwritten(text: string): string {
    return text
        .replace(/\r\n/g, '\n')
        .replace(/[^\n]*\r(?=[^\n])/g, '')
        .replace(/\r/g, '');
}

export function ansiPieces(raw: string): Piece[] {
    const text = overwritten(raw);
    const pieces: Piece[] = [];
    let look: Look = { color: '', bold: false, dim: false };
    let from = 0;
    const push = (to: number) => {
        if (to > from) pieces.push({ text: text.slice(from, to), classes: classesOf(look) });
    };
    for (const hit of text.matchAll(SEQUENCE)) {
        push(hit.index);
        from = hit.index + hit[0].length;
        if (hit[2] === 'm') look = apply(look, hit[1] ?? '');
    }
    push(text.length);
    return pieces;
}
