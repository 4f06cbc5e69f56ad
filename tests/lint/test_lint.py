#!/usr/bin/python3
"""The linter's own test: a small good tree passes, and each rule finds the one thing that is wrong
in a tree that is otherwise good."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: MIT */\n"
PAGE = '.TH PACEWATCH 1 "2026-11-24" "Pacewatch" "User Commands"\n.SH NAME\npacewatch \\- x\n'
MARK = "TO" + "DO"

GOOD = {
    "base/str.h": SPDX + '#include <stddef.h>\n\nvoid str_add(char c);\n',
    "base/str.c": SPDX + '#include "str.h"\n\n#include <string.h>\n\nvoid str_add(char c)\n{\n'
    "    (void)c;\n}\n",
    "schema/contract/json.c": SPDX + '#include <cjson/cJSON.h>\n#include <zlib.h>\n',
    "daemon/record/record.h": SPDX + '#include "str.h"\n',
    "daemon/store/store.h": SPDX + '#include "record.h"\n',
    "daemon/store/store.c": SPDX + '#include "store.h"\n\n#include <sqlite3.h>\n\n'
    'const char *const q = "SELECT 1";\n',
    "daemon/http/http.c": SPDX + '#include <microhttpd.h>\n\n#include "record.h"\n'
    '#include "store.h"\n',
    "daemon/stats/rank.c": SPDX + '#include <math.h>\n\n#include "record.h"\n',
    "web/src/a.ts": "html`<p .style=${'width:1px'} class=\"x\"></p>`;\n",
    "tests/run.sh": "#!/bin/sh\nexit 0\n",
    "daemon/pacewatch.1": PAGE,
}

# (rule, file, its content, part of the complaint)
BAD = [
    ("length", "base/long.c", SPDX + "int x;\n" * 600, "base/long.c:601: 601 lines"),
    ("licence", "base/bare.c", "int x;\n", "base/bare.c:1: the first line"),
    ("marker", "base/a.c", SPDX + f"/* {MARK}: later */\n", f"base/a.c:2: '{MARK}'"),
    ("marker in a page", "README.md", "FIX" + "ME\n", "README.md:1: 'FIX"),
    ("SQL", "daemon/http/a.c", SPDX + 'const char *q = "SELECT id FROM job";\n',
     "daemon/http/a.c:2: SQL belongs"),
    ("SQL over lines", "daemon/stages/a.c",
     SPDX + 'const char *q = "-"\n                "INSERT INTO job VALUES(1)";\n',
     "daemon/stages/a.c:3: SQL belongs"),
    ("typedef", "base/a.c", SPDX + "typedef struct a b;\n", "base/a.c:2: structs keep"),
    ("goto", "base/a.c", SPDX + "void f(void)\n{\n    goto out;\nout:;\n}\n",
     "base/a.c:4: no goto"),
    ("sprintf", "base/a.c", SPDX + 'int x = sprintf(0, "");\n', "base/a.c:2: build text"),
    ("third-party header", "base/a.c", SPDX + "#include <zlib.h>\n",
     "base/a.c:2: 'base' may not use <zlib.h>"),
    ("third-party header of a neighbour", "daemon/http/a.c", SPDX + "#include <sqlite3.h>\n",
     "daemon/http/a.c:2: 'http' may not use <sqlite3.h>"),
    ("unknown third-party header", "daemon/http/a.c", SPDX + "#include <jansson.h>\n",
     "'http' may not use <jansson.h>"),
    ("upward include", "daemon/record/a.c", SPDX + '#include "store.h"\n',
     "daemon/record/a.c:2: 'record' may not include 'store.h' of 'store'"),
    ("runner includes daemon", "runner/job/a.c", SPDX + '#include "record.h"\n',
     "'job' may not include 'record.h'"),
    ("header of nobody", "base/a.c", SPDX + '#include "nowhere.h"\n',
     "no header of the tree is named 'nowhere.h'"),
    ("impure statistics", "daemon/stats/a.c", SPDX + "#include <time.h>\n",
     "daemon/stats/a.c:2: the statistics are pure"),
    ("name of a header twice", "runner/job/str.h", SPDX, "'str.h' is also at base/str.h"),
    ("name of a system header", "base/error.h", SPDX, "'error.h' is the name of a system header"),
    ("folder without a library", "runner/extra/a.c", SPDX, "not in the table of libraries"),
    ("style attribute", "web/src/a.ts", 'html`<p style="width:1px"></p>`;\n', "web/src/a.ts:1: no 'style="),
    ("bound style attribute", "web/src/a.ts", "html`<p style=${x}></p>`;\n", "no 'style="),
    ("styleMap", "web/src/a.ts", "styleMap({});\n", "no styleMap"),
    ("unsafeHTML", "web/src/a.ts", "unsafeHTML(x);\n", "no unsafeHTML"),
    ("innerHTML", "web/src/a.ts", "e.innerHTML = x;\n", "no innerHTML"),
    ("eval", "web/src/a.ts", "eval(x);\n", "no eval"),
    ("shell", "tests/a.sh", "if true; then\n", "tests/a.sh: is not a shell script"),
    ("no manual page", "daemon/x.1", "plain text\n", "daemon/x.1: is not a manual page"),
]
if shutil.which("clang-format"):
    BAD.append(("layout", "base/a.c", SPDX + "int  x ;\n", "base/a.c: run clang-format -i"))
if shutil.which("mandoc") or shutil.which("man"):
    BAD.append(("manual page", "daemon/x.1", PAGE + ".SH BODY\n.nosuchmacro\n", "nosuchmacro"))


def lint(tree):
    run = subprocess.run(["sh", str(HERE / "run.sh"), tree], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def write(tree, path, content):
    at = pathlib.Path(tree, path)
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(content)


def main():
    failures = []
    with tempfile.TemporaryDirectory() as tree:
        shutil.copy(HERE / "../../.clang-format", tree)
        for path, content in GOOD.items():
            write(tree, path, content)
        code, output = lint(tree)
        if code != 0:
            failures.append(f"a good tree is refused:\n{output}")
        for rule, path, content, complaint in BAD:
            before = GOOD.get(path)
            write(tree, path, content)
            code, output = lint(tree)
            lines = [x for x in output.splitlines() if "left out" not in x]
            if code != 1 or not any(complaint in x for x in lines):
                failures.append(f"{rule}: exit {code}, said:\n{output}")
            if before is None:
                os.unlink(os.path.join(tree, path))
            else:
                write(tree, path, before)
        code, output = lint(tree)
        if code != 0:
            failures.append(f"the good tree is refused afterwards:\n{output}")
    print("\n".join(failures) or f"{len(BAD)} breaches found, the good tree passes")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
