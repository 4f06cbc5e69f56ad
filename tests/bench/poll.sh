#!/bin/sh
# What looking at many idle repositories costs: a real pacewatchd over N repositories that a real
# 'git daemon' serves and in which nothing happens. Prints the share of one core that the daemon and
# its children used, and the looks it took.
#
#   cmake --preset release && cmake --build --preset release
#   sh tests/bench/poll.sh [REPOSITORIES] [SECONDS] [MORE SETTINGS OF EACH REPOSITORY]
set -eu

repos=${1:-1000}
seconds=${2:-120}
more=${3:-}
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=${PACEWATCH_BIN:-$top/build/release/bin}
scratch=$(mktemp -d /tmp/pacewatch-poll.XXXXXX)
daemon=
git_daemon=
trap 'kill $daemon $git_daemon 2>/dev/null || :; wait; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@shop.example
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@shop.example
GIT_AUTHOR_DATE="$(date -d '30 days ago' +%s) +0000"
export GIT_AUTHOR_DATE GIT_COMMITTER_DATE="$GIT_AUTHOR_DATE"
git init -q --bare -b main "$scratch/git/0.git"
git init -q -b main "$scratch/work"
git -C "$scratch/work" commit -q --allow-empty -m first
git -C "$scratch/work" push -q "$scratch/git/0.git" main
for i in $(seq 1 $((repos - 1))); do
    cp -al "$scratch/git/0.git" "$scratch/git/$i.git"
done
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
git daemon --reuseaddr --listen=127.0.0.1 --port="$port" --base-path="$scratch/git" --export-all \
    2>"$scratch/git.log" &
git_daemon=$!

{
    printf '{ "listen": "none", "state_dir": "%s/state", "repos": [\n' "$scratch"
    for i in $(seq 0 $((repos - 1))); do
        printf '{ "name": "r%d", "url": "git://127.0.0.1:%d/%d.git"%s },\n' \
            "$i" "$port" "$i" "${more:+, $more}"
    done
    echo '] }'
} >"$scratch/pacewatchd.conf"

ask() {
    sqlite3 -cmd '.timeout 10000' -readonly "$scratch/state/pacewatch.db" "$1"
}

# Clock ticks that the daemon and its ended children have used.
ticks() {
    awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$daemon/stat"
}

"$bin/pacewatchd" --config "$scratch/pacewatchd.conf" --log warn 2>"$scratch/daemon.log" &
daemon=$!
deadline=$(($(date +%s) + 600))
began=$(date +%s%N)
until [ "$(ask 'SELECT count(*) FROM repo WHERE fetched_ms > 0' 2>/dev/null)" = "$repos" ]; do
    kill -0 "$daemon" || { cat "$scratch/daemon.log" >&2; exit 1; }
    [ "$(date +%s)" -lt "$deadline" ] || { echo "not all were seen in 10 minutes" >&2; exit 1; }
    sleep 0.5
done
echo "first looks: $(($(date +%s%N) - began)) ns, $(ticks) ticks for $repos repositories"

ask "SELECT id, fetched_ms FROM repo" >"$scratch/before"
from=$(ticks)
start=$(date +%s%3N)
sleep "$seconds"
used=$(($(ticks) - from))
took=$(($(date +%s%3N) - start))
looked=$(ask "SELECT count(*) FROM repo WHERE fetched_ms > $start")
awk -v used="$used" -v took="$took" -v hz="$(getconf CLK_TCK)" -v repos="$repos" -v looked="$looked" 'BEGIN {
    printf "%d idle repositories, %.0f s: %.2f %% of one core, %d of them looked at\n",
        repos, took / 1000, 100 * used / hz / (took / 1000), looked }'
