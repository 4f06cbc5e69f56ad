# SPDX-License-Identifier: MIT
"""Hostile servers end in counted errors, never in a crash, a hang or unbounded memory."""

import unittest

from loadtest import Run, hostile

REQUESTS = 6

# path -> the one kind of error that every request must end in
FAILURES = {
    "/500": "check status",
    "/garbage": "head malformed",
    "/two-lengths": "head malformed",
    "/both": "head malformed",
    "/negative": "head malformed",
    "/folded": "head malformed",
    "/bad-chunk": "body malformed",
    "/huge-chunk": "body malformed",
    "/unended-chunk": "body malformed",
    "/short-body": "body eof",
    "/close-first": "head eof",
    "/close-in-head": "head eof",
    "/reset-first": "head reset",
    "/reset-in-head": "head reset",
    "/reset-in-body": "body reset",
    "/no-answer": "head timeout",
    "/stuck-in-body": "body timeout",
    "/slow-loris": "head timeout",
    "/endless-head": "head too_large",
    "/endless-interim": "head malformed",
    "/endless-body": "body timeout",
    "/endless-trailer": "body too_large",
}

GOOD = ["/ok", "/bare-lf", "/chunked", "/interim", "/304", "/204", "/until-close", "/http10",
        "/announced-close", "/silent-close", "/slow-bytes", "/large"]

MEMORY_MAX = 512 << 20  # a sanitizer's shadow included


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = hostile()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def load(self, path, *options):
        # Longer than a busy machine stands still, unless the timeout is what is tested.
        timeout = "400ms" if "timeout" in FAILURES.get(path, "") else "5s"
        return Run("-c", 2, "-n", REQUESTS, "--timeout", timeout, *options,
                   self.server.url(path))

    def test_every_failure_is_counted_with_phase_and_cause(self):
        for path, error in FAILURES.items():
            with self.subTest(path=path):
                run = self.load(path)

                self.assertEqual(run.errors(), {error: REQUESTS}, run.stderr)
                self.assertEqual(run.result["failed"], REQUESTS)
                self.assertEqual(run.status, 4, "nothing was answered")
                self.assertLess(run.peak, MEMORY_MAX)

    def test_unusual_but_right_answers_are_answers(self):
        for path in GOOD:
            with self.subTest(path=path):
                options = ["--expect-status", "304"] if path == "/304" else []

                run = self.load(path, *options)

                self.assertEqual(run.errors(), {}, run.stderr)
                self.assertEqual(run.result["answered"], REQUESTS)

    def test_answer_to_head_has_no_body(self):
        run = self.load("/head", "--method", "HEAD")

        self.assertEqual(run.result["answered"], REQUESTS)

    def test_unasked_bytes_are_an_error_of_their_own(self):
        run = self.load("/unasked")

        self.assertEqual(run.errors(), {"body unasked_bytes": REQUESTS})

    def test_closed_kept_connections_are_counted_and_reopened(self):
        announced = self.load("/announced-close")
        silent = self.load("/silent-close")

        for run in (announced, silent):
            self.assertEqual(run.result["answered"], REQUESTS)
            self.assertGreaterEqual(run.result["connections"]["closed_by_peer"], REQUESTS - 2)

    def test_endless_answers_end_at_the_deadline_in_open_loop_too(self):
        run = Run("--rate", "50/s", "-d", "300ms", "--timeout", "300ms", "-c", 4,
                  self.server.url("/no-answer"))

        self.assertEqual(run.result["requests"], 15)
        self.assertEqual(run.result["answered"], 0)
        self.assertEqual(sum(run.errors().values()), 15)
        self.assertGreater(run.errors()["head timeout"], 0)


if __name__ == "__main__":
    unittest.main()
