# SPDX-License-Identifier: MIT
"""WebSocket: a message that comes back is a round trip, and every other ending is counted."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from loadtest import HERE, Run, Server

MESSAGE = "hello"
COUNT = 6

# What ends a message that was sent, by the path of the hostile server.
FAILURES = {
    "/masked": "head malformed",
    "/reserved-bits": "head malformed",
    "/reserved-opcode": "head malformed",
    "/long-length": "head malformed",
    "/huge-length": "head malformed",
    "/too-large": "body too_large",
    "/long-ping": "head malformed",
    "/ping-in-pieces": "head malformed",
    "/lone-continuation": "head malformed",
    "/two-beginnings": "body malformed",
    "/garbage": "head malformed",
    "/twice": "body unasked_bytes",
    "/binary": "check content",
    "/close-reason": "head goaway",
    "/bad-close": "head malformed",
    "/end": "head eof",
    "/end-in-frame": "body eof",
    "/silent": "head timeout",
    "/stuck-in-frame": "body timeout",
}

GOOD = ["/fragments", "/pong-unasked", "/ping-flood"]

# What ends the handshake.
OPENINGS = {
    "/not-101": "upgrade: status",
    "/wrong-accept": "upgrade: handshake",
    "/unasked-extension": "upgrade: handshake",
    "/no-upgrade": "upgrade: handshake",
    "/garbage-opening": "upgrade: malformed",
    "/endless-opening": "upgrade: too_large",
    "/close-opening": "upgrade: eof",
}


class WebSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.server = Server(sys.executable, os.path.join(HERE, "websocket_server.py"))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def load(self, path, *options, index=0, message=MESSAGE):
        url = f"ws://127.0.0.1:{self.server.ports[index]}{path}"
        return Run("-c", 2, "--body", message, "--allow-limited", *options, url)

    def test_closed_loop(self):
        run = self.load("/echo", "-n", 200)

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 200)
        self.assertEqual(run.result["response_ns"]["count"], 200)

    def test_open_loop_counts_from_the_due_time(self):
        run = self.load("/echo", "--rate", "200/s", "-d", "500ms")

        self.assertEqual(run.result["answered"], 100)
        self.assertEqual(run.result["generator"]["lateness_ns"]["count"], 100)

    def test_several_messages_in_flight(self):
        run = self.load("/echo", "-n", 160, "--pipeline", 8)

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["connections"]["in_flight_max"], 16)

    def test_one_connection_per_message(self):
        run = self.load("/echo", "-n", 20, "--close")

        self.assertEqual(run.result["answered"], 20)
        self.assertEqual(run.result["connections"]["opened"], 20)

    def test_pings_are_answered(self):
        run = self.load("/ping", "-n", 40, "--timeout", "5s")

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 40)

    def test_large_binary_messages(self):
        path = os.path.join(self.folder.name, "body")
        with open(path, "wb") as out:
            out.write(bytes(range(256)) * 1200)

        run = Run("-c", 2, "-n", 10, "--body-file", path, self.server.url("/echo"), "--ws")

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 10)
        self.assertGreater(run.result["bytes_in"], 10 * 256 * 1200)

    def test_another_answer_is_no_echo(self):
        run = self.load("/wrong", "-n", 10)

        self.assertEqual(run.errors(), {"check content": 10})

    def test_a_close_between_messages_is_opened_again(self):
        run = self.load("/close", "-n", 40)

        self.assertEqual(run.result["answered"] + run.result["failed"], 40)
        self.assertLessEqual(set(run.errors()), {"head goaway"})
        self.assertGreaterEqual(run.result["connections"]["opened"], 4)

    def test_every_failure_is_counted_with_phase_and_cause(self):
        for path, error in FAILURES.items():
            with self.subTest(path=path):
                timeout = "300ms" if "timeout" in error else "5s"

                run = self.load(path, "-n", COUNT, "--timeout", timeout, index=1)

                self.assertEqual(run.errors(), {error: COUNT}, run.stderr)
                self.assertEqual(run.status, 4)

    def test_unusual_but_right_answers_are_echoes(self):
        for path in GOOD:
            with self.subTest(path=path):
                run = self.load(path, "-n", COUNT, index=1)

                self.assertEqual(run.errors(), {}, run.stderr)

    def test_a_handshake_that_fails_is_told(self):
        for path, error in OPENINGS.items():
            with self.subTest(path=path):
                run = self.load(path, "-n", COUNT, index=1)
                # One by one they are counted.
                rate = self.load(path, "--connection-rate", "20/s", "-n", 4, index=1)

                self.assertEqual(run.status, 1)
                self.assertIn(error, run.stderr)
                self.assertEqual(rate.errors(), {error.replace(":", ""): 4})

    def test_scenario_asks_for_it(self):
        path = os.path.join(self.folder.name, "scenario.json")
        scenario = {"endpoints": [{"name": "short", "path": "/echo", "body": "a", "weight": 3},
                                  {"name": "long", "path": "/echo", "body": "b" * 1000}],
                    "load": {"protocol": "websocket", "duration": "200ms", "connections": 2}}
        with open(path, "w", encoding="utf-8") as out:
            json.dump(scenario, out)

        run = Run("--scenario", path, "--allow-limited", self.server.url(""))

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertTrue(all(endpoint["answered"] for endpoint in run.result["endpoints"]))

    def test_wrong_usage_is_explained(self):
        for options, word in ((["--http2"], "exclude"), (["-X", "POST"], "GET"),
                              (["--expect-contains", "x"], "compared"),
                              (["--engine", "io_uring"], "epoll")):
            with self.subTest(options=options):
                run = self.load("/echo", "-n", 1, *options)

                self.assertNotEqual(run.status, 0)
                self.assertIn(word, run.stderr)


class Secure(unittest.TestCase):
    def test_wss(self):
        with tempfile.TemporaryDirectory() as folder:
            cert = os.path.join(folder, "cert.pem")
            key = os.path.join(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                            key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost"],
                           check=True, capture_output=True)
            server = Server(sys.executable, os.path.join(HERE, "websocket_server.py"), cert, key)
            try:
                run = Run("-c", 2, "-n", 40, "--body", MESSAGE, "--ca", cert,
                             f"wss://localhost:{server.ports[0]}/echo")
            finally:
                server.stop()

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 40)


if __name__ == "__main__":
    unittest.main()
