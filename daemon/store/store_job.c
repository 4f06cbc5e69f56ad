/* SPDX-License-Identifier: MIT */
/* store_job: see store_job.h. Moves out of the queue are in store_job_move.c. */
#include "store_job.h"

#include <inttypes.h>

#include "clock.h"
#include "rng.h"
#include "store_sql.h"

enum { DEDUPE_KEY_MAX = 128 };

int job_kind_priority(enum job_kind kind)
{
    static const int priorities[JOB_KIND_COUNT] = {
        [JOB_MR] = 40,       [JOB_CONFIRM] = 35, [JOB_PUSH] = 30, [JOB_BISECT] = 20,
        [JOB_BACKFILL] = 10, [JOB_ANCHOR] = 5,   [JOB_AA] = 1,
    };
    return priorities[kind];
}

/* Names the work, so that the same work is never open twice. */
static void dedupe_key(const struct job *j, struct str *out)
{
    switch (j->kind) {
    case JOB_PUSH:
    case JOB_BACKFILL:
        str_addf(out, "commit/%" PRId64 "/%" PRId64, j->branch_id, j->head);
        break;
    case JOB_MR:
        str_addf(out, "mr/%" PRId64 "/%" PRId64 "/%" PRId64, j->mr_id, j->base, j->head);
        break;
    case JOB_CONFIRM:
        str_addf(out, "confirm/%" PRId64, j->confirms);
        break;
    default:
        str_addf(out, "%s/%" PRId64 "/%" PRId64 "/%" PRId64, job_kind_names[j->kind],
                 j->branch_id, j->base, j->head);
    }
}

static int open_job_by_key(struct store *s, const char *key, int64_t *out_id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id FROM job WHERE dedupe_key = :key"
                               " AND state IN ('queued','submitted','running')");
    bool row;
    sql_text(&q, ":key", key);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_CONFLICT, "job '%s' is neither new nor open", key);
    *out_id = sql_col_int(&q, 0);
    return 0;
}

static int insert_job(struct store *s, const struct job *want, const char *key, int64_t *out_id,
                      bool *added, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO job(repo_id, branch_id, change_id, mr_id, confirms, kind, base,"
           "  head, priority, dedupe_key, seed, state, created_ms)"
           " VALUES(:repo, :branch, :change, :mr, :confirms, :kind, :base,"
           "  :head, :priority, :key, :seed, 'queued', :now)"
           " ON CONFLICT(dedupe_key) WHERE state IN ('queued','submitted','running')"
           " DO NOTHING RETURNING id");
    sql_int(&q, ":repo", want->repo_id);
    sql_int(&q, ":branch", want->branch_id);
    sql_id(&q, ":change", want->change_id);
    sql_id(&q, ":mr", want->mr_id);
    sql_id(&q, ":confirms", want->confirms);
    sql_text(&q, ":kind", job_kind_names[want->kind]);
    sql_id(&q, ":base", want->base);
    sql_int(&q, ":head", want->head);
    sql_int(&q, ":priority", want->priority ? want->priority : job_kind_priority(want->kind));
    sql_text(&q, ":key", key);
    sql_int(&q, ":seed", want->seed ? want->seed : (int64_t)(rng_seed() >> 12));
    sql_int(&q, ":now", clock_wall_ms());
    if (sql_step(&q, added, e) < 0)
        return -1;
    if (!*added)
        return 0;
    *out_id = sql_col_int(&q, 0);
    return sql_run(&q, e);
}

int store_job_add(struct store *s, const struct job *want, int64_t *out_id, bool *added,
                  struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(str_done) struct str key = STR_INIT(DEDUPE_KEY_MAX);
    dedupe_key(want, &key);
    if (store_begin(s, &tx, e) < 0 ||
        insert_job(s, want, str_text(&key), out_id, added, e) < 0 ||
        (!*added && open_job_by_key(s, str_text(&key), out_id, e) < 0))
        return -1;
    return store_commit(&tx, e);
}

/* --- reading ------------------------------------------------------------------------------ */

#define JOB_COLUMNS                                                                           \
    "SELECT j.id, j.repo_id, j.branch_id, j.change_id, j.mr_id, j.confirms, j.kind, j.state," \
    " j.base, j.head, j.spec_id, j.seed, j.priority,"                                         \
    " (SELECT max(n) FROM attempt WHERE job_id = j.id) FROM job j "

static void read_job(struct sql *q, struct job *out)
{
    *out = (struct job){
        .id = sql_col_int(q, 0),
        .repo_id = sql_col_int(q, 1),
        .branch_id = sql_col_int(q, 2),
        .change_id = sql_col_int(q, 3),
        .mr_id = sql_col_int(q, 4),
        .confirms = sql_col_int(q, 5),
        .kind = sql_col_word(q, 6, job_kind_names, JOB_KIND_COUNT),
        .state = sql_col_word(q, 7, job_state_names, JOB_STATE_COUNT),
        .base = sql_col_int(q, 8),
        .head = sql_col_int(q, 9),
        .spec_id = sql_col_int(q, 10),
        .seed = sql_col_int(q, 11),
        .priority = (int)sql_col_int(q, 12),
        .attempt = (int)sql_col_int(q, 13),
    };
}

static int read_one(struct sql *q, struct job *out, bool *found, struct err *e)
{
    if (sql_step(q, found, e) < 0)
        return -1;
    if (*found)
        read_job(q, out);
    return 0;
}

int store_job_get(struct store *s, int64_t id, struct job *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, JOB_COLUMNS "WHERE j.id = :id");
    bool found;
    sql_int(&q, ":id", id);
    if (read_one(&q, out, &found, e) < 0)
        return -1;
    return found ? 0 : err_set(e, ERR_NOT_FOUND, "no job %" PRId64, id);
}

int store_job_next(struct store *s, struct job *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, JOB_COLUMNS "JOIN repo r ON r.id = j.repo_id"
                                           " WHERE j.state = 'queued' AND r.configured = 1"
                                           " ORDER BY j.priority DESC, j.id LIMIT 1");
    return read_one(&q, out, found, e);
}

int store_job_in_state(struct store *s, enum job_state state, struct job *out, bool *found,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, JOB_COLUMNS "WHERE j.state = :state ORDER BY j.id LIMIT 1");
    sql_text(&q, ":state", job_state_names[state]);
    return read_one(&q, out, found, e);
}

int store_job_failed_unreported(struct store *s, struct job *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, JOB_COLUMNS "WHERE j.state = 'failed' AND j.reported = 0 ORDER BY j.id LIMIT 1");
    return read_one(&q, out, found, e);
}

int store_job_seen(struct store *s, int64_t branch_id, int64_t head, bool *seen, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT 1 FROM job WHERE branch_id = :branch AND head = :head"
                    " AND kind IN ('push','backfill') AND state <> 'superseded' LIMIT 1");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":head", head);
    return sql_step(&q, seen, e);
}

int store_job_mr_seen(struct store *s, int64_t mr_id, int64_t base, int64_t head, bool *seen,
                      struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT 1 FROM job WHERE mr_id = :mr AND base = :base AND head = :head"
                    " AND kind = 'mr' AND state <> 'superseded' LIMIT 1");
    sql_int(&q, ":mr", mr_id);
    sql_int(&q, ":base", base);
    sql_int(&q, ":head", head);
    return sql_step(&q, seen, e);
}

int store_job_mr_judged(struct store *s, int64_t mr_id, struct job *out, bool *found,
                        struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, JOB_COLUMNS "WHERE j.mr_id = :mr AND j.kind = 'mr'"
                                           " AND j.state IN ('judged','reported')"
                                           " ORDER BY j.id DESC LIMIT 1");
    sql_int(&q, ":mr", mr_id);
    return read_one(&q, out, found, e);
}

/* What the newest finished job says about commit c: as its head, unless that job stumbled over
 * its base; or as its base, unless that job stumbled over its head. A commit nobody has tried
 * counts as sound. */
int store_job_choose_base(struct store *s, int64_t branch_id, int64_t head, int64_t *out_commit,
                          struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT c.commit_id FROM branch_commit c WHERE c.branch_id = :branch AND c.live = 1"
           " AND c.pos < (SELECT pos FROM branch_commit WHERE commit_id = :head"
           "              AND branch_id = :branch)"
           " AND NOT coalesce((SELECT broken FROM ("
           "   SELECT id, state = 'failed' AND failure_class IN ('build','start','verify')"
           "     AS broken FROM job WHERE branch_id = :branch AND head = c.commit_id"
           "     AND state IN ('measured','judged','reported','failed')"
           "     AND failure_side IS NOT 'base'"
           "   UNION ALL"
           "   SELECT id, state = 'failed' AND failure_class IN ('build','start','verify')"
           "     FROM job WHERE base = c.commit_id"
           "     AND state IN ('measured','judged','reported','failed')"
           "     AND (state <> 'failed' OR failure_side IS 'base')"
           "   ORDER BY id DESC LIMIT 1)), 0)"
           " ORDER BY c.pos DESC LIMIT 1");
    bool row;
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":head", head);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_commit = row ? sql_col_int(&q, 0) : 0;
    return 0;
}

int store_job_failure(struct store *s, int64_t job, struct job_failure *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT failure_class, failure_side, failure FROM job WHERE id = :id");
    bool row;
    sql_int(&q, ":id", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no job %" PRId64, job);
    *out = (struct job_failure){
        .cls = sql_col_word(&q, 0, failure_names, FAILURE_COUNT),
        .side = -1,
        .text = sql_col_dup(&q, 2),
    };
    if (sql_col_view(&q, 1).len)
        out->side = sql_col_word(&q, 1, side_names, SIDE_COUNT);
    return 0;
}

void job_failure_done(struct job_failure *f)
{
    free(f->text);
    f->text = NULL;
}
