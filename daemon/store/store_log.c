/* SPDX-License-Identifier: MIT */
/* store_log: pieces of output that a runner hands over; see store_attempt.h. */
#include "clock.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_sql.h"

enum { LOG_STAGE_NAME_MAX = 64, LOG_PIECES_MAX = 4096 };

int store_attempt_log(struct store *s, int64_t job, int n, struct view stage, int64_t seq,
                      struct view bytes, struct err *e)
{
    if (bytes.len > STORE_LOG_PIECE_MAX)
        return err_set(e, ERR_LIMIT, "a piece of a log has at most %d bytes",
                       STORE_LOG_PIECE_MAX);
    if (stage.len == 0 || stage.len > LOG_STAGE_NAME_MAX || seq < 0)
        return err_set(e, ERR_INPUT, "a piece of a log needs a stage and a number");
    if (seq >= LOG_PIECES_MAX)
        return 0;
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO job_log(job_id, attempt, stage, seq, at_ms, bytes)"
                    " SELECT :job, :n, :stage, :seq, :now, :bytes WHERE :len +"
                    "  (SELECT coalesce(sum(length(bytes)), 0) FROM job_log WHERE job_id = :job"
                    "   AND attempt = :n AND stage = :stage) <= :most"
                    " ON CONFLICT(job_id, attempt, stage, seq) DO NOTHING");
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    sql_view(&q, ":stage", stage);
    sql_int(&q, ":seq", seq);
    sql_int(&q, ":now", clock_wall_ms());
    sql_blob(&q, ":bytes", bytes.len ? bytes.at : "", bytes.len);
    sql_int(&q, ":len", (int64_t)bytes.len);
    sql_int(&q, ":most", STORE_LOG_STAGE_MAX);
    return sql_run(&q, e);
}
