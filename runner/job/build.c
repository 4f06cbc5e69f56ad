/* SPDX-License-Identifier: MIT */
/*
 * build: source and build of both sides, each once, before anything is measured.
 *
 * The key of a finished build is the digest of all that goes into it: the source tree, the
 * build's part of the spec, the toolchain, and how foreign code runs here. A package upgrade
 * between two jobs must not make an old base look slower than a new head.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "fingerprint.h"
#include "foreign.h"
#include "job.h"
#include "log.h"
#include "mem.h"
#include "unpack.h"

#define BUILD_TMP_BYTES (INT64_C(1) << 30)

static void make_key(const struct job *j, enum side side, char out[DIGEST_HEX + 1])
{
    unsigned char build[DIGEST_BYTES];
    unsigned char digest[DIGEST_BYTES];
    AUTO(str_done) struct str how = STR_INIT(8192);
    struct digest *d = digest_new();
    spec_build_digest(j->doc->spec, build);
    str_addf(&how, "1 %s owner=%u disk=%lld network=%d ", j->doc->sandbox ? "sandbox" : "off",
             (unsigned)j->work.owner, (long long)j->doc->spec->limits.disk,
             j->doc->build_network);
    fingerprint_toolchain(&how);
    digest_field(d, view_z(j->doc->side[side].tree));
    digest_field(d, (struct view){(const char *)build, sizeof build});
    digest_field(d, str_view(&how));
    digest_end(d, digest);
    digest_freep(&d);
    digest_hex(digest, out);
}

static int fetch_source(struct job *j, enum side side, const struct tree *tree, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(WORK_PATH_MAX);
    int64_t bytes_max = j->doc->spec->limits.disk;
    work_path(&j->work, "source.tar", &path);
    AUTO(fdio_closep)
    int fd = open(str_text(&path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "make '%s'", str_text(&path));
    (void)unlink(str_text(&path)); /* it lives as long as its descriptor */
    if (link_source(j->link, side, fd, bytes_max, e) < 0)
        return -1;
    struct unpack_rules rules = {.bytes_max = bytes_max,
                                 .owner =
                                     j->work.owner == geteuid() ? (uid_t)-1 : j->work.owner};
    return unpack_tar(fd, tree->dir, &rules, e);
}

/* --- one build -------------------------------------------------------------------------------
 */

static int run_build(struct job *j, enum side side, const struct tree *tree)
{
    const struct spec *spec = j->doc->spec;
    const struct spec_pairs *env = &spec->build.env;
    AUTO(foreign_done) struct foreign f = FOREIGN_INIT;
    AUTO(mem_freep) struct sandbox_var *vars = mem_zero(env->len + 1, sizeof *vars);
    struct err e = {0};
    char name[32];
    for (size_t i = 0; i < env->len; i++)
        vars[i] = (struct sandbox_var){env->at[i].name, env->at[i].value};
    (void)snprintf(name, sizeof name, "build-%s", side_names[side]);
    struct sandbox_spec how = {
        .name = name,
        .argv = (const char *const *)spec->build.command.argv,
        .env = vars,
        .env_len = env->len,
        .area = tree->dir,
        .off = !j->doc->sandbox,
        .network = j->doc->build_network,
        .memory = spec->limits.memory,
        .tasks = spec->limits.tasks,
        .tmp = BUILD_TMP_BYTES,
        .file = spec->limits.disk,
        .cpus = j->cpus.all_list,
    };
    int rc = foreign_run(j, &how, spec->build.timeout_ns, &f, &e);
    job_post_log(j, name, str_view(&f.text));
    if (job_check_cancel(j) < 0)
        return -1;
    if (rc < 0)
        return job_fail(j, FAILURE_INFRA, side, "build: %s", e.text);
    return foreign_ok(&f) ? 0 : job_fail(j, FAILURE_BUILD, side, "build %s", str_text(&f.how));
}

/* --- one side --------------------------------------------------------------------------------
 */

static int build_side(struct job *j, enum side side)
{
    struct err e = {0};
    struct tree *tree = &j->tree[side];
    const struct spec *spec = j->doc->spec;
    pulse_stage(j->pulse, "build %s", side_names[side]);
    (void)snprintf(tree->name, sizeof tree->name, "%s", side_names[side]);
    make_key(j, side, tree->key);
    if (work_tree_find(&j->work, tree, &e) < 0)
        return job_fail(j, FAILURE_INFRA, side, "build cache: %s", e.text);
    if (tree->present) {
        job_note(j, "build %s: taken from the cache", side_names[side]);
        return 0;
    }
    if (work_tree_make(&j->work, spec->limits.disk, tree, &e) < 0)
        return job_fail(j, FAILURE_INFRA, side, "work area: %s", e.text);
    if (fetch_source(j, side, tree, &e) < 0)
        return job_fail(
            j, e.kind == ERR_LIMIT || e.kind == ERR_PROTOCOL ? FAILURE_CONFIG : FAILURE_INFRA,
            side, "source: %s", e.text);
    int64_t start = clock_now_ns();
    if (spec->build.command.argc && run_build(j, side, tree) < 0)
        return -1;
    tree->build_ns = clock_now_ns() - start;
    if (artefact_read(tree->dir, &spec->build.outputs, &tree->artefact, &e) < 0)
        return job_fail(
            j, e.kind == ERR_NOT_FOUND || e.kind == ERR_LIMIT ? FAILURE_BUILD : FAILURE_INFRA,
            side, "%s", e.text);
    if (work_tree_keep(&j->work, tree, &e) < 0)
        return job_fail(j, FAILURE_INFRA, side, "build cache: %s", e.text);
    job_note(j, "build %s: %lld files, %lld bytes in %.1f s", side_names[side],
             (long long)tree->artefact.files, (long long)tree->artefact.bytes,
             (double)tree->build_ns / 1e9);
    return 0;
}

int job_build(struct job *j)
{
    if (job_wait_quiet(j, QUIET_SHARED) < 0)
        return -1;
    for (int side = 0; side < SIDE_COUNT; side++) {
        struct result_artifact *a = &j->result->artifact[side];
        const struct tree *tree = &j->tree[side];
        if (!j->doc->side[side].present)
            continue;
        if (job_check_cancel(j) < 0 || build_side(j, (enum side)side) < 0)
            return -1;
        *a = (struct result_artifact){.present = true,
                                      .cached = tree->cached,
                                      .bytes = tree->artefact.bytes,
                                      .build_ns = tree->build_ns};
        memcpy(a->digest, tree->artefact.digest, DIGEST_BYTES);
    }
    return 0;
}

/* The start command comes from the same spec for both sides, so equal files run equally. */
bool job_is_identical(const struct job *j)
{
    const struct result_artifact *a = j->result->artifact;
    return a[SIDE_BASE].present && a[SIDE_HEAD].present &&
           digest_equal(a[SIDE_BASE].digest, a[SIDE_HEAD].digest);
}
