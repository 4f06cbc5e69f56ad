// SPDX-License-Identifier: MIT
/*
 * build: turns src/ into the files the daemon serves.
 *
 *   node build.mjs [--outdir DIR]        (default: build/web in the checkout)
 *
 * DIR/index.html is the shell; DIR/assets/ holds everything it needs under names that carry a hash
 * of the content, so they may be cached for ever. Beside each file lie FILE.gz and FILE.br. The
 * page without data must stay below PAGE_BYTES_MAX after brotli; a larger one fails the build.
 */
import { createHash } from 'node:crypto';
import {
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const PAGE_BYTES_MAX = 60_000;
const HERE = dirname(fileURLToPath(import.meta.url));

function outdirFrom(argv) {
    const at = argv.indexOf('--outdir');
    if (at >= 0 && !argv[at + 1]) throw new Error('--outdir needs a folder');
    return resolve(at >= 0 ? argv[at + 1] : join(HERE, '../build/web'));
}

async function bundle(assets) {
    const result = await esbuild.build({
        absWorkingDir: HERE,
        entryPoints: { app: 'src/main.ts' },
        bundle: true,
        format: 'esm',
        minify: true,
        target: 'es2022',
        charset: 'utf8',
        legalComments: 'none',
        entryNames: '[name]-[hash]',
        outdir: assets,
        metafile: true,
        logLevel: 'warning',
        plugins: [minifyTemplates],
    });
    return result.metafile;
}

/* Blanks between tags of a template are layout of the source, not of the page. A line break inside
 * a template with its indentation shrinks to one blank, which is what the browser makes of it. */
const minifyTemplates = {
    name: 'minify-templates',
    setup(build) {
        build.onLoad({ filter: /\/src\/.*\.ts$/ }, (args) => {
            const text = readFileSync(args.path, 'utf8');
            return { contents: text.replace(/\n\s+(?=[<$])/g, '\n '), loader: 'ts' };
        });
    },
};

function hashedCopy(source, assets) {
    const body = readFileSync(source);
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 8).toUpperCase();
    const [name, ext] = basename(source).split('.');
    const file = `${name}-${hash}.${ext}`;
    writeFileSync(join(assets, file), body);
    return file;
}

/* The packages whose code ended up in the bundle, with their licences in full. */
function licences(metafile, assets) {
    const roots = new Set();
    for (const input of Object.keys(metafile.inputs)) {
        const hit = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
        if (hit) roots.add(hit[1]);
    }
    const parts = ['This page contains the following packages.\n'];
    for (const name of [...roots].sort()) {
        const root = join(HERE, 'node_modules', name);
        const info = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
        const text = readdirSync(root).find((file) => /^licen[cs]e/i.test(file));
        parts.push(`${'='.repeat(72)}\n${name} ${info.version} (${info.license})\n`);
        if (text) parts.push(readFileSync(join(root, text), 'utf8'));
    }
    const temporary = join(assets, 'licences.txt');
    writeFileSync(temporary, parts.join('\n'));
    const file = hashedCopy(temporary, assets);
    rmSync(temporary);
    return file;
}

function compress(file) {
    const body = readFileSync(file);
    const br = brotliCompressSync(body, {
        params: {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
        },
    });
    const gz = gzipSync(body, { level: 9 });
    writeFileSync(`${file}.br`, br);
    writeFileSync(`${file}.gz`, gz);
    return { raw: body.length, gz: gz.length, br: br.length };
}

function empty(folder) {
    rmSync(join(folder, 'assets'), { recursive: true, force: true });
    for (const name of ['index.html', 'index.html.gz', 'index.html.br'])
        if (existsSync(join(folder, name))) rmSync(join(folder, name));
    mkdirSync(join(folder, 'assets'), { recursive: true });
}

async function main() {
    const outdir = outdirFrom(process.argv.slice(2));
    const assets = join(outdir, 'assets');
    empty(outdir);

    const metafile = await bundle(assets);
    const built = readdirSync(assets);
    const names = {
        SCRIPT: built.find((name) => /^app-.*\.js$/.test(name)),
        STYLE: built.find((name) => /^app-.*\.css$/.test(name)),
        ICON: hashedCopy(join(HERE, 'src/icon.svg'), assets),
        LICENCES: licences(metafile, assets),
    };
    const shell = readFileSync(join(HERE, 'src/index.html'), 'utf8');
    const html = shell.replace(/\{\{([A-Z]+)\}\}/g, (_, key) => `/assets/${names[key]}`);
    writeFileSync(join(outdir, 'index.html'), html);

    let page = 0;
    const files = ['index.html', ...Object.values(names).map((name) => join('assets', name))];
    for (const file of files) {
        const size = compress(join(outdir, file));
        if (!file.includes('licences')) page += size.br;
        console.log(
            `${file.padEnd(32)} ${String(size.raw).padStart(8)} B` +
                `  gzip ${String(size.gz).padStart(6)}  brotli ${String(size.br).padStart(6)}`,
        );
    }
    console.log(`page without data: ${page} B brotli of at most ${PAGE_BYTES_MAX}`);
    if (page > PAGE_BYTES_MAX) throw new Error('the page is larger than its budget');
}

await main();
