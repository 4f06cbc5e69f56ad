#!/bin/sh
# Variants: a change that costs in some combinations only is found there and nowhere else, and the
# table says how the combinations compare with each other.
. "$(dirname "$0")/lib.sh"

export TMPDIR="$scratch"
example=$PACEWATCH_SOURCE/examples/extensions
sh "$example/make-repo.sh" "$scratch/pico"
cd "$scratch/pico"
# Two processes instead of four, ten rounds, and a change that nobody could overlook.
sed 's/"duration": "1s", "warmup": "300ms"/"duration": "80ms", "warmup": "40ms"/
    s/"start"/"confirm": { "reruns": 0 }, "sensitivity": { "rounds": { "least": 10, "most": 20 } }, "start"/
    s/"4"/"2"/g' .pacewatch.json >"$scratch/spec.json"
sed -i 's/"items": list(range(50))/"items": list(range(500))/' pico.py
git -c user.name=t -c user.email=t@t commit -qam "A longer answer"
git checkout -q -b longer main~2
sed -i 's/"items": list(range(50))/"items": list(range(500))/' pico.py
git -c user.name=t -c user.email=t@t commit -qam "A longer answer, hashed at once" || :
git checkout -q main
state=$scratch/kept
base=$(git rev-parse longer)
status=0
"$PACEWATCH_BIN/pacewatch" compare --json --spec "$scratch/spec.json" --state "$state" "$base" main \
    >"$scratch/out" 2>"$scratch/err" || status=$?
[ "$status" = 1 ] || fail "compare: status $status: $(cat "$scratch/err" "$scratch/out")"
/usr/bin/python3 - "$scratch/out" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
names = {f"extensions={e},workers={w}" for e in ("off", "on") for w in "12"}
gate = {x["variant"]: x for x in r["rows"] if x["metric"] == "cpu_per_request"}
assert set(gate) == names, gate.keys()
slower = {v for v, x in gate.items() if x["outcome"] == "slower"}
assert slower and all("extensions=on" in v for v in slower), (slower, gate)
assert r["baseline"] == "extensions=off,workers=1", r["baseline"]
table = {x["variant"]: x for x in r["variants"] if x["metric"] == "cpu_per_request"}
assert set(table) == names - {r["baseline"]}, table.keys()
assert table["extensions=on,workers=1"]["effect"] > 0.3, table
assert table["extensions=on,workers=1"]["lo"] > 0, table
for x in table.values():
    assert abs(x["head"] / x["base"] - 1) > 0 and x["lo"] <= x["effect"] <= x["hi"], x
PY
[ "$(ask "SELECT count(DISTINCT variant) FROM arm")" = 4 ] || fail "an arm does not say its combination"
[ "$(ask "SELECT count(*) FROM (SELECT count(DISTINCT a.variant) AS n FROM arm a GROUP BY a.round_id)
          WHERE n != 4")" = 0 ] || fail "a round without a combination"
"$PACEWATCH_BIN/pacewatch" report --state "$state" 1 >"$scratch/report" || :
grep -q 'extensions=on,workers=2' "$scratch/report" || fail "no table: $(cat "$scratch/report")"
echo "variants: good"
