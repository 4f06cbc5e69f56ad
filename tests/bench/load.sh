#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures pacewatch-load against its bounds: builds what is needed in build/bench, then runs
# load_bench.py. Wants two CPUs that are otherwise idle; takes about eight minutes.
#
#   tests/bench/load.sh [--rounds 5] [--seconds 1] [--json FILE]
#                       [--only keepalive,pipeline,connect,tls,rate,stall,memory,hist]
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
cmake -S "$top" -B "$top/build/bench" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPACEWATCH_TESTS=ON \
    -DPACEWATCH_WEB=OFF >/dev/null
cmake --build "$top/build/bench" --target pacewatch-load load_server load_floor hist_times >/dev/null
exec python3 "$top/tests/bench/load_bench.py" --bin "$top/build/bench/bin" "$@"
