#!/bin/sh
# Times of the change-point search and of the verdict (CPU time, so other work on the machine
# matters little), and with --rates the long form of the error-rate tables.
#
#   tests/bench/stats.sh [--rates] [BUILD]     BUILD: a release build folder; made when missing
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
rates=
if [ "${1:-}" = --rates ]; then
    rates=yes
    shift
fi
build=${1:-$top/build/bench}

if [ ! -x "$build/bin/stats_times" ]; then
    cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPACEWATCH_WEB=OFF >/dev/null
    cmake --build "$build" --target stats_times test_truth_changes test_truth_verdicts
fi
"$build/bin/stats_times"
if [ -n "$rates" ]; then
    PACEWATCH_NIGHTLY=1 "$build/bin/test_truth_changes"
    PACEWATCH_NIGHTLY=1 "$build/bin/test_truth_verdicts"
fi
