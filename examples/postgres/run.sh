#!/bin/sh
# A service that uses PostgreSQL, measured before and after a change that asks too often.
#
#   sh examples/postgres/run.sh [OPTION of 'pacewatch compare'...]
#
# Needs Debian's postgresql-15 and python3-psycopg2, and the programs in build/release
# (PACEWATCH_BIN names another folder). Exit status 1: it is slower, as it should be.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=${PACEWATCH_BIN:-$here/../../build/release/bin}
bin=$(cd "$bin" && pwd)
dir=$(mktemp -d /tmp/pacewatch-postgres.XXXXXX)
trap 'rm -rf "$dir"' EXIT

sh "$here/make-repo.sh" "$dir/shop"
cd "$dir/shop"
status=0
"$bin/pacewatch" compare "$@" main~1 main || status=$?
exit "$status"
