#!/bin/sh
# A push is measured against its parent; the slower commit is found, confirmed and announced; what
# does not build is "could not measure"; documentation is "identical".
. "$(dirname "$0")/lib.sh"

make_repo "$scratch/shop"
fast_spec "$scratch/spec.json"
git -C "$scratch/shop" branch --quiet full main
git -C "$scratch/shop" reset --quiet --hard full~8 # the documentation commit
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/shop\", \"spec\": \"$scratch/spec.json\",
    \"backfill\": 1, \"poll\": \"500ms\", \"merge_requests\": false }"
start_daemon
wait_done 90 1
same identical "SELECT outcome FROM job"

git -C "$scratch/shop" reset --quiet --hard full~4 # slower, then one without effect, then broken
wait_done 300 5
same slower "SELECT j.outcome FROM job j JOIN git_commit c ON c.id=j.head
    WHERE c.subject='Show the cheapest items first' AND j.kind<>'confirm'"
same 1 "SELECT v.confirmed FROM verdict v JOIN job j ON j.id=v.job_id JOIN git_commit c
    ON c.id=j.head WHERE c.subject='Show the cheapest items first' AND j.kind<>'confirm'"
same 1 "SELECT count(*) FROM job WHERE kind='confirm' AND outcome='slower'"
same 'build|head' "SELECT j.failure_class, j.failure_side FROM job j JOIN git_commit c
    ON c.id=j.head WHERE c.subject='Fill in how many of an item are left'"
same 0 "SELECT count(*) FROM verdict v JOIN job j ON j.id=v.job_id
    WHERE j.failure_class IS NOT NULL"
same 1 "SELECT count(*) FROM alert WHERE kind='regression' AND state='open'"
same 1 "SELECT count(DISTINCT pos) FROM change_point WHERE method='pair' AND state='confirmed'"
grep -rq 'could not measure' "$state/reports/shop" || fail "no report on the failed build"
grep -rq 'slower (confirmed)' "$state/reports/shop" || fail "no report on the regression"

stop_daemon
check_database
echo "push to verdict: good"
