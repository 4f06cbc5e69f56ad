# SPDX-License-Identifier: MIT
"""Sessions: steps in order on one connection, with think time between them."""

import json
import tempfile
import unittest

from loadtest import Run
from recorder import Recorder

STEPS = [{"path": "/first", "think": "30ms"}, {"path": "/second"}, {"path": "/third"}]


class Sessions(unittest.TestCase):
    def run_session(self, server, load, steps=None):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as out:
            json.dump({"session": steps or STEPS, "load": {"warmup": "0s", **load}}, out)
            out.flush()
            return Run("--allow-limited", "--scenario", out.name, server.url)

    def assert_in_order(self, paths):
        order = [step["path"] for step in STEPS]
        for i, path in enumerate(paths):
            self.assertEqual(path, order[i % 3], paths)

    def test_open_loop_starts_sessions_at_their_rate(self):
        server = Recorder()
        run = self.run_session(server, {"rate": "40/s", "duration": "500ms", "connections": 50})
        paths = server.close()

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertIn(run.result["sessions"]["completed"], range(17, 21))  # the last may be cut off
        self.assertEqual(sum(seen.count("/first") for seen in paths), 20)
        for seen in paths:
            self.assert_in_order(seen)

    def test_think_time_is_kept_and_not_charged(self):
        server = Recorder()
        run = self.run_session(server, {"connections": 1, "duration": "300ms"})
        times = [at for _, _, _, at in server.connections[0]]
        self.assert_in_order(server.close()[0])

        self.assertGreater(len(times), 5)
        self.assertGreaterEqual(times[1] - times[0], 0.029)
        self.assertLess(run.result["response_ns"]["p50"], 25e6)

    def test_open_loop_charges_from_the_end_of_the_pause(self):
        server = Recorder()
        run = self.run_session(server, {"rate": "20/s", "duration": "300ms", "connections": 10})
        server.close()

        # The think time of 30 ms is part of no response time.
        self.assertLess(run.result["response_ns"]["p50"], 25e6)
        self.assertEqual(run.result["generator"]["lateness_ns"]["count"], run.result["requests"])

    def test_a_session_has_its_connection_with_close(self):
        server = Recorder()
        run = self.run_session(server, {"rate": "40/s", "duration": "500ms", "connections": 50,
                                        "close": True})
        heads = [[head for _, head, _, _ in seen] for seen in server.connections if len(seen) == 3]
        paths = server.close()

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertEqual(len(paths), 20)
        for seen in paths:
            self.assertLessEqual(len(seen), 3)
            self.assert_in_order(seen)
        for first, second, third in heads:
            self.assertNotIn(b"Connection: close", first + second)
            self.assertIn(b"Connection: close", third)

    def test_a_failed_step_ends_its_session(self):
        server = Recorder(broken="/second")
        run = self.run_session(server, {"connections": 2, "duration": "300ms"})
        paths = server.close()

        self.assertEqual(set(run.errors()), {"check status"})
        self.assertEqual(run.result["sessions"]["completed"], 0)
        self.assertEqual(run.result["sessions"]["broken"], run.errors()["check status"])
        self.assertNotIn("/third", sum(paths, []))

    def test_a_session_survives_a_close_between_its_steps(self):
        server = Recorder(close_after=2)
        run = self.run_session(server, {"connections": 1, "duration": "400ms"})
        paths = sum(server.close(), [])

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertGreater(run.result["sessions"]["completed"], 2)
        # One that met the close is sent again: the same step twice, never one left out.
        seen = [path for i, path in enumerate(paths) if i == 0 or path != paths[i - 1]]
        self.assert_in_order(seen)

    def test_think_time_in_a_mix(self):
        server = Recorder()
        run = Run("-c", 1, "-d", "200ms", "--think", "20ms", server.url)
        count = len(server.close()[0])

        self.assertEqual(run.errors(), {}, run.stderr)
        self.assertLessEqual(count, 11)
        self.assertGreater(count, 2)

    def test_what_makes_no_sense_is_refused(self):
        server = Recorder()
        rated = Run("--rate", "9/s", "--think", "1s", server.url)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as out:
            json.dump({"session": STEPS, "load": {"rate": "9/s"}}, out)
            out.flush()
            counted = Run("-n", 9, "--scenario", out.name, server.url)
        server.close()

        self.assertIn("closed loop", rated.stderr)
        self.assertIn("duration", counted.stderr)


if __name__ == "__main__":
    unittest.main()
