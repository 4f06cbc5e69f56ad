/* SPDX-License-Identifier: MIT */
/* check_host: see check_host.h. One line for each thing that matters, in words and with the way
 * out. */
#include "check_host.h"

#include <stdio.h>
#include <string.h>

#include "cpus.h"
#include "doctor.h"
#include "sandbox.h"
#include "str.h"
#include "tune.h"

enum { CHECK_TEXT_MAX = 256 << 10 };

static const char *fix_for_sandbox(const struct sandbox_host *h)
{
    if (strstr(h->why, "not installed"))
        return "apt-get install bubblewrap";
    if (strstr(h->why, "setuid"))
        return "chmod u-s /usr/bin/bwrap";
    return "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000";
}

static void look_at_sandbox(struct doctor *d, const struct sandbox_host *h)
{
    if (h->safe)
        doctor_add(d, DOCTOR_PASS, "sandbox", NULL, "bubblewrap runs foreign code");
    else
        doctor_add(d, DOCTOR_FAIL, "sandbox", fix_for_sandbox(h), "%s", h->why);
    if (h->real_root)
        doctor_add(d, DOCTOR_PASS, "user", NULL, "one of its own for each job");
    else
        doctor_add(d, DOCTOR_WARN, "user", "sudo pacewatch doctor",
                   "the runner's own; started as root, each job has one of its own");
    if (h->cgroup.backend == CGROUP_NONE)
        doctor_add(d, DOCTOR_WARN, "cgroups", "systemctl edit pacewatchd  # Delegate=yes",
                   "none: %s; limits hold for each process alone", h->cgroup.why);
    else
        doctor_add(d, DOCTOR_PASS, "cgroups", NULL, "%s: %s",
                   cgroup_backend_names[h->cgroup.backend], h->cgroup.why);
    if (h->space.images)
        doctor_add(d, DOCTOR_PASS, "work areas", NULL,
                   "images of fixed size, builds are cached");
    else
        doctor_add(d, DOCTOR_WARN, "work areas", "modprobe loop", "%s%s%s",
                   h->space.mounts ? "in memory, builds are not cached"
                                   : "plain directories without a size",
                   h->space.why[0] ? ": " : "", h->space.why);
}

/* Before the sandbox is tried, as that leaves the host's mounts. */
static int change(const struct check_request *request, struct err *e)
{
    AUTO(str_done) struct str said = STR_INIT(CHECK_TEXT_MAX);
    int rc = 0;
    if (request->restore)
        rc = tune_restore("", TUNE_STATE, &said, e);
    if (rc == 0 && request->tune)
        rc = tune_apply("", TUNE_STATE, &said, e);
    fputs(said.len ? str_text(&said) : "", stderr);
    return rc;
}

int check_host(const struct check_request *request)
{
    struct err e = {0};
    struct sandbox_host h;
    struct cpus_machine machine;
    struct cpus cpus;
    AUTO(doctor_done) struct doctor d = {0};
    AUTO(str_done) struct str text = STR_INIT(CHECK_TEXT_MAX);
    if (change(request, &e) < 0) {
        fprintf(stderr, "pacewatch-runner: %s\n", e.text);
        return 1;
    }
    cpus_read(&machine);
    cpus_divide(&machine, &cpus);
    if (sandbox_host_open(&h, "/tmp/pacewatch-locks", &e) < 0) {
        doctor_add(&d, DOCTOR_FAIL, "sandbox", NULL, "%s", e.text);
    } else {
        look_at_sandbox(&d, &h);
        sandbox_host_close(&h);
    }
    doctor_look(&d, "", &cpus);
    if (request->json)
        doctor_write_json(&d, &text);
    else
        doctor_write_text(&d, &text);
    fputs(str_text(&text), stdout);
    return doctor_worst(&d) == DOCTOR_FAIL;
}
