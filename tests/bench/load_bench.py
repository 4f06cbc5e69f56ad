# SPDX-License-Identifier: MIT
"""Figures of the load generator beside their bounds, as a table.

The primary figure is CPU time (user + system) of the generator per request, as a ratio between
programs that run in turn in one round, server on one CPU and generator on the other. That ratio
moves little on a busy machine; requests per second move a lot. Every ratio is the median over the
rounds, shown with its extremes. --json keeps the same as a record, with what was measured on.
"""

import argparse
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

SERVER_CPU, CLIENT_CPU = "0", "1"


def machine():
    """What the figures depend on besides the programs."""
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as control:
        congestion = control.read().strip()
    return {"kernel": platform.release(), "cpus": os.cpu_count(), "load_average": os.getloadavg(),
            "congestion_control": congestion}


class Bench:
    def __init__(self, args, folder):
        self.bin = args.bin
        self.folder = folder
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
        """The bound is on the median; None: there is none, the row is for information."""
        values = [v for v in values if v is not None]
        row = {"what": what, "bound": bound, "unit": unit, "n": len(values)}
        if values:
            middle = statistics.median(values)
            row |= {"median": round(middle, 4), "min": round(min(values), 4),
                    "max": round(max(values), 4),
                    "met": None if bound is None else middle <= bound}
        self.rows.append(row)
        print(" ".join(self.cells(row)), flush=True)

    @staticmethod
    def cells(row):
        bound = "-" if row["bound"] is None else f"<= {row['bound']} {row['unit']}".rstrip()
        if not row["n"]:
            return row["what"], bound, "not measured", "", "-"
        return (row["what"], bound, f"{row['median']:.3f}",
                f"{row['min']:.3f} .. {row['max']:.3f}, n = {row['n']}",
                {None: "-", True: "met", False: "NOT MET"}[row["met"]])

    def compare(self, what, engines, measure, peers):
        """One round: ours with each engine and every peer, in turn. Rows of ratios. Bounds are for
        what our program chooses by itself ('auto', named by what that was)."""
        ratios = {(engine, name): [] for engine in engines for name, _, _ in peers}
        chosen = {engine: engine for engine in engines}
        for _ in range(self.rounds):
            mine = {}
            for engine in engines:
                mine[engine], result = measure(engine)
                chosen[engine] = result["setup"]["engine"]
            for name, _, peer in peers:
                theirs = peer()
                for engine in engines:
                    ratios[engine, name].append(mine[engine] / theirs if theirs else None)
        for engine in engines:
            if engine != "auto" and chosen[engine] == chosen.get("auto"):
                continue
            for name, bound, _ in peers:
                judged = engine == "auto" or name == "floor"
                self.row(f"{what}, {chosen[engine]}{' (auto)' if engine == 'auto' else ''}: "
                         f"CPU per request / {name}", bound if judged else None,
                         ratios[engine, name])

    def keepalive(self):
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        for n in (10, 100, 1000):
            self.compare(
                f"keep-alive, {n} connections", ("auto", "epoll"),
                lambda engine, n=n: self.ours("-c", n, "-d", f"{self.seconds}s", "--engine",
                                              engine, url),
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
            self.compare("pipelining 16", ("auto", "epoll"),
                         lambda engine: self.ours("-c", 10, "--pipeline", 16, "-d",
                                                  f"{self.seconds}s", "--engine", engine, url),
                         [("floor", 1.2, lambda: self.floor(port, 10, self.seconds, 16)),
                          ("wrk", 0.43, lambda: self.wrk(url, 10, "-s", script.name))])

    def connect(self):
        _, _, port = self.serve()
        url = f"http://127.0.0.1:{port}/"
        self.compare("one connection per request", ("auto",),
                     lambda _: self.ours("-c", 100, "--close", "-d", f"{self.seconds}s", url),
                     [("floor", 1.05, lambda: self.floor(port, 100, self.seconds, "connect")),
                      ("wrk", 0.93, lambda: self.wrk(url, 100, "-H", "Connection: close"))])

    def rate(self):
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        for rate in (5000, 20000, 50000):
            off, timer, batch, late = [], [], [], {"timer": [], "hybrid": [], "spin": []}
            for _ in range(self.rounds):
                # The bound on the rate is one over any 5 s.
                cpu, result = self.ours("--rate", rate, "-d", "5s", "-c", 100, url)
                options = ["--rate", rate, "-d", "2s", "-c", 100]
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
            result = self.ours("--rate", 2000, "-d", "10s", "--warmup", "2s", "-c", 1000,
                               "--pacing", "hybrid", f"http://127.0.0.1:{port}/")[1]
            response = result["response_ns"]
            for key, value in theory.items():
                off[key].append(abs(response[key] - value) / 1e6)
            p50.append(response["p50"] / 1e6)
            missing.append(abs(response["count"] - 20000))
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
                self.compare("TLS, keep-alive", ("auto",),
                             lambda _: self.ours("-k", "-c", 20, "-d", f"{self.seconds}s", url),
                             [("wrk", 1.0, lambda: self.wrk(url, 20))])
            finally:
                nginx.terminate()
                nginx.wait()

    def peak(self, connections, url):
        """Peak memory in bytes and the result of a run with so many connections."""
        out = os.path.join(self.folder, "many.json")
        sources = ",".join(f"127.0.0.{i}" for i in range(2, 6))  # each has 28,000 ports
        child = subprocess.Popen([self.program("pacewatch-load"), "-c", str(connections), "-d",
                                  "2s", "-q", "--json", out, "--timeout", "20s",
                                  "--allow-limited", "--source", sources, url])
        peak = 0
        # Not from wait4: what this interpreter held before exec counts there too.
        while child.poll() is None:
            time.sleep(0.05)
            try:
                with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
                    found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
                peak = int(found.group(1)) * 1024 if found else peak
            except (FileNotFoundError, ProcessLookupError):
                pass
        if child.returncode != 0:
            return None, None
        with open(out, encoding="utf-8") as result:
            return peak, json.load(result)

    def memory(self):
        """50,000 connections at once, or as many as there are descriptors, and what each takes."""
        _, port, _ = self.serve()
        url = f"http://127.0.0.1:{port}/"
        spare = 256
        few, many = 500, min(50000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - spare)
        least, _ = self.peak(few, url)
        most, result = self.peak(many, url)
        measured = least is not None and most is not None
        self.row(f"{many} connections: of these not at work at once", 0,
                 [many - result["connections"]["in_flight_max"]] if measured else [], "")
        self.row(f"{many} connections: failed requests", 0,
                 [result["failed"]] if measured else [], "")
        self.row(f"memory per connection at {many}", 1024,
                 [(most - least) / (many - few)] if measured else [], "bytes")

    def hist(self):
        record, merge = [], []
        for _ in range(self.rounds):
            _, said = self.run([self.program("hist_times")])
            record.append(float(re.search(r"record_ns ([\d.]+)", said).group(1)))
            merge.append(float(re.search(r"merge_ms ([\d.]+)", said).group(1)))
        self.row("histogram: record", 2, record, "ns")
        self.row("histogram: merge of 64 loops x 60 s", 10, merge, "ms")

    def table(self):
        print("\n| what | bound | median | spread | |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(self.cells(row)) + " |")
        judged = [row["met"] for row in self.rows if row.get("met") is not None]
        print(f"\n{sum(judged)} of {len(judged)} bounds met")


def main():
    parts = ["keepalive", "pipeline", "connect", "tls", "rate", "stall", "memory", "hist"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each closed-loop run")
    parser.add_argument("--only", default=",".join(parts), help="parts, e.g. keepalive,rate")
    parser.add_argument("--json", help="also write the rows to this file")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(parts)
    if unknown:
        parser.error(f"--only: no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    before = machine()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        for part in args.only.split(","):
            try:
                getattr(bench, part)()
            finally:
                bench.stop()
    bench.table()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump({"bench": "load", "rounds": args.rounds, "seconds": args.seconds,
                       "machine": before, "rows": bench.rows}, out, indent=1)


if __name__ == "__main__":
    main()
