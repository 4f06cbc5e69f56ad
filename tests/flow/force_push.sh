#!/bin/sh
# A force-push keeps the points of the commits it replaced and gives new commits new positions; a
# deleted branch is not an error; pushing back finds the old points.
. "$(dirname "$0")/lib.sh"

make_repo "$scratch/shop"
fast_spec "$scratch/spec.json"
cd "$scratch/shop"
git branch --quiet full main
git reset --quiet --hard full~7 # three commits: list, readme, port
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/shop\", \"spec\": \"$scratch/spec.json\",
    \"backfill\": 1, \"poll\": \"500ms\", \"merge_requests\": false }"
start_daemon
wait_done 120 1
tip=$(git rev-parse main)
points=$(ask "SELECT count(*) FROM point")
[ "$points" -gt 0 ] || fail "the first job left no point"

git reset --quiet --hard main~1
printf 'another word\n' >>README.md
git -c user.name=t -c user.email=t@shop.example commit --quiet -am 'Rewrite the tip'
wait_done 120 2
same 0 "SELECT live FROM branch_commit b JOIN git_commit c ON c.id=b.commit_id
    WHERE lower(hex(c.sha))='$tip'"
same 1 "SELECT (SELECT pos FROM branch_commit b JOIN git_commit c ON c.id=b.commit_id
    WHERE c.subject='Rewrite the tip') > (SELECT pos FROM branch_commit b JOIN git_commit c
    ON c.id=b.commit_id WHERE lower(hex(c.sha))='$tip')"

jobs=$(ask "SELECT count(*) FROM job")
git reset --quiet --hard "$tip"
wait_for 60 "SELECT live FROM branch_commit b JOIN git_commit c ON c.id=b.commit_id
    WHERE lower(hex(c.sha))='$tip'" 1
same "$jobs" "SELECT count(*) FROM job" # it was measured already

git checkout --quiet --detach
git branch --quiet -D main
wait_for 60 "SELECT tip IS NULL FROM branch WHERE name='main'" 1
[ "$(ask 'SELECT count(*) FROM point')" -ge "$points" ] || fail "points were lost"

stop_daemon
check_database
echo "force-push: good"
