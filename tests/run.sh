#!/bin/sh
# Installs what is missing, builds the 'dev' preset (ASan, UBSan) and runs every test.
#
#   PACEWATCH_JOBS=N        compile jobs (the number of processors)
#   PACEWATCH_NIGHTLY=1     the long sizes of the statistical and kill tests
#   PACEWATCH_TESTS=REGEX   only tests whose name matches
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
sh examples/deploy/packages.sh build run test

jobs=${PACEWATCH_JOBS:-$(nproc)}
cmake --preset dev
cmake --build --preset dev -j "$jobs"
ctest --preset dev ${PACEWATCH_TESTS:+-R "$PACEWATCH_TESTS"}
