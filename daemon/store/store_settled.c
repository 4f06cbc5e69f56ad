/* SPDX-License-Identifier: MIT */
/* store_settled: see store_settled.h. */
#include "store_settled.h"

#include "store_sql.h"

int store_settled(struct store *s, struct settled *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT (SELECT count(*) FROM job WHERE state <> 'superseded'),"
           " (SELECT count(*) FROM job WHERE state = 'reported' OR reported = 1),"
           " NOT EXISTS(SELECT 1 FROM repo WHERE configured = 1 AND fetched_ms IS NULL)"
           " AND NOT EXISTS(SELECT 1 FROM change WHERE state = 'new')"
           " AND NOT EXISTS(SELECT 1 FROM job WHERE state NOT IN ('reported', 'superseded')"
           "   AND reported = 0)"
           " AND NOT EXISTS(SELECT 1 FROM outbox WHERE state = 'pending')");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = (struct settled){
        .jobs = sql_col_int(&q, 0),
        .done = sql_col_int(&q, 1),
        .nothing_left = sql_col_int(&q, 2) != 0,
    };
    return 0;
}
