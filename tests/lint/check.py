#!/usr/bin/python3
"""Rules about the text of the tree; run.sh adds those that other tools know.

    check.py TREE

Each rule is a function from a file to complaints; a complaint is "path:line: what is wrong".
"""
import os
import re
import sys

LINES_MAX = 600
SKIPPED = {".git", "build", "node_modules", "dist", "__pycache__"}
SPDX = "/* SPDX-License-Identifier: MIT */"

# --- who may include whom (docs/architecture.md) --------------------------------------------------

# A library and those whose headers it may include; what they may include follows by itself.
MAY_INCLUDE = {
    "base": [],
    "contract": ["base"],
    "load": ["contract", "base"],
    "sandbox": ["base"],
    "host": ["contract", "base"],
    "link": ["contract", "base"],
    "job": ["sandbox", "host", "link", "contract", "base"],
    "record": ["contract"],
    "store": ["record", "base"],
    "stats": ["record", "base"],
    "mirror": ["base"],
    "forge": ["record", "contract", "base"],
    "executor": ["contract", "base"],
    "report": ["record", "contract", "base"],
    "stages": ["store", "stats", "mirror", "forge", "executor", "report", "contract", "base"],
    "http": ["store", "forge", "report", "base"],
    "app": ["stages", "http"],
    "cli": ["app"],
    "main": ["cli", "app"],
}
FOLDERS = {
    "base": "base",
    "schema/contract": "contract",
    "runner/load": "load",
    "runner/sandbox": "sandbox",
    "runner/host": "host",
    "runner/link": "link",
    "runner/job": "job",
    "daemon": "main",
    "daemon/app": "app",
    "daemon/cli": "cli",
    "daemon/record": "record",
    "daemon/store": "store",
    "daemon/stats": "stats",
    "daemon/mirror": "mirror",
    "daemon/forge": "forge",
    "daemon/executor": "executor",
    "daemon/report": "report",
    "daemon/stages": "stages",
    "daemon/http": "http",
}
THIRD_PARTY = {
    "contract": ["cjson/cJSON.h", "zlib.h", "openssl/evp.h", "openssl/crypto.h"],
    "load": [
        "openssl/ssl.h",
        "openssl/err.h",
        "openssl/x509v3.h",
        "nghttp2/nghttp2.h",
        "liburing.h",
    ],
    "sandbox": ["seccomp.h"],
    "link": ["curl/curl.h", "archive.h", "archive_entry.h"],
    "store": ["sqlite3.h"],
    "mirror": ["git2.h", "archive.h", "archive_entry.h"],
    "forge": [
        "curl/curl.h",
        "openssl/bio.h",
        "openssl/evp.h",
        "openssl/hmac.h",
        "openssl/pem.h",
    ],
    "http": ["microhttpd.h"],
}
GENERATED = {"asset_table.h": "http"}
# Headers that glibc and the kernel bring; any other one in angle brackets is third-party.
SYSTEM = re.compile(
    r"(arpa|asm|gnu|linux|net|netinet|netpacket|sys)/.+|"
    r"(alloca|assert|byteswap|complex|cpuid|ctype|dirent|dlfcn|elf|endian|err|errno|error|execinfo|"
    r"fcntl|features|fenv|float|fnmatch|fts|ftw|getopt|glob|grp|ifaddrs|inttypes|langinfo|libgen|"
    r"limits|locale|malloc|math|mntent|netdb|paths|poll|pthread|pty|pwd|regex|sched|"
    r"semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|"
    r"stdnoreturn|string|strings|sysexits|syslog|termios|threads|time|uchar|ucontext|unistd|"
    r"utime|wchar|wctype)\.h"
)
# The statistics are pure functions: no clock, no disk, no log, no documents.
NOT_IN_STATS = re.compile(
    r"(clock|log|fdio|child|bell|json\w*|store\w*|time|unistd|fcntl|poll|pthread|signal)\.h|"
    r"(sys|linux)/.+"
)


def closure(library):
    seen, todo = set(), [library]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(MAY_INCLUDE[name])
    return seen


# --- the tree ----------------------------------------------------------------------------------------


class File:
    def __init__(self, tree, path):
        self.path = path
        self.ext = os.path.splitext(path)[1]
        with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.lines = self.text.splitlines()
        self.library = FOLDERS.get(os.path.dirname(path))

    def is_c(self):
        return self.ext in (".c", ".h")

    def code(self):
        """C lines with comments and strings blanked out."""
        blank = lambda m: re.sub(r"[^\n]", " ", m.group())
        pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        return re.sub(pattern, blank, self.text, flags=re.S).splitlines()

    def strings(self):
        """(line, text) of every string literal; comments are left out."""
        blank = lambda m: m.group() if m.group()[0] == '"' else re.sub(r"[^\n]", " ", m.group())
        pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\""
        for n, line in enumerate(re.sub(pattern, blank, self.text, flags=re.S).splitlines(), 1):
            for m in re.finditer(r'"((?:\\.|[^"\\])*)"', line):
                yield n, m.group(1)


def walk(tree):
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(d for d in folders if d not in SKIPPED)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), tree)
            if not os.path.islink(os.path.join(tree, path)):
                yield path


# --- rules: each yields (line, what is wrong) ------------------------------------------------------

SOURCES = (".c", ".h", ".ts", ".mjs", ".py", ".sh", ".css", ".sql")


def not_too_long(f):
    if f.ext in SOURCES and len(f.lines) > LINES_MAX:
        yield len(f.lines), f"{len(f.lines)} lines; at most {LINES_MAX}"


def licence_line(f):
    if f.is_c() and (not f.lines or f.lines[0] != SPDX):
        yield 1, f"the first line must be {SPDX}"


def no_markers(f):
    if f.ext in SOURCES + (".md", ".txt") and not f.path.startswith("tests/lint/"):
        for n, line in enumerate(f.lines, 1):
            m = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
            if m:
                yield n, f"'{m.group()}': unfinished business is an issue, not a marker"


def sql_only_in_store(f):
    if f.is_c() and f.library and f.library != "store":
        words = r"\s*(SELECT\s|INSERT INTO\b|UPDATE \w+ SET\b|DELETE FROM\b|CREATE (TABLE|INDEX|"
        words += r"UNIQUE)\b|PRAGMA \w|BEGIN IMMEDIATE\b|ALTER TABLE\b|DROP TABLE\b)"
        for n, text in f.strings():
            if re.match(words, text):
                yield n, "SQL belongs into daemon/store"


def plain_c(f):
    if f.is_c():
        for n, line in enumerate(f.code(), 1):
            if re.search(r"\btypedef\s+(struct|union|enum)\b", line):
                yield n, "structs keep their tag: no typedef"
            if re.search(r"\bgoto\b", line):
                yield n, "no goto"
            if re.search(r"\b(v?sprintf|gets|strtok|atoi|atol|atof)\s*\(", line):
                if not f.path.startswith("tests/"):
                    yield n, "build text with str_, read numbers with opt_"


def includes(f, owner):
    if not f.is_c() or not f.library:
        return
    allowed = closure(f.library)
    for n, line in enumerate(f.lines, 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        name = m.group(2)
        if m.group(1) == "<":
            if not SYSTEM.fullmatch(name) and name not in THIRD_PARTY.get(f.library, []):
                yield n, f"'{f.library}' may not use <{name}>"
        elif name not in owner:
            yield n, f"no header of the tree is named '{name}'"
        elif not allowed & owner[name].keys():
            yield n, f"'{f.library}' may not include '{name}' of '{min(owner[name])}'"
        if f.library == "stats" and NOT_IN_STATS.fullmatch(name):
            yield n, f"the statistics are pure: no '{name}'"


def page_under_its_policy(f):
    if f.ext not in (".ts", ".html") or not f.path.startswith("web/"):
        return
    rules = [
        (r"(?<![.\w-])style=", "no 'style=' in a template: the content policy blocks it"),
        (r"\bstyleMap\b", "no styleMap: its first rendering is blocked"),
        (r"\bunsafe(HTML|SVG|Static)\b", "no unsafeHTML: foreign text is text"),
        (r"\.(inner|outer)HTML\s*=", "no innerHTML: foreign text is text"),
        (r"\beval\s*\(|\bnew Function\b", "no eval"),
        (r"setAttribute\(\s*['\"]style", "no style attribute: the content policy blocks it"),
    ]
    for n, line in enumerate(f.lines, 1):
        if re.match(r"\s*(//|\*|/\*)", line):
            continue
        for pattern, what in rules:
            if re.search(pattern, line):
                yield n, what


def headers_of(files):
    """Name of a header -> {library: path}, and complaints about names that stand twice."""
    owner, complaints = {name: {library: ""} for name, library in GENERATED.items()}, []
    for f in files:
        name = os.path.basename(f.path)
        if f.ext != ".h" or not f.library:
            continue
        for other in owner.get(name, {}).values():
            complaints.append((f.path, 1, f"'{name}' is also at {other}; names are unique"))
        if SYSTEM.fullmatch(name):
            complaints.append((f.path, 1, f"'{name}' is the name of a system header"))
        owner.setdefault(name, {})[f.library] = f.path
    return owner, complaints


def main(tree):
    wanted = SOURCES + (".md", ".txt", ".html")
    files = [File(tree, p) for p in walk(tree) if os.path.splitext(p)[1] in wanted]
    owner, complaints = headers_of(files)
    rules = [not_too_long, licence_line, no_markers, sql_only_in_store, plain_c]
    rules += [page_under_its_policy, lambda f: includes(f, owner)]
    for f in files:
        if f.is_c() and os.path.dirname(f.path).split("/")[0] in ("base", "schema", "runner", "daemon"):
            if not f.library:
                complaints.append((f.path, 1, "this folder is not in the table of libraries"))
        for rule in rules:
            complaints += [(f.path, n, what) for n, what in rule(f)]
    for path, n, what in sorted(complaints):
        print(f"{path}:{n}: {what}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
