# SPDX-License-Identifier: MIT
"""TLS: verified by default, resumed, and counted apart when it fails."""

import os
import subprocess
import tempfile
import unittest

from loadtest import Run, hostile


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.cert = os.path.join(cls.folder.name, "cert.pem")
        key = os.path.join(cls.folder.name, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", cls.cert, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        cls.server = hostile(cls.cert, key)
        cls.plain = hostile()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.plain.stop()
        cls.folder.cleanup()

    def load(self, path, *options, host="localhost"):
        return Run("-c", 2, "-n", 20, "--timeout", "5s", *options,
                   f"https://{host}:{self.server.ports[0]}{path}")

    def test_answers_of_all_kinds_arrive(self):
        for path in ("/ok", "/chunked", "/announced-close", "/slow-bytes", "/large"):
            with self.subTest(path=path):
                run = self.load(path, "--ca", self.cert)

                self.assertEqual(run.errors(), {}, run.stderr)
                self.assertEqual(run.result["answered"], 20)

    def test_sessions_are_resumed(self):
        resumed = self.load("/ok", "--ca", self.cert, "--close")
        full = self.load("/ok", "--ca", self.cert, "--close", "--tls-no-resume")

        self.assertGreater(resumed.result["connections"]["tls_resumed"], 10)
        self.assertEqual(full.result["connections"]["tls_resumed"], 0)
        self.assertEqual(resumed.result["tls_ns"]["count"], 20)

    def test_strangers_are_refused(self):
        unknown = self.load("/ok")
        wrong_name = self.load("/ok", "--ca", self.cert, host="127.0.0.1")
        accepted = self.load("/ok", "--insecure", host="127.0.0.1")

        self.assertEqual((unknown.status, wrong_name.status), (1, 1))
        self.assertIn("tls: verify", unknown.stderr)
        self.assertIn("tls: verify", wrong_name.stderr)
        self.assertEqual(accepted.result["answered"], 20)

    def test_failures_are_told_apart(self):
        reset = self.load("/reset-in-body", "--ca", self.cert)
        stalled = Run("--close", "-c", 2, "-n", 4, "--timeout", "300ms",
                      f"https://localhost:{self.plain.ports[0]}/")

        self.assertEqual(reset.errors(), {"body reset": 20})
        self.assertEqual(stalled.errors(), {"tls timeout": 4})


if __name__ == "__main__":
    unittest.main()
