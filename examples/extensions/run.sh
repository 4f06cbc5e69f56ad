#!/bin/sh
# A service with extensions on or off and one or four workers, before and after a change that only
# costs where an extension is on; its table of all combinations is at the end of the report.
#
#   sh examples/extensions/run.sh [OPTION of 'pacewatch compare'...]
#
# Needs the programs in build/release
# (PACEWATCH_BIN names another folder). Exit status 1: it is slower, as it should be.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=${PACEWATCH_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
dir=$(mktemp -d /tmp/pacewatch-extensions.XXXXXX)
trap 'rm -rf "$dir"' EXIT

sh "$here/make-repo.sh" "$dir/pico"
cd "$dir/pico"
status=0
"$bin/pacewatch" compare "$@" main~1 main || status=$?
exit "$status"
