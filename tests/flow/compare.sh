#!/bin/sh
# pacewatch compare: the same job without a daemon; exit statuses, JSON, Markdown, nothing left.
. "$(dirname "$0")/lib.sh"

make_repo "$scratch/shop"
fast_spec "$scratch/spec.json"
cd "$scratch/shop"
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"

# run EXPECTED_STATUS ARGUMENTS...: standard output in $scratch/out, errors in $scratch/err.
run() {
    want=$1
    shift
    status=0
    "$PACEWATCH_BIN/pacewatch" compare "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" = "$want" ] || fail "compare $*: status $status, not $want: $(cat "$scratch/err" "$scratch/out")"
}

slower=$(git log --format=%h --grep='cheapest items first' main)
broken=$(git log --format=%h --grep='items_left\|how many of an item' main)

run 1 --spec "$scratch/spec.json" --json "$slower~1" "$slower"
/usr/bin/python3 - "$scratch/out" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["outcome"] == "slower", r["outcome"]
row = next(x for x in r["rows"] if x["metric"] == "cpu_per_request")
assert row["outcome"] == "slower" and row["lo"] <= row["effect"] <= row["hi"], row
assert row["effect"] > 0.5 and row["rounds"] >= 8, row
for key in "scenario endpoint metric base head effect lo hi noise rounds outcome".split():
    assert key in row, key
PY

# Both arms at once; on two cores each arm's service and generator share one.
sed 's/"sensitivity": {/& "pairing": "duet",/' "$scratch/spec.json" >"$scratch/duet.json"
run 1 --spec "$scratch/duet.json" --json "$slower~1" "$slower"
/usr/bin/python3 - "$scratch/out" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["outcome"] == "slower" and r["pairing"] == "duet", (r["outcome"], r["pairing"])
row = next(x for x in r["rows"] if x["metric"] == "cpu_per_request")
assert row["outcome"] == "slower" and row["noise"] is not None, row
PY
run 0 --spec "$scratch/spec.json" --markdown main~1 main
grep -q identical "$scratch/out" || fail "documentation alone is not identical"
run 2 --spec "$scratch/spec.json" "$broken~1" "$broken"
grep -q 'could not measure' "$scratch/out" || fail "a failed build is not named"

run 3
run 3 --nonsense main
run 3 no-such-commit
run 3 main main
git config pacewatch.test 1 # the repository stays usable
printf '{ "start": { "comand": ["x"] } }' >"$scratch/bad.json"
run 3 --spec "$scratch/bad.json" main~1
grep -q "bad.json:1:14: unknown key 'comand' in 'start'; did you mean 'command'?" "$scratch/err" ||
    fail "the mistake is not explained: $(cat "$scratch/err")"

[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
[ -z "$(git status --porcelain)" ] || fail "the work tree was touched"
if pgrep -f "$scratch" >/dev/null; then
    fail "processes were left behind"
fi
echo "compare: good"
