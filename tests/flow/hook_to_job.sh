#!/bin/sh
# A push to a plain git server starts its job at once, although the next look is an hour away: the
# example's post-receive hook tells the daemon. The same delivery again, one with a wrong signature and
# one of long ago start nothing.
. "$(dirname "$0")/lib.sh"

make_repo "$scratch/work"
fast_spec "$scratch/spec.json"
git init --quiet --bare --initial-branch=main "$scratch/shop.git"
git -C "$scratch/work" remote add origin "$scratch/shop.git"
git -C "$scratch/work" push --quiet origin main~2:refs/heads/main
(umask 077 && openssl rand -hex 32 >"$scratch/secret")
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/shop.git\", \"spec\": \"$scratch/spec.json\",
    \"poll\": \"1h\", \"forge\": { \"kind\": \"git\", \"webhook_secret_file\": \"secret\" } }"
"$PACEWATCH_BIN/pacewatchd" -n --config "$scratch/pacewatchd.conf" || fail "the check refuses it"
chmod 644 "$scratch/secret"
"$PACEWATCH_BIN/pacewatchd" -n --config "$scratch/pacewatchd.conf" 2>"$scratch/refused" &&
    fail "a secret that all can read is taken"
grep -q 'chmod 600' "$scratch/refused" || fail "no word about the mode: $(cat "$scratch/refused")"
chmod 600 "$scratch/secret"

start_daemon
wait_for 30 "SELECT count(*) FROM repo WHERE fetched_ms IS NOT NULL AND fetch_error IS NULL" 1
port=$(sed -n 's/.* serving .*port=\([0-9]*\).*/\1/p' "$scratch/daemon.log")
url=http://127.0.0.1:$port/hooks/shop
cp "$PACEWATCH_SOURCE/examples/hooks/post-receive" "$scratch/shop.git/hooks/"
git -C "$scratch/shop.git" config pacewatch.url "$url"
git -C "$scratch/shop.git" config pacewatch.secretFile "$scratch/secret"
same 0 "SELECT count(*) FROM job"

pushed=$(date +%s%3N)
git -C "$scratch/work" push --quiet origin main~1:refs/heads/main
wait_for 10 "SELECT count(*) FROM job WHERE kind='push'" 1
took=$(($(ask "SELECT created_ms FROM job") - pushed))
echo "from the push to the job: $took ms"
[ "$took" -lt 3000 ] || fail "the job came $took ms after the push"
same 1 "SELECT count(*) FROM change WHERE source='hook'"
same 1 "SELECT count(*) FROM hook_delivery"

# deliver TIMESTAMP SIGNATURE: prints status and answer
deliver() {
    curl -s -w '%{http_code}' -H 'Content-Type: application/json' -H "X-Pacewatch-Timestamp: $1" \
        -H "X-Pacewatch-Signature-256: sha256=$2" --data-binary @"$scratch/body" "$url" |
        tr '\n' ' '
}

# sign TIMESTAMP
sign() {
    { printf '%s.' "$1" && cat "$scratch/body"; } |
        openssl dgst -sha256 -hmac "$(cat "$scratch/secret")" -r | cut -c1-64
}

printf '{"changes":[{"ref":"refs/heads/main","before":"%040d","after":"%040d"}]}' 1 2 >"$scratch/body"
now=$(date +%s)
expect() {
    [ "$2" = "$1" ] || fail "expected '$1', got '$2'"
}
expect '{"event":"push","result":"accepted"} 202' "$(deliver "$now" "$(sign "$now")")"
expect '{"event":"push","result":"known"} 202' "$(deliver "$now" "$(sign "$now")")"
case $(deliver "$now" "$(printf %064d 0)") in *' 401') ;; *) fail "a wrong signature is taken" ;; esac
old=$((now - 400))
case $(deliver "$old" "$(sign "$old")") in *' 401') ;; *) fail "an old delivery is taken" ;; esac
same 2 "SELECT count(*) FROM hook_delivery"

# A hint is not believed: what it claims is not there, so nothing came of it. The next push shows that
# the look it asked for is over; both looks may wait until the first job has been measured.
git -C "$scratch/work" push --quiet origin main 'main:refs/heads/odd"name'
wait_for 90 "SELECT count(*) FROM job WHERE kind='push'" 2
same 3 "SELECT count(*) FROM hook_delivery"
same 2 "SELECT count(*) FROM change WHERE source='hook'"
grep -q 'webhook refused' "$scratch/daemon.log" || fail "the log says nothing of the wrong signature"
! grep -qf "$scratch/secret" "$scratch/daemon.log" || fail "the secret is in the log"

stop_daemon
check_database
echo "hook to job: good"
