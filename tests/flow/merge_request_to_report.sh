#!/bin/sh
# A merge request over smart HTTP: measured against its merge base, reported on its forge, through
# the signed webhook and as a file; a force-push supersedes the job that is open.
. "$(dirname "$0")/lib.sh"

receiver_pid= forge_pid=
stop_servers() {
    [ -z "$forge_pid" ] || kill "$forge_pid" 2>/dev/null || :
    [ -z "$receiver_pid" ] || kill "$receiver_pid" 2>/dev/null || :
    [ ! -f "$scratch/lighttpd.pid" ] || kill "$(cat "$scratch/lighttpd.pid")" 2>/dev/null || :
}

mkdir "$scratch/git"
make_repo "$scratch/shop"
git clone --quiet --mirror "$scratch/shop" "$scratch/git/shop.git"
git_port=$(/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
cat >"$scratch/lighttpd.conf" <<CONF
server.bind = "127.0.0.1"
server.port = $git_port
server.document-root = "$scratch/git"
server.pid-file = "$scratch/lighttpd.pid"
server.modules = ("mod_alias", "mod_cgi", "mod_setenv")
alias.url = ("/git" => "/usr/lib/git-core/git-http-backend")
\$HTTP["url"] =~ "^/git/" { cgi.assign = ("" => "")
  setenv.set-environment = ("GIT_PROJECT_ROOT" => "$scratch/git", "GIT_HTTP_EXPORT_ALL" => "1") }
CONF
lighttpd -f "$scratch/lighttpd.conf"

printf 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' >"$scratch/secret"
chmod 600 "$scratch/secret"
/usr/bin/python3 "$(dirname "$0")/receiver.py" "$scratch/secret" "$scratch/received" &
receiver_pid=$!
deadline=$(($(date +%s) + 10))
while [ ! -s "$scratch/received.port" ]; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "the receiver did not start"
    sleep 0.1
done

mkfifo "$scratch/forge.in"
/usr/bin/python3 "$PACEWATCH_SOURCE/tests/forges/scripted_forge.py" gitea \
    <"$scratch/forge.in" >"$scratch/forge.port" &
forge_pid=$!
exec 3>"$scratch/forge.in"
while [ ! -s "$scratch/forge.port" ]; do
    [ "$(date +%s)" -lt "$((deadline + 10))" ] || fail "the forge did not start"
    sleep 0.1
done
forge=http://127.0.0.1:$(cat "$scratch/forge.port")
curl -sf -X PUT -d '{"number": 1, "fork": false}' -o /dev/null "$forge/_mr"
printf 's3cret-token\n' >"$scratch/token"
chmod 600 "$scratch/token"

fast_spec "$scratch/spec.json"
write_config "{ \"name\": \"shop\", \"url\": \"http://127.0.0.1:$git_port/git/shop.git\",
    \"spec\": \"$scratch/spec.json\", \"poll\": \"500ms\",
    \"forge\": { \"kind\": \"gitea\", \"url\": \"$forge\", \"project\": \"acme/shop\",
                 \"token_file\": \"$scratch/token\" },
    \"notify\": { \"webhook\": \"http://127.0.0.1:$(cat "$scratch/received.port")/hook\",
                  \"secret_file\": \"$scratch/secret\", \"allow_private\": true } }"
start_daemon

# While the first job of the merge request is open, another head arrives by a force-push.
wait_for 60 "SELECT count(*) FROM job WHERE kind='mr'" 1
git -C "$scratch/shop" checkout --quiet --detach refs/pull/1/head
git -C "$scratch/shop" -c user.name=t -c user.email=t@shop.example commit --quiet --amend \
    -m 'Send an ETag with every answer, reworded'
git -C "$scratch/git/shop.git" fetch --quiet "$scratch/shop" +HEAD:refs/pull/1/head
wait_for 60 "SELECT count(*)>=2 FROM job WHERE kind='mr'" 1
same superseded "SELECT state FROM job WHERE kind='mr' ORDER BY id LIMIT 1"
wait_for 180 "SELECT count(*) FROM job WHERE kind='mr' AND outcome='slower' AND state='reported'" 1
wait_done 60 2
same 1 "SELECT v.confirmed FROM verdict v JOIN job j ON j.id=v.job_id
    WHERE j.kind='mr' AND v.outcome='slower'"
# Measured against the merge base, the tip of main.
same "$(git -C "$scratch/shop" rev-parse main)" "SELECT lower(hex(c.sha)) FROM job j
    JOIN git_commit c ON c.id=j.base WHERE j.kind='mr' AND j.outcome='slower'"
wait_for 30 "SELECT count(*) FROM outbox WHERE state='pending'" 0
same 0 "SELECT count(*) FROM outbox WHERE state='dead'"

grep -rq 'slower (confirmed)' "$state/reports/shop" || fail "no file with the report"
/usr/bin/python3 - "$scratch/received" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert rows, "nothing was delivered"
assert all(r["signature_good"] for r in rows), "a signature was wrong"
assert len({r["id"] for r in rows}) == len(rows), "a message came twice"
assert any("slower (confirmed)" in r["body"]["markdown"] for r in rows), "no confirmed report"
PY

# One comment that was edited, a new one when the regression was confirmed, statuses throughout.
head=$(git -C "$scratch/shop" rev-parse HEAD)
curl -sf "$forge/_state" >"$scratch/forge.json"
/usr/bin/python3 - "$scratch/forge.json" "$head" <<'PY'
import json, sys
state, head = json.load(open(sys.argv[1])), sys.argv[2]
wrong = [r for r in state["requests"] if r["wrong"]]
assert not wrong, wrong
first, confirmed = state["comments"]
assert first["edits"] > 0 and first["body"].startswith("**A regression was confirmed**"), first
assert confirmed["body"].startswith("**slower (confirmed)**"), confirmed
own = [s for s in state["statuses"] if s["sha"] == head]
assert own[0]["state"] == "pending" and own[-1]["state"] == "success", own
assert own[-1]["description"].startswith("slower (confirmed)"), own[-1]
old = [s for s in state["statuses"] if s["sha"] != head]
assert not old or "superseded" in old[-1]["description"], old
PY
! grep -q s3cret-token "$scratch/daemon.log" || fail "a token is in the log"

stop_daemon
check_database
echo "merge request to report: good"
