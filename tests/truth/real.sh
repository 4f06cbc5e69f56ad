#!/bin/sh
# Figures of real jobs beside their bounds: builds what is timed and runs real.py, which says more.
#
#   tests/truth/real.sh [PART...]     BUILD=DIR: a release build folder; made when missing
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build/bench}

cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPACEWATCH_WEB=OFF >/dev/null
cmake --build "$build" --target pacewatch pacewatch-runner pacewatch-load sandbox_times >/dev/null
PACEWATCH_BIN=$build/bin exec python3 "$top/tests/truth/real.py" "$@"
