#!/bin/sh
# kill -9 at random moments, then resume: nothing is lost, nothing is there twice.
# PACEWATCH_KILLS (30) says how often.
. "$(dirname "$0")/lib.sh"

kills=${PACEWATCH_KILLS:-30}
seed=${PACEWATCH_SEED:-$(date +%s)}
echo "kills=$kills seed=$seed"
make_repo "$scratch/shop"
fast_spec "$scratch/spec.json"
write_config "{ \"name\": \"shop\", \"url\": \"$scratch/shop\", \"spec\": \"$scratch/spec.json\",
    \"backfill\": 10, \"poll\": \"500ms\" }"

i=0
while [ "$i" -lt "$kills" ]; do
    start_daemon
    # Between 0.05 and 4 s: start-up, fetch, build, rounds, delivery and judging all get hit.
    sleep "$(awk -v s="$seed" -v i="$i" 'BEGIN { srand(s + i * 7919); printf "%.2f", .05 + 3.95 * rand() }')"
    kill -9 "$daemon" 2>/dev/null || fail "the daemon had ended by itself at kill $i"
    wait "$daemon" 2>/dev/null || :
    i=$((i + 1))
done

start_daemon
wait_done 400 11
# Every commit has a job that ended, none has two of them for the same reason, and none was given up
# because of the kills.
same 10 "SELECT count(DISTINCT head) FROM job WHERE kind IN ('push','backfill')"
same 0 "SELECT count(*) FROM (SELECT 1 FROM job WHERE state<>'superseded'
    GROUP BY kind, head, confirms HAVING count(*)>1)"
same 0 "SELECT count(*) FROM job WHERE state IN ('queued','submitted','running')"
same 0 "SELECT count(*) FROM job WHERE failure_class='infra'"
same 1 "SELECT count(*) FROM job WHERE state='failed'" # the commit that does not build
same 0 "SELECT count(*) FROM (SELECT job_id FROM attempt WHERE state='delivered'
    GROUP BY job_id HAVING count(*)>1)"
same 0 "SELECT count(*) FROM outbox WHERE state='pending'"
stop_daemon
check_database
if pgrep -f "$scratch" >/dev/null; then
    fail "processes were left behind"
fi
echo "kill and resume: good"
