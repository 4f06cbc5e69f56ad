#!/bin/sh
# What examples/hooks tells people to paste works: the lines of each page against a real daemon.
. "$(dirname "$0")/lib.sh"

make_repo "$scratch/work"
(umask 077 && openssl rand -hex 32 >"$scratch/secret")
kinds="git github gitlab gitea bitbucket bitbucket-server"
repos=
for kind in $kinds; do
    repos="$repos { \"name\": \"$kind\", \"url\": \"$scratch/work\", \"poll\": \"1h\",
        \"forge\": { \"kind\": \"$kind\", \"webhook_secret_file\": \"secret\" } },"
done
write_config "$repos"
start_daemon
wait_for 60 "SELECT count(*) FROM repo WHERE fetched_ms IS NOT NULL" 6
port=$(sed -n 's/.* serving .*port=\([0-9]*\).*/\1/p' "$scratch/daemon.log")
for kind in $kinds; do
    sed -n '/^## To try it/,$ s/^    //p' "$PACEWATCH_SOURCE/examples/hooks/$kind.md" >"$scratch/try.sh"
    answer=$(URL=http://127.0.0.1:$port/hooks/$kind SECRET=$scratch/secret sh -eu "$scratch/try.sh")
    [ "$answer" = '{"event":"push","result":"accepted"}' ] || fail "$kind.md: '$answer'"
done
same 6 "SELECT count(*) FROM hook_delivery"
stop_daemon
check_database
echo "hook pages: good"
