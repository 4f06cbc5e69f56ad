/* SPDX-License-Identifier: MIT */
/* dispatch_job: from a queued job to a runner; see dispatch.h. */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "dispatch_parts.h"
#include "export_tar.h"
#include "fdio.h"
#include "log.h"
#include "rng.h"
#include "spec_pick.h"
#include "store_approval.h"
#include "store_attempt.h"
#include "store_command.h"
#include "store_job.h"
#include "store_repo.h"
#include "store_run.h"

enum { TOKEN_BYTES = 32, AA_ROUNDS_LEAST = 3, AA_SHARE = 3 };

#define BEAT_EVERY_NS  (2 * CLOCK_NS_PER_S)
#define LIMIT_SPARE_NS (60 * CLOCK_NS_PER_S) /* the runner keeps the job's limit by itself */

/* A job on its way. */
struct start {
    struct dispatch *d;
    struct store *store;
    struct job job;
    const struct stage_repo *repo;
    struct mirror *mirror;
    struct commit base, head; /* base.id 0: none */
    char base_hex[JOB_SHA_MAX + 1], head_hex[JOB_SHA_MAX + 1];
    struct spec *spec;
    int64_t spec_id;
    int submodules;
    char token[2 * TOKEN_BYTES + 1];
    int attempt;
};

static void start_done(struct start *s)
{
    mirror_closep(&s->mirror);
    spec_freep(&s->spec);
    explicit_bzero(s->token, sizeof s->token);
}

static void job_path(const struct dispatch *d, int64_t job, const char *file, struct str *out)
{
    str_addf(out, "%s/jobs/%" PRId64 "%s", d->o.state_dir, job, file);
}

void dispatch_remove_files(const struct dispatch *d, int64_t job)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    struct err e = {0};
    job_path(d, job, "", &path);
    if (fdio_remove_tree(str_text(&path), &e) < 0)
        log_warn("job files left", "job=%" PRId64 ": %s", job, e.text);
}

/* --- what to compare ---------------------------------------------------------------------- */

static int find_repo(struct start *s, struct err *e)
{
    struct repo row = {0};
    if (store_repo_get(s->store, s->job.repo_id, &row, e) < 0)
        return -1;
    for (size_t i = 0; i < s->d->o.repos_len && !s->repo; i++)
        if (strcmp(s->d->o.repos[i].name, row.name) == 0)
            s->repo = &s->d->o.repos[i];
    int rc = s->repo ? 0 : err_set(e, ERR_INPUT, "repository '%s' is not configured", row.name);
    repo_done(&row);
    return rc;
}

/* Merge requests and confirm jobs brought their base along. */
static bool chooses_base(const struct job *job)
{
    return !job->base && !job->mr_id && (job->kind == JOB_PUSH || job->kind == JOB_BACKFILL);
}

/* Code of a fork runs by the word of a member, and that was for one head. What the queue has
 * from before is asked again here. */
static int check_trust(struct start *s, struct err *e)
{
    struct merge_request mr;
    bool approved;
    if (!s->job.mr_id || s->repo->merge_requests == MR_ALL)
        return 0;
    if (store_mr_get(s->store, s->job.mr_id, &mr, e) < 0 ||
        store_approval_has(s->store, s->job.repo_id, mr.number, &s->head.sha, &approved, e) < 0)
        return -1;
    return approved ? 0
                    : err_set(e, ERR_CONFLICT,
                              "nobody has approved %.12s of merge request "
                              "%" PRId64,
                              s->head_hex, mr.number);
}

static int find_commits(struct start *s, struct err *e)
{
    if (chooses_base(&s->job) &&
        store_job_choose_base(s->store, s->job.branch_id, s->job.head, &s->job.base, e) < 0)
        return -1;
    if (store_commit_get(s->store, s->job.head, &s->head, e) < 0 ||
        (s->job.base && store_commit_get(s->store, s->job.base, &s->base, e) < 0))
        return -1;
    sha_hex(&s->base.sha, s->base_hex);
    sha_hex(&s->head.sha, s->head_hex);
    return 0;
}

static int open_mirror(struct start *s, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, "%s/mirrors/%s.git", s->d->o.state_dir, s->repo->name);
    return mirror_open(str_text(&path), &s->mirror, e);
}

static int keep_scenario(struct spec *spec, const char *name, struct err *e)
{
    for (size_t i = 0; i < spec->scenarios_len; i++) {
        struct spec_scenario kept = spec->scenarios[i];
        if (strcmp(kept.name, name) != 0)
            continue;
        spec->scenarios[i] = spec->scenarios[0];
        spec->scenarios[0] = kept;
        while (spec->scenarios_len > 1)
            spec_scenario_done(&spec->scenarios[--spec->scenarios_len]);
        return 0;
    }
    return err_set(e, ERR_INPUT, "the spec has no scenario '%s'", name);
}

/* What somebody asked for in a comment; it becomes part of the spec that the job is judged by.
 */
static int apply_wish(struct start *s, struct err *e)
{
    struct spec_sensitivity *rounds = &s->spec->sensitivity;
    struct change_wish wish;
    if (!s->job.change_id)
        return 0;
    if (store_wish_get(s->store, s->job.change_id, &wish, e) < 0)
        return -1;
    if (wish.rounds) {
        rounds->rounds_most = wish.rounds;
        if (rounds->rounds_least > wish.rounds)
            rounds->rounds_least = wish.rounds;
    }
    return wish.scenario[0] ? keep_scenario(s->spec, wish.scenario, e) : 0;
}

static int find_spec(struct start *s, int *side, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(4 * SPEC_BYTES_MAX);
    struct spec_want want = {.repo = s->repo,
                             .base = s->base_hex,
                             .head = s->head_hex,
                             .trust_head = !s->job.mr_id && s->job.kind != JOB_MR};
    if (spec_pick(s->mirror, &want, &s->spec, side, e) < 0)
        return -1;
    if (!s->spec)
        return err_set(e, ERR_INPUT, "no " SPEC_FILE " at base or head");
    if (apply_wish(s, e) < 0)
        return -1;
    spec_explain(s->spec, &body);
    return store_spec_put(s->store, s->job.repo_id, str_view(&body), &s->spec_id, e);
}

/* --- files for the runner ----------------------------------------------------------------- */

static int export_side(struct start *s, const char *sha, const char *file, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    struct export_limits limits = {.bytes_max = s->spec->limits.disk};
    struct export_note note;
    job_path(s->d, s->job.id, file, &path);
    if (export_tar(s->mirror, sha, str_text(&path), &limits, &note, e) < 0)
        return err_ctx(e, "export %.12s", sha);
    s->submodules = note.submodules > s->submodules ? note.submodules : s->submodules;
    return 0;
}

static int export_trees(struct start *s, struct err *e)
{
    AUTO(str_done) struct str folder = STR_INIT(4096);
    job_path(s->d, s->job.id, "", &folder);
    if (fdio_remove_tree(str_text(&folder), e) < 0 ||
        fdio_make_dirs(str_text(&folder), 0700, e) < 0)
        return -1;
    if (s->base.id && export_side(s, s->base_hex, "/base.tar", e) < 0)
        return -1;
    return export_side(s, s->head_hex, "/head.tar", e);
}

static void describe_side(struct job_side *side, const struct commit *c)
{
    side->present = c->id != 0;
    sha_hex(&c->sha, side->sha);
    sha_hex(&c->tree, side->tree);
}

/* About a third of the rounds measure base twice: enough to see the noise of equal arms. */
static int64_t aa_rounds(int64_t rounds)
{
    int64_t n = (rounds + AA_SHARE - 1) / AA_SHARE;
    n = n < AA_ROUNDS_LEAST ? AA_ROUNDS_LEAST : n;
    return n < rounds ? n : rounds;
}

/* All rounds that there may be, with the looks before the last; a head without a base has
 * nothing to look for and takes the smallest number. */
static int plan_rounds(struct start *s, struct job_doc *doc, struct err *e)
{
    const struct spec_sensitivity *sensitivity = &s->spec->sensitivity;
    int64_t usual = 0;
    doc->rounds = doc->rounds_expected = sensitivity->rounds_least;
    if (!s->base.id)
        return 0;
    doc->looks_len = spec_looks(sensitivity, doc->looks) - 1;
    doc->rounds = sensitivity->rounds_most;
    doc->aa_rounds = aa_rounds(doc->rounds);
    if (store_run_rounds_usual(s->store, s->job.id, &usual, e) < 0)
        return -1;
    doc->rounds_expected = usual > 0 && usual < doc->rounds ? usual : doc->rounds;
    return 0;
}

static int write_job(struct start *s, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    AUTO(str_done) struct str text = STR_INIT(JOB_DOC_BYTES_MAX);
    struct job_doc doc = {
        .job = s->job.id,
        .attempt = s->attempt,
        .seed = s->job.seed,
        .sandbox = s->d->o.sandbox,
        .build_network = s->d->o.build_network && s->spec->limits.build_network,
        .beat_every_ns = BEAT_EVERY_NS,
        .spec = s->spec,
    };
    (void)snprintf(doc.kind, sizeof doc.kind, "%s", job_kind_names[s->job.kind]);
    if (plan_rounds(s, &doc, e) < 0)
        return -1;
    describe_side(&doc.side[SIDE_BASE], &s->base);
    describe_side(&doc.side[SIDE_HEAD], &s->head);
    job_doc_write(&doc, &text);
    if (text.cut)
        return err_set(e, ERR_LIMIT, "the job document has more than %d bytes",
                       JOB_DOC_BYTES_MAX);
    job_path(s->d, s->job.id, "/job.json", &path);
    return fdio_write_file(str_text(&path), str_view(&text), 0600, e);
}

/* --- the attempt -------------------------------------------------------------------------- */

static int add_attempt(struct start *s, struct err *e)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char secret[TOKEN_BYTES], hash[DIGEST_BYTES];
    rng_secret(secret, sizeof secret);
    for (int i = 0; i < TOKEN_BYTES; i++) {
        s->token[2 * i] = digits[secret[i] >> 4];
        s->token[2 * i + 1] = digits[secret[i] & 15];
    }
    digest_of(view_z(s->token), hash);
    return store_job_submit(s->store, s->job.id, s->base.id, s->spec_id,
                            executor_name(s->d->o.executor), hash, &s->attempt, e);
}

static void tell_submodules(struct start *s)
{
    AUTO(str_done) struct str text = STR_INIT(256);
    if (!s->submodules)
        return;
    str_addf(&text, "%d submodule(s) were left out: their folders are empty\n", s->submodules);
    (void)store_attempt_log(s->store, s->job.id, s->attempt, VIEW("source"), 0, str_view(&text),
                            NULL);
}

static int submit(struct start *s, struct err *e)
{
    char ref[EXECUTOR_REF_MAX + 1] = "";
    struct active active = {.job = s->job.id, .attempt = s->attempt};
    (void)snprintf(active.key, sizeof active.key, "pw.%" PRId64 ".%d", s->job.id, s->attempt);
    struct executor_spec spec = {
        .key = active.key,
        .token = s->token,
        .limit_ns = s->spec->limits.wall_ns + LIMIT_SPARE_NS,
    };
    if (executor_submit(s->d->o.executor, &spec, ref, e) < 0)
        return -1;
    *vec_push(&s->d->actives) = active;
    return store_attempt_submitted(s->store, s->job.id, s->attempt, ref, e);
}

/* The attempt exists from here on; when it cannot start it is lost, with the reason. */
static int begin_attempt(struct start *s, bool *started, struct err *e)
{
    bool failed;
    struct err own = {0};
    tell_submodules(s);
    if (write_job(s, &own) == 0 && submit(s, &own) == 0) {
        *started = true;
        log_info("job submitted", "job=%" PRId64 " kind=%s repo=%s attempt=%d", s->job.id,
                 job_kind_names[s->job.kind], s->repo->name, s->attempt);
        return 0;
    }
    log_warn("job not started", "job=%" PRId64 ": %s", s->job.id, own.text);
    dispatch_remove_files(s->d, s->job.id);
    return store_attempt_lost(s->store, s->job.id, s->attempt, own.text, &failed, e);
}

/* Whose fault it is that a job cannot even be prepared. */
static int give_up(struct start *s, int side, const struct err *why, struct err *e)
{
    if (why->kind == ERR_CONFLICT) {
        log_warn("job cancelled", "job=%" PRId64 ": %s", s->job.id, why->text);
        return store_job_cancel(s->store, s->job.id, e);
    }
    bool theirs = why->kind == ERR_INPUT || why->kind == ERR_LIMIT;
    log_warn("job failed", "job=%" PRId64 ": %s", s->job.id, why->text);
    dispatch_remove_files(s->d, s->job.id);
    return store_job_fail(s->store, s->job.id, theirs ? FAILURE_CONFIG : FAILURE_INFRA,
                          theirs ? side : -1, why->text, e);
}

int dispatch_start(struct dispatch *d, const struct job *job, bool *started, struct err *e)
{
    AUTO(start_done) struct start s = {.d = d, .store = d->o.store, .job = *job};
    struct err why = {0};
    int side = -1;
    *started = false;
    if (find_repo(&s, &why) < 0 || find_commits(&s, &why) < 0 || check_trust(&s, &why) < 0 ||
        open_mirror(&s, &why) < 0 || find_spec(&s, &side, &why) < 0 ||
        export_trees(&s, &why) < 0)
        return give_up(&s, side, &why, e);
    if (add_attempt(&s, e) < 0) {
        dispatch_remove_files(d, job->id);
        return e->kind == ERR_CONFLICT ? 0 : -1; /* superseded in the meantime */
    }
    return begin_attempt(&s, started, e);
}
