#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""embed: makes the asset table from a folder of built files.

    embed.py DIST OUT

writes OUT/assets.S, which takes each file in by .incbin, and OUT/asset_table.c, which names them.
Files next to 'x' called 'x.gz' and 'x.br' are its compressed forms. Including bytes by the
assembler costs neither compile time nor memory, which arrays of integers do, and puts them into
read-only pages.
"""
import hashlib
import os
import re
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
FORMS = (("raw", ""), ("gz", ".gz"), ("br", ".br"))
HASHED = re.compile(r"^/assets/.*-[0-9A-Z]{8}\.[a-z0-9]+$")


def find(dist):
    for folder, _, names in sorted(os.walk(dist)):
        for name in sorted(names):
            if not name.endswith((".gz", ".br")):
                yield os.path.join(folder, name)


def quote(path):
    return path.replace("\\", "\\\\").replace('"', '\\"')


def put(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main(dist, out):
    blobs, externs, rows = [], [], []
    for number, file in enumerate(find(dist)):
        extension = os.path.splitext(file)[1]
        if extension not in TYPES:
            sys.exit(f"embed: no content type for '{file}'")
        with open(file, "rb") as content:
            etag = hashlib.sha256(content.read()).hexdigest()[:20]
        members = []
        for form, suffix in FORMS:
            if not os.path.exists(file + suffix):
                continue
            symbol = f"asset_{number}_{form}"
            blobs.append(
                f'    .balign 16\n    .global {symbol}\n    .type {symbol}, %object\n'
                f'{symbol}:\n    .incbin "{quote(file + suffix)}"\n    .size {symbol}, . - {symbol}\n'
            )
            externs.append(f"extern const char {symbol}[];")
            members.append(f".{form} = {{{symbol}, {os.path.getsize(file + suffix)}}}")
        path = "/" + os.path.relpath(file, dist).replace(os.sep, "/")
        immutable = "true" if HASHED.search(path) else "false"
        rows.append(
            f'    {{.path = "{quote(path)}", .type = "{TYPES[extension]}", .etag = "{etag}",\n'
            f"     .immutable = {immutable}, " + ",\n     ".join(members) + "},"
        )
    if not rows:
        sys.exit(f"embed: '{dist}' is empty")
    os.makedirs(out, exist_ok=True)
    put(
        os.path.join(out, "assets.S"),
        '    .section .rodata.assets, "a", %progbits\n'
        + "".join(blobs)
        + '    .section .note.GNU-stack, "", %progbits /* else the stack becomes executable */\n',
    )
    put(
        os.path.join(out, "asset_table.c"),
        '#include "asset_table.h"\n\n' + "\n".join(externs)
        + "\n\nconst struct asset asset_table[] = {\n" + "\n".join(rows)
        + "\n};\nconst size_t asset_table_len = sizeof asset_table / sizeof asset_table[0];\n",
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
