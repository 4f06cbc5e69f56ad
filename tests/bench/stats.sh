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
cat <<'BOUNDS'
bounds: F1 of artificial histories >= .91; flat: <= .05 false edges per 1,000 points, worst kind <= .3;
        run after every point: <= 1 alert per 1,000, worst kind <= 3; delay at 3 / 5 cv <= 5 / 3 points;
        n = 1,000 / 10,000: <= .5 / 5 ms, one more point <= .1 ms;
        any false claim in a family <= 1 %, upper bound of 20,000 jobs included; power as in each row
BOUNDS
if [ -n "$rates" ]; then
    PACEWATCH_NIGHTLY=1 "$build/bin/test_truth_changes"
    PACEWATCH_NIGHTLY=1 "$build/bin/test_truth_verdicts"
fi
