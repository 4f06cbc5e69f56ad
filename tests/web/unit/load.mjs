// SPDX-License-Identifier: MIT
/* load: one TypeScript module of the page as node can import it, with everything it needs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/* The checkout; tests may run in a copy of their folder. */
export const ROOT =
    process.env.PACEWATCH_SOURCE ?? join(dirname(fileURLToPath(import.meta.url)), '../../..');
const SRC = join(ROOT, 'web/src');

export async function load(path) {
    const folder = mkdtempSync(join(tmpdir(), 'pacewatch-web-'));
    const outfile = join(folder, 'module.mjs');
    try {
        await build({
            entryPoints: [join(SRC, path)],
            bundle: true,
            format: 'esm',
            outfile,
            logLevel: 'error',
        });
        return await import(pathToFileURL(outfile).href);
    } finally {
        rmSync(folder, { recursive: true });
    }
}
