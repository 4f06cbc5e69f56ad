#!/bin/sh
# Every call that we make of GitHub, against a validating stand-in made of GitHub's own OpenAPI
# description. Installs about 500 MB of npm packages into a folder once, so it is no part of the
# default tests: prism.sh PROGRAM [FOLDER]
#   PROGRAM: prism_calls, as built     FOLDER: where the packages are; build/prism
set -eu

program=${1:?the built prism_calls}
folder=${2:-$(dirname "$0")/../../build/prism}
mkdir -p "$folder"
cd "$folder"
if [ ! -x node_modules/.bin/prism ] || [ ! -d node_modules/@octokit/openapi ]; then
    npm install --no-save --no-audit --no-fund --silent \
        @octokit/openapi@23.0.2 @stoplight/prism-cli@5.14.2
fi

prism=
scratch=$(mktemp -d)
finish() {
    [ -z "$prism" ] || kill "$prism" 2>/dev/null || :
    rm -rf "$scratch"
}
trap finish EXIT

port=$(/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
node node_modules/.bin/prism mock -h 127.0.0.1 -p "$port" \
    node_modules/@octokit/openapi/generated/api.github.com.json >"$scratch/prism.log" 2>&1 &
prism=$!
deadline=$(($(date +%s) + 120))
until curl -s -o /dev/null "http://127.0.0.1:$port/zen"; do
    if ! kill -0 "$prism" 2>/dev/null || [ "$(date +%s)" -ge "$deadline" ]; then
        cat "$scratch/prism.log" >&2
        echo "prism did not start" >&2
        exit 1
    fi
    sleep 0.5
done

umask 077
printf 'any token' | tr -d ' ' >"$scratch/token"
openssl genrsa -out "$scratch/key.pem" 2048 2>/dev/null
"$program" "http://127.0.0.1:$port" "$scratch/token" "$scratch/key.pem" || {
    grep -E 'POST|PATCH|GET|Violation|error' "$scratch/prism.log" | tail -n 40 >&2
    exit 1
}
