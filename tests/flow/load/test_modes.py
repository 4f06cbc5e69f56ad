# SPDX-License-Identifier: MIT
"""Every mode against a plain server: exact counts, who is charged for what, what is reported."""

import base64
import ctypes
import json
import os
import resource
import socket
import stat
import struct
import subprocess
import tempfile
import unittest
import zlib
from xml.etree import ElementTree

from loadtest import LOAD, Run, bench_server, hostile, sample, validate

SCENARIO = {
    "name": "mix",
    "endpoints": [
        {"path": "/a", "weight": 3, "expect": {"contains": "World"}},
        {"method": "POST", "path": "/b", "headers": {"X-A": "1"}, "weight": 1},
    ],
    "load": {"rate": "2000/s", "duration": "500ms", "warmup": "100ms", "connections": 50},
}


def read_hdr_log(path):
    """How many values each interval of a HdrHistogram log (V2) holds, as its format says."""
    counts = []
    with open(path, encoding="ascii") as log:
        lines = [line for line in log if line[0].isdigit()]
    for line in lines:
        packed = base64.b64decode(line.rsplit(",", 1)[1])
        cookie, length = struct.unpack(">II", packed[:8])
        assert cookie == 0x1C849314 and length == len(packed) - 8
        plain = zlib.decompress(packed[8:])
        cookie, length, _, digits, low, _, ratio = struct.unpack(">IiiiqQd", plain[:40])
        assert (cookie, digits, low, ratio) == (0x1C849313, 3, 1, 1.0)
        assert length == len(plain) - 40
        total, value, shift = 0, 0, 0
        for byte in plain[40:]:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                number = (value >> 1) ^ -(value & 1)
                total += max(number, 0)
                value = shift = 0
        counts.append(total)
    return counts


class Modes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.socket = os.path.join(cls.folder.name, "socket")
        cls.server = bench_server("--unix", cls.socket)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def load(self, *options, path="/", port=0):
        return Run("--allow-limited", *options, self.server.url(path, port))

    def test_closed_loop_measures_exactly_n_requests(self):
        run = self.load("-c", 7, "-t", 2, "-n", 1234)

        self.assertEqual(run.status, 0, run.stderr)
        self.assertEqual(run.result["requests"], 1234)
        self.assertEqual(run.result["response_ns"]["count"], 1234)
        self.assertAlmostEqual(run.result["little"], 1, delta=0.1)

    def test_pipelining_keeps_its_number_in_flight(self):
        run = self.load("-c", 2, "--pipeline", 16, "-n", 3200)

        self.assertEqual(run.result["answered"], 3200)
        self.assertEqual(run.result["connections"]["in_flight_max"], 32)

    def test_open_loop_offers_rate_times_duration(self):
        for options in (["--pacing", "timer"], ["--pacing", "spin"], ["--pacing", "hybrid"],
                        ["--pacing", "batch"], ["-t", 2]):
            with self.subTest(options=options):
                run = self.load("--rate", "1000/s", "-d", "500ms", "--warmup", "100ms", *options)

                self.assertEqual(run.result["requests"], 500)
                self.assertEqual(run.result["answered"], 500)
                self.assertEqual(run.result["generator"]["lateness_ns"]["count"], 500)

    def test_poisson_arrivals_repeat_with_their_seed(self):
        counts = [self.load("--rate", "1000/s", "--arrival", "poisson", "-d", "400ms", "--seed",
                            seed).result["requests"] for seed in (7, 7, 8)]

        self.assertEqual(counts[0], counts[1])
        self.assertNotEqual(counts[0], counts[2])

    def test_stages_add_up(self):
        run = self.load("--stage", "hold:200/s:200ms", "--stage", "linear:200/s:1000/s:200ms",
                        "--stage", "step:100/s:300/s:2:200ms")

        self.assertEqual(run.result["requests"], 40 + 120 + 40)
        self.assertAlmostEqual(run.result["duration_s"], 0.6, delta=0.001)

    def test_connection_rate_opens_one_for_each_request(self):
        run = self.load("--connection-rate", "500/s", "-n", 200, port=1)

        self.assertEqual(run.result["answered"], 200)
        # A busy machine may open the last ones when the window has closed.
        opened = run.result["connections"]["opened"]
        self.assertIn(opened, range(180, 201))
        self.assertEqual(run.result["connect_ns"]["count"], opened)

    def test_output_into_a_pipe_leaves_the_pipe_there(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = os.path.join(folder, "csv")
            os.mkfifo(pipe)
            reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
            try:
                run = self.load("-c", 1, "-n", 10, "--csv", pipe)
                said, _ = reader.communicate(timeout=20)
            finally:
                reader.kill()

            self.assertEqual(run.status, 0, run.stderr)
            self.assertTrue(stat.S_ISFIFO(os.lstat(pipe).st_mode))
            self.assertIn(",", said)
            self.assertEqual(os.listdir(folder), ["csv"])

    def test_closed_loop_with_close(self):
        run = self.load("--close", "-c", 5, "-n", 300, port=1)

        self.assertEqual(run.result["answered"], 300)
        self.assertEqual(run.result["connections"]["closed_by_peer"], 0)

    def test_each_way_to_close_ends_the_connection_and_only_that(self):
        # The first port keeps connections whatever it is asked, the second one keeps none.
        for kind, port in (("announced", 1), ("server", 1), ("client", 0), ("reset", 0)):
            with self.subTest(kind=kind):
                run = self.load("--close-by", kind, "-c", 5, "-n", 100, port=port)

                self.assertEqual(run.errors(), {}, run.stderr)
                self.assertEqual(run.result["answered"], 100)
                self.assertGreaterEqual(run.result["connections"]["opened"], 95)
                self.assertEqual(run.result["connections"]["closed_by_peer"], 0)

    def test_a_reset_leaves_no_time_wait(self):
        for kind, left in (("client", 40), ("reset", 0)):
            server = bench_server()
            try:
                self.assertEqual(Run("--close-by", kind, "-c", 2, "-n", 40, server.url()).status, 0)
                port = f":{server.ports[0]:04X} "
                with open("/proc/net/tcp", encoding="ascii") as table:
                    waits = [line for line in table if port in line and line.split()[3] == "06"]
            finally:
                server.stop()

            self.assertGreaterEqual(len(waits), left // 2, kind)
            self.assertLessEqual(len(waits), left, kind)

    def test_too_few_descriptors_name_the_limit_and_the_way_out(self):
        def poor():
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
            if os.geteuid() == 0:
                os.setuid(65534)

        try:
            done = subprocess.run([LOAD, "-c", "500", "-n", "1", self.server.url()], check=False,
                                  preexec_fn=poor, capture_output=True, text=True, timeout=30)
        except PermissionError:
            self.skipTest("the program lies where only root can read it")

        self.assertEqual(done.returncode, 1)
        self.assertIn("500 connections need 564 descriptors", done.stderr)
        self.assertIn("limit of this process is 200", done.stderr)
        self.assertIn("take -c 136", done.stderr)

    def test_ipv6(self):
        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            self.skipTest("this machine has no IPv6")
        port = listener.getsockname()[1]
        with listener:
            run = Run("--open-only", "-c", 1, "-n", 1, "--timeout", "200ms", "--source", "::1",
                      f"http://[::1]:{port}/")

        self.assertEqual(run.errors(), {"head timeout": 1}, run.stderr)  # connected, not refused

    def test_unix_socket(self):
        run = self.load("--unix", self.socket, "-c", 3, "-n", 500)

        self.assertEqual(run.result["answered"], 500)

    def test_scenario_has_numbers_per_endpoint(self):
        path = os.path.join(self.folder.name, "scenario.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(SCENARIO, out)

        run = Run("--allow-limited", "--scenario", path, "--seed", 42, self.server.url(""))

        self.assertEqual(run.result["answered"], 1000)
        self.assertEqual([e["answered"] for e in run.result["endpoints"]], [750, 250])
        self.assertTrue(all(e["hist"] for e in run.result["endpoints"]))

    def test_hdr_log_holds_every_answer(self):
        path = os.path.join(self.folder.name, "log")

        run = self.load("--rate", "500/s", "-d", "1500ms", "--hdr", path)

        counts = read_hdr_log(path)
        self.assertEqual(sum(counts), 750)
        self.assertEqual(counts, [s["answered"] for s in run.result["seconds"]])

    def test_spectrum_is_a_picture(self):
        path = os.path.join(self.folder.name, "spectrum.svg")

        self.load("-c", 2, "-n", 1000, "--svg", path)

        curves = [e for e in ElementTree.parse(path).iter() if e.tag.endswith("polyline")]
        self.assertEqual(len(curves), 2)

    def test_failed_checks_are_failures(self):
        run = self.load("-c", 2, "-n", 50, "--expect-contains", "Goodbye", "--errors", "1%")

        self.assertEqual(run.errors(), {"check content": 50})
        self.assertEqual(run.status, 4)

    def test_checksum_of_the_body(self):
        right = "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f"
        good = self.load("-c", 2, "-n", 50, "--expect-sha256", right)
        bad = self.load("-c", 2, "-n", 50, "--expect-sha256", "0" * 64)

        self.assertEqual(good.errors(), {})
        self.assertEqual(bad.errors(), {"check checksum": 50})

    def test_every_nth_body_is_looked_into(self):
        run = self.load("-c", 1, "-n", 100, "--expect-contains", "Goodbye", "--check-every", 10)

        self.assertEqual(run.errors(), {"check content": 10})

    def test_several_source_addresses(self):
        run = self.load("--close", "-c", 4, "-n", 40, "--source", "127.0.0.2,127.0.0.3", port=1)
        wrong = self.load("-n", 1, "--source", "::1")

        self.assertEqual(run.result["answered"], 40, run.stderr)
        self.assertEqual(wrong.status, 1)

    def test_marks_stand_around_the_window(self):
        read, write = os.pipe()
        with open(read, encoding="utf-8") as marks:
            done = subprocess.run([LOAD, "--json", "-", "--marks", str(write), "-d", "200ms",
                                   "--warmup", "100ms", self.server.url()], pass_fds=(write,),
                                  capture_output=True, check=False, timeout=30)
            os.close(write)
            lines = [json.loads(line) for line in marks]

        window = json.loads(done.stdout)["window"]
        self.assertEqual([line["mark"] for line in lines], ["start", "end"])
        self.assertEqual([line["at_ns"] for line in lines],
                         [window["start_ns"], window["end_ns"]])

    def test_warm_up_ends_when_the_service_is_steady(self):
        for options in (("-c", 2), ("--rate", "1000/s")):
            run = self.load(*options, "--steady", "--warmup", "4s", "-d", "300ms")

            window = run.result["window"]
            self.assertGreaterEqual(window["warmup_ns"], 1e9)  # a quarter at least
            self.assertLess(window["warmup_ns"], 4e9)
            self.assertAlmostEqual(run.result["duration_s"], 0.3, delta=0.01)
            self.assertAlmostEqual(window["end_ns"] - window["start_ns"], 3e8, delta=1e7)
            self.assertEqual(run.result["failed"], 0)
            if "--rate" in options:
                self.assertAlmostEqual(run.result["requests"], 300, delta=2)

    def test_nobody_there(self):
        closed = Run("-c", 2, "-d", "100ms", "http://127.0.0.1:1/")
        rate = Run("--rate", "100/s", "-d", "100ms", "http://127.0.0.1:1/")
        connections = Run("--connection-rate", "100/s", "-d", "100ms", "http://127.0.0.1:1/")

        self.assertEqual((closed.status, rate.status), (1, 1))
        self.assertIn("refused", closed.stderr)
        self.assertEqual(connections.errors(), {"connect refused": 10})
        self.assertEqual(connections.status, 4)

    def test_wrong_usage_is_explained(self):
        for options, word in ((["--rat", "5/s"], "did you mean '--rate'"),
                              (["--rate", "0"], "above 0"), (["--arrival", "poisson"], "rate"),
                              (["-n", "5", "-d", "1s"], "excludes"), (["ftp://x"], "http://"),
                              (["--stage", "hold:5/s"], "expected hold:RATE:TIME")):
            with self.subTest(options=options):
                run = Run(*options, *([] if options == ["ftp://x"] else [self.server.url()]))

                self.assertEqual(run.status, 2)
                self.assertIn(word, run.stderr)

    def test_result_is_what_the_schema_says(self):
        run = self.load("-c", 2, "-n", 20)

        validate(run.result, "load")
        validate(sample("load"), "load")
        self.assertEqual(set(run.result), set(sample("load")))


class Namespace(unittest.TestCase):
    def test_enters_the_network_of_another_process(self):
        inside = subprocess.Popen(["unshare", "--user", "--map-root-user", "--net", "sh", "-c",
                                   "ip link set lo up && exec \"$0\"",
                                   os.path.join(os.path.dirname(LOAD), "load_server")],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            words = inside.stdout.readline().split()
            if not words:
                self.skipTest("this machine allows no user namespaces")
            url = f"http://127.0.0.1:{words[1]}/"

            outside = Run("-n", 10, url)
            run = Run("-n", 10, "--netns", f"/proc/{inside.pid}/ns/net", url)

            self.assertEqual(outside.status, 1)
            self.assertEqual(run.result["answered"], 10, run.stderr)
        finally:
            inside.terminate()
            inside.communicate()


def forbid_io_uring():
    """In a child before exec: the system call that makes a ring fails, as in most containers."""
    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                    ("k", ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("at", ctypes.POINTER(Instruction))]

    io_uring_setup, eperm = 425, 1
    code = (Instruction * 4)((0x20, 0, 0, 0),  # the number of the call
                             (0x15, 0, 1, io_uring_setup),
                             (0x06, 0, 0, 0x00050000 | eperm),  # SECCOMP_RET_ERRNO
                             (0x06, 0, 0, 0x7FFF0000))  # SECCOMP_RET_ALLOW
    program = Program(len(code), code)
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privs, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(set_no_new_privs, 1, 0, 0, 0) or \
            libc.prctl(set_seccomp, filter_mode, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


class Engines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = bench_server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def engine(self, *options, prepare=None):
        done = subprocess.run([LOAD, "--json", "-", "-n", "50", "--allow-limited", *options,
                               self.server.url(index="--close" in options)],
                              capture_output=True, check=False, timeout=30, preexec_fn=prepare)
        return done, json.loads(done.stdout)["setup"]["engine"] if done.stdout else None

    def test_choice_depends_on_plan_and_kernel_only(self):
        forced, _ = self.engine("--engine", "io_uring")
        best = "epoll" if forced.returncode == 1 else "io_uring"

        self.assertEqual([self.engine()[1] for _ in range(3)], [best] * 3)
        self.assertEqual(self.engine("--rate", "1000/s")[1], "epoll")
        self.assertEqual(self.engine("--close")[1], "epoll")

    def test_where_rings_are_forbidden_epoll_does_it(self):
        done, engine = self.engine(prepare=forbid_io_uring)
        forced, _ = self.engine("--engine", "io_uring", prepare=forbid_io_uring)

        self.assertEqual((done.returncode, engine), (0, "epoll"), done.stderr)
        self.assertNotEqual(forced.returncode, 0)


class OpenOnly(unittest.TestCase):
    def test_reads_to_the_end_and_sends_nothing(self):
        server = hostile()
        listener = bench_server()
        try:
            run = Run("--open-only", "-c", 2, "-n", 5, "--timeout", "200ms", listener.url())

            self.assertEqual(run.errors(), {"head timeout": 5})
            self.assertEqual(run.result["bytes_out"], 0)
        finally:
            listener.stop()
            server.stop()


class Stall(unittest.TestCase):
    """A server that stands still is charged to every request that was due meanwhile."""

    def test_latency_is_what_theory_says(self):
        server = bench_server("--stall", "1s", "--stall-for", "200ms")
        try:
            # The first stall comes after one period: from then on any window of whole periods
            # holds the same stalls, wherever it begins.
            run = Run("--rate", "1000/s", "-d", "3s", "--warmup", "1s", "--allow-limited",
                      server.url())
        finally:
            server.stop()

        # A fifth of the due times falls into a stall and waits uniformly between 0 and 200 ms:
        # 90 % below 100 ms, 99 % below 190 ms. A busy machine adds to that; nothing takes away.
        response = run.result["response_ns"]

        self.assertEqual(run.result["answered"], 3000)
        self.assertGreater(response["p90"], 90e6)
        self.assertGreater(response["p99"], 180e6)
        self.assertLess(response["p99"], 300e6)
        self.assertLess(response["p50"], 20e6)
        self.assertGreater(response["max"], 195e6)


class Probes(unittest.TestCase):
    def test_sweep_has_a_row_for_each_rate(self):
        server = bench_server()
        try:
            run = Run("--sweep", "200:600:200", "--count", 100, "--close", "--allow-limited",
                      "--server-pid", server.process.pid, server.url(index=1))
        finally:
            server.stop()

        validate(run.result, "load_probe")
        validate(sample("load_probe"), "load_probe")
        rows = run.result["rows"]
        self.assertEqual([row["rate_rps"] for row in rows], [200, 400, 600])
        self.assertEqual([row["answered"] for row in rows], [100, 100, 100])
        self.assertTrue(all(row["server_cpu_s"] >= 0 for row in rows))

    def test_search_finds_what_a_service_can_do(self):
        server = bench_server("--work", "2ms")
        try:
            run = Run("--search", "p99<60ms", "--errors", "0", "--rate", "100/s", "-d", "300ms",
                      "--allow-limited", server.url())
        finally:
            server.stop()

        validate(run.result, "load_probe")
        # 2 ms of work each: 500 requests per second at most, less on a busy machine.
        self.assertGreater(run.result["answer_rps"], 200, run.stderr)
        self.assertLess(run.result["answer_rps"], 640)
        good = [row["rate_rps"] for row in run.result["rows"] if row["good"]]
        bad = [row["rate_rps"] for row in run.result["rows"] if not row["good"]]
        self.assertTrue(good and bad)


if __name__ == "__main__":
    unittest.main()
