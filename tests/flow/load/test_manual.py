# SPDX-License-Identifier: MIT
"""The examples of pacewatch-load.1 do what they say, beside the programs they translate.

The lines come from the manual itself. Only sizes are made small and places are filled in; a peer
that is installed runs its own line against the same server.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

from loadtest import BIN, HERE, RUN_LIMIT_S, SOURCE, Run, Server, bench_server

SMALL = {"-d": "1s", "-n": "200", "--num-conns": "200", "--count": "20", "--sweep": "400:600:100"}
RATES = {"-R": "500", "--rate": "500", "--connection-rate": "500"}
PEERS = {"wrk", "wrk2", "ab", "httperf", "h2load"}


def examples():
    """[(title, line of ours)]"""
    with open(os.path.join(SOURCE, "runner", "pacewatch-load.1"), encoding="utf-8") as manual:
        text = manual.read().split(".SH EXAMPLES\n")[1].split(".SH ")[0]
    pairs = [tuple(example.splitlines()) for example in text.split(".TP\n") if example]
    return [tuple(line.replace("\\-", "-") for line in pair) for pair in pairs]


def small(line, url, port):
    """The words of a line, with sizes that a test can afford: '-d30s', '-n 10000'."""
    words = shlex.split(line)
    for i, word in enumerate(words):
        joined = re.fullmatch(r"(-[dnR])(\d.*)", word)
        if joined:
            words[i] = joined[1] + (SMALL | RATES)[joined[1]]
        elif word in SMALL or word in RATES:
            words[i + 1] = (SMALL | RATES)[word]
    return [re.sub(r"^(http|ws)://127\.0\.0\.1:8080", rf"\1://127.0.0.1:{port}", word)
            .replace("URL", url).replace("8080", str(port)) for word in words]


def server_for(line):
    """The server for a line of ours, the path there, and which of its ports."""
    if "--http2" in line:
        return Server(os.path.join(BIN, "http2_server")), "/ok", 0
    if "ws://" in line:
        return Server(sys.executable, os.path.join(HERE, "websocket_server.py")), "/echo", 0
    server = bench_server(*(["--work", "2ms"] if "--search" in line else []))
    return server, "/", int("--close" in line)  # ab and httperf wait for the server to close


class Manual(unittest.TestCase):
    def ours(self, line, server, path, index):
        words = small(line, server.url(path, index), server.ports[index])
        quick = ["--rate", "200/s", "-d", "200ms"] if "--search" in line else []
        run = Run(*quick, "--allow-limited", *words[1:])
        self.assertEqual(run.status, 0, f"{words}: {run.stderr}")
        for row in run.result.get("rows", [run.result]):
            if "--search" not in line:
                self.assertEqual(row["answered"], row["requests"], words)
                self.assertEqual(row["errors"], {}, words)
        return run.result

    def test_every_peer_has_a_translation(self):
        named = {title.split()[0] for title, _ in examples()}

        self.assertLessEqual(PEERS, named)

    def test_every_example_runs(self):
        for _, line in examples():
            with self.subTest(line=line):
                self.assertTrue(line.startswith("pacewatch-load "), line)
                server, *place = server_for(line)
                try:
                    result = self.ours(line, server, *place)
                finally:
                    server.stop()

                if " -n " in line:
                    self.assertEqual(result["requests"], 200)

    def test_the_lines_of_the_peers_run(self):
        for title, line in examples():
            words = title.split()
            if words[0] not in PEERS or not shutil.which(words[0]):
                continue
            with self.subTest(line=title):
                server, *place = server_for(line)
                try:
                    words = small(title, server.url(*place), server.ports[place[1]])
                    done = subprocess.run(words, capture_output=True, text=True, check=False,
                                          timeout=RUN_LIMIT_S)
                finally:
                    server.stop()

                self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
                self.assertRegex(done.stdout, r"(?i)\b(requests|replies)\b")


if __name__ == "__main__":
    unittest.main()
