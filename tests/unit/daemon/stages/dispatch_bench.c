/* SPDX-License-Identifier: MIT */
/* dispatch_bench: see dispatch_bench.h. */
#include "dispatch_bench.h"

static const char good_spec[] =
    "{\"start\": {\"command\": [\"./shop\"]}, \"scenarios\": [{\"name\":"
    " \"items\", \"endpoints\": [{\"path\": \"/\"}]}]}";

void bench_write_runner(const struct bench *b, const char *script)
{
    scratch_run(&b->dir,
                "cat >runner.new <<'SCRIPT'\n#!/bin/sh\n%s\nSCRIPT\nchmod +x runner.new; mv "
                "runner.new runner",
                script);
}

void bench_open_dispatch(struct bench *b)
{
    MUST(store_open(b->db, &b->store, &e));
    MUST(executor_local_open(&(struct executor_local_options){.program = b->runner,
                                                              .socket = "/nowhere.sock",
                                                              .work = b->work,
                                                              .grace_ns = CLOCK_NS_PER_S},
                             &b->executor, &e));
    MUST(dispatch_open(&(struct dispatch_options){.store = b->store,
                                                  .executor = b->executor,
                                                  .state_dir = b->state,
                                                  .repos = &b->repo,
                                                  .repos_len = 1,
                                                  .sandbox = true},
                       &b->dispatch, &e));
}

void bench_close_dispatch(struct bench *b)
{
    dispatch_end(b->dispatch);
    dispatch_closep(&b->dispatch);
    executor_freep(&b->executor);
    store_closep(&b->store);
}

/* What watch would have written. */
static void enter_commits(struct bench *b)
{
    AUTO(mirror_closep) struct mirror *m = NULL;
    AUTO(lineage_chain_done) struct lineage_chain chain = {0};
    struct branch branch;
    char path[160], tip[256];
    scratch_ask(&b->dir, tip, "git -C state/mirrors/shop.git rev-parse main");
    snprintf(path, sizeof path, "%s/mirrors/shop.git", b->state);
    MUST(mirror_open(path, &m, &e));
    MUST(lineage_chain_read(m, tip, NULL, NULL, &chain, &e));
    assert_int_equal(chain.commits.len, COMMITS);
    MUST(store_repo_put(b->store, "shop", "/srv/shop.git", "main", &b->repo_id, &e));
    MUST(store_branch_put(b->store, b->repo_id, "main", &branch, &e));
    b->branch_id = branch.id;
    for (int i = 0; i < COMMITS; i++) {
        struct commit c = {.repo_id = b->repo_id};
        assert_true(sha_parse(view_z(chain.commits.at[i].sha), &c.sha));
        assert_true(sha_parse(view_z(chain.commits.at[i].tree), &c.tree));
        snprintf(c.subject, sizeof c.subject, "%s", chain.commits.at[i].subject);
        MUST(store_commit_put(b->store, &c, &e));
        b->commits[i] = c.id;
    }
    MUST(store_branch_move(b->store, b->branch_id, 0, b->commits, COMMITS, &e));
}

int bench_set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    scratch_init(&b->dir);
    snprintf(b->state, sizeof b->state, "%s/state", b->dir.dir);
    snprintf(b->db, sizeof b->db, "%s/state/pacewatch.db", b->dir.dir);
    snprintf(b->runner, sizeof b->runner, "%s/runner", b->dir.dir);
    snprintf(b->work, sizeof b->work, "%s/state/work", b->dir.dir);
    b->branches[0] = (char *)"main";
    b->repo = (struct stage_repo){
        .name = "shop", .url = "/srv/shop.git", .branches = b->branches, .branches_len = 1};
    scratch_run(
        &b->dir,
        "mkdir -p state/mirrors; git init -q -b main work; cd work; for i in 0 1 2 3; do "
        "echo $i >file; if [ $i = 0 ]; then echo '%s' >.pacewatch.json; fi; git add -A; git "
        "commit -q -m c$i; done; git clone -q --bare . ../state/mirrors/shop.git",
        good_spec);
    log_set_level(LOG_ERROR);
    bench_write_runner(b, "cd \"$(dirname \"$0\")\"; cat <&3 >t; mv t token; exec sleep 1000");
    bench_open_dispatch(b);
    enter_commits(b);
    *state = b;
    return 0;
}

int bench_tear_down(void **state)
{
    struct bench *b = *state;
    bench_close_dispatch(b);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

int64_t bench_queue(struct bench *b, enum job_kind kind, int head)
{
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .kind = kind,
                       .head = b->commits[head],
                       .seed = 5};
    int64_t id;
    bool added;
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    assert_true(added);
    return id;
}

struct job bench_job_of(struct bench *b, int64_t id)
{
    struct job job;
    MUST(store_job_get(b->store, id, &job, &e));
    return job;
}

/* Steps until the job is in that state. */
struct job bench_step_until(struct bench *b, int64_t id, enum job_state state)
{
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    struct job job;
    do {
        (void)dispatch_step(b->dispatch);
        job = bench_job_of(b, id);
        clock_sleep_until(clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    } while (job.state != state && clock_now_ns() < deadline);
    assert_string_equal(job_state_names[job.state], job_state_names[state]);
    return job;
}

void bench_wait_for_file(const struct bench *b, const char *name)
{
    char path[160];
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    snprintf(path, sizeof path, "%s/%s", b->dir.dir, name);
    while (!fdio_exists(path) && clock_now_ns() < deadline)
        clock_sleep_until(clock_now_ns() + 5 * CLOCK_NS_PER_MS);
    assert_true(fdio_exists(path));
}

/* As http does when the runner hands over that the build of one side failed. */
void bench_deliver_failure(struct bench *b, int64_t job, enum failure_class cls, int side)
{
    AUTO(result_doc_freep) struct result_doc *doc = result_doc_new();
    AUTO(spec_freep) struct spec *spec = NULL;
    MUST(spec_parse(view_z(good_spec), "spec", &spec, &e));
    doc->job = job;
    doc->attempt = bench_job_of(b, job).attempt;
    doc->outcome = RESULT_FAILED;
    doc->failure = cls;
    doc->failure_side = side;
    MUST(store_run_accept(b->store, doc, spec, &e));
}

struct job_doc *bench_read_job_doc(const struct bench *b, int64_t job)
{
    AUTO(str_done) struct str text = STR_INIT(JOB_DOC_BYTES_MAX);
    struct job_doc *doc = NULL;
    char path[160];
    snprintf(path, sizeof path, "%s/jobs/%" PRId64 "/job.json", b->state, job);
    MUST(fdio_read_file(path, &text, &e));
    MUST(job_doc_parse(str_view(&text), &doc, &e));
    return doc;
}

int64_t bench_add_commit(struct bench *b, const char *script)
{
    struct commit c = {.repo_id = b->repo_id};
    char sha[256];
    scratch_ask(&b->dir, sha,
                "cd work; %s; git add -A; git commit -q -m more; git push -q "
                "../state/mirrors/shop.git HEAD:refs/heads/main; git rev-parse HEAD",
                script);
    assert_true(sha_parse(view_z(sha), &c.sha));
    c.tree = c.sha;
    MUST(store_commit_put(b->store, &c, &e));
    return c.id;
}

int64_t bench_queue_pair(struct bench *b, enum job_kind kind, int64_t base, int64_t head)
{
    struct job want = {.repo_id = b->repo_id,
                       .branch_id = b->branch_id,
                       .kind = kind,
                       .base = base,
                       .head = head};
    int64_t id;
    bool added;
    MUST(store_job_add(b->store, &want, &id, &added, &e));
    return id;
}
