#!/bin/sh
# Installs the Debian 12 packages that are missing. Usage: packages.sh SET...
#   build: to compile    run: at run time    test: for the tests    bench: the peers in tests/bench
set -eu

build="gcc libc6-dev make cmake ninja-build pkg-config git ca-certificates libgit2-dev
 libcurl4-openssl-dev libsqlite3-dev libmicrohttpd-dev libcjson-dev libssl-dev zlib1g-dev
 libarchive-dev libseccomp-dev libnghttp2-dev liburing-dev python3"
run="bubblewrap git"
test="libcmocka-dev sqlite3 curl openssl python3-jsonschema python3-numpy python3-scipy chromium
 lighttpd openssh-server procps psmisc mandoc clang-format nginx-light python3-aiohttp
 postgresql-15 python3-psycopg2"

bench="wrk apache2-utils nghttp2-client nginx-light"

wanted=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    test) wanted="$wanted $test" ;;
    bench) wanted="$wanted $bench" ;;
    *)
        echo "packages.sh: unknown set '$set'" >&2
        exit 2
        ;;
    esac
done
# Node.js is on many machines from elsewhere; Debian's is taken only when there is none.
command -v npm >/dev/null 2>&1 || wanted="$wanted nodejs npm"

missing=
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
