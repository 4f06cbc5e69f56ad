// SPDX-License-Identifier: MIT
/* environment: the machine a job ran on, how quiet it was, and the rules in force. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Facts, JobData } from '../api/types.ts';
import { gaugeTitle, gaugeValue } from '../text/gauges.ts';
import { section } from './pieces.ts';

const DIGEST = /^[0-9a-f]{32,}$/;
const DIGEST_SHOWN = 16; /* of 64; enough to see whether two are equal */

/* A fact as text; a digest by its beginning. */
function shown(value: Facts[string]): string {
    const text = value === null ? '–' : String(value);
    return DIGEST.test(text) ? text.slice(0, DIGEST_SHOWN) : text;
}

function line(name: string, text: string, whole: Facts[string]): TemplateResult {
    return html`<div><dt>${name}</dt><dd title=${String(whole)}>${text}</dd></div>`;
}

function card(title: string, lines: TemplateResult[]): TemplateResult | typeof nothing {
    if (lines.length === 0) return nothing;
    return html`<div class="card facts-card"><h3>${title}</h3><dl>${lines}</dl></div>`;
}

/* What the machine does not tell is left out. */
function list(title: string, facts: Facts | null): TemplateResult | typeof nothing {
    const told = Object.entries(facts ?? {}).filter(([, value]) => value !== 'unknown');
    return card(
        title,
        told.map(([name, value]) => line(name.replaceAll('_', ' '), shown(value), value)),
    );
}

function gauges(title: string, facts: Facts | null): TemplateResult | typeof nothing {
    const lines = Object.entries(facts ?? {}).map(([name, value]) =>
        line(
            gaugeTitle(name),
            typeof value === 'number' ? gaugeValue(name, value) : shown(value),
            value,
        ),
    );
    return card(title, lines);
}

export function environment({ run }: JobData): TemplateResult | typeof nothing {
    if (!run) return nothing;
    const artifacts: Facts = {};
    if (run.base_artifact) artifacts.base = run.base_artifact;
    if (run.head_artifact) artifacts.head = run.head_artifact;
    return section(
        'environment',
        'Environment',
        html`<div class="facts-cards">
            ${list('Machine', run.identity)}
            ${list('State', run.state)}
            ${gauges('Noise', run.noise)}
            ${list('Artefacts', artifacts)}
        </div>`,
    );
}

export function specText({ spec }: JobData): TemplateResult | typeof nothing {
    if (!spec) return nothing;
    return section(
        'spec',
        'Spec in force',
        html`<details class="log"><summary data-walk>.pacewatch.json</summary>
            <pre tabindex="0" aria-label="Spec">${spec}</pre></details>`,
    );
}
