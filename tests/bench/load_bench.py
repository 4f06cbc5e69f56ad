# SPDX-License-Identifier: MIT
"""Figures of the load generator beside their bounds, as a table.

The primary figure is CPU time (user + system) of the generator per request, as a ratio between
programs that run in turn in one round, server on one CPU and generator on the other. That ratio
moves little on a busy machine; requests per second move a lot. Every ratio is the median over the
rounds, shown with its extremes.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile

SERVER_CPU, CLIENT_CPU = "0", "1"


class Bench:
    def __init__(self, args):
        self.bin = args.bin
        self.rounds = args.rounds
        self.seconds = args.seconds
        self.rows = []
        self.servers = []

    def program(self, name):
        return os.path.join(self.bin, name)

    def serve(self, *options):
        server = subprocess.Popen(["taskset", "-c", SERVER_CPU, self.program("load_server"),
                                   *options], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        _, keep, close = server.stdout.readline().split()
        return server, int(keep), int(close)

    def stop(self):
        for server in self.servers:
            server.terminate()
            server.communicate()
        self.servers = []

    @staticmethod
    def run(argv):
        """CPU seconds and output of a program pinned to the generator's CPU."""
        with tempfile.TemporaryFile("w+") as out:
            child = subprocess.Popen(["taskset", "-c", CLIENT_CPU, *map(str, argv)], stdout=out,
                                     stderr=subprocess.STDOUT, text=True)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            return usage.ru_utime + usage.ru_stime, out.read()

    # Each of these gives CPU microseconds per request, or None when the program is not there.

    def ours(self, *options):
        _, said = self.run([self.program("pacewatch-load"), "--json", "-", "--allow-limited",
                            *options])
        result = json.loads(said)
        return result["generator"]["cpu_s"] * 1e6 / result["window"]["answered"], result

    def floor(self, *argv):
        _, said = self.run([self.program("load_floor"), *argv])
        return float(re.search(r"cpu_us ([\d.]+)", said).group(1))

    def counted(self, pattern, *argv):
        if not shutil.which(argv[0]):
            return None
        cpu, said = self.run(argv)
        found = re.search(pattern, said)
        return cpu * 1e6 / int(found.group(1)) if found else None

    def wrk(self, url, connections, *more):
        return self.counted(r"(\d+) requests in", "wrk", "-t1", f"-c{connections}",
                            f"-d{self.seconds}s", *more, url)

    def h2load(self, url, connections):
        return self.counted(r"requests: \d+ total, \d+ started, (\d+) done", "h2load", "--h1",
                            "-D", self.seconds, "-c", connections, url)

    def ab(self, url, connections, *more):
        return self.counted(r"Complete requests: +(\d+)", "ab", "-q", "-t", self.seconds, "-n",
                            2 * 10**6, "-c", connections, *more, url)

    # --- rows ---------------------------------------------------------------------------------

    def row(self, what, bound, values, unit="x"):
        values = [v for v in values if v is not None]
        if not values:
            self.rows.append((what, f"<= {bound} {unit}", "not measured", "", "-"))
            return
        middle = statistics.median(values)
        self.rows.append((what, f"<= {bound} {unit}", f"{middle:.3f}",
                          f"{min(values):.3f} .. {max(values):.3f}, n = {len(values)}",
                          "yes" if middle <= bound else "NO"))
        print(self.rows[-1], flush=True)

    def compare(self, what, measure, peers):
        """One round: ours and every peer in turn. Rows of ratios."""
        ratios = {name: [] for name, _, _ in peers}
        for _ in range(self.rounds):
            mine = measure()
            for name, _, peer in peers:
                theirs = peer()
                ratios[name].append(mine / theirs if theirs else None)
        for name, bound, _ in peers:
            self.row(f"{what}: CPU per request / {name}", bound, ratios[name])

    def keepalive(self):
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        for engine in ("epoll", "io_uring"):
            for n in (10, 100, 1000):
                self.compare(
                    f"keep-alive, {n} connections, {engine}",
                    lambda n=n, engine=engine: self.ours(
                        "-c", n, "-d", f"{self.seconds}s", "--engine", engine, url)[0],
                    [("floor", 1.06, lambda n=n: self.floor(port, n, self.seconds, 1)),
                     ("wrk", 0.65, lambda n=n: self.wrk(url, n)),
                     ("h2load", 0.58, lambda n=n: self.h2load(url, n)),
                     ("ab", 0.68, lambda n=n: self.ab(url, n, "-k"))])

    def pipeline(self):
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write("init = function(args)\n local r = {}\n for i = 1, 16 do r[i] = "
                         "wrk.format() end\n req = table.concat(r)\nend\n"
                         "request = function() return req end\n")
            script.flush()
            self.compare("pipelining 16",
                         lambda: self.ours("-c", 10, "--pipeline", 16, "-d",
                                           f"{self.seconds}s", url)[0],
                         [("floor", 1.2, lambda: self.floor(port, 10, self.seconds, 16)),
                          ("wrk", 0.43, lambda: self.wrk(url, 10, "-s", script.name))])

    def connect(self):
        _, _, port = self.serve()
        url = f"http://127.0.0.1:{port}/"
        self.compare("one connection per request",
                     lambda: self.ours("-c", 100, "--close", "-d", f"{self.seconds}s", url)[0],
                     [("floor", 1.05, lambda: self.floor(port, 100, self.seconds, "connect")),
                      ("wrk", 0.93, lambda: self.wrk(url, 100, "-H", "Connection: close"))])

    def rate(self):
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        for rate in (5000, 20000, 50000):
            off, timer, batch, late = [], [], [], {"timer": [], "hybrid": [], "spin": []}
            for _ in range(self.rounds):
                options = ["--rate", rate, "-d", "5s", "-c", 100]
                cpu, result = self.ours(*options, url)
                off.append(abs(result["achieved_rps"] / rate - 1) * 100)
                timer.append(cpu / self.floor(port, 100, 2, "rate", rate))
                peer = self.counted(r"requests: \d+ total, \d+ started, (\d+) done", "h2load",
                                    "--h1", "--rps", rate // 100, "-c", 100, "-D", 2, url)
                batch.append(self.ours(*options, "--pacing", "batch", url)[0] / peer
                             if peer else None)
                late["timer"].append(result["generator"]["lateness_ns"]["p99"] / 1e3)
                for pacing in ("hybrid", "spin"):
                    result = self.ours(*options, "--pacing", pacing, url)[1]
                    late[pacing].append(result["generator"]["lateness_ns"]["p99"] / 1e3)
            self.row(f"{rate}/s: achieved off by", 0.05, off, "%")
            self.row(f"{rate}/s: timer CPU / floor with timer", 1.0, timer)
            self.row(f"{rate}/s: batch CPU / h2load --rps", 1.1, batch)
            for pacing, bound in (("timer", 120), ("hybrid", 20), ("spin", 5)):
                self.row(f"{rate}/s: lateness p99, {pacing}", bound, late[pacing], "us")

    def stall(self):
        _, port, _ = self.serve("--stall", "2s", "--stall-for", "200ms")
        theory = {"p95": 100e6, "p99": 180e6, "p99_9": 198e6, "max": 200e6}
        off = {key: [] for key in theory}
        p50, missing = [], []
        for _ in range(max(1, self.rounds // 2)):
            result = self.ours("--rate", 2000, "-d", "20s", "--warmup", "2s", "-c", 1000,
                               "--pacing", "hybrid", f"http://127.0.0.1:{port}/")[1]
            response = result["response_ns"]
            for key, value in theory.items():
                off[key].append(abs(response[key] - value) / 1e6)
            p50.append(response["p50"] / 1e6)
            missing.append(abs(response["count"] - 40000))
        for key in theory:
            self.row(f"stall: {key} off theory", 2, off[key], "ms")
        self.row("stall: p50", 0.2, p50, "ms")
        self.row("stall: samples missing", 0, missing, "")

    def tls(self):
        """Against nginx, as load_server speaks no TLS."""
        if not shutil.which("nginx"):
            return
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-keyout", f"{folder}/key", "-out", f"{folder}/cert", "-subj",
                            "/CN=localhost"], check=True, capture_output=True)
            paths = "".join(f"{name}_temp_path {folder};" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            with open(f"{folder}/conf", "w", encoding="ascii") as conf:
                conf.write(f"daemon off; master_process off; pid {folder}/pid; "
                           f"error_log {folder}/log; events {{}} http {{ access_log off; {paths} "
                           "keepalive_requests 1000000000; server { listen 127.0.0.1:18443 ssl; "
                           f"ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key; "
                           "location / { return 200 'Hello, World!'; } } }")
            nginx = subprocess.Popen(["taskset", "-c", SERVER_CPU, "nginx", "-p", folder, "-c",
                                      f"{folder}/conf"])
            url = "https://127.0.0.1:18443/"
            try:
                subprocess.run([self.program("pacewatch-load"), "-k", "-q", "--connection-rate",
                                "10", "-n", "10", url], check=False)  # until it listens
                self.compare("TLS, keep-alive",
                             lambda: self.ours("-k", "-c", 20, "-d", f"{self.seconds}s", url)[0],
                             [("wrk", 1.0, lambda: self.wrk(url, 20))])
            finally:
                nginx.terminate()
                nginx.wait()

    def memory(self):
        _, port, _ = self.serve()
        sizes = []
        for connections in (500, 15000):
            child = subprocess.Popen([self.program("pacewatch-load"), "-c", str(connections),
                                      "-d", "1s", "-q", "--allow-limited",
                                      f"http://127.0.0.1:{port}/"])
            peak = 0
            while child.poll() is None:
                try:
                    with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
                        found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
                    peak = int(found.group(1)) * 1024 if found else peak
                except (FileNotFoundError, ProcessLookupError):
                    pass
            if child.returncode != 0:
                return
            sizes.append(peak)
        self.row("memory per connection", 1024, [(sizes[1] - sizes[0]) / 14500], "bytes")

    def table(self):
        print("\n| what | bound | median | spread | met |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def main():
    parts = ["keepalive", "pipeline", "connect", "tls", "rate", "stall", "memory"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", default=",".join(parts))
    args = parser.parse_args()
    bench = Bench(args)
    for part in args.only.split(","):
        try:
            getattr(bench, part)()
        finally:
            bench.stop()
    bench.table()


if __name__ == "__main__":
    main()
