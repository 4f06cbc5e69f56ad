# Shared by the flow tests: a scratch folder, a demonstration repository, the real daemon.
#
# Every wait has a deadline; the scratch folder is kept when a test fails, and its log is printed.
# shellcheck shell=sh
set -eu

: "${PACEWATCH_BIN:?run by ctest, or set it to the folder of the programs}"
: "${PACEWATCH_SOURCE:?run by ctest, or set it to the top of the sources}"

scratch=$(mktemp -d /tmp/pacewatch-flow.XXXXXX)
state=$scratch/state
daemon=

# A test that starts more than the daemon replaces this.
stop_servers() { :; }

finish() {
    status=$?
    trap - EXIT
    stop_servers
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
    if [ "$status" = 0 ]; then
        rm -rf "$scratch"
    else
        echo "FAILED (status $status); kept: $scratch" >&2
        [ ! -f "$scratch/daemon.log" ] || tail -n 40 "$scratch/daemon.log" >&2
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# A repository with the demonstration's history: make_repo DIRECTORY
make_repo() {
    sh "$PACEWATCH_SOURCE/examples/quickstart/make-demo.sh" "$1"
}

# The demonstration's spec with short rounds, for tests of the line and not of the numbers.
fast_spec() {
    cat >"$1" <<'SPEC'
{
  "build": { "command": ["make"], "outputs": ["bin/shop"] },
  "start": { "command": ["bin/shop"] },
  "ready": { "http": "/health", "timeout": "10s" },
  "load": { "connections": 4, "duration": "60ms", "warmup": "20ms" },
  "scenarios": [{ "name": "list", "endpoints": [{ "path": "/items" }] }],
  "sensitivity": { "cpu_per_request": "25%", "throughput": "50%", "p50": "50%", "p99": "200%", "rounds": { "least": 12, "most": 15 } },
  "report": { "when": "always" },
}
SPEC
}

# write_config REPOSITORIES: the text of the 'repos' array.
write_config() {
    cat >"$scratch/pacewatchd.conf" <<CONF
{ "listen": "127.0.0.1:0", "state_dir": "$state", "repos": [ $1 ] }
CONF
}

start_daemon() {
    "$PACEWATCH_BIN/pacewatchd" --config "$scratch/pacewatchd.conf" --log debug \
        2>>"$scratch/daemon.log" &
    daemon=$!
}

stop_daemon() {
    kill "$daemon"
    wait "$daemon" || fail "the daemon did not stop cleanly"
    daemon=
}

# Asks the database. A daemon that writes at the same time makes no difference in WAL mode.
ask() {
    sqlite3 -cmd '.timeout 10000' -readonly "$state/pacewatch.db" "$1"
}

# wait_for SECONDS SQL VALUE: until the statement answers the value.
wait_for() {
    deadline=$(($(date +%s) + $1))
    while :; do
        seen=$([ -f "$state/pacewatch.db" ] && ask "$2" 2>/dev/null || echo none)
        [ "$seen" != "$3" ] || return 0
        if [ -n "$daemon" ] && ! kill -0 "$daemon" 2>/dev/null; then
            fail "the daemon ended while waiting for: $2"
        fi
        [ "$(date +%s)" -lt "$deadline" ] || fail "still '$seen', not '$3', after $1 s: $2"
        sleep 0.2
    done
}

unfinished="SELECT count(*) FROM job WHERE state NOT IN ('reported','superseded') AND reported=0"

# wait_done SECONDS JOBS: until at least so many jobs exist and none is unfinished.
wait_done() {
    wait_for "$1" "SELECT count(*)>=$2 AND (SELECT count(*) FROM change WHERE state='new')=0 AND
        ($unfinished)=0 FROM job" 1
}

# same EXPECTED SQL: the answer must be that.
same() {
    seen=$(ask "$2")
    [ "$seen" = "$1" ] || fail "expected '$1', got '$seen': $2"
}

# The database is whole: for use after any kind of end.
check_database() {
    same ok 'PRAGMA integrity_check'
    same '' 'PRAGMA foreign_key_check'
    same 0 "SELECT count(*) FROM job WHERE state IN ('measured','judged','reported') AND
        (SELECT count(*) FROM run WHERE job_id=job.id)<>1"
    same 0 "SELECT count(*) FROM (SELECT run_id,n FROM round GROUP BY run_id,n HAVING count(*)>1)"
}
