#!/bin/sh
# Hostile commits through the whole line: each ends contained, with a clear failure or none, and
# leaves nothing behind on this host.
. "$(dirname "$0")/../lib.sh"

make_repo "$scratch/shop"
cd "$scratch/shop"
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"
good=$(git rev-parse main~1)
cat >"$scratch/spec.json" <<'SPEC'
{
  "build": { "command": ["make"], "outputs": ["bin/shop"], "timeout": "20s" },
  "start": { "command": ["bin/shop"], "grace": "1s" },
  "ready": { "http": "/health", "timeout": "5s" },
  "limits": { "disk": "64MiB", "memory": "256MiB", "tasks": 64 },
  "load": { "connections": 4, "duration": "30ms", "warmup": "10ms" },
  "scenarios": [{ "name": "list", "endpoints": [{ "path": "/items" }] }],
}
SPEC

# Commits what stands in the work tree on top of the good commit, and prints its name.
commit() {
    git add -A
    git -c user.name=eve -c user.email=eve@example.org commit -qm "$1"
    git rev-parse HEAD
    git checkout -q --detach "$good"
}

# Replaces what 'make' does first: hostile_make NAME RECIPE
hostile_make() {
    git checkout -q --detach "$good"
    mv Makefile real.mk
    printf 'all:\n\t%s\n\t@$(MAKE) -f real.mk\n' "$2" >Makefile
    commit "$1"
}

# expect STATUS HEAD WORDS: the comparison's exit status and what its report must say.
expect() {
    status=0
    "$PACEWATCH_BIN/pacewatch" compare --spec "$scratch/spec.json" "$good" "$2" \
        >"$scratch/out" 2>"$scratch/err" || status=$?
    case " $1 " in *" $status "*) ;; *)
        fail "status $status, not $1: $(cat "$scratch/err" "$scratch/out")" ;;
    esac
    grep -q -- "$3" "$scratch/out" || fail "'$3' is not said: $(cat "$scratch/out")"
    [ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
    ! pgrep -f pacewatch-hostile >/dev/null || fail "a process was left behind"
}

expect 2 "$(hostile_make 'print for ever' '@yes')" 'printed more than 256 MiB'
expect 2 "$(hostile_make 'fill the disk' '@dd if=/dev/zero of=full bs=1M')" 'build failed'
expect 2 "$(hostile_make 'take memory' '@tail /dev/zero')" 'could not measure'
expect 2 "$(hostile_make 'never end' '@trap "" TERM; while :; do :; done')" 'did not end'
expect 2 "$(hostile_make 'fork' '@bomb() { bomb | bomb & }; bomb; sleep 60')" 'could not measure'
expect 2 "$(hostile_make 'no network' '@exec 3<>/dev/tcp/192.0.2.1/80 || curl -sf http://192.0.2.1/')" \
    'build failed'
expect 2 "$(hostile_make 'read the state' "@cat $scratch/shop/.git/config $TMPDIR/*")" 'build failed'

# An output that is a link to a secret is neither followed nor shown.
link=$(hostile_make 'link out' '@mkdir -p bin; ln -sf /etc/shadow bin/shop; exit 0')
expect '0 1 2' "$link" .
! grep -q 'root:' "$scratch/out" || fail "a secret is in the report"

# A process left behind by the build is gone before anything is measured; the rest is as ever.
stay=$(hostile_make 'stay' '@(exec setsid sleep 3600.pacewatch-hostile) >/dev/null 2>\&1 \& true')
expect '0 1 2' "$stay" .

echo "hostile_commit: good"
