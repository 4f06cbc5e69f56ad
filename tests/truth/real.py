#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures real jobs of a service whose cost is known, and prints what came out beside its bound.

usage: PACEWATCH_BIN=DIR real.py [PART...]

Parts, in the order in which they run (all by default):
  aa       base against itself under others' load of 0, .5 and 1 CPU: how many are flagged, both ways
  cpu      2, 5 and 10 % more CPU time per request: how many are found, after how many rounds
  tail     2 % of the requests take twice as long: found by the latency family?
  cv       a change of twice the scatter of a single value: rounds until it is called
  sandbox  start of a sandbox, and CPU time per request inside over outside
  runner   the runner's own CPU time while an arm is measured; how well it foresees its end

Sizes (environment; the default in brackets): PACEWATCH_TRUTH_AA (102) jobs in all,
PACEWATCH_TRUTH_JOBS (20) of each other kind, PACEWATCH_TRUTH_PAIRS (10) inside and outside,
PACEWATCH_TRUTH_ROUND (300ms) of A/A jobs, PACEWATCH_TRUTH_LONG (2s) of the others,
PACEWATCH_TRUTH_MOST (10) rounds of A/A jobs, PACEWATCH_TRUTH_PAIRING (interleaved).

A round that others' work disturbed is void; a job with fewer than 8 that counted can claim nothing,
so the table says how many jobs had enough. On a machine that is not quiet the figures say little.
Intervals are Clopper and Pearson's at 95 % for shares. Builds with optimisation only: a sanitizer
in the runner is noise. The scratch folder, with the database of all jobs, is kept when a job fails.
"""
import json
import math
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("PACEWATCH_BIN", ""))
GATE = "cpu_per_request"
LATENCY = ("p50", "p90", "p99")
JOB_SECONDS = 1800
BASE_STEPS = 100000
ROUNDS_ENOUGH = 8


def size(name, default):
    return type(default)(os.environ.get(f"PACEWATCH_TRUTH_{name}", default))


AA_JOBS, JOBS, PAIRS = size("AA", 102), size("JOBS", 20), size("PAIRS", 10)
ROUND, LONG, MOST = size("ROUND", "300ms"), size("LONG", "2s"), size("MOST", 10)

PAIRING = size("PAIRING", "interleaved")


def binomial_tail(k, n, p):
    """P(X >= k) of a binomial distribution."""
    return math.fsum(math.comb(n, i) * p ** i * (1 - p) ** (n - i) for i in range(k, n + 1))


def clopper_pearson(k, n):
    """The exact 95 % interval of a share (Clopper, Pearson 1934), by bisection."""
    def solve(wanted):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if wanted(middle) else (low, middle)
        return low
    lower = 0.0 if k == 0 else solve(lambda p: binomial_tail(k, n, p) < 0.025)
    upper = 1.0 if k == n else solve(lambda p: 1 - binomial_tail(k + 1, n, p) > 0.025)
    return lower, upper


def say(what, measured, bound, good):
    print(f"{what:58} {measured:44} {bound:>14}  {'good' if good else 'MISSED'}", flush=True)


def share(what, k, n, bound, good):
    low, high = clopper_pearson(k, n)
    say(what, f"{k} of {n} = {k / n:.1%} [{low:.1%}, {high:.1%}]", bound, good)


class Trial:
    """A repository with a commit for each cost, and one database for all jobs."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pacewatch-real-"))
        self.repo = self.dir / "repo"
        self.state = self.dir / "state"
        self.commits = {}
        self.ns_per_step = self.base_ns = 0.0
        self.repo.mkdir()
        shutil.copy(HERE / "burner.c", self.repo)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "truth")
        self.git("config", "user.email", "truth@example.invalid")

    def git(self, *words):
        done = subprocess.run(["git", "-C", self.repo, *words], check=True, capture_output=True,
                              text=True)
        return done.stdout.strip()

    def commit(self, extra=0, slow_times=1, variant="a0"):
        """The commit with these costs, made when it is asked for first."""
        key = (extra, slow_times, variant)
        if key not in self.commits:
            (self.repo / "knobs.h").write_text(
                f"#define BURN {BASE_STEPS}\n#define EXTRA {extra}\n#define SLOW_EVERY 50\n"
                f"#define SLOW_TIMES {slow_times}\n#define VARIANT \"{variant}\"\n")
            self.git("add", ".")
            self.git("commit", "-q", "-m", f"extra {extra}, slow {slow_times}, {variant}")
            self.commits[key] = self.git("rev-parse", "HEAD")
        return self.commits[key]

    def spec(self, duration, least, most, connections):
        path = self.dir / "spec.json"
        path.write_text(json.dumps({
            "build": {"command": ["cc", "-O2", "-o", "burner", "burner.c"], "outputs": ["burner"]},
            "start": {"command": ["./burner"], "grace": "200ms"},
            "ready": {"http": "/health"},
            "load": {"connections": connections, "duration": duration, "warmup": "50ms"},
            "scenarios": [{"name": "burn", "endpoints": [{"path": "/"}]}],
            "sensitivity": {"pairing": PAIRING, GATE: "0.5%", "p50": "2%", "p90": "2%", "p99": "5%",
                            "rounds": {"least": least, "most": most}},
            "confirm": {"reruns": 0},
        }))
        return path

    def job(self, head, duration=LONG, least=10, most=30, connections=4, options=()):
        """The report of one job, base against 'head', as pacewatch compare prints it."""
        command = [BIN / "pacewatch", "compare", "--state", self.state, "--json", "--spec",
                   self.spec(duration, least, most, connections), *options, self.commit(), head]
        done = subprocess.run(command, cwd=self.repo, capture_output=True, text=True,
                              timeout=JOB_SECONDS)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(map(str, command))}: status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}\nkept: {self.dir}")
        return json.loads(done.stdout)

    def ask(self, question, *values):
        database = sqlite3.connect(f"file:{self.state}/pacewatch.db?mode=ro", uri=True)
        try:
            return database.execute(question, values).fetchall()
        finally:
            database.close()

    def calibrate(self):
        """What a step and a request cost here: base against twice the steps."""
        report = self.job(self.commit(extra=BASE_STEPS, variant="b0"), duration=ROUND, most=10)
        gate = row(report, GATE)
        self.base_ns = gate["base"]
        self.ns_per_step = (gate["head"] - gate["base"]) / BASE_STEPS
        print(f"base: {self.base_ns / 1000:.1f} us of CPU per request, {self.ns_per_step:.3f} ns a "
              f"step", flush=True)

    def with_more(self, part):
        """The commit that takes such a part more CPU time per request, the kernel's included."""
        return self.commit(extra=round(part * self.base_ns / self.ns_per_step))


def row(report, metric):
    return next(r for r in report["rows"] if r["metric"] == metric and not r["endpoint"])


def claimed(report, metrics, outcome):
    return any(r["outcome"] == outcome for r in report["rows"]
               if r["metric"] in metrics and r["primary"])


class Disturbance:
    """Others' load: so many CPUs' worth, for as long as the block lasts."""

    def __init__(self, trial, cpus):
        self.program, self.cpus, self.process = trial.dir / "burner", cpus, None
        if not self.program.exists():
            trial.commit()
            subprocess.run(["cc", "-O2", "-o", self.program, "burner.c"], cwd=trial.repo, check=True)

    def __enter__(self):
        if self.cpus > 0:
            self.process = subprocess.Popen([self.program, "--disturb", str(self.cpus)])
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()


def part_aa(trial):
    loads = (0, 0.5, 1)
    flagged = {"slower": 0, "faster": 0}
    any_row = jobs = enough = 0
    began = time.monotonic()
    for load in loads:
        here = {"slower": 0, "faster": 0}
        n = AA_JOBS // len(loads)
        with Disturbance(trial, load):
            for _ in range(n):
                report = trial.job(trial.commit(variant="a1"), duration=ROUND, most=MOST)
                for outcome in here:
                    here[outcome] += claimed(report, (GATE,), outcome)
                enough += report["rounds"] >= ROUNDS_ENOUGH
                any_row += report["outcome"] in ("slower", "faster", "mixed")
        k = sum(here.values())
        share(f"A/A, {load} CPUs of others' load: gate flagged", k, n, "<= 1 %", k <= max(1, n // 100))
        for outcome in here:
            flagged[outcome] += here[outcome]
        jobs += n
    k = sum(flagged.values())
    share("A/A, all loads: gate flagged", k, jobs, "<= 1 %", k <= jobs / 100)
    say("A/A, all loads: slower / faster", f"{flagged['slower']} / {flagged['faster']}", "symmetric",
        binomial_tail(max(flagged.values()), k, 0.5) > 0.05 if k else True)
    share("A/A, all loads: any deciding row flagged", any_row, jobs, "<= 1 %", any_row <= jobs / 100)
    print(f"  {enough} of {jobs} jobs had {ROUNDS_ENOUGH} rounds that counted; {jobs} jobs in {(time.monotonic() - began) / 60:.1f} min", flush=True)


def found(trial, what, head, metrics, bound, least_share, connections=4):
    hits, rounds, enough = 0, [], 0
    for _ in range(JOBS):
        report = trial.job(head, connections=connections)
        hit = claimed(report, metrics, "slower")
        hits += hit
        enough += report["rounds"] >= ROUNDS_ENOUGH
        if hit:
            rounds.append(report["rounds"])
    share(what, hits, JOBS, bound, hits >= least_share * JOBS)
    if enough < JOBS:
        print(f"  only {enough} of {JOBS} jobs had {ROUNDS_ENOUGH} rounds that counted", flush=True)
    return rounds


def part_cpu(trial):
    for part, bound, least in ((0.02, ">= 90 %", 0.9), (0.05, ">= 99 %", 0.99), (0.10, ">= 99 %", 0.99)):
        rounds = found(trial, f"{part:.0%} more CPU time: found", trial.with_more(part), (GATE,), bound,
                       least)
        if rounds:
            print(f"  after {statistics.mean(rounds):.1f} rounds on average", flush=True)


def part_tail(trial):
    found(trial, "2 % of requests x2: found by the latency family",
          trial.commit(slow_times=2, variant="t0"), LATENCY, ">= 90 %", 0.9, connections=1)


def scatter(trial):
    """The relative standard deviation of single values of base, inside jobs (median of jobs)."""
    values = {}
    for run, value in trial.ask(
            "SELECT o.run_id, v.value FROM sample v JOIN arm a ON a.id = v.arm_id"
            " JOIN round o ON o.id = a.round_id JOIN series e ON e.id = v.series_id"
            " WHERE a.side = 'base' AND e.metric = ? AND o.void_reason IS NULL", GATE):
        values.setdefault(run, []).append(value)
    return statistics.median(statistics.stdev(v) / statistics.mean(v) for v in values.values()
                             if len(v) >= 5)


def part_cv(trial):
    trial.job(trial.commit(variant="a1"), least=30)
    cv = scatter(trial)
    rounds = found(trial, f"a change of 2 cv ({2 * cv:.2%}): found", trial.with_more(2 * cv), (GATE,),
                   ">= 90 %", 0.9)
    if rounds:
        mean = statistics.mean(rounds)
        error = statistics.stdev(rounds) / math.sqrt(len(rounds)) if len(rounds) > 1 else 0
        say("a change of 2 cv: rounds until it is called", f"{mean:.1f} +- {1.96 * error:.1f}", "<= 12",
            mean <= 12)


def part_sandbox(trial):
    times = subprocess.run([BIN / "sandbox_times", "40"], check=True, capture_output=True, text=True)
    start, end, plain_start, plain_end = map(float, times.stdout.split())
    say("sandbox: start, median of 40", f"{start:.1f} ms (end {end:.1f} ms; plain {plain_start:.1f}, "
        f"{plain_end:.1f})", "<= 30 ms", start <= 30)
    ratios = []
    for _ in range(PAIRS):
        inside, outside = (row(trial.job(trial.commit(variant="a1"), duration=ROUND, most=10,
                                         options=options), GATE)["base"]
                           for options in ((), ("--no-sandbox",)))
        ratios.append(math.log(inside / outside))
    mean = statistics.mean(ratios)
    error = statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else 0
    say(f"sandbox: CPU time per request inside / outside, {PAIRS} pairs",
        f"{math.exp(mean):.4f} [{math.exp(mean - 2 * error):.4f}, {math.exp(mean + 2 * error):.4f}]",
        "<= 1.01", math.exp(mean) <= 1.01)


def part_runner(trial):
    trial.job(trial.commit(variant="a1"), most=10)
    shares = [json.loads(gauges).get("runner_cpu") for (gauges,) in trial.ask(
        "SELECT a.gauges_json FROM arm a JOIN round o ON o.id = a.round_id"
        " WHERE o.run_id = (SELECT max(id) FROM run)")]
    shares = [s for s in shares if s is not None]
    say(f"runner: own CPU time while an arm is measured, {len(shares)} arms",
        f"mean {statistics.mean(shares):.3%}, most {max(shares):.3%} of a CPU", "<= 0.5 %",
        statistics.mean(shares) <= 0.005)
    errors = []
    for (log,) in trial.ask(
            "SELECT l.bytes FROM job_log l JOIN run r ON r.job_id = l.job_id"
            " WHERE l.stage = 'runner' AND r.end_reason = 'plan' AND l.seq = 0"):
        for line in log.decode(errors="replace").splitlines():
            _, found_it, rest = line.partition("the end was foreseen ")
            if found_it:
                errors.append(abs(float(rest.split()[0])) / 100)
    if errors:
        within = sum(e <= 0.2 for e in errors)
        share(f"end foreseen within 20 % after one round (worst {max(errors):.0%})", within, len(errors),
              "all", within == len(errors))


PARTS = {"aa": part_aa, "cpu": part_cpu, "tail": part_tail, "cv": part_cv, "sandbox": part_sandbox,
         "runner": part_runner}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    if "--help" in wanted or not set(wanted) <= set(PARTS) or not (BIN / "pacewatch").exists():
        print(__doc__)
        return 2
    trial = Trial()
    print(f"rounds of {ROUND} (A/A) and {LONG}, {PAIRING}; {os.cpu_count()} CPUs", flush=True)
    trial.calibrate()
    for name in PARTS:
        if name in wanted:
            PARTS[name](trial)
    shutil.rmtree(trial.dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
