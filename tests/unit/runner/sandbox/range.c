/* SPDX-License-Identifier: MIT */
/* range: see range.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "range.h"
#include "str.h"

#define RUN_TIMEOUT_NS (20 * CLOCK_NS_PER_S)

static void copy_attacker(const struct range *r)
{
    char path[320];
    AUTO(str_done) struct str program = STR_INIT(64 << 20);
    snprintf(path, sizeof path, "%s/attacker", r->area);
    assert_int_equal(fdio_read_file(ATTACKER_PATH, &program, NULL), 0);
    assert_int_equal(fdio_write_file(path, str_view(&program), 0755, NULL), 0);
    assert_int_equal(chown(path, r->host.owner, r->host.owner), 0);
}

static void listen_outside(struct range *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t len = sizeof at;
    r->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->tcp, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(r->tcp, 8), 0);
    assert_int_equal(getsockname(r->tcp, (struct sockaddr *)&at, &len), 0);
    snprintf(r->port, sizeof r->port, "%d", ntohs(at.sin_port));

    snprintf(r->name, sizeof r->name, "pacewatch-test-%d", (int)getpid());
    memcpy(name.sun_path + 1, r->name, strlen(r->name));
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(r->name));
    r->abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->abstract, (struct sockaddr *)&name, len), 0);
    assert_int_equal(listen(r->abstract, 8), 0);
}

void range_open(struct range *r)
{
    struct err e = {0};
    char path[320];
    *r = (struct range){0};
    snprintf(r->dir, sizeof r->dir, "/tmp/pacewatch-range-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    assert_int_equal(chmod(r->dir, 0755), 0);
    snprintf(r->area, sizeof r->area, "%s/area", r->dir);
    snprintf(path, sizeof path, "%s/locks", r->dir);
    if (sandbox_host_open(&r->host, path, &e) < 0)
        fail_msg("%s", e.text);
    if (!r->host.safe)
        fail_msg("no sandbox here: %s", r->host.why);

    assert_int_equal(mkdir(r->area, 0755), 0);
    snprintf(path, sizeof path, "%s/area.img", r->dir);
    int rc = r->host.space.images
                 ? area_image_make(path, RANGE_AREA_MIB << 20, r->host.owner, &e)
                 : area_tmpfs_mount(r->area, RANGE_AREA_MIB << 20, r->host.owner, &e);
    if (rc == 0 && r->host.space.images)
        rc = area_image_mount(path, r->area, false, &e);
    if (rc < 0)
        fail_msg("%s", e.text);
    copy_attacker(r);

    snprintf(r->database, sizeof r->database, "%s/pacewatch.db", r->dir);
    assert_int_equal(fdio_write_file(r->database, VIEW("rows"), 0600, NULL), 0);
    r->leak = open(r->database, O_RDONLY); /* on purpose not close-on-exec */
    assert_true(r->leak >= 0);
    setenv("PACEWATCH_TEST_SECRET", RANGE_SECRET, 1);
    listen_outside(r);
}

void range_close(struct range *r)
{
    close(r->tcp);
    close(r->abstract);
    close(r->leak);
    sandbox_host_close(&r->host);
    area_unmount(r->area);
    (void)fdio_remove_tree(r->dir, NULL);
}

struct sandbox_spec range_spec(const struct range *r)
{
    return (struct sandbox_spec){.name = "test",
                                 .area = r->area,
                                 .memory = (int64_t)RANGE_MEMORY_MIB << 20,
                                 .tasks = RANGE_TASKS,
                                 .tmp = RANGE_TMP_MIB << 20,
                                 .file = RANGE_FILE_MIB << 20,
                                 .cpus = "0"};
}

int range_run_spec(const struct range *r, const struct sandbox_spec *spec, struct str *out)
{
    struct err e = {0};
    int ends[2];
    int status = -1;
    AUTO(sandbox_freep) struct sandbox *s = NULL;
    struct sandbox_spec with_out = *spec;
    assert_int_equal(fdio_pipe(ends, &e), 0);
    AUTO(fdio_closep) int read_end = ends[0];
    AUTO(fdio_closep) int write_end = ends[1];
    with_out.out = write_end;
    if (sandbox_start(&r->host, &with_out, &s, &e) < 0) {
        str_addz(out, e.text);
        return -1;
    }
    fdio_closep(&write_end);
    (void)sandbox_wait(s, clock_now_ns() + RUN_TIMEOUT_NS, &status);
    if (sandbox_end(s, NULL, &e) < 0)
        fail_msg("%s", e.text);
    (void)fdio_read_all(read_end, out, NULL);
    return status;
}

int range_run(const struct range *r, const char *const *argv, struct str *out)
{
    struct sandbox_spec spec = range_spec(r);
    spec.argv = argv;
    return range_run_spec(r, &spec, out);
}

bool range_pipe_closed(int read_end)
{
    char bytes[4096];
    int64_t deadline = clock_now_ns() + 2 * CLOCK_NS_PER_S;
    for (;;) {
        struct pollfd p = {.fd = read_end, .events = POLLIN};
        if (poll(&p, 1, clock_poll_ms(deadline)) <= 0)
            return false;
        if (read(read_end, bytes, sizeof bytes) <= 0)
            return true;
    }
}
