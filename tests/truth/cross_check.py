#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the rank tests, quantiles and Student's t of daemon/stats with scipy's.

usage: cross_check.py PROGRAM      PROGRAM answers questions on standard input (numbers.c)

Exit status 77 (skipped) when scipy is not installed.
"""
import itertools
import random
import subprocess
import sys

try:
    import numpy
    import scipy.stats
except ImportError:
    print("scipy is not installed; nothing compared")
    sys.exit(77)


def signed_rank_share(x):
    """P(W >= w) over all sign vectors of mid-ranks; scipy is exact only without ties."""
    x = [v for v in x if v != 0]
    ranks = scipy.stats.rankdata([abs(v) for v in x])
    w = sum(r for r, v in zip(ranks, x) if v > 0)
    hits = sum(sum(itertools.compress(ranks, s)) >= w - 1e-9
               for s in itertools.product([0, 1], repeat=len(x)))
    return hits / 2 ** len(x)


def questions(rng):
    """Pairs (question, expected answers)."""
    for n in list(range(1, 30)) + [49]:
        x = [rng.gauss(0.3, 1) for _ in range(n)]
        # scipy of Debian 12 takes the exact distribution up to 50 values when told to.
        up, down, two = (scipy.stats.wilcoxon(x, alternative=a, mode="exact").pvalue
                         for a in ("greater", "less", "two-sided"))
        yield "signed_rank " + " ".join(map(repr, x)), [up, down, two]
    for n in range(2, 12):
        x = [float(rng.randint(-3, 3)) for _ in range(n)]
        if any(x):
            yield "signed_rank " + " ".join(map(repr, x)), [signed_rank_share(x)]
    for n, m in [(1, 1), (2, 5), (4, 4), (7, 9), (12, 8), (20, 20)]:
        x = [rng.gauss(0, 1) for _ in range(n)]
        y = [rng.gauss(0.5, 1) for _ in range(m)]
        up, down, two = (scipy.stats.mannwhitneyu(x, y, alternative=a, method="exact").pvalue
                         for a in ("greater", "less", "two-sided"))
        u = scipy.stats.mannwhitneyu(x, y, alternative="greater", method="exact").statistic
        yield "rank_sum %d %s" % (n, " ".join(map(repr, x + y))), [up, down, two, u]
    for n, m in [(60, 80), (200, 150)]:
        x = [rng.gauss(0, 1) for _ in range(n)]
        y = [rng.gauss(0.2, 1) for _ in range(m)]
        up = scipy.stats.mannwhitneyu(x, y, alternative="greater", method="asymptotic").pvalue
        yield "rank_sum %d %s" % (n, " ".join(map(repr, x + y))), [up]
    for n in range(1, 40):
        x = [rng.gauss(0, 10) for _ in range(n)]
        q = rng.random()
        yield "quantile %r %s" % (q, " ".join(map(repr, x))), [float(numpy.quantile(x, q))]
    for f in (1, 2, 5, 9, 29, 200):
        for t in (-8, -2.5, -0.1, 0, 1.3, 40):
            yield "t_cdf %r %r" % (t, f), [float(scipy.stats.t.cdf(t, f))]


def main():
    asked = list(questions(random.Random(1)))
    text = "".join(q + "\n" for q, _ in asked)
    done = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=True,
                          timeout=60)
    answers = done.stdout.splitlines()
    if len(answers) != len(asked):
        print("%d questions, %d answers" % (len(asked), len(answers)))
        return 1
    wrong = 0
    for (question, expected), answer in zip(asked, answers):
        got = [float(w) for w in answer.split()]
        for want, have in zip(expected, got):
            if abs(want - have) > 1e-9 + 1e-9 * abs(want):
                wrong += 1
                print("%s...: expected %r, got %r" % (question[:60], want, have))
                break
    print("%d answers compared with scipy %s, %d differ" % (len(asked), scipy.__version__, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
