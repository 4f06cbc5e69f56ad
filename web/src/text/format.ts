// SPDX-License-Identifier: MIT
/*
 * format: values for people. Pure functions; numbers follow the language of the page, times the
 * reader's own settings. Three significant digits and a unit a person would say: 12.3 µs, 4.56 k/s.
 */

const LANGUAGE = 'en';
const BLANK = '\u00a0'; /* between number and unit, so that they never part at a line end */
const MINUS = '\u2212';

interface Scale {
    factor: number;
    unit: string;
}

const SCALES: Record<string, Scale[]> = {
    ns: [
        { factor: 1e9, unit: 's' },
        { factor: 1e6, unit: 'ms' },
        { factor: 1e3, unit: 'µs' },
        { factor: 1, unit: 'ns' },
    ],
    '1/s': [
        { factor: 1e6, unit: 'M/s' },
        { factor: 1e3, unit: 'k/s' },
        { factor: 1, unit: '/s' },
    ],
    B: [
        { factor: 2 ** 30, unit: 'GiB' },
        { factor: 2 ** 20, unit: 'MiB' },
        { factor: 2 ** 10, unit: 'KiB' },
        { factor: 1, unit: 'B' },
    ],
    '1': [{ factor: 0.01, unit: '%' }],
};

const formats = new Map<string, Intl.NumberFormat>();

function formatter(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = JSON.stringify(options);
    let format = formats.get(key);
    if (!format) formats.set(key, (format = new Intl.NumberFormat(LANGUAGE, options)));
    return format;
}

function digits(value: number, options: Intl.NumberFormatOptions): string {
    return formatter(options).format(value).replace('-', MINUS);
}

/* The scale in which 'value' reads best. One scale for a whole axis: pass its largest value. */
export function scaleFor(unit: string, value: number): Scale {
    const scales = SCALES[unit];
    if (!scales) return { factor: 1, unit };
    const size = Math.abs(value);
    return scales.find((scale) => size >= scale.factor * 0.9995) ?? scales.at(-1)!;
}

export function value(unit: string, number: number | null | undefined): string {
    if (number == null || !Number.isFinite(number)) return '–';
    const scale = scaleFor(unit, number);
    const shown = number / scale.factor;
    const text =
        Math.abs(shown) >= 1000
            ? digits(shown, { maximumFractionDigits: 0 })
            : digits(shown, {
                  minimumSignificantDigits: shown === 0 ? 1 : 3,
                  maximumSignificantDigits: 3,
              });
    return scale.unit ? `${text}${BLANK}${scale.unit}` : text;
}

/* "95.6 µs to 98.1 µs" */
export function range(
    unit: string,
    lo: number | null | undefined,
    hi: number | null | undefined,
): string {
    return lo == null || hi == null ? '–' : `${value(unit, lo)} to ${value(unit, hi)}`;
}

/* How many decimals a step of an axis has: 5 none, 2.5 one. */
function decimalsOf(step: number): number {
    let decimals = 0;
    while (decimals < 6 && Math.abs(step - Number(step.toFixed(decimals))) > step * 1e-6)
        decimals++;
    return decimals;
}

/* A value on an axis whose ticks are 'step' apart: just as many decimals as the step needs. */
export function tick(scale: Scale, number: number, step: number): string {
    const decimals = decimalsOf(step / scale.factor);
    return digits(number / scale.factor, {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
    });
}

function percentDigits(share: number): Intl.NumberFormatOptions {
    const size = Math.abs(share * 100);
    const decimals = size >= 100 ? 0 : size >= 9.95 || size === 0 ? 1 : 2;
    return { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
}

function signed(share: number, like = share): string {
    return digits(share * 100, { ...percentDigits(like), signDisplay: 'exceptZero' });
}

/* Effects are relative, except those of shares: 1 % more failed requests is one point more. */
function effectUnit(unit: string): string {
    return unit === '1' ? 'points' : '%';
}

/* "+31.0 %", or "+1.20 points" of a share. */
export function effect(share: number | null | undefined, unit = ''): string {
    if (share == null || !Number.isFinite(share)) return '–';
    return `${signed(share)}${BLANK}${effectUnit(unit)}`;
}

/* How far 'to' is from 'from', in the terms of effects. */
export function change(unit: string, from: number | undefined, to: number): string {
    if (from === undefined || (unit !== '1' && from === 0)) return '–';
    return effect(unit === '1' ? to - from : to / from - 1, unit);
}

/* "[+29.2, +33.1]", with as many decimals as the effect between them. */
export function interval(lo: number | null, hi: number | null, like?: number | null): string {
    if (lo == null || hi == null) return '';
    const scale = like ?? Math.max(Math.abs(lo), Math.abs(hi));
    return `[${signed(lo, scale)},${BLANK}${signed(hi, scale)}]`;
}

/* "2.1 %": a share without a direction, such as noise. */
export function share(number: number | null | undefined, unit = ''): string {
    if (number == null || !Number.isFinite(number)) return '–';
    return `${digits(number * 100, percentDigits(number))}${BLANK}${effectUnit(unit)}`;
}

/* Names of metrics are written as inside a sentence; "p99" stays small everywhere. */
export function title(text: string): string {
    return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/* A reason, which the daemon gives without capital and full stop, standing alone. */
export function sentence(text: string): string {
    return /[.!?]$/.test(text) ? title(text) : `${title(text)}.`;
}

export function count(number: number): string {
    return digits(number, { maximumFractionDigits: 0 });
}

/* A gauge of unknown unit. */
export function plain(number: number): string {
    return digits(number, Number.isInteger(number) ? {} : { maximumSignificantDigits: 4 });
}

export function shortSha(sha: string | null | undefined): string {
    return sha ? sha.slice(0, 8) : '–';
}

/* "2 min 5 s"; the two largest parts. */
export function duration(ms: number): string {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (ms < 9_950)
        return `${digits(Math.max(0, ms) / 1000, { maximumFractionDigits: 1 })}${BLANK}s`;
    const parts: [number, string][] = [
        [Math.floor(seconds / 86_400), 'd'],
        [Math.floor(seconds / 3_600) % 24, 'h'],
        [Math.floor(seconds / 60) % 60, 'min'],
        [seconds % 60, 's'],
    ];
    const first = parts.findIndex(([n]) => n > 0);
    return parts
        .slice(first, first + 2)
        .filter(([n]) => n > 0)
        .map(([n, unit]) => `${n}${BLANK}${unit}`)
        .join(' ');
}

/* "3 minutes ago", "in 5 seconds". */
export function ago(at_ms: number, now_ms: number): string {
    const seconds = (at_ms - now_ms) / 1000;
    const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: 'auto' });
    const size = Math.abs(seconds);
    if (size < 45)
        return Math.abs(seconds) < 5 ? 'now' : relative.format(Math.round(seconds), 'second');
    if (size < 45 * 60) return relative.format(Math.round(seconds / 60), 'minute');
    if (size < 22 * 3_600) return relative.format(Math.round(seconds / 3_600), 'hour');
    if (size < 45 * 86_400) return relative.format(Math.round(seconds / 86_400), 'day');
    if (size < 320 * 86_400)
        return relative.format(Math.round(seconds / (30.4 * 86_400)), 'month');
    return relative.format(Math.round(seconds / (365.25 * 86_400)), 'year');
}

export function moment(at_ms: number): string {
    return new Intl.DateTimeFormat(undefined, {
        dateStyle: 'medium',
        timeStyle: 'short',
    }).format(at_ms);
}

export function clock(at_ms: number): string {
    return new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }).format(at_ms);
}

export function plural(number: number, one: string, many = `${one}s`): string {
    return `${count(number)} ${number === 1 ? one : many}`;
}
