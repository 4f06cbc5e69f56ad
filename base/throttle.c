/* SPDX-License-Identifier: MIT */
/* throttle: see throttle.h. */
#include "throttle.h"

#include <string.h>

#include "clock.h"
#include "fdio.h"
#include "opt.h"
#include "str.h"

enum { THROTTLE_FILE_MAX = 16 << 10, THROTTLE_PATH_MAX = 4096 };

/* v2 counts microseconds, v1 nanoseconds. */
static int64_t read_stat(const char *path)
{
    AUTO(str_done) struct str text = STR_INIT(THROTTLE_FILE_MAX);
    int64_t value = 0;
    if (fdio_read_file(path, &text, NULL) < 0)
        return 0;
    struct view rest = str_view(&text);
    struct view line, name, number;
    while (view_line(&rest, &line)) {
        if (!view_cut(line, ' ', &name, &number))
            continue;
        bool us = view_eqz(name, "throttled_usec");
        if ((us || view_eqz(name, "throttled_time")) &&
            opt_int(number, 0, INT64_MAX / CLOCK_NS_PER_US, &value, NULL) == 0)
            return us ? value * CLOCK_NS_PER_US : value;
    }
    return 0;
}

/* The group itself and every one above it, up to the mount's own directory. */
static int64_t most_of(const char *mount, struct view group)
{
    int64_t most = 0;
    for (;;) {
        AUTO(str_done) struct str path = STR_INIT(THROTTLE_PATH_MAX);
        str_addf(&path, "%s%.*s/cpu.stat", mount, (int)group.len, group.at);
        int64_t ns = path.cut ? 0 : read_stat(str_text(&path));
        most = ns > most ? ns : most;
        while (group.len && group.at[group.len - 1] != '/')
            group.len--;
        if (!group.len)
            return most;
        group.len--;
    }
}

int64_t throttle_ns(void)
{
    AUTO(str_done) struct str own = STR_INIT(THROTTLE_FILE_MAX);
    int64_t most = 0;
    if (fdio_read_file("/proc/self/cgroup", &own, NULL) < 0)
        return 0;
    struct view rest = str_view(&own);
    struct view line, number, controllers, group;
    while (view_line(&rest, &line)) { /* "0::/path", or "2:cpu,cpuacct:/path" */
        if (!view_cut(line, ':', &number, &line) || !view_cut(line, ':', &controllers, &group))
            continue;
        bool v2 = controllers.len == 0;
        if (!v2 && !view_eqz(controllers, "cpu") && !view_starts(controllers, "cpu,"))
            continue;
        int64_t ns = most_of(v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", group);
        most = ns > most ? ns : most;
    }
    return most;
}
