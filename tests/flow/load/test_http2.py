# SPDX-License-Identifier: MIT
"""HTTP/2: streams are requests, in any order, and every way they end is counted."""

import os
import unittest

from loadtest import BIN, Run, Server, hostile


class Http2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(os.path.join(BIN, "http2_server"))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def load(self, path, *options):
        timeout = "300ms" if path == "/hang" else "5s"  # longer than a busy machine stands still
        return Run("--http2", "--allow-limited", "--timeout", timeout, *options,
                   self.server.url(path))

    def test_streams_share_a_connection(self):
        run = self.load("/ok", "-c", 2, "--pipeline", 6, "-n", 600, "--expect-contains", "World")

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 600)
        self.assertEqual(run.result["connections"]["in_flight_max"], 12)

    def test_no_more_streams_than_the_server_allows(self):
        run = self.load("/ok", "-c", 1, "--pipeline", 40, "-n", 400)

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 400)

    def test_open_loop(self):
        run = self.load("/ok", "-c", 4, "--pipeline", 8, "--rate", "500/s", "-d", "400ms")

        self.assertEqual(run.result["answered"], 200)

    def test_one_connection_per_request(self):
        run = self.load("/ok", "-c", 4, "--close", "-n", 40)

        self.assertEqual(run.result["answered"], 40)
        self.assertEqual(run.result["connections"]["opened"], 40)

    def test_bodies_are_sent(self):
        run = self.load("/length", "-c", 2, "-n", 20, "--method", "POST", "--body", "x" * 1234,
                        "--expect-contains", "1234")

        self.assertEqual(run.errors(), {}, run.stderr)

    def test_endings_are_told_apart(self):
        for path, error in (("/missing", "check status"), ("/reset", "head stream_reset"),
                            ("/hang", "head timeout"), ("/garbage", "head malformed")):
            with self.subTest(path=path):
                run = self.load(path, "-c", 2, "-n", 8)

                self.assertEqual(run.errors(), {error: 8})

    def test_refused_streams_are_sent_again_once(self):
        run = self.load("/refuse", "-c", 1, "-n", 20)

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 20)
        self.assertEqual(run.result["connections"]["retried_requests"], 20)

    def test_goaway_moves_on_to_another_connection(self):
        run = self.load("/goaway", "-c", 2, "-n", 100)

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(run.result["answered"], 100)
        self.assertGreaterEqual(run.result["connections"]["closed_by_peer"], 18)

    def test_a_server_without_http2_is_malformed(self):
        plain = hostile()
        try:
            run = Run("--http2", "-c", 1, "-n", 3, "--timeout", "300ms", plain.url("/ok"))
        finally:
            plain.stop()

        self.assertEqual(run.result["answered"], 0)
        self.assertEqual(sum(run.errors().values()), 3)


if __name__ == "__main__":
    unittest.main()
