#!/bin/sh
# 'pacewatch detect' and 'pacewatch judge' as other programs use them: what they print, and that bad
# input is refused with the line and exit status 2.
set -u

pacewatch=${PACEWATCH_BIN:?}/pacewatch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail()
{
    echo "FAILED: $*"
    failed=1
}

# expect STATUS TEXT COMMAND INPUT: TEXT must stand in the output or the message.
expect()
{
    printf '%b' "$4" | "$pacewatch" $3 >"$work/out" 2>&1
    status=$?
    [ "$status" = "$1" ] || fail "$3: status $status instead of $1: $(head -c 200 "$work/out")"
    grep -q -- "$2" "$work/out" || fail "$3: no '$2' in: $(head -c 300 "$work/out")"
}

# A history of 60 points with a step of 8 % at 40, and a flat one; noise from a fixed recurrence.
awk 'BEGIN { x = 7; print "index,point,value"
    for (i = 0; i < 60; i++) { x = (x * 1103 + 12345) % 65536
        print i ",c" i "," 100 * (1 + (x / 65536 - .5) / 50) * (i < 40 ? 1 : 1.08) } }' >"$work/step"
{
    echo series_id,index,point,value
    sed -n '2,$s/^/a,/p' "$work/step"
    sed -n '2,41s/^/b,/p' "$work/step"
} >"$work/many"

[ "$("$pacewatch" detect <"$work/step")" = 40 ] || fail "detect: not the step at 40"
[ "$("$pacewatch" detect -b "$work/many")" = "a 40" ] || fail "detect -b: not 'a 40'"
"$pacewatch" detect --json <"$work/step" >"$work/json"
for key in effect lo hi state loc_lo loc_hi; do
    grep -q "\"$key\":" "$work/json" || fail "detect --json: no $key"
done
[ "$(LC_ALL=de_DE.UTF-8 "$pacewatch" detect --json <"$work/step")" = "$(cat "$work/json")" ] ||
    fail "detect: the locale changes the answer"

h='index,point,value\n'
expect 2 'line 1: the table is empty' detect ''
expect 2 'line 1: expected the header' detect 'index,value\n0,1\n'
expect 2 'line 2: 1 point' detect "${h}0,a,1\n"
expect 2 'line 3: value must be a finite number' detect "${h}0,a,1\n1,b,nan\n"
expect 2 'line 3: value must be a finite number' detect "${h}0,a,1\n1,b,-inf\n"
expect 2 'line 3: value must be a finite number' detect "${h}0,a,1\n1,b,1e999\n"
expect 2 'line 3: index 2 after 0' detect "${h}0,a,1\n2,b,1\n"
expect 2 'line 2: 2 columns' detect "${h}0,1\n"
expect 2 'line 2: index' detect "${h}x,a,1\n"
expect 2 'No such file' 'detect -b /nowhere' ''
awk 'BEGIN { print "index,point,value"; for (i = 0; i <= 1000000; i++) print i ",,1" }' >"$work/long"
"$pacewatch" detect <"$work/long" >"$work/out" 2>&1
[ $? = 2 ] && grep -q 'line 1000002: more than 1000000 points' "$work/out" || fail "detect: a million and one"
sed '$d' "$work/long" | "$pacewatch" detect >"$work/out" 2>&1 || fail "detect: a million points"

# Ten rounds: p50 20 % slower, throughput 20 % less, p99 equal.
awk 'BEGIN { x = 3; print "round,metric,arm,value"
    split("p50 p99 rps+", name); factor["p50"] = 1.2; factor["p99"] = 1; factor["rps+"] = .8
    for (r = 1; r <= 10; r++) for (m = 1; m <= 3; m++) for (arm = 0; arm < 2; arm++) {
        x = (x * 1103 + 12345) % 65536
        print r "," name[m] "," (arm ? "head" : "base") "," \
            50 * (1 + (x / 65536 - .5) / 40) * (arm ? factor[name[m]] : 1) } }' >"$work/rounds"
"$pacewatch" judge --min-effect 5% <"$work/rounds" >"$work/out" || fail "judge: status $?"
grep -q '"metric":"p50","outcome":"slower"' "$work/out" || fail "judge: p50 is slower"
grep -q '"metric":"p99","outcome":"no_change"' "$work/out" || fail "judge: p99 has not changed"
grep -q '"metric":"rps","outcome":"slower"' "$work/out" || fail "judge: less throughput is slower"
grep -q '"family":true,"outcome":"slower"' "$work/out" || fail "judge: the family is slower"
[ "$(wc -l <"$work/out")" = 4 ] || fail "judge: one line per metric and one for the family"
"$pacewatch" judge --looks 10,20,30 --alpha 0.02 <"$work/rounds" | grep -q '"rounds":10' ||
    fail "judge --looks"

h='round,metric,arm,value\n'
expect 2 'line 1: the table is empty' judge ''
expect 2 'line 1: no rounds follow' judge "$h"
expect 2 "has no 'head' in round 1" judge "${h}1,a,base,1\n"
expect 2 'line 2: arm must be base or head' judge "${h}1,a,left,1\n"
expect 2 'line 3: value must be a finite number' judge "${h}1,a,base,1\n1,a,head,NaN\n"
expect 2 'line 3: a second value' judge "${h}1,a,base,1\n1,a,base,1\n"
expect 2 'with and without' judge "${h}1,a,base,1\n1,a+,head,1\n"
expect 2 'the first look is at 10' 'judge --looks 10,20' "${h}1,a,base,1\n1,a,head,1\n"
expect 0 'needs at least 8' judge "${h}1,a,base,1\n1,a,head,1\n"

[ "$failed" = 0 ] && echo "detect and judge answer as documented"
exit "$failed"
