#!/bin/sh
# Services beside the service under test: a real PostgreSQL, a command on TCP, and what goes wrong.
. "$(dirname "$0")/lib.sh"

if [ ! -x /usr/lib/postgresql/15/bin/postgres ] || ! /usr/bin/python3 -c 'import psycopg2' 2>/dev/null; then
    echo "skipped: needs postgresql-15 and python3-psycopg2"
    exit 77
fi
export TMPDIR="$scratch"
state=$scratch/kept

# compare EXPECTED_STATUS ARGUMENTS...: the report as JSON in $scratch/out.
compare() {
    want=$1
    shift
    status=0
    "$PACEWATCH_BIN/pacewatch" compare --json --state "$state" "$@" \
        >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" = "$want" ] ||
        fail "compare $*: status $status, not $want: $(cat "$scratch/err" "$scratch/out")"
}

# The example as it is, with short rounds: it asks once for each item and is slower by far.
example=$PACEWATCH_SOURCE/examples/postgres
sh "$example/make-repo.sh" "$scratch/shop"
cd "$scratch/shop"
sed 's/"duration": "1s", "warmup": "300ms"/"duration": "80ms", "warmup": "40ms"/
    s/"start"/"confirm": { "reruns": 0 }, "start"/' .pacewatch.json >"$scratch/spec.json"
compare 1 --spec "$scratch/spec.json" main~1 main
[ "$(ask "SELECT count(*) FROM environment_state
          WHERE facts_json LIKE '%service_postgres\":\"postgres (PostgreSQL) 15.%'")" = 1 ] ||
    fail "the version is not recorded"
[ "$(ask "SELECT count(*) > 20 AND min(json_extract(gauges_json, '$.services_cpu_per_request')) > 0
          FROM arm")" = 1 ] || fail "the database's CPU time is not accounted apart"

# Every arm finds the seed: the service refuses to start when an earlier one has written.
cat >shop.py <<'PY'
import os, psycopg2
from http.server import BaseHTTPRequestHandler, HTTPServer
db = psycopg2.connect(os.environ["DATABASE_URL"])
db.autocommit = True
with db.cursor() as c:
    c.execute("SELECT sum(stock) FROM item")
    assert c.fetchone()[0] == 24500, "somebody was here before"
class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        with db.cursor() as c:
            c.execute("UPDATE item SET stock = stock + 1 WHERE id = 1")
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
PY
git -c user.name=t -c user.email=t@t commit -qam "Write in every arm"
echo >>shop.py
git -c user.name=t -c user.email=t@t commit -qam "A blank line"
cat >"$scratch/write.json" <<'SPEC'
{ "services": { "postgres": { "seed": "db/seed.sql", "settings": { "work_mem": "1MB" } } },
  "start": { "command": ["/usr/bin/python3", "shop.py"] }, "confirm": { "reruns": 0 }, "sensitivity": { "rounds": { "least": 10, "most": 10 } },
  "load": { "connections": 1, "duration": "40ms", "warmup": "20ms" },
  "scenarios": [{ "endpoints": [{ "path": "/", "expect": { "contains": "ok" } }] }] }
SPEC
status=0
"$PACEWATCH_BIN/pacewatch" compare --json --spec "$scratch/write.json" main~1 main \
    >"$scratch/out" 2>&1 || status=$?
[ "$status" -lt 2 ] || fail "an arm saw what another one wrote: $(cat "$scratch/out")"

# What is missing is named: a seed that is not there, one that is wrong.
sed 's,db/seed.sql,db/none.sql,' "$scratch/write.json" >"$scratch/bad.json"
compare 2 --spec "$scratch/bad.json" main~1 main
grep -q "seed 'db/none.sql' of base: No such file" "$scratch/out" || fail "$(cat "$scratch/out")"
sed 's,db/seed.sql,shop.py,' "$scratch/write.json" >"$scratch/bad.json"
compare 2 --spec "$scratch/bad.json" main~1 main
grep -q 'set-up with seed shop.py failed.*syntax error' "$scratch/out" || fail "$(cat "$scratch/out")"

# A command on TCP is reached through the network that they share; one that ends is told.
git init -q --initial-branch=main "$scratch/front"
cd "$scratch/front"
cat >back.py <<'PY'
import socketserver, sys
if sys.argv[1:] == ["--version"]:
    sys.exit(print("back 1.2"))
class Back(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(1):
            self.request.sendall(b"!")
socketserver.ThreadingTCPServer(("127.0.0.1", 7000), Back).serve_forever()
PY
cat >front.py <<'PY'
import os, socket
from http.server import BaseHTTPRequestHandler, HTTPServer
back = socket.create_connection(("127.0.0.1", 7000))
class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        back.sendall(b"?")
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(back.recv(1))
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
PY
cat >.pacewatch.json <<'SPEC'
{ "services": { "back": { "start": ["/usr/bin/python3", "back.py"], "ready": { "tcp": 7000 },
    "version": ["/usr/bin/python3", "back.py", "--version"], "timeout": "10s" } },
  "start": { "command": ["/usr/bin/python3", "front.py"] }, "confirm": { "reruns": 0 }, "sensitivity": { "rounds": { "least": 10, "most": 10 } },
  "load": { "connections": 1, "duration": "40ms", "warmup": "20ms" },
  "scenarios": [{ "endpoints": [{ "path": "/", "expect": { "contains": "!" } }] }] }
SPEC
git add -A
git -c user.name=t -c user.email=t@t commit -qm "One in front of another"
sed -i '/^HTTPServer/i HTTPServer.request_queue_size = 9' front.py
git -c user.name=t -c user.email=t@t commit -qam "A longer queue of connections"
state=$scratch/front.kept
status=0
"$PACEWATCH_BIN/pacewatch" compare --json --state "$state" main~1 main >"$scratch/out" 2>&1 || status=$?
[ "$status" -lt 2 ] || fail "no answer through the command: $(cat "$scratch/out")"
[ "$(ask "SELECT json_extract(facts_json, '$.service_back') FROM environment_state")" = "back 1.2" ] ||
    fail "the version of the command is not recorded"
grep -q 'base listens with backlog 5, head with 9' "$scratch/out" || fail "$(cat "$scratch/out")"
[ "$(ask "SELECT count(*) > 0 AND sum(json_extract(gauges_json, '$.listen_backlog') !=
          CASE side WHEN 'base' THEN 5 ELSE 9 END) = 0 FROM arm")" = 1 ] ||
    fail "the backlog is not with the arms"
sed 's|"tcp": 7000|"tcp": 7001|; s|"10s"|"300ms"|' .pacewatch.json >"$scratch/bad.json"
compare 2 --spec "$scratch/bad.json" main~1 main
grep -q "service 'back' is not ready in time" "$scratch/out" || fail "$(cat "$scratch/out")"
sed 's|"back.py"\], "ready"|"no.py"], "ready"|' .pacewatch.json >"$scratch/bad.json"
compare 2 --spec "$scratch/bad.json" main~1 main
grep -q "service 'back' ended before it was ready.*no.py" "$scratch/out" || fail "$(cat "$scratch/out")"

if pgrep -f "$scratch" >/dev/null; then
    fail "processes were left behind"
fi
echo "services: good"
