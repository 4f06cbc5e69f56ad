# SPDX-License-Identifier: MIT
"""Templates: every request is its own, on every protocol, and the same when it is sent again."""

import json
import os
import sys
import tempfile
import unittest

from loadtest import BIN, HERE, Run, Server
from recorder import Recorder

USERS = "user,city\n\"lee, ann\",Köln\nbob,Rome\n"


class Templates(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.data = os.path.join(self.folder.name, "users.csv")
        with open(self.data, "w", encoding="utf-8") as out:
            out.write(USERS)

    def tearDown(self):
        self.folder.cleanup()

    def test_path_header_and_body_are_filled_in(self):
        server = Recorder()
        run = Run("-c", 1, "-n", 3, "-X", "POST", "--data", self.data, "-H", "X-City: {csv:city}",
                  "--body", '{"n": {seq}, "u": "{csv:user}", "plain": "{{seq}"}',
                  server.url + "/u/{csv:user}?n={seq}")
        requests = server.close_with_heads()[0]

        self.assertEqual(run.errors(), {}, run.stderr)
        for i, (path, head, body) in enumerate(requests[:3]):
            user, city = (("lee, ann", "Köln"), ("bob", "Rome"))[i % 2]
            self.assertEqual(path, f"/u/{user.replace(', ', '%2C%20')}?n={i + 1}")
            self.assertIn(f"\r\nX-City: {city}\r\n", head.decode())
            self.assertEqual(json.loads(body), {"n": i + 1, "u": user, "plain": "{seq}"})

    def test_numbers_of_several_loops_and_bursts_meet_once(self):
        server = Recorder()
        Run("-c", 4, "-t", 2, "-n", 400, "--pipeline", 5, server.url + "/{seq}")
        paths = sum(server.close(), [])

        self.assertGreaterEqual(len(paths), 400)
        self.assertEqual(len(set(paths)), len(paths))

    def test_random_repeats_with_the_seed(self):
        seen = []
        for seed in (5, 5, 6):
            server = Recorder()
            Run("-c", 1, "-n", 20, "--seed", seed, server.url + "/{random:1:1000000}")
            seen.append(server.close()[0])

        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])

    def test_a_session_keeps_its_row(self):
        server = Recorder()
        scenario = os.path.join(self.folder.name, "scenario.json")
        with open(scenario, "w", encoding="utf-8") as out:
            json.dump({"data": "users.csv",
                       "session": [{"path": "/in/{csv:city}/{seq}"}, {"path": "/out/{csv:city}/{seq}"}],
                       "load": {"connections": 2, "duration": "100ms", "warmup": "0s"}}, out)
        run = Run("--allow-limited", "--scenario", scenario, server.url)
        paths = sum(server.close(), [])

        self.assertEqual(run.errors(), {}, run.stderr)
        visits = {}
        for path in paths:
            visits.setdefault(path.rsplit("/", 1)[1], set()).add(path.split("/")[2])
        self.assertGreater(len(visits), 2)
        self.assertTrue(all(len(cities) == 1 for cities in visits.values()), visits)

    def test_http2(self):
        server = Server(os.path.join(BIN, "http2_server"))
        try:
            run = Run("--http2", "-c", 2, "--pipeline", 4, "-n", 40, "-X", "POST", "-H", "X-N: {seq}",
                      "--body", "0123456789{random:100:999}", "--expect-contains", "13",
                      server.url("/length"))
        finally:
            server.stop()

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 40)

    def test_websocket(self):
        server = Server(sys.executable, os.path.join(HERE, "websocket_server.py"))
        try:
            runs = [Run("--ws", "-c", 2, "--pipeline", 3, "-n", 60, "--body",
                        "{seq} of {random:1:100000}", server.url(path, index))
                    for index, path in ((0, "/echo"), (1, "/fragments"))]
        finally:
            server.stop()

        for run in runs:
            self.assertEqual(run.errors(), {}, run.stderr)
            self.assertEqual(run.result["answered"], 60)

    def test_mistakes_are_told_with_their_place(self):
        cases = ((["/{csv:town}"], "no column 'town'"), (["/{random:5:1}"], "path: {random:LO:HI}"),
                 (["/", "-H", "X: {csv:}"], "header 'X': {csv:COLUMN} names no column"))
        for (path, *options), words in cases:
            with self.subTest(path=path):
                run = Run("-n", 1, "--data", self.data, *options, "http://127.0.0.1:1" + path)

                self.assertNotEqual(run.status, 0)
                self.assertIn(words, run.stderr)
        missing = Run("-n", 1, "http://127.0.0.1:1/{csv:user}")
        self.assertIn("needs a file of data", missing.stderr)

    def test_data_stays_in_the_folder_of_the_scenario(self):
        inner = os.path.join(self.folder.name, "inner")
        os.mkdir(inner)
        os.symlink(self.data, os.path.join(inner, "link.csv"))
        scenario = os.path.join(inner, "scenario.json")
        with open(scenario, "w", encoding="utf-8") as out:
            json.dump({"data": "link.csv", "endpoints": [{"path": "/{csv:user}"}]}, out)

        run = Run("--scenario", scenario, "http://127.0.0.1:1")

        self.assertEqual(run.status, 2)
        self.assertIn("link.csv", run.stderr)


if __name__ == "__main__":
    unittest.main()
