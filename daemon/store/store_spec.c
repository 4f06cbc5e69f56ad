/* SPDX-License-Identifier: MIT */
/* store_spec: the specs that jobs ran with, once per content; see store_job.h. */
#include <inttypes.h>

#include "store_job.h"
#include "store_sql.h"

int store_spec_put(struct store *s, int64_t repo_id, struct view body, int64_t *out_id,
                   struct err *e)
{
    unsigned char hash[DIGEST_BYTES];
    digest_of(body, hash);
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO spec(repo_id, hash, body) VALUES(:repo, :hash, :body)"
                    " ON CONFLICT(repo_id, hash) DO UPDATE SET body = body"
                    " RETURNING id");
    sql_int(&q, ":repo", repo_id);
    sql_blob(&q, ":hash", hash, sizeof hash);
    sql_view(&q, ":body", body);
    return sql_id_of(&q, out_id, e);
}

int store_spec_body(struct store *s, int64_t spec_id, struct str *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "SELECT body FROM spec WHERE id = :id");
    bool row;
    sql_int(&q, ":id", spec_id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no spec %" PRId64, spec_id);
    str_add(out, sql_col_view(&q, 0));
    return 0;
}
