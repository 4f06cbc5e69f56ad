/* SPDX-License-Identifier: MIT */
/*
 * sandbox_host: finds out what this machine can do for a sandbox; see sandbox.h.
 *
 * The last question is asked by doing it: one real sandbox runs /usr/bin/true. Whatever stands
 * in the way (user namespaces switched off, an access policy, a container) shows there, with
 * the words of the one who refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bwrap.h"
#include "clock.h"
#include "fdio.h"
#include "filter.h"
#include "opt.h"
#include "sandbox.h"
#include "slot.h"

enum { PROBE_OUTPUT_MAX = 4096, PROBE_BYTES = 1 << 20, PROBE_TASKS = 16 };

/* User ids are the host's, so as root the locks that share them out are too. */
#define ROOT_LOCKS "/run/lock/pacewatch"

#define PROBE_TIMEOUT_NS (10 * CLOCK_NS_PER_S)

static void refuse(struct sandbox_host *h, const char *why)
{
    (void)snprintf(h->why, sizeof h->why, "%s", why);
}

static void probe(struct sandbox_host *h)
{
    struct err e = {0};
    int ends[2];
    int status = 0;
    if (fdio_pipe(ends, &e) < 0) {
        refuse(h, e.text);
        return;
    }
    AUTO(fdio_closep) int read_end = ends[0];
    AUTO(fdio_closep) int write_end = ends[1];
    const char *const argv[] = {"/usr/bin/true", NULL};
    struct sandbox_spec spec = {.name = "probe",
                                .argv = argv,
                                .area = "/usr",
                                .memory = 64 << 20,
                                .tasks = PROBE_TASKS,
                                .tmp = PROBE_BYTES,
                                .file = PROBE_BYTES,
                                .out = write_end};
    AUTO(sandbox_freep) struct sandbox *s = NULL;
    bool started = sandbox_start(h, &spec, &s, &e) == 0;
    bool ended = started && sandbox_wait(s, clock_now_ns() + PROBE_TIMEOUT_NS, &status);
    sandbox_freep(&s);
    fdio_closep(&write_end);
    h->safe = ended && status == 0;
    if (h->safe)
        return;
    AUTO(str_done) struct str said = STR_INIT(PROBE_OUTPUT_MAX);
    (void)fdio_read_all(read_end, &said, NULL);
    struct view text = view_trim(str_view(&said));
    if (text.len > 300)
        text = (struct view){text.at + text.len - 300, 300};
    (void)snprintf(h->why, sizeof h->why, "no sandbox can be started: %.*s%s%s", (int)text.len,
                   text.at, text.len ? "; " : "", started ? "true failed in it" : e.text);
}

/* Root of a rootless container has no other user to give a job to: there we are a user. */
static bool has_slot_users(void)
{
    AUTO(str_done) struct str map = STR_INIT(PROBE_OUTPUT_MAX);
    if (geteuid() != 0 || fdio_read_file("/proc/self/uid_map", &map, NULL) < 0)
        return false;
    struct view rest = str_view(&map);
    struct view line;
    while (view_line(&rest, &line)) {
        int64_t inside = -1;
        int64_t count = 0;
        struct view number;
        struct view more = view_trim(line);
        (void)view_cut(more, ' ', &number, &more);
        (void)opt_int(number, 0, UINT32_MAX, &inside, NULL);
        while (view_cut(view_trim(more), ' ', &number, &more))
            continue; /* the last number is the length */
        (void)opt_int(view_trim(number), 0, UINT32_MAX, &count, NULL);
        if (inside >= 0 && inside <= SANDBOX_UID_FIRST &&
            inside + count >= SANDBOX_UID_FIRST + SANDBOX_SLOTS)
            return true;
    }
    return false;
}

int sandbox_host_open(struct sandbox_host *out, const char *lock_dir, struct err *e)
{
    struct stat st;
    struct sandbox_host h = {.slot_fd = -1, .filter_fd = -1};
    h.real_root = has_slot_users();
    (void)snprintf(h.locks, sizeof h.locks, "%s", h.real_root ? ROOT_LOCKS : lock_dir);
    if (slot_take(h.locks, SANDBOX_SLOTS, &h.slot, &h.slot_fd, e) < 0)
        return -1;
    /* bubblewrap ends without waiting for its first process, whose remains would count against
     * the slot's user until somebody takes them: that is us, see sandbox_end. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    area_space_enter(&h.space, h.real_root);
    h.uid = (uid_t)(SANDBOX_UID_FIRST + h.slot);
    h.owner = h.real_root ? h.uid : geteuid();
    cgroup_detect(&h.cgroup);
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "slot%d-", h.slot);
    cgroup_sweep(&h.cgroup, prefix);

    if (stat(BWRAP_PATH, &st) < 0) {
        refuse(&h, "bubblewrap is not installed (" BWRAP_PATH ")");
    } else if (st.st_mode & S_ISUID) {
        refuse(&h, BWRAP_PATH " is setuid root, which has had root holes; remove the bit");
    } else if (!h.space.mounts) {
        refuse(&h, h.space.why);
    } else if (filter_make(&h.filter_fd, e) < 0) {
        sandbox_host_close(&h);
        return -1;
    } else {
        probe(&h);
    }
    *out = h;
    return 0;
}

void sandbox_host_close(struct sandbox_host *h)
{
    fdio_closep(&h->filter_fd);
    fdio_closep(&h->slot_fd);
}
