#!/bin/sh
# Every page in a real Chromium, on a real daemon that has measured the demonstration.
. "$(dirname "$0")/../flow/lib.sh"

make_repo "$scratch/shop"
fast_spec "$scratch/spec.json"
# The regression has to be found even on a busy host: longer rounds, and more of them.
sed -i 's/"duration": "60ms"/"duration": "150ms"/; s/"least": 12/"least": 14/' "$scratch/spec.json"
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/shop\", \"spec\": \"$scratch/spec.json\",
    \"backfill\": 10, \"poll\": \"1s\" }"
start_daemon

# npm works in a copy, so that the sources stay clean.
cp -r "$PACEWATCH_SOURCE/tests/web" "$scratch/web"
(cd "$scratch/web" && npm ci --ignore-scripts --no-audit --no-fund --silent)

wait_done 400 11
port=$(sed -n 's/.*serving.* port=\([0-9]*\).*/\1/p' "$scratch/daemon.log" | tail -n 1)
[ -n "$port" ] || fail "the daemon did not say its port"
cd "$scratch/web"
PACEWATCH_URL="http://127.0.0.1:$port" node --test --test-reporter=spec .
echo "pages: good"
