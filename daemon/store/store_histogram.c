/* SPDX-License-Identifier: MIT */
/* store_histogram: see store_histogram.h. */
#include "store_histogram.h"

#include "store_sql.h"

int store_histogram_list(struct store *s, int64_t job, const struct series_key *key,
                         struct arm_histogram_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "WITH good AS (SELECT o.id, row_number() OVER (ORDER BY o.n) - 1 AS i"
                    "  FROM run r JOIN round o ON o.run_id = r.id"
                    "  WHERE r.job_id = :job AND o.void_reason IS NULL)"
                    " SELECT g.i, a.side, h.z FROM good g JOIN arm a ON a.round_id = g.id"
                    " JOIN histogram h ON h.arm_id = a.id"
                    " WHERE a.copy = 0 AND a.variant = :variant AND h.scenario = :scenario"
                    " AND h.endpoint = :endpoint ORDER BY g.i, a.side");
    sql_int(&q, ":job", job);
    sql_text(&q, ":variant", key->variant);
    sql_text(&q, ":scenario", key->scenario);
    sql_text(&q, ":endpoint", key->endpoint);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        struct view z = sql_col_view(&q, 2);
        *vec_push(&out->at) = (struct arm_histogram){
            .round = (size_t)sql_col_int(&q, 0),
            .side = (enum side)sql_col_word(&q, 1, side_names, SIDE_COUNT),
            .packed = mem_strndup(z.at, z.len),
            .packed_len = z.len,
        };
    }
}

void arm_histogram_list_done(struct arm_histogram_list *l)
{
    for (size_t i = 0; i < l->at.len; i++)
        free(l->at.at[i].packed);
    vec_done(&l->at);
}
