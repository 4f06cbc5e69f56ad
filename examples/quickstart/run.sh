#!/bin/sh
# Pacewatch on a demonstration repository, from nothing to verdicts, on a fresh Debian 12.
#
#   sh examples/quickstart/run.sh            stays up until Ctrl-C, for a look at the dashboard
#   sh examples/quickstart/run.sh --once     ends by itself when every verdict is there
#
# PACEWATCH_DEMO_DIR (a temporary folder) keeps repository and state; PACEWATCH_DEMO_PORT is 8420.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
once=no
case ${1-} in
'') ;;
--once) once=yes ;;
*)
    echo "usage: run.sh [--once]" >&2
    exit 2
    ;;
esac

sh "$top/examples/deploy/packages.sh" build run
bin=$top/build/release/bin
if [ ! -x "$bin/pacewatchd" ] || [ "${PACEWATCH_DEMO_BUILD-yes}" = yes ]; then
    echo "Building (release) ..."
    (cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release | tail -n 1)
fi

demo=${PACEWATCH_DEMO_DIR:-$(mktemp -d /tmp/pacewatch-demo.XXXXXX)}
port=${PACEWATCH_DEMO_PORT:-8420}
mkdir -p "$demo"
sh "$here/make-demo.sh" "$demo/shop"
rm -rf "$demo/state"
cat >"$demo/pacewatchd.conf" <<CONF
{
  "listen": "127.0.0.1:$port",
  "state_dir": "state",
  "repos": [
    { "name": "shop", "url": "shop", "branches": ["main"], "backfill": 10, "poll": "2s" },
  ],
}
CONF

"$bin/pacewatchd" --config "$demo/pacewatchd.conf" 2>"$demo/pacewatchd.log" &
daemon=$!
trap 'kill $daemon 2>/dev/null || :; wait $daemon 2>/dev/null || :' EXIT
trap 'exit 130' INT TERM

echo "Watching $demo/shop; dashboard: http://127.0.0.1:$port/  (log: $demo/pacewatchd.log)"
if ! "$bin/pacewatch" status --state "$demo/state" --wait --timeout 10m; then
    echo "the demonstration did not finish; the log ends with:" >&2
    tail -n 20 "$demo/pacewatchd.log" >&2
    exit 1
fi

echo
echo "The report of merge request 1:"
echo
"$bin/pacewatch" report --state "$demo/state" --repo shop --merge-request 1
echo
echo "Dashboard: http://127.0.0.1:$port/"
if [ "$once" = no ]; then
    echo "Press Ctrl-C to stop."
    wait $daemon
fi
