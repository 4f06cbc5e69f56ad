#!/bin/sh
# GitHub's example payloads against the real daemon: see payloads.mjs. Gets two small packages from
# npm into the build folder, where they stay; without npm or a registry the test is skipped (77).
. "$PACEWATCH_SOURCE/tests/flow/lib.sh"

packages=$PACEWATCH_BIN/../forges-packages
mkdir -p "$packages"
if [ ! -d "$packages/node_modules/@octokit/webhooks-methods" ]; then
    command -v npm >/dev/null || exit 77
    echo '{ "private": true }' >"$packages/package.json"
    timeout 120 npm install --prefix "$packages" --silent --no-audit --no-fund --ignore-scripts \
        @octokit/webhooks-examples@7.6.1 @octokit/webhooks-methods@6.0.0 || exit 77
fi

make_repo "$scratch/work"
(umask 077 && openssl rand -hex 32 >"$scratch/secret")
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/work\", \"poll\": \"1h\",
    \"forge\": { \"kind\": \"github\", \"webhook_secret_file\": \"secret\" } }"
start_daemon
wait_for 30 "SELECT count(*) FROM repo WHERE fetched_ms IS NOT NULL" 1
port=$(sed -n 's/.* serving .*port=\([0-9]*\).*/\1/p' "$scratch/daemon.log")
(cd "$packages" && timeout 120 node "$PACEWATCH_SOURCE/tests/forges/payloads.mjs" \
    "http://127.0.0.1:$port/hooks/shop" "$(cat "$scratch/secret")") || fail "see above"
same 1 "SELECT count(*) FROM command"
stop_daemon
check_database
